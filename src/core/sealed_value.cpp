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
constexpr std::size_t kNameAt = 12;

bool ParseTypeName(std::span<const std::uint8_t> sealed, SealedHeader *header) noexcept {
    if (sealed.size() <= kNameAt)
        return false;
    const std::size_t size = sealed[kNameAt];
    if (size == 0 || size > kMaxTypeNameBytes || sealed.size() < kNameAt + 1 + size)
        return false;
    header->type_name = {reinterpret_cast<const char *>(sealed.data()) + kNameAt + 1, size};
    return true;
}

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
    if (sealed.size() < kHeaderBytes)
        return {Code::kAuthFailed};
    header->type_tag = sealed[kTypeTagAt];
    header->context_id = LoadBigEndian<std::uint16_t>(sealed.subspan(kContextIdAt));
    header->key_id = LoadBigEndian<std::uint64_t>(sealed.subspan(kKeyIdAt));
    header->type_name = {};
    if (header->type_tag == 0 || header->key_id == 0)
        return {Code::kAuthFailed};
    if (header->type_tag == static_cast<std::uint8_t>(TypeTag::kNamed) && !ParseTypeName(sealed, header))
        return {Code::kAuthFailed};
    return total_bytes < SealedOverhead(*header) ? Status{Code::kAuthFailed} : Status{};
}

std::span<const std::uint8_t> SealedNonce(const SealedHeader &header,
                                          std::span<const std::uint8_t> sealed) noexcept {
    return sealed.subspan(header.bytes(), NonceBytes(header.algorithm));
}

Status SealValue(Aead &key, const SealedHeader &header, std::span<const std::uint8_t> nonce,
                 std::span<const std::uint8_t> plaintext, std::span<std::uint8_t> out) noexcept {
    if (key.algorithm() != header.algorithm || nonce.size() != NonceBytes(header.algorithm) ||
        out.size() != plaintext.size() + SealedOverhead(header) ||
        header.type_name.size() > kMaxTypeNameBytes) {
        Wipe(out);
        return {Code::kCryptoFailure};
    }
    const auto head = out.first(header.bytes());
    head[0] = kFormatVersion1 | static_cast<std::uint8_t>(header.algorithm);
    head[kTypeTagAt] = header.type_tag;
    StoreBigEndian(header.context_id, head.subspan(kContextIdAt));
    StoreBigEndian(header.key_id, head.subspan(kKeyIdAt));
    if (head.size() > kHeaderBytes) {
        head[kNameAt] = static_cast<std::uint8_t>(header.type_name.size());
        std::ranges::copy(header.type_name, head.begin() + kNameAt + 1);
    }
    const auto sealed = out.subspan(head.size());
    std::ranges::copy(nonce, sealed.begin());
    const Status status = key.Seal(nonce, head, plaintext, sealed.subspan(nonce.size()));
    if (!status.ok())
        Wipe(out);
    return status;
}

Status OpenValue(Aead &key, const SealedHeader &header, std::span<const std::uint8_t> sealed,
                 std::span<std::uint8_t> out) noexcept {
    if (key.algorithm() != header.algorithm || sealed.size() < SealedOverhead(header)) {
        Wipe(out);
        return {Code::kAuthFailed};
    }
    return key.Open(SealedNonce(header, sealed), sealed.first(header.bytes()),
                    sealed.subspan(header.bytes() + NonceBytes(header.algorithm)), out);
}

}  // namespace envcrypt
