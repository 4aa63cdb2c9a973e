// wrapped_key.h: a data key as envcrypt_data_keys stores it, and the only code that knows its bytes.
//
// docs/format.md, section 3, is normative. A wrapped key is version (1) | nonce (24) | encrypted key (32) |
// tag (16), XAES-256-GCM under a master key's wrapping key. Everything else that its row says is associated
// data: a row that was edited, or that was given another row's wrapped key, does not unwrap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/aead.h"
#include "core/keyring.h"
#include "core/status.h"

namespace envcrypt {

inline constexpr std::size_t kWrappedKeyBytes = 1 + 24 + kKeyBytes + kTagBytes;
inline constexpr std::size_t kMaxOwnerBytes = 255;

enum class KeyKind : std::uint8_t { kData = 1, kToken = 2 };

// What a key row says of its key. Plain data: it may stand in frames that PostgreSQL leaves by longjmp.
struct KeyRow {
    std::uint64_t key_id = 0;
    KeyKind kind = KeyKind::kData;
    Algorithm algorithm = Algorithm::kAes256Gcm;
    std::uint32_t key_version = 1;
    bool has_owner = false;  // false: the database key
    std::uint8_t owner_bytes = 0;
    std::array<char, kMaxOwnerBytes> owner_utf8{};
    Fingerprint master_fingerprint{};
    std::array<std::uint8_t, kWrappedKeyBytes> wrapped_key{};

    [[nodiscard]] std::string_view owner() const noexcept { return {owner_utf8.data(), owner_bytes}; }
    bool operator==(const KeyRow &) const noexcept = default;
};

// WrapKey wraps `key` into row.wrapped_key. All other fields of `row` are filled before; `nonce` has 24
// bytes.
Status WrapKey(Aead &wrapping, const SecretKey &key, std::span<const std::uint8_t> nonce,
               KeyRow *row) noexcept;

// UnwrapKey reverses WrapKey. kAuthFailed for a damaged or edited row and for another wrapping key; on any
// failure `key` is all zero.
Status UnwrapKey(Aead &wrapping, const KeyRow &row, SecretKey &key) noexcept;

}  // namespace envcrypt
