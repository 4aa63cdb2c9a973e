// encoding.h: base64 (RFC 4648) over OpenSSL's coder, made strict.
//
// OpenSSL's decoder skips white space and takes non-canonical endings; everything here accepts exactly what
// Encode writes, so that one sequence of bytes has one text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace envcrypt {

// Characters of padded base64 for `bytes` bytes.
[[nodiscard]] constexpr std::size_t Base64Chars(std::size_t bytes) noexcept {
    return (bytes + 2) / 3 * 4;
}

// Base64Encode writes Base64Chars(in.size()) characters and a terminating NUL: `out` holds one more.
// in.size() is at most 1 GiB.
void Base64Encode(std::span<const std::uint8_t> in, std::span<char> out) noexcept;

// Base64DecodedSize returns how many bytes `text` stands for, or 0 if its length or padding is wrong.
[[nodiscard]] std::size_t Base64DecodedSize(std::string_view text) noexcept;

// Base64Decode decodes canonical, padded, standard base64. `out` needs text.size() / 4 * 3 bytes of room;
// the first Base64DecodedSize(text) of them are the result. False, and `out` wiped, for anything else.
[[nodiscard]] bool Base64Decode(std::string_view text, std::span<std::uint8_t> out) noexcept;

}  // namespace envcrypt
