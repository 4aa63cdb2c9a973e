#include "core/aead.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>

#include "core/algorithms.h"

namespace envcrypt {
namespace {

constexpr std::size_t kGcmNonceBytes = 12;
constexpr std::size_t kBlockBytes = 16;

constexpr OSSL_PARAM kEndOfParameters = OSSL_PARAM_END;

OSSL_PARAM TagParameter(std::uint8_t *tag) noexcept {
    return OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, kTagBytes);
}

Status Fail(Code code, std::span<std::uint8_t> out) noexcept {
    ERR_clear_error();  // what stays in the queue would break the backend's next TLS call
    Wipe(out);
    return {code};
}

}  // namespace

Aead::Aead() noexcept = default;
Aead::~Aead() = default;

void Aead::ContextFree::operator()(evp_cipher_ctx_st *context) const noexcept {
    EVP_CIPHER_CTX_free(context);
}

Status Aead::MakeContexts(Algorithm algorithm, std::span<const std::uint8_t, kKeyBytes> key) noexcept {
    const bool gcm = algorithm == Algorithm::kAes256Gcm;
    if (IsMissing(Needed::kAesGcm))
        return Without(Needed::kAesGcm);
    if (!gcm && IsMissing(Needed::kAesEcb))
        return Without(Needed::kAesEcb);
    algorithm_ = algorithm;
    derive_.reset();
    gcm_.reset(EVP_CIPHER_CTX_new());
    if (gcm_ == nullptr)
        return Fail(Code::kNoMemory, {});
    if (EVP_CipherInit_ex2(gcm_.get(), Fetched().aes_256_gcm, gcm ? key.data() : nullptr, nullptr, 1,
                           nullptr) != 1)
        return Fail(Code::kCryptoFailure, {});
    if (gcm)
        return {};

    derive_.reset(EVP_CIPHER_CTX_new());
    if (derive_ == nullptr)
        return Fail(Code::kNoMemory, {});
    // K1 = L << 1, reduced as in CMAC (RFC 4493), where L is the encrypted zero block.
    constexpr std::array<std::uint8_t, kBlockBytes> zero{};
    SecretBytes<kBlockBytes> l_block;
    auto l = l_block.ExposeSecret();
    int written = 0;
    if (EVP_EncryptInit_ex2(derive_.get(), Fetched().aes_256_ecb, key.data(), nullptr, nullptr) != 1 ||
        EVP_CIPHER_CTX_set_padding(derive_.get(), 0) != 1 ||
        EVP_EncryptUpdate(derive_.get(), l.data(), &written, zero.data(), kBlockBytes) != 1 ||
        written != static_cast<int>(kBlockBytes))
        return Fail(Code::kCryptoFailure, {});
    auto mask = derive_mask_.ExposeSecret();
    for (std::size_t i = 0; i < kBlockBytes; i++) {
        const unsigned next = i + 1 < kBlockBytes ? l[i + 1] : 0U;
        mask[i] = static_cast<std::uint8_t>((l[i] << 1U) | (next >> 7U));
    }
    const auto carry = static_cast<std::uint8_t>(0U - (l[0] >> 7U));  // all ones if the top bit was set
    mask[kBlockBytes - 1] = static_cast<std::uint8_t>(mask[kBlockBytes - 1] ^ (0x87U & carry));
    return {};
}

Status Aead::SetKey(Algorithm algorithm, std::span<const std::uint8_t, kKeyBytes> key) noexcept {
    has_derived_ = false;
    const Status status = MakeContexts(algorithm, key);
    if (!status.ok())
        ClearKey();
    return status;
}

void Aead::ClearKey() noexcept {
    has_derived_ = false;
    gcm_.reset();
    derive_.reset();
    Wipe(derive_mask_.ExposeSecret());
}

// Start makes the GCM context ready for one message: a new nonce, and for XAES the key derived from it.
bool Aead::Start(std::span<const std::uint8_t> nonce, const std::uint8_t *tag) noexcept {
    const int direction = tag == nullptr ? 1 : 0;
    // With the nonce, because a call of its own costs more. EVP wants a pointer to non-const and only reads
    // it. The tag is set for every message: a kept context would silently check against the previous one's.
    const std::array<OSSL_PARAM, 2> params{TagParameter(const_cast<std::uint8_t *>(tag)), kEndOfParameters};
    const OSSL_PARAM *given = tag == nullptr ? nullptr : params.data();
    if (nonce.size() != NonceBytes(algorithm_) || gcm_ == nullptr)
        return false;
    if (algorithm_ == Algorithm::kAes256Gcm)
        return EVP_CipherInit_ex2(gcm_.get(), nullptr, nullptr, nonce.data(), direction, given) == 1;

    const auto half = nonce.first(kGcmNonceBytes);
    const auto *iv = nonce.data() + kGcmNonceBytes;
    if (has_derived_ && std::ranges::equal(derived_for_, half))
        return EVP_CipherInit_ex2(gcm_.get(), nullptr, nullptr, iv, direction, given) == 1;
    SecretBytes<2 * kBlockBytes> blocks;
    SecretKey derived;
    auto m = blocks.ExposeSecret();
    const auto mask = derive_mask_.ExposeSecret();
    for (std::size_t block = 0; block < 2; block++) {
        auto out = m.subspan(block * kBlockBytes, kBlockBytes);
        out[1] = static_cast<std::uint8_t>(block + 1);
        out[2] = 'X';
        std::ranges::copy(half, out.begin() + 4);
        for (std::size_t i = 0; i < kBlockBytes; i++) out[i] = static_cast<std::uint8_t>(out[i] ^ mask[i]);
    }
    int written = 0;
    has_derived_ =
        EVP_EncryptUpdate(derive_.get(), derived.ExposeSecret().data(), &written, m.data(),
                          static_cast<int>(m.size())) == 1 &&
        written == static_cast<int>(m.size()) &&
        EVP_CipherInit_ex2(gcm_.get(), nullptr, derived.ExposeSecret().data(), iv, direction, given) == 1;
    std::ranges::copy(half, derived_for_.begin());
    return has_derived_;
}

Status Aead::Seal(std::span<const std::uint8_t> nonce, std::span<const std::uint8_t> associated_data,
                  std::span<const std::uint8_t> plaintext, std::span<std::uint8_t> out) noexcept {
    if (plaintext.size() > kMaxMessageBytes || associated_data.size() > kMaxMessageBytes)
        return Fail(Code::kTooLong, out);
    if (out.size() != plaintext.size() + kTagBytes || !Start(nonce, nullptr))
        return Fail(Code::kCryptoFailure, out);
    int n = 0;
    auto *context = gcm_.get();
    const auto tag = out.subspan(plaintext.size());
    std::array<OSSL_PARAM, 2> params{TagParameter(tag.data()), kEndOfParameters};
    if (EVP_EncryptUpdate(context, nullptr, &n, associated_data.data(),
                          static_cast<int>(associated_data.size())) != 1 ||
        (!plaintext.empty() && EVP_EncryptUpdate(context, out.data(), &n, plaintext.data(),
                                                 static_cast<int>(plaintext.size())) != 1) ||
        EVP_EncryptFinal_ex(context, tag.data(), &n) != 1 ||
        EVP_CIPHER_CTX_get_params(context, params.data()) != 1)
        return Fail(Code::kCryptoFailure, out);
    return {};
}

Status Aead::Open(std::span<const std::uint8_t> nonce, std::span<const std::uint8_t> associated_data,
                  std::span<const std::uint8_t> sealed, std::span<std::uint8_t> out) noexcept {
    if (sealed.size() < kTagBytes || nonce.size() != NonceBytes(algorithm_))
        return Fail(Code::kAuthFailed, out);
    if (sealed.size() > kMaxMessageBytes + kTagBytes || associated_data.size() > kMaxMessageBytes)
        return Fail(Code::kTooLong, out);
    if (out.size() != sealed.size() - kTagBytes || !Start(nonce, sealed.data() + out.size()))
        return Fail(Code::kCryptoFailure, out);
    int n = 0;
    auto *context = gcm_.get();
    std::uint8_t none = 0;
    if (EVP_DecryptUpdate(context, nullptr, &n, associated_data.data(),
                          static_cast<int>(associated_data.size())) != 1 ||
        (!out.empty() &&
         EVP_DecryptUpdate(context, out.data(), &n, sealed.data(), static_cast<int>(out.size())) != 1))
        return Fail(Code::kCryptoFailure, out);
    if (EVP_DecryptFinal_ex(context, &none, &n) != 1)
        return Fail(Code::kAuthFailed, out);
    return {};
}

}  // namespace envcrypt
