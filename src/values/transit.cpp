#include "values/transit.h"

#include <algorithm>

#include "core/secret.h"

#include "keys/key_cache.h"
#include "server/errors.h"

extern "C" {
#include "utils/hsearch.h"
}

namespace envcrypt {
namespace {

struct RoleTransitId {
    Oid role;  // key of the table
    TransitPrefix prefix;
    int values_left;  // until the end of the prefix changes
};
constexpr int kValuesOfPrefix = 1 << 20;
HTAB *ids = nullptr;  // as many as there were roles: a plan may hold values of any of them
RoleTransitId *last_id = nullptr;
int ids_process = 0;
std::uint64_t values_in_transit = 0;

struct Recent {
    std::size_t sealed_bytes;
    std::uint8_t sealed[kMaxRecentPlain + kMaxHeaderBytes + kMaxNonceBytes + kTagBytes];
    RecentPlain plain;
};
constexpr std::size_t kMaxRecent = 32;
Recent recent[kMaxRecent];
std::size_t recent_next = 0;
bool recent_used = false;

RoleTransitId *FindTransitId(Oid role) {
    if (ids == nullptr || ids_process != MyProcPid)
        return nullptr;
    if (likely(last_id != nullptr && last_id->role == role))
        return last_id;
    last_id = static_cast<RoleTransitId *>(hash_search(ids, &role, HASH_FIND, nullptr));
    return last_id;
}

RoleTransitId *AddTransitId(Oid role) {
    if (ids_process != MyProcPid)
        ForgetTransitIds();
    if (ids == nullptr) {
        HASHCTL info{};
        info.keysize = sizeof(Oid);
        info.entrysize = sizeof(RoleTransitId);
        info.hcxt = TopMemoryContext;
        ids = hash_create("envcrypt transit ids", 16, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
        ids_process = MyProcPid;
    }
    return static_cast<RoleTransitId *>(hash_search(ids, &role, HASH_ENTER, nullptr));
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
    values_in_transit++;
    if (likely(current != nullptr && current->values_left > 0)) {
        current->values_left--;
        return current->prefix;
    }
    TransitPrefix prefix{};
    if (const Status status = Random().Take(prefix, MyProcPid); !status.ok())
        RaiseStatus(status);
    if (current != nullptr)  // the same id, other bytes after it
        std::copy_n(current->prefix.begin(), kTransitIdBytes, prefix.begin());
    else
        current = AddTransitId(role);
    current->prefix = prefix;
    current->values_left = kValuesOfPrefix - 1;
    return current->prefix;
}

std::uint64_t ValuesInTransit() noexcept {
    return values_in_transit;
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
    if (plain.size() > kMaxRecentPlain)
        return;
    Recent &place = recent[recent_next];
    recent_next = (recent_next + 1) % kMaxRecent;
    recent_used = true;
    place.sealed_bytes = sealed.size();
    place.plain.size = plain.size();
    std::ranges::copy(sealed, place.sealed);
    std::ranges::copy(plain, place.plain.place);
}

bool FindInTransit(std::span<const std::uint8_t> sealed, RecentPlain *plain) noexcept {
    for (std::size_t i = 1; i <= kMaxRecent && recent_used; i++) {  // the latest first
        const Recent &place = recent[(recent_next + kMaxRecent - i) % kMaxRecent];
        if (place.sealed_bytes == sealed.size() && memcmp(place.sealed, sealed.data(), sealed.size()) == 0) {
            plain->size = place.plain.size;
            std::ranges::copy(place.plain.bytes(), plain->place);
            return true;
        }
    }
    return false;
}

void ForgetTransitIds() noexcept {
    last_id = nullptr;
    if (ids != nullptr)
        hash_destroy(ids);
    ids = nullptr;
}

void RegisterTransitCallbacks() {
    RegisterXactCallback(envcrypt_forget_transit, nullptr);
}

}  // namespace envcrypt
