#include "core/self_test.h"

#include <openssl/err.h>

#include <array>

#include "core/aead.h"
#include "core/algorithms.h"
#include "core/kdf.h"

namespace envcrypt {
namespace {

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

Status TestAlgorithms() noexcept {
    FetchAlgorithms();
    if (!IsMissing(Needed::kAesGcm))
        NoteWhether(Needed::kAesGcm, Seals(Algorithm::kAes256Gcm));
    if (!IsMissing(Needed::kAesGcm) && !IsMissing(Needed::kAesEcb))
        NoteWhether(Needed::kAesEcb, Seals(Algorithm::kXaes256Gcm));
    if (!IsMissing(Needed::kSha256) && !IsMissing(Needed::kHkdf))
        NoteWhether(Needed::kHkdf, Derives());
    if (!IsMissing(Needed::kSha256) && !IsMissing(Needed::kHmac))
        NoteWhether(Needed::kHmac, Authenticates());
    ERR_clear_error();  // what stays in the queue would break the backend's next TLS call
    return FirstMissing();
}

}  // namespace envcrypt
