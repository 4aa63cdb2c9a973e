// sealed_value.h: the bytes that a column holds, and the only code that knows their order.
//
// docs/format.md, section 2, is normative; where this file differs from it, this file is wrong.
//
//     format (1) | type tag (1) | context id (2) | key id (8) | nonce (12 or 24) | ciphertext | tag (16)
//
// A type without a tag of its own has tag 255, and its name between key id and nonce: length (1) | name.
//
// Integers are big-endian. What stands before the nonce is authenticated. Plaintext lengths are visible in
// the stored length; nothing here hides them. Functions write only into memory that the caller provides and
// leave `out` all zero bytes on any status but kOk; `out` must not overlap an input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/aead.h"
#include "core/status.h"

namespace envcrypt {

inline constexpr std::size_t kHeaderBytes = 12;  // without a type's name
inline constexpr std::size_t kMaxTypeNameBytes = 63;
inline constexpr std::size_t kMaxHeaderBytes = kHeaderBytes + 1 + kMaxTypeNameBytes;

// The base type a value was sealed as. A number once given is given for ever (docs/format.md, section 2.2).
enum class TypeTag : std::uint8_t {
    kText = 1,
    kBytea = 2,
    kJsonb = 3,
    kInt8 = 4,
    kNumeric = 5,
    kFloat8 = 6,
    kBool = 7,
    kDate = 8,
    kTimestamptz = 9,
    kUuid = 10,
    kInet = 11,
    kNamed = 255,
};

struct SealedHeader {
    Algorithm algorithm = Algorithm::kAes256Gcm;
    std::uint8_t type_tag = 0;
    std::uint16_t context_id = 0;  // 0: not bound to a column
    std::uint64_t key_id = 0;
    std::string_view type_name{};  // of tag 255, otherwise empty; aliases what was parsed

    [[nodiscard]] constexpr std::size_t bytes() const noexcept {
        return kHeaderBytes +
               (type_tag == static_cast<std::uint8_t>(TypeTag::kNamed) ? 1 + type_name.size() : 0);
    }
};

[[nodiscard]] constexpr std::size_t SealedOverhead(Algorithm algorithm) noexcept {
    return kHeaderBytes + NonceBytes(algorithm) + kTagBytes;
}
[[nodiscard]] constexpr std::size_t SealedOverhead(const SealedHeader &header) noexcept {
    return header.bytes() + NonceBytes(header.algorithm) + kTagBytes;
}

// ParseHeader reads the header of a sealed value of which `sealed` holds at least the first kMaxHeaderBytes,
// or all, and whose whole length is `total_bytes`. kUnknownFormat: the first byte is not of this version.
// kAuthFailed: what no version writes (too short, type tag 0, key id 0, a type's name of 0 or over 63
// bytes).
Status ParseHeader(std::span<const std::uint8_t> sealed, std::size_t total_bytes,
                   SealedHeader *header) noexcept;

// SealedNonce returns the nonce of a value that ParseHeader accepted.
[[nodiscard]] std::span<const std::uint8_t> SealedNonce(const SealedHeader &header,
                                                        std::span<const std::uint8_t> sealed) noexcept;

// SealValue seals `plaintext` under `key` with a nonce of NonceBytes(header.algorithm).
// out.size() must be plaintext.size() + SealedOverhead(header).
Status SealValue(Aead &key, const SealedHeader &header, std::span<const std::uint8_t> nonce,
                 std::span<const std::uint8_t> plaintext, std::span<std::uint8_t> out) noexcept;

// OpenValue reverses SealValue for a value that ParseHeader accepted: `out` is SealedOverhead bytes shorter.
// A key of another algorithm than the header's is kAuthFailed: a data key is never used with two.
Status OpenValue(Aead &key, const SealedHeader &header, std::span<const std::uint8_t> sealed,
                 std::span<std::uint8_t> out) noexcept;

}  // namespace envcrypt
