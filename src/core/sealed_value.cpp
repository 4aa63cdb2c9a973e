#include "core/sealed_value.h"

#include <algorithm>

#include "core/bytes.h"

namespace envcrypt {
namespace {

// Format byte: bits 7-5 the version (1), bit 4 padding (reserved), bit 3 token (searchable types), bits 2-0
// the suite.
constexpr std::uint8_t kFormatVersion1 = 0x20;
constexpr std::size_t kTypeTagAt = 1;
constexpr std::size_t kContextIdAt = 2;
constexpr std::size_t kKeyIdAt = 4;

}  // namespace

Status ParseHeader(std::span<const std::uint8_t> sealed, std::size_t total_bytes,
                   SealedHeader *header) noexcept {
    if (sealed.empty())
        return {Code::kAuthFailed};
    switch (sealed[0]) {
        case kFormatVersion1 | static_cast<std::uint8_t>(Algorithm::kAes256Gcm):
            header->algorithm = Algorithm::kAes256Gcm;
            break;
        case kFormatVersion1 | static_cast<std::uint8_t>(Algorithm::kXaes256Gcm):
            header->algorithm = Algorithm::kXaes256Gcm;
            break;
        default:
            return {Code::kUnknownFormat, sealed[0]};
    }
    if (sealed.size() < kHeaderBytes || total_bytes < SealedOverhead(header->algorithm))
        return {Code::kAuthFailed};
    header->type_tag = sealed[kTypeTagAt];
    header->context_id = LoadBigEndian<std::uint16_t>(sealed.subspan(kContextIdAt));
    header->key_id = LoadBigEndian<std::uint64_t>(sealed.subspan(kKeyIdAt));
    if (header->type_tag == 0 || header->key_id == 0)
        return {Code::kAuthFailed};
    return {};
}

std::span<const std::uint8_t> SealedNonce(const SealedHeader &header,
                                          std::span<const std::uint8_t> sealed) noexcept {
    return sealed.subspan(kHeaderBytes, NonceBytes(header.algorithm));
}

Status SealValue(Aead &key, const SealedHeader &header, std::span<const std::uint8_t> nonce,
                 std::span<const std::uint8_t> plaintext, std::span<std::uint8_t> out) noexcept {
    if (key.algorithm() != header.algorithm || nonce.size() != NonceBytes(header.algorithm) ||
        out.size() != plaintext.size() + SealedOverhead(header.algorithm)) {
        Wipe(out);
        return {Code::kCryptoFailure};
    }
    const auto head = out.first(kHeaderBytes);
    head[0] = kFormatVersion1 | static_cast<std::uint8_t>(header.algorithm);
    head[kTypeTagAt] = header.type_tag;
    StoreBigEndian(header.context_id, head.subspan(kContextIdAt));
    StoreBigEndian(header.key_id, head.subspan(kKeyIdAt));
    std::copy(nonce.begin(), nonce.end(), out.begin() + kHeaderBytes);
    const Status status = key.Seal(nonce, head, plaintext, out.subspan(kHeaderBytes + nonce.size()));
    if (!status.ok())
        Wipe(out);
    return status;
}

Status OpenValue(Aead &key, const SealedHeader &header, std::span<const std::uint8_t> sealed,
                 std::span<std::uint8_t> out) noexcept {
    if (key.algorithm() != header.algorithm || sealed.size() < SealedOverhead(header.algorithm)) {
        Wipe(out);
        return {Code::kAuthFailed};
    }
    return key.Open(SealedNonce(header, sealed), sealed.first(kHeaderBytes),
                    sealed.subspan(kHeaderBytes + NonceBytes(header.algorithm)), out);
}

}  // namespace envcrypt
