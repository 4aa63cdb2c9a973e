// Feeds arbitrary bytes to the reader of sealed values: it must never accept, crash or leave plaintext
// behind.
//
// options: -max_len=512
#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "core/self_test.h"
#include "core/sealed_value.h"

using namespace envcrypt;

namespace {

constexpr std::array<std::uint8_t, kKeyBytes> kKey{1, 2, 3};

void Require(bool condition) {
    if (!condition)
        std::abort();
}

Aead &KeyFor(Algorithm algorithm) {
    static Aead keys[2];
    static const bool made = TestAlgorithms().ok() && keys[0].SetKey(Algorithm::kAes256Gcm, kKey).ok() &&
                             keys[1].SetKey(Algorithm::kXaes256Gcm, kKey).ok();
    Require(made);
    return keys[algorithm == Algorithm::kAes256Gcm ? 0 : 1];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::span<const std::uint8_t> input(data, size);
    SealedHeader header;
    if (!ParseHeader(input, input.size(), &header).ok())
        return 0;
    Aead &key = KeyFor(header.algorithm);
    std::vector<std::uint8_t> out(size - SealedOverhead(header), 0xaa);
    Require(!OpenValue(key, header, input, out).ok());
    Require(std::all_of(out.begin(), out.end(), [](std::uint8_t byte) { return byte == 0; }));

    // The same header, nonce and plaintext sealed by us do open.
    const auto plaintext = input.subspan(kHeaderBytes);
    std::vector<std::uint8_t> sealed(plaintext.size() + SealedOverhead(header));
    Require(SealValue(key, header, SealedNonce(header, input), plaintext, sealed).ok());
    SealedHeader again;
    Require(ParseHeader(sealed, sealed.size(), &again).ok() && again.key_id == header.key_id &&
            again.type_name == header.type_name);
    out.resize(plaintext.size());
    Require(OpenValue(key, again, sealed, out).ok());
    Require(std::equal(out.begin(), out.end(), plaintext.begin(), plaintext.end()));
    return 0;
}
