// access.h: what a call may do with sealed values, and what it reads and writes where types speak: plaintext,
// or sealed values in armor.
//
// envcrypt.io says what it speaks; in `auto`, the role's rights do. Replication, binary upgrade and, in
// `auto`, dumps speak ciphertext: values pass byte for byte, and no key is looked for.
#pragma once

#include "server/backend.h"

namespace envcrypt {

enum class Language : std::uint8_t { kPlaintext, kCiphertext };

// Decided once a call, by CurrentAccess(), and handed on.
struct Access {
    bool passes_through;  // replication or binary upgrade: no right is asked for, and no key is used
    bool is_ciphertext_forced;
    bool may_open;
    bool may_seal;
    Language input;
    Language output;

    // Literals are a reader's business, too: coalesce(c, 'x').
    [[nodiscard]] bool may_use_keys() const noexcept { return may_seal || may_open; }
};
[[nodiscard]] Access CurrentAccess();

}  // namespace envcrypt
