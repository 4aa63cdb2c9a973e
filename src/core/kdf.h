// kdf.h: keys from keys: HKDF-SHA256 (RFC 5869) and HMAC-SHA256 (RFC 2104).
//
// HKDF costs some 2 microseconds: it is for keyrings and rare administrative work, never for a value.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/secret.h"
#include "core/status.h"

namespace envcrypt {

inline constexpr std::size_t kHmacBytes = 32;

// Hkdf fills `out` from `key`, with `salt` (empty: as RFC 5869 says, zero bytes) and `info`.
Status Hkdf(std::span<const std::uint8_t> key, std::span<const std::uint8_t> salt,
            std::span<const std::uint8_t> info, std::span<std::uint8_t> out) noexcept;

// DeriveKey is Hkdf without salt, with a label as info: envcrypt's keys of different uses never coincide.
Status DeriveKey(std::span<const std::uint8_t, kKeyBytes> key, std::string_view label,
                 std::span<std::uint8_t> out) noexcept;

// HmacSha256 writes the 32-byte authentication code of `message` under `key`.
Status HmacSha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> message,
                  std::span<std::uint8_t, kHmacBytes> out) noexcept;

}  // namespace envcrypt
