#include "pg/just_bound.h"

#include <algorithm>
#include <array>

namespace envcrypt {
namespace {

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

}  // namespace

void RememberBound(const struct varlena *bound) {
    const auto bytes = VarlenaBytes(bound);
    SealedHeader header;
    if (!ParseHeader(bytes, bytes.size(), &header).ok())
        return;
    just_bound[just_bound_next] = BoundNow(header, bound);
    just_bound_next = (just_bound_next + 1) % kMaxJustBound;
}

bool WasJustBound(const SealedHeader &header, const struct varlena *sealed) {
    const JustBound now = BoundNow(header, sealed);
    return std::ranges::any_of(just_bound,
                               [&now](const JustBound &bound) noexcept { return IsSame(bound, now); });
}

}  // namespace envcrypt
