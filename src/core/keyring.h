// keyring.h: the master keys that a session or the server was given.
//
// A keyring's text is one or more keys separated by ':' or newlines; the first is the primary. A key is 32
// bytes as base64 (standard or URL-safe, padded or not: a Fernet key is one) or as 64 hex digits. From each
// key HKDF-SHA256 derives the wrapping key and the fingerprint (docs/format.md, section 4); the key itself is
// not kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/aead.h"
#include "core/status.h"

namespace envcrypt {

inline constexpr std::size_t kFingerprintBytes = 16;
inline constexpr std::size_t kMaxMasterKeys = 32;  // entries of a keyring's text
using Fingerprint = std::array<std::uint8_t, kFingerprintBytes>;

// ParseMasterKey decodes one entry, without white space around it. False if it is none of the accepted forms.
[[nodiscard]] bool ParseMasterKey(std::string_view text, SecretKey &key) noexcept;

// GenerateMasterKey writes a new random master key as 44 characters of base64 and a NUL.
Status GenerateMasterKey(std::span<char, 45> text) noexcept;

// CheckKeyring tells whether `text` is a keyring, deriving nothing. Its statuses are Keyring::Load's.
Status CheckKeyring(std::string_view text) noexcept;

class Keyring {
 public:
    // Load replaces the ring. Blank entries are skipped and a repeated key counts once. kEmptyKeyring: no
    // entry; kBadKeyringEntry with the entry's place; kTooManyKeys for more than 32
    // entries, repeated or not. On failure the ring is empty.
    Status Load(std::string_view text) noexcept;
    void Clear() noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const Fingerprint &fingerprint(std::size_t place) const noexcept {
        return keys_[place].fingerprint;
    }

    // Find returns the wrapping key of a master key, owned by the ring, or nullptr.
    [[nodiscard]] Aead *Find(const Fingerprint &fingerprint) noexcept;

 private:
    struct MasterKey {
        Fingerprint fingerprint{};
        Aead wrapping;
    };
    Status Add(const SecretKey &key) noexcept;

    std::array<MasterKey, kMaxMasterKeys> keys_;
    std::size_t size_ = 0;
};

}  // namespace envcrypt
