#include "pg/transit.h"

#include <algorithm>

#include "core/secret.h"

#include "pg/errors.h"
#include "pg/key_cache.h"

namespace envcrypt {
namespace {

struct RoleTransitId {
    Oid role;
    TransitPrefix prefix;
    int values_left;  // until the end of the prefix changes
};
constexpr int kValuesOfPrefix = 1 << 20;
constexpr int kMaxTransitIds = 16;
RoleTransitId ids[kMaxTransitIds];
int ids_used = 0;
int ids_next = 0;
int ids_process = 0;

constexpr std::size_t kMaxPlain = 192;
struct Recent {
    std::size_t sealed_bytes;
    std::size_t plain_bytes;
    std::uint8_t sealed[kMaxPlain + kMaxHeaderBytes + kMaxNonceBytes + kTagBytes];
    std::uint8_t plain[kMaxPlain];
};
constexpr std::size_t kMaxRecent = 32;
Recent recent[kMaxRecent];
std::size_t recent_next = 0;
bool recent_used = false;

RoleTransitId *FindTransitId(Oid role) {
    if (ids_process != MyProcPid)
        return nullptr;
    for (int i = 0; i < ids_used; i++) {
        if (ids[i].role == role)
            return &ids[i];
    }
    return nullptr;
}

extern "C" void envcrypt_forget_transit(XactEvent event, void *) {
    if (!recent_used || event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
        return;
    Wipe({reinterpret_cast<std::uint8_t *>(recent), sizeof(recent)});
    recent_used = false;
}

}  // namespace

const TransitPrefix &NextTransitPrefix() {
    const Oid role = GetUserId();
    RoleTransitId *current = FindTransitId(role);
    if (likely(current != nullptr && current->values_left > 0)) {
        current->values_left--;
        return current->prefix;
    }
    if (ids_process != MyProcPid)
        ForgetTransitIds();
    RoleTransitId made{.role = role, .prefix = {}, .values_left = kValuesOfPrefix - 1};
    if (const Status status = Random().Take(made.prefix, MyProcPid); !status.ok())
        RaiseStatus(status);
    ids_process = MyProcPid;
    if (current != nullptr) {  // the same id, other bytes after it
        std::copy_n(current->prefix.begin(), kTransitIdBytes, made.prefix.begin());
    } else {
        current = &ids[ids_next];
        ids_next = (ids_next + 1) % kMaxTransitIds;
        ids_used = std::min(ids_used + 1, kMaxTransitIds);
    }
    *current = made;
    return current->prefix;
}

bool IsInTransit(const SealedHeader &header, const struct varlena *sealed) {
    if (likely(header.algorithm != Algorithm::kXaes256Gcm || header.context_id != 0))
        return false;
    const RoleTransitId *known = FindTransitId(GetUserId());
    return known != nullptr &&
           std::ranges::equal(SealedNonce(header, VarlenaBytes(sealed)).first(kTransitIdBytes),
                              std::span(known->prefix).first(kTransitIdBytes));
}

void RememberInTransit(std::span<const std::uint8_t> sealed, std::span<const std::uint8_t> plain) noexcept {
    if (plain.size() > kMaxPlain)
        return;
    Recent &place = recent[recent_next];
    recent_next = (recent_next + 1) % kMaxRecent;
    recent_used = true;
    place.sealed_bytes = sealed.size();
    place.plain_bytes = plain.size();
    std::ranges::copy(sealed, place.sealed);
    std::ranges::copy(plain, place.plain);
}

bool FindInTransit(std::span<const std::uint8_t> sealed, std::span<const std::uint8_t> *plain) noexcept {
    for (std::size_t i = 1; i <= kMaxRecent && recent_used; i++) {  // the latest first
        const Recent &place = recent[(recent_next + kMaxRecent - i) % kMaxRecent];
        if (place.sealed_bytes == sealed.size() && memcmp(place.sealed, sealed.data(), sealed.size()) == 0) {
            *plain = {place.plain, place.plain_bytes};
            return true;
        }
    }
    return false;
}

void ForgetTransitIds() noexcept {
    ids_used = 0;
    ids_next = 0;
}

void RegisterTransitCallbacks() {
    RegisterXactCallback(envcrypt_forget_transit, nullptr);
}

}  // namespace envcrypt
