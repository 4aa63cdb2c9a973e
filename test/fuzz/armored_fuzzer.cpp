// Feeds arbitrary text to the base64 of armored values: what decodes must encode to the same text.
//
// options: -max_len=4096
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/encoding.h"

using namespace envcrypt;

namespace {

void Require(bool condition) {
    if (!condition)
        std::abort();
}

std::string Encode(std::span<const std::uint8_t> bytes) {
    std::string text(Base64Chars(bytes.size()) + 1, 'x');
    Base64Encode(bytes, text);
    Require(text.back() == '\0');
    text.pop_back();
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    std::vector<std::uint8_t> room(size / 4 * 3, 0xaa);
    if (Base64Decode(text, room)) {
        room.resize(Base64DecodedSize(text));
        Require(Encode(room) == text);
    }

    // And the other way: what Encode writes decodes to the same bytes.
    const std::string encoded = Encode({data, size});
    if (size > 0) {
        std::vector<std::uint8_t> again(encoded.size() / 4 * 3);
        Require(Base64Decode(encoded, again) && Base64DecodedSize(encoded) == size);
        again.resize(size);
        Require(std::equal(again.begin(), again.end(), data));
    }
    return 0;
}
