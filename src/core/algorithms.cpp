#include "core/algorithms.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <array>

namespace envcrypt {
namespace {

constexpr std::array<const char *, kNeeded> kNames = {"AES-256-GCM", "AES-256-ECB", "SHA-256",
                                                      "HKDF",        "HMAC",        "random generator"};

Algorithms fetched{};
std::array<bool, kNeeded> missing = {true, true, true, true, true, true};

}  // namespace

void FetchAlgorithms() noexcept {
    if (fetched.aes_256_gcm == nullptr)
        fetched.aes_256_gcm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    if (fetched.aes_256_ecb == nullptr)
        fetched.aes_256_ecb = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr);
    if (fetched.hkdf == nullptr)
        fetched.hkdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    if (fetched.hmac == nullptr)
        fetched.hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    EVP_MD *sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    NoteWhether(Needed::kAesGcm, fetched.aes_256_gcm != nullptr);
    NoteWhether(Needed::kAesEcb, fetched.aes_256_ecb != nullptr);
    NoteWhether(Needed::kSha256, sha256 != nullptr);
    NoteWhether(Needed::kHkdf, fetched.hkdf != nullptr);
    NoteWhether(Needed::kHmac, fetched.hmac != nullptr);
    EVP_MD_free(sha256);
    NoteWhether(Needed::kRandom, RAND_status() == 1);
    ERR_clear_error();  // what stays in the queue would break the backend's next TLS call
}

Status FirstMissing() noexcept {
    for (int i = 0; i < kNeeded; i++) {
        if (missing[static_cast<std::size_t>(i)])
            return {Code::kNoAlgorithm, i};
    }
    return {};
}

void NoteWhether(Needed algorithm, bool works) noexcept {
    missing[static_cast<std::size_t>(algorithm)] = !works;
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
