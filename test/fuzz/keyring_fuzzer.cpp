// Feeds arbitrary text to the keyring's parser: no crash, and its two readers agree on what is well formed.
//
// options: -max_len=2000 -only_ascii=1
#include <cstdlib>
#include <string_view>

#include "core/self_test.h"
#include "core/keyring.h"

using namespace envcrypt;

namespace {

void Require(bool condition) {
    if (!condition)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const bool ready = TestAlgorithms().ok();
    Require(ready);
    // 64 hex digits or 43 characters of base64 are rare in random text: also try the input cut to those
    // sizes.
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    SecretKey key;
    for (const std::size_t length : {43U, 44U, 64U}) (void)ParseMasterKey(text.substr(0, length), key);

    Keyring ring;
    const Status status = ring.Load(text);
    const Status check = CheckKeyring(text);
    if (status.code != Code::kTooManyKeys && check.code != Code::kTooManyKeys)
        Require(status.code == check.code && status.detail == check.detail);
    Require(status.ok() == (ring.size() > 0) && ring.size() <= kMaxMasterKeys);
    for (std::size_t i = 0; i < ring.size(); i++) Require(ring.Find(ring.fingerprint(i)) != nullptr);
    return 0;
}
