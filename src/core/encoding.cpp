#include "core/encoding.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>

#include "core/secret.h"

namespace envcrypt {

void Base64Encode(std::span<const std::uint8_t> in, std::span<char> out) noexcept {
    EVP_EncodeBlock(reinterpret_cast<unsigned char *>(out.data()), in.data(), static_cast<int>(in.size()));
}

std::size_t Base64DecodedSize(std::string_view text) noexcept {
    if (text.empty() || text.size() % 4 != 0)
        return 0;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    return text.size() / 4 * 3 - padding;
}

bool Base64Decode(std::string_view text, std::span<std::uint8_t> out) noexcept {
    const std::size_t size = Base64DecodedSize(text);
    if (size == 0 || text.size() > Base64Chars(std::size_t{1} << 30) || out.size() < text.size() / 4 * 3) {
        Wipe(out);
        return false;
    }
    bool canonical = EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char *>(text.data()),
                                     static_cast<int>(text.size())) >= 0;
    // What encodes to the same text was canonical. In pieces, so that no second buffer of the text's size is
    // needed.
    constexpr std::size_t kPiece = 768;  // a multiple of 3
    std::array<char, Base64Chars(kPiece) + 1> again{};
    for (std::size_t at = 0; canonical && at < size; at += kPiece) {
        const std::size_t n = size - at < kPiece ? size - at : kPiece;
        Base64Encode(out.subspan(at, n), again);
        canonical = std::memcmp(again.data(), text.data() + at / 3 * 4, Base64Chars(n)) == 0;
    }
    Wipe({reinterpret_cast<std::uint8_t *>(again.data()), again.size()});
    if (!canonical) {
        ERR_clear_error();
        Wipe(out);
    }
    return canonical;
}

}  // namespace envcrypt
