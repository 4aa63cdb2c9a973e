// armored.h: the text form of a sealed value: `envcrypt1:` and base64 (docs/format.md, section 5).
#pragma once

#include "server/backend.h"
#include "values/base_type.h"

namespace envcrypt {

// LooksArmored: begins as only an armored value does.
[[nodiscard]] bool LooksArmored(std::string_view text) noexcept;

// RefuseArmored raises if a value that is to be sealed is a text that LooksArmored: it would be sealed twice.
void RefuseArmored(const BaseType &type, Datum value);

// Armor returns a palloc'd C string.
char *Armor(const struct varlena *sealed);

// Unarmor returns a palloc'd sealed value. Raises kErrCannotOpen for text that LooksArmored and is not.
struct varlena *Unarmor(std::string_view text);

}  // namespace envcrypt
