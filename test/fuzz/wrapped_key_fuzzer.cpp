// Reads arbitrary bytes as a row of the key table: it must never unwrap, and no edit of a good row may.
//
// options: -max_len=400
#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/self_test.h"
#include "core/bytes.h"
#include "core/wrapped_key.h"

using namespace envcrypt;

namespace {

constexpr std::array<std::uint8_t, kKeyBytes> kKey{4, 5, 6};

void Require(bool condition) {
    if (!condition)
        std::abort();
}

Aead &Wrapping() {
    static Aead key;
    static const bool made = TestAlgorithms().ok() && key.SetKey(Algorithm::kXaes256Gcm, kKey).ok();
    Require(made);
    return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    constexpr std::size_t kFixed = 8 + 1 + 1 + 4 + 1 + kFingerprintBytes + kWrappedKeyBytes;
    if (size < kFixed)
        return 0;
    std::span<const std::uint8_t> in(data, size);
    KeyRow row;
    row.key_id = LoadBigEndian<std::uint64_t>(in);
    row.kind = static_cast<KeyKind>(in[8]);
    row.algorithm = static_cast<Algorithm>(in[9]);
    row.key_version = LoadBigEndian<std::uint32_t>(in.subspan(10));
    row.has_owner = in[14] % 2 == 1;
    std::copy_n(in.begin() + 15, kFingerprintBytes, row.master_fingerprint.begin());
    std::copy_n(in.begin() + 15 + kFingerprintBytes, kWrappedKeyBytes, row.wrapped_key.begin());
    const auto owner = in.subspan(kFixed, std::min(size - kFixed, kMaxOwnerBytes));
    row.owner_bytes = static_cast<std::uint8_t>(owner.size());
    std::copy(owner.begin(), owner.end(), row.owner_utf8.begin());

    SecretKey key;
    Require(!UnwrapKey(Wrapping(), row, key).ok());

    // Wrapped by us it unwraps; with one bit of the wrapped bytes changed it does not.
    Require(WrapKey(Wrapping(), key, in.first(24), &row).ok());
    SecretKey again;
    Require(UnwrapKey(Wrapping(), row, again).ok());
    Require(std::ranges::equal(key.ExposeSecret(), again.ExposeSecret()));
    row.wrapped_key[in[14] % kWrappedKeyBytes] ^= 0x10U;
    Require(!UnwrapKey(Wrapping(), row, again).ok());
    return 0;
}
