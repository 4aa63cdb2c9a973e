// language.h: what this session reads and writes where types speak: plaintext, or sealed values in armor.
//
// envcrypt.io says it; in `auto`, the role's rights do. Replication, binary upgrade and, in `auto`, dumps
// speak ciphertext: values pass byte for byte, and no key is looked for.
#pragma once

#include "server/backend.h"

namespace envcrypt {

enum class Language : std::uint8_t { kPlaintext, kCiphertext };

// ForcesCiphertext: whatever the role may do.
[[nodiscard]] bool ForcesCiphertext();

[[nodiscard]] Language InputLanguage();
[[nodiscard]] Language OutputLanguage();

}  // namespace envcrypt
