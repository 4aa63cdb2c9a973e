#include "core/algorithms.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <array>

#include "core/aead.h"
#include "core/kdf.h"

namespace envcrypt {
namespace {

constexpr std::array<const char *, kNeeded> kNames = {"AES-256-GCM", "AES-256-ECB", "SHA-256",
                                                      "HKDF",        "HMAC",        "random generator"};

Algorithms fetched{};
std::array<bool, kNeeded> missing = {true, true, true, true, true, true};

void Note(Needed algorithm, bool there) noexcept {
    missing[static_cast<std::size_t>(algorithm)] = !there;
}

// A fetch can succeed where the use is refused. Keys have the length of envcrypt's own, because a FIPS
// provider refuses short ones.
bool Seals(Algorithm algorithm) noexcept {
    constexpr std::array<std::uint8_t, kKeyBytes> key{};
    constexpr std::array<std::uint8_t, kMaxNonceBytes> nonce{};
    std::array<std::uint8_t, kKeyBytes + kTagBytes> sealed{};
    std::array<std::uint8_t, kKeyBytes> opened{};
    const auto used = std::span(nonce).first(NonceBytes(algorithm));
    Aead aead;
    return aead.SetKey(algorithm, key).ok() && aead.Seal(used, {}, key, sealed).ok() &&
           aead.Open(used, {}, sealed, opened).ok();
}

bool Derives() noexcept {
    constexpr std::array<std::uint8_t, kKeyBytes> key{};
    std::array<std::uint8_t, kKeyBytes> out{};
    return DeriveKey(key, "envcrypt", out).ok();
}

bool Authenticates() noexcept {
    constexpr std::array<std::uint8_t, kKeyBytes> key{};
    std::array<std::uint8_t, kHmacBytes> out{};
    return HmacSha256(key, key, out).ok();
}

}  // namespace

Status FetchAlgorithms() noexcept {
    if (fetched.aes_256_gcm == nullptr)
        fetched.aes_256_gcm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    if (fetched.aes_256_ecb == nullptr)
        fetched.aes_256_ecb = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr);
    if (fetched.hkdf == nullptr)
        fetched.hkdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    if (fetched.hmac == nullptr)
        fetched.hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    EVP_MD *sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    Note(Needed::kAesGcm, fetched.aes_256_gcm != nullptr);
    Note(Needed::kAesEcb, fetched.aes_256_ecb != nullptr);
    Note(Needed::kSha256, sha256 != nullptr);
    Note(Needed::kHkdf, fetched.hkdf != nullptr);
    Note(Needed::kHmac, fetched.hmac != nullptr);
    EVP_MD_free(sha256);
    Note(Needed::kRandom, RAND_status() == 1);

    if (!IsMissing(Needed::kAesGcm))
        Note(Needed::kAesGcm, Seals(Algorithm::kAes256Gcm));
    if (!IsMissing(Needed::kAesGcm) && !IsMissing(Needed::kAesEcb))
        Note(Needed::kAesEcb, Seals(Algorithm::kXaes256Gcm));
    if (!IsMissing(Needed::kSha256) && !IsMissing(Needed::kHkdf))
        Note(Needed::kHkdf, Derives());
    if (!IsMissing(Needed::kSha256) && !IsMissing(Needed::kHmac))
        Note(Needed::kHmac, Authenticates());
    ERR_clear_error();  // what stays in the queue would break the backend's next TLS call
    for (int i = 0; i < kNeeded; i++) {
        if (missing[static_cast<std::size_t>(i)])
            return {Code::kNoAlgorithm, i};
    }
    return {};
}

bool IsMissing(Needed algorithm) noexcept {
    return missing[static_cast<std::size_t>(algorithm)];
}

const char *AlgorithmName(Needed algorithm) noexcept {
    return kNames[static_cast<std::size_t>(algorithm)];
}

const Algorithms &Fetched() noexcept {
    return fetched;
}

Status Without(Needed algorithm) noexcept {
    if (IsMissing(algorithm))
        return {Code::kNoAlgorithm, static_cast<std::int32_t>(algorithm)};
    return {Code::kCryptoFailure};
}

}  // namespace envcrypt
