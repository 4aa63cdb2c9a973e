// transit.h: values that were sealed before their row, and so their owner, was known.
//
// They are known by their nonce, which begins with a random id. It belongs to one role in one process: in a
// pooled session, nobody else can pass such a value off as his own. The last few are kept with their
// plaintext until the transaction ends, so that the owner trigger need not open what was sealed a moment ago.
#pragma once

#include <array>

#include "core/sealed_value.h"

#include "server/backend.h"

namespace envcrypt {

// How a nonce begins: the id, and 4 bytes that are drawn anew after 2^20 values. With XAES-256-GCM, values
// whose nonces begin alike are sealed under one derived key, which need not be derived again.
inline constexpr std::size_t kTransitIdBytes = 8;
using TransitPrefix = std::array<std::uint8_t, kTransitIdBytes + 4>;

// NextTransitPrefix returns the current role's for one more value. ValuesInTransit counts them.
const TransitPrefix &NextTransitPrefix();
[[nodiscard]] std::uint64_t ValuesInTransit() noexcept;

// IsInTransit: a value that this backend sealed for the current role, and that was bound to nothing yet.
[[nodiscard]] bool IsInTransit(const SealedHeader &header, const struct varlena *sealed);

// RememberInTransit keeps a value that was just sealed, if it is short; FindInTransit copies its plaintext,
// for the caller to wipe, or returns false.
inline constexpr std::size_t kMaxRecentPlain = 192;
struct RecentPlain {
    std::size_t size;
    std::uint8_t place[kMaxRecentPlain];

    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return {place, size}; }
};
void RememberInTransit(std::span<const std::uint8_t> sealed, std::span<const std::uint8_t> plain) noexcept;
bool FindInTransit(std::span<const std::uint8_t> sealed, RecentPlain *plain) noexcept;

// ForgetTransitIds: what was sealed in transit until now is a value like any other.
void ForgetTransitIds() noexcept;

void RegisterTransitCallbacks();

}  // namespace envcrypt
