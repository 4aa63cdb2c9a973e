// evp_limit.cpp: what sealing and opening cost when nothing but OpenSSL runs.
//
//   evp_limit VALUES KEYS
//
// AES-256-GCM over 32-byte values with 12 bytes of associated data; each key's context is kept, keys take
// turns from value to value, nonces are cut from a block of 4 KiB. Prints "open NS" and "seal NS", per value.
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr int kHeaderBytes = 12;
constexpr int kNonceBytes = 12;
constexpr int kPlainBytes = 32;
constexpr int kTagBytes = 16;
using Plain = std::array<unsigned char, kPlainBytes>;

struct Sealed {
    std::array<unsigned char, kHeaderBytes> header;
    std::array<unsigned char, kNonceBytes> nonce;
    Plain text;
    std::array<unsigned char, kTagBytes> tag;
};

void Check(bool good) {
    if (!good) {
        std::fputs("evp_limit: OpenSSL refused\n", stderr);
        std::exit(1);
    }
}

void TakeNonce(std::array<unsigned char, kNonceBytes> &nonce) {
    static std::array<unsigned char, 4096> block;
    static std::size_t used = block.size();
    if (used + kNonceBytes > block.size()) {
        Check(RAND_bytes(block.data(), static_cast<int>(block.size())) == 1);
        used = 0;
    }
    std::memcpy(nonce.data(), block.data() + used, kNonceBytes);
    used += kNonceBytes;
}

void Seal(EVP_CIPHER_CTX *context, const Plain &plain, Sealed &value) {
    int length = 0;
    TakeNonce(value.nonce);
    Check(EVP_EncryptInit_ex2(context, nullptr, nullptr, value.nonce.data(), nullptr) == 1 &&
          EVP_EncryptUpdate(context, nullptr, &length, value.header.data(), kHeaderBytes) == 1 &&
          EVP_EncryptUpdate(context, value.text.data(), &length, plain.data(), kPlainBytes) == 1 &&
          EVP_EncryptFinal_ex(context, value.text.data() + length, &length) == 1 &&
          EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, value.tag.data()) == 1);
}

void Open(EVP_CIPHER_CTX *context, Sealed &value, Plain &plain) {
    int length = 0;
    Check(EVP_DecryptInit_ex2(context, nullptr, nullptr, value.nonce.data(), nullptr) == 1 &&
          EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, value.tag.data()) == 1 &&
          EVP_DecryptUpdate(context, nullptr, &length, value.header.data(), kHeaderBytes) == 1 &&
          EVP_DecryptUpdate(context, plain.data(), &length, value.text.data(), kPlainBytes) == 1 &&
          EVP_DecryptFinal_ex(context, plain.data() + length, &length) == 1);
}

template <typename Work>
double NanosecondsPerValue(std::size_t values, Work work) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < values; i++) work(i);
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    return spent.count() / static_cast<double>(values);
}

}  // namespace

int main(int argc, char **argv) {
    const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000000;
    const std::size_t keys = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1000;
    std::vector<EVP_CIPHER_CTX *> contexts(keys);
    for (EVP_CIPHER_CTX *&context : contexts) {
        Plain key;
        Check(RAND_bytes(key.data(), kPlainBytes) == 1);
        context = EVP_CIPHER_CTX_new();
        Check(context != nullptr &&
              EVP_CipherInit_ex2(context, EVP_aes_256_gcm(), key.data(), nullptr, 1, nullptr) == 1);
    }
    std::vector<Sealed> values(count);
    Plain plain{};
    unsigned sum = 0;
    for (Sealed &value : values) value.header.fill(7);
    for (std::size_t i = 0; i < count; i++) Seal(contexts[i % keys], plain, values[i]);
    // What is sealed here is thrown away, as by the query that it is compared with.
    Sealed scratch = values[0];
    const double seal =
        NanosecondsPerValue(count, [&](std::size_t i) { Seal(contexts[i % keys], plain, scratch); });
    const double open = NanosecondsPerValue(count, [&](std::size_t i) {
        Open(contexts[i % keys], values[i], plain);
        sum += plain[0];
    });
    Check(sum == 0);
    std::printf("open %.1f\nseal %.1f\n", open, seal);
    for (EVP_CIPHER_CTX *context : contexts) EVP_CIPHER_CTX_free(context);
    return 0;
}
