#include "columns/binding.h"

#include <algorithm>
#include <array>

#include "keys/key_cache.h"
#include "keys/sealing_key.h"
#include "server/access.h"
#include "server/errors.h"
#include "server/rights.h"
#include "values/seal.h"
#include "values/transit.h"

namespace envcrypt {
namespace {

constexpr const char *kWhat = "sealing for a new owner";

enum class SealedFor : std::uint8_t { kOwner, kOther, kShredded, kUnknown };

bool IsKeyOf(const KeyRow &row, const Owner &owner) {
    return owner.is_database() ? !row.has_owner : row.has_owner && row.owner() == owner.utf8;
}

// Who a value is sealed for: by an opened key, or, where there is none to be had, by the key's row.
SealedFor WhoseKey(const Access &access, std::uint64_t key_id, const Owner &owner) {
    const DataKey *key = nullptr;
    if (access.may_use_keys())
        key = KeyOfValueIfUsable(key_id);
    if (likely(key != nullptr))
        return IsKeyOf(key->row, owner) ? SealedFor::kOwner : SealedFor::kOther;
    StoredKey stored;
    if (!FindKey(key_id, &stored))
        return SealedFor::kUnknown;
    if (stored.shredded)
        return SealedFor::kShredded;
    return IsKeyOf(stored.row, owner) ? SealedFor::kOwner : SealedFor::kOther;
}

// Values that the running command has bound to a row, out of what its role has typed.
//
// In INSERT ... ON CONFLICT DO UPDATE, EXCLUDED has such values, bound for the row that was not inserted.
// Where the row that is there has another owner they are re-bound, as a value in transit is: the role knows
// what they hold.
struct JustBound {
    Oid role;
    LocalTransactionId transaction;
    CommandId command;
    std::uint64_t key_id;
    std::array<std::uint8_t, kMaxNonceBytes> nonce;
};
constexpr std::size_t kMaxJustBound = 128;  // of a row's protected columns, these at least
JustBound just_bound[kMaxJustBound];
std::size_t just_bound_next = 0;

// The value as it would be remembered now.
JustBound BoundNow(const SealedHeader &header, const struct varlena *sealed) {
    JustBound now{.role = GetUserId(),
                  .transaction = CurrentLocalTransaction(),
                  .command = GetCurrentCommandId(false),
                  .key_id = header.key_id,
                  .nonce = {}};
    std::ranges::copy(SealedNonce(header, VarlenaBytes(sealed)), now.nonce.begin());
    return now;
}

bool IsSame(const JustBound &left, const JustBound &right) noexcept {
    return left.nonce == right.nonce && left.key_id == right.key_id && left.command == right.command &&
           left.transaction == right.transaction && left.role == right.role;
}

void RememberBound(const struct varlena *bound) {
    const auto bytes = VarlenaBytes(bound);
    SealedHeader header;
    if (!ParseHeader(bytes, bytes.size(), &header).ok())
        return;
    just_bound[just_bound_next] = BoundNow(header, bound);
    just_bound_next = (just_bound_next + 1) % kMaxJustBound;
}

// By this command and for the current role. `sealed` may be the beginning of the value.
bool WasJustBound(const SealedHeader &header, const struct varlena *sealed) {
    const JustBound now = BoundNow(header, sealed);
    return std::ranges::any_of(just_bound,
                               [&now](const JustBound &bound) noexcept { return IsSame(bound, now); });
}

Datum Rebind(const BaseType &type, const SealedHeader &header, const struct varlena *sealed,
             const Binding &binding) {
    KeyToSealFor(binding.owner, kWhat);  // what can fail, before anything is opened
    RecentPlain recent;
    if (FindInTransit(VarlenaBytes(sealed), &recent)) {
        const Datum bound = SealPlainFor(binding.owner, kWhat, type, recent.bytes(), binding.context_id);
        Wipe(recent.place);
        return bound;
    }
    const auto plain = OpenPlain(header, sealed);
    const Datum bound = SealPlainFor(binding.owner, kWhat, type, plain, binding.context_id);
    Wipe(plain);
    pfree(plain.data());
    return bound;
}

}  // namespace

Datum BindPlain(const BaseType &type, Datum value, const Binding &binding) {
    RequireSeal();
    return SealFor(binding.owner, kWhat, type, value, binding.context_id);
}

bool BindSealed(const BaseType &type, Datum sealed, const Binding &binding, Datum *bound) {
    const struct varlena *head = nullptr;
    const SealedHeader header = HeaderOf(type, sealed, &head);
    const bool in_transit = IsInTransit(header, head);
    const Access access = CurrentAccess();
    *bound = sealed;
    if (!in_transit) {
        const SealedFor found = WhoseKey(access, header.key_id, binding.owner);
        if (found == SealedFor::kOwner && header.context_id == binding.context_id)
            return true;
        if (found == SealedFor::kShredded)  // opens for nobody
            return true;
        // Tables may be loaded before keys are, by those who are trusted with it.
        if (found == SealedFor::kUnknown && MayBringSealed())
            return true;
    }
    const bool may_rebind = MayRebind();
    const bool own = in_transit || (!may_rebind && WasJustBound(header, head));
    if (own ? !access.may_use_keys() : !may_rebind)
        return false;
    *bound = Rebind(type, header, reinterpret_cast<const struct varlena *>(PG_DETOAST_DATUM_PACKED(sealed)),
                    binding);
    if (own && !may_rebind)
        RememberBound(reinterpret_cast<const struct varlena *>(DatumGetPointer(*bound)));
    return true;
}

const char *BindingFault(const BaseType &type, const struct varlena *sealed, const Binding *binding) {
    const auto bytes = VarlenaBytes(sealed);
    SealedHeader header;
    if (!ParseHeader(bytes, bytes.size(), &header).ok() || header.type_tag != type.tag ||
        header.type_name != type.name)
        return "damaged";
    StoredKey stored;
    DataKey *key = KeyOfValueIfUsable(header.key_id);
    if (key == nullptr) {
        if (!FindKey(header.key_id, &stored))
            return "data key missing";
        if (stored.shredded)
            return "data key destroyed";
        key = KeyOfValue(header.key_id);  // raises why it cannot be had
    }
    const bool is_owners = binding == nullptr || IsKeyOf(key->row, binding->owner);
    const bool has_owner = key->row.has_owner;
    if (Authenticate(header, sealed) != Authenticity::kAuthentic)
        return "does not open";
    if (!is_owners)
        return has_owner ? "sealed for another owner" : "sealed for no owner";
    if (binding != nullptr && header.context_id != binding->context_id)
        return header.context_id == 0 ? "not bound to the column" : "sealed for another column";
    return nullptr;
}

}  // namespace envcrypt
