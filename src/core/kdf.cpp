#include "core/kdf.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <memory>

#include "core/algorithms.h"

namespace envcrypt {
namespace {

struct KdfContextFree {
    void operator()(EVP_KDF_CTX *context) const noexcept { EVP_KDF_CTX_free(context); }
};
struct MacContextFree {
    void operator()(EVP_MAC_CTX *context) const noexcept { EVP_MAC_CTX_free(context); }
};

char digest_name[] = "SHA256";

OSSL_PARAM Octets(const char *name, std::span<const std::uint8_t> bytes) noexcept {
    // OSSL_PARAM has one type for reading and writing; these are only read.
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t *>(bytes.data()), bytes.size());
}

// Of work with `algorithm` and SHA-256.
Status Fail(Needed algorithm, std::span<std::uint8_t> out) noexcept {
    ERR_clear_error();
    Wipe(out);
    return Without(IsMissing(Needed::kSha256) ? Needed::kSha256 : algorithm);
}

}  // namespace

Status Hkdf(std::span<const std::uint8_t> key, std::span<const std::uint8_t> salt,
            std::span<const std::uint8_t> info, std::span<std::uint8_t> out) noexcept {
    if (IsMissing(Needed::kHkdf) || IsMissing(Needed::kSha256))
        return Fail(Needed::kHkdf, out);
    const std::unique_ptr<EVP_KDF_CTX, KdfContextFree> context(EVP_KDF_CTX_new(Fetched().hkdf));
    if (context == nullptr)
        return Fail(Needed::kHkdf, out);
    std::array<OSSL_PARAM, 5> params{};
    std::size_t n = 0;
    params[n++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0);
    params[n++] = Octets(OSSL_KDF_PARAM_KEY, key);
    if (!salt.empty())
        params[n++] = Octets(OSSL_KDF_PARAM_SALT, salt);
    if (!info.empty())
        params[n++] = Octets(OSSL_KDF_PARAM_INFO, info);
    params[n] = OSSL_PARAM_construct_end();
    if (EVP_KDF_derive(context.get(), out.data(), out.size(), params.data()) != 1)
        return Fail(Needed::kHkdf, out);
    return {};
}

Status DeriveKey(std::span<const std::uint8_t, kKeyBytes> key, std::string_view label,
                 std::span<std::uint8_t> out) noexcept {
    return Hkdf(key, {}, {reinterpret_cast<const std::uint8_t *>(label.data()), label.size()}, out);
}

Status HmacSha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> message,
                  std::span<std::uint8_t, kHmacBytes> out) noexcept {
    if (IsMissing(Needed::kHmac) || IsMissing(Needed::kSha256))
        return Fail(Needed::kHmac, out);
    const std::unique_ptr<EVP_MAC_CTX, MacContextFree> context(EVP_MAC_CTX_new(Fetched().hmac));
    const std::array<OSSL_PARAM, 2> params{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0), OSSL_PARAM_construct_end()};
    std::size_t written = 0;
    if (context == nullptr || EVP_MAC_init(context.get(), key.data(), key.size(), params.data()) != 1 ||
        EVP_MAC_update(context.get(), message.data(), message.size()) != 1 ||
        EVP_MAC_final(context.get(), out.data(), &written, out.size()) != 1 || written != out.size())
        return Fail(Needed::kHmac, out);
    return {};
}

}  // namespace envcrypt
