// algorithms.h: what envcrypt needs of OpenSSL, fetched once per process tree, and what of it is missing.
//
// Which algorithms there are is decided by the machine's OpenSSL configuration, not by envcrypt. Where one is
// missing, what needs it returns kNoAlgorithm with its number as detail; everything else works.
#pragma once

#include <cstdint>

#include "core/status.h"

struct evp_cipher_st;
struct evp_kdf_st;
struct evp_mac_st;

namespace envcrypt {

enum class Needed : std::uint8_t { kAesGcm, kAesEcb, kSha256, kHkdf, kHmac, kRandom };
inline constexpr int kNeeded = 6;

// FetchAlgorithms looks up every algorithm. Call it before anything else here: a fetch costs more than
// sealing a value, and the first use of libcrypto needs memory. (self_test.h calls it, and uses each once.)
void FetchAlgorithms() noexcept;

// FirstMissing returns kNoAlgorithm with the first that is missing, or ok.
[[nodiscard]] Status FirstMissing() noexcept;

// NoteWhether an algorithm works: OpenSSL may have one and refuse to use it.
void NoteWhether(Needed algorithm, bool works) noexcept;

[[nodiscard]] bool IsMissing(Needed algorithm) noexcept;
[[nodiscard]] const char *AlgorithmName(Needed algorithm) noexcept;

// What was fetched; nullptr if missing.
struct Algorithms {
    evp_cipher_st *aes_256_gcm;
    evp_cipher_st *aes_256_ecb;
    evp_kdf_st *hkdf;
    evp_mac_st *hmac;
};
[[nodiscard]] const Algorithms &Fetched() noexcept;

// Without returns the status of work that needs this algorithm, and failed: kNoAlgorithm if it is missing.
[[nodiscard]] Status Without(Needed algorithm) noexcept;

}  // namespace envcrypt
