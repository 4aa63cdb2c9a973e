// transit.h: values that were sealed before their row, and so their owner, was known.
//
// They are known by their nonce, which begins with a random id. It belongs to one role in one process: in a
// pooled session, nobody else can pass such a value off as his own. The last few are kept with their
// plaintext until the transaction ends, so that the owner trigger need not open what was sealed a moment ago.
#pragma once

#include <array>

#include "core/sealed_value.h"

#include "pg/backend.h"

namespace envcrypt {

using TransitId = std::array<std::uint8_t, 8>;

// CurrentTransitId returns the current role's, drawn when it is first needed.
const TransitId &CurrentTransitId();

// IsInTransit: a value that this backend sealed for the current role, and that was bound to nothing yet.
[[nodiscard]] bool IsInTransit(const SealedHeader &header, const struct varlena *sealed);

// RememberInTransit keeps a value that was just sealed; FindInTransit returns its plaintext, which is good
// until the next call of RememberInTransit, or false.
void RememberInTransit(std::span<const std::uint8_t> sealed, std::span<const std::uint8_t> plain) noexcept;
bool FindInTransit(std::span<const std::uint8_t> sealed, std::span<const std::uint8_t> *plain) noexcept;

// ForgetTransitIds: what was sealed in transit until now is a value like any other.
void ForgetTransitIds() noexcept;

void RegisterTransitCallbacks();

}  // namespace envcrypt
