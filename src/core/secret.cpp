#include "core/secret.h"

#include <openssl/crypto.h>

namespace envcrypt {

void Wipe(std::span<std::uint8_t> bytes) noexcept {
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

}  // namespace envcrypt
