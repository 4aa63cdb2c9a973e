#include <algorithm>

#include "core/encoding.h"

#include "server/errors.h"
#include "values/armored.h"

namespace envcrypt {
namespace {

constexpr std::string_view kPrefix = "envcrypt1:";

}  // namespace

bool LooksArmored(std::string_view text) noexcept {
    return text.starts_with(kPrefix);
}

void RefuseArmored(const BaseType &type, Datum value) {
    if (type.form == PlainForm::kText && LooksArmored(VarlenaChars(DatumGetPointer(value))))
        RaiseSealedAsPlaintext(type.encrypted);
}

char *Armor(const struct varlena *sealed) {
    const auto bytes = VarlenaBytes(sealed);
    const std::size_t size = kPrefix.size() + Base64Chars(bytes.size()) + 1;
    if (size > MaxAllocSize)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("sealed value too long for its text form (%zu bytes)", bytes.size()),
                        errhint("Use binary format, for example COPY WITH (FORMAT binary)."), HideFromLog()));
    auto *text = static_cast<char *>(palloc(size));
    std::copy(kPrefix.begin(), kPrefix.end(), text);
    Base64Encode(bytes, {text + kPrefix.size(), size - kPrefix.size()});
    return text;
}

struct varlena *Unarmor(std::string_view text) {
    const std::string_view base64 = text.substr(kPrefix.size());
    auto *sealed = static_cast<struct varlena *>(palloc(VARHDRSZ + base64.size() / 4 * 3 + 3));
    if (!Base64Decode(base64, {reinterpret_cast<std::uint8_t *>(VARDATA(sealed)), base64.size() / 4 * 3}))
        RaiseCannotOpen("not canonical base64", 0);
    SET_VARSIZE(sealed, VARHDRSZ + Base64DecodedSize(base64));
    return sealed;
}

}  // namespace envcrypt
