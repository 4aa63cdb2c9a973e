// aead.h: authenticated encryption under a key whose context is kept.
//
// Two algorithms, both from OpenSSL's EVP: AES-256-GCM (NIST SP 800-38D; 12-byte nonce, 16-byte tag) and
// XAES-256-GCM (C2SP; 24-byte nonce, 16-byte tag), which derives a fresh AES-256-GCM key from each nonce.
//
// Nothing here allocates once a key is set, throws, logs or blocks. Every function returns a Status and
// leaves `out` all zero bytes on any status but kOk. `out` must not overlap an input. Empty spans are fine.
// Reuse of a nonce with the same key breaks AES-GCM; the caller draws nonces at random and counts on the
// limits in docs/format.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/secret.h"
#include "core/status.h"

struct evp_cipher_ctx_st;

namespace envcrypt {

enum class Algorithm : std::uint8_t { kAes256Gcm = 1, kXaes256Gcm = 2 };

inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kMaxNonceBytes = 24;
// What EVP's int lengths and PostgreSQL's 1 GB values both allow.
inline constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 30;

[[nodiscard]] constexpr std::size_t NonceBytes(Algorithm algorithm) noexcept {
    return algorithm == Algorithm::kAes256Gcm ? 12 : 24;
}

class Aead {
 public:
    Aead() noexcept;
    ~Aead();  // OpenSSL wipes the key schedules
    Aead(const Aead &) = delete;
    Aead &operator=(const Aead &) = delete;

    // SetKey makes the contexts. kNoMemory, kNoAlgorithm or kCryptoFailure leave the object without a key.
    Status SetKey(Algorithm algorithm, std::span<const std::uint8_t, kKeyBytes> key) noexcept;

    // ClearKey forgets the key and frees the contexts.
    void ClearKey() noexcept;

    // Seal writes ciphertext and tag: out.size() must be plaintext.size() + kTagBytes.
    Status Seal(std::span<const std::uint8_t> nonce, std::span<const std::uint8_t> associated_data,
                std::span<const std::uint8_t> plaintext, std::span<std::uint8_t> out) noexcept;

    // Open reverses Seal: out.size() must be sealed.size() - kTagBytes. Damage, truncation, another key,
    // nonce or associated data all return kAuthFailed.
    Status Open(std::span<const std::uint8_t> nonce, std::span<const std::uint8_t> associated_data,
                std::span<const std::uint8_t> sealed, std::span<std::uint8_t> out) noexcept;

    [[nodiscard]] Algorithm algorithm() const noexcept { return algorithm_; }

 private:
    struct ContextFree {
        void operator()(evp_cipher_ctx_st *context) const noexcept;
    };
    using Context = std::unique_ptr<evp_cipher_ctx_st, ContextFree>;

    Status MakeContexts(Algorithm algorithm, std::span<const std::uint8_t, kKeyBytes> key) noexcept;
    bool Start(std::span<const std::uint8_t> nonce, const std::uint8_t *tag) noexcept;

    Algorithm algorithm_ = Algorithm::kAes256Gcm;
    Context gcm_;
    Context derive_;               // XAES only: AES-256-ECB under the key
    SecretBytes<16> derive_mask_;  // XAES only: the subkey K1
    // XAES only: the first half of the nonce that gcm_ has the key of. Nonces that share it need no new key.
    std::array<std::uint8_t, 12> derived_for_{};
    bool has_derived_ = false;
};

}  // namespace envcrypt
