// base_type.h: which encrypted types there are, what each seals, and its base type's own functions.
//
// The eleven types stand in a table in base_type.cpp. Any other base type is known by name: its values carry
// tag 255 and the name (docs/format.md, section 2.2). SQL's side of a type is one call of
// envcrypt_define_type in sql/.
#pragma once

#include "core/sealed_value.h"

#include "server/backend.h"

extern "C" {
#include "access/transam.h"
}

namespace envcrypt {

// How a value becomes the bytes that are sealed (docs/format.md, section 2.6).
enum class PlainForm : std::uint8_t {
    kText,     // the characters, in UTF-8
    kBytes,    // the contents of a bytea
    kInteger,  // a value passed by value, as a big-endian integer of the type's length
    kFixed,    // the bytes of a type of fixed length
    kBinary,   // what the type's send function gives, with client encoding UTF-8
};

struct BaseType {
    Oid encrypted;
    std::uint8_t tag;
    char name[NAMEDATALEN];  // in UTF-8, of a type with tag 255; otherwise empty

    // What follows is there only if `base` is valid. While a dump is restored, a made type's values are read
    // before its function says what its base is.
    Oid base;
    Oid ultimate;                       // what a domain is over; otherwise `base`
    bool is_container;                  // of values that are opened one by one (container.h)
    mutable std::uint64_t sealable_at;  // for RequireSealableStill() alone
    PlainForm form;
    bool by_value;
    std::int16_t length;  // pg_type.typlen
    Oid input_parameter;
    FmgrInfo input;
    FmgrInfo output;
    FmgrInfo receive;
    FmgrInfo send;
    FmgrInfo open;  // the receive function of `ultimate`: no domain's checks run when a value is opened
    Oid open_parameter;
    FmgrInfo coercion;  // applies a type modifier; fn_oid is invalid where the type has none
    int coercion_arguments;

    [[nodiscard]] bool is_made() const noexcept { return tag == static_cast<std::uint8_t>(TypeTag::kNamed); }
    [[nodiscard]] bool is_varlena() const noexcept { return length == -1; }
    // Functions of PostgreSQL's own types, and of what they contain, open no other value.
    [[nodiscard]] bool may_open_others() const noexcept { return ultimate >= FirstNormalObjectId; }
};

// LookUpTypeOfFunction returns the encrypted type that a function of ours takes (argument >= 0) or returns
// (kResult), base and all. It lives as long as the process. Where the function also takes or returns the base
// type, `base_argument` says where, and a function that is declared with another one is refused.
// TypeOfFunction keeps it in fn_extra: one look into the catalogs per FmgrInfo.
inline constexpr int kResult = -1;
const BaseType *LookUpTypeOfFunction(const FmgrInfo *function, int argument);
const BaseType *LookUpTypeOfFunction(const FmgrInfo *function, int argument, int base_argument);

template <typename... Arguments>
const BaseType *TypeOfFunction(FmgrInfo *function, Arguments... arguments) {
    if (unlikely(function->fn_extra == nullptr))
        function->fn_extra = const_cast<BaseType *>(LookUpTypeOfFunction(function, arguments...));
    return static_cast<const BaseType *>(function->fn_extra);
}

// TypeOfArgument returns the declared type of a function's argument.
Oid TypeOfArgument(const FmgrInfo *function, int argument);

// TypeOfSupportFunction returns the type that a support function belongs to by its name, which is the type's
// and `suffix`: its argument says nothing.
Oid TypeOfSupportFunction(const FmgrInfo *function, std::string_view suffix);

// BaseArgument returns an argument of a function of ours that has the base type, detoasted.
Datum BaseArgument(FunctionCallInfo fcinfo, int argument, const BaseType &type);

// FindBaseType looks an encrypted type up by OID; it gives another BaseType once the catalogs say something
// else of it. RequireBase raises where its base is not known yet.
const BaseType *FindBaseType(Oid encrypted_type);
void RequireBase(const BaseType &type);

// IsPlainEncryptedType: one of ours itself. IsEncryptedType: that, or a domain, array, range or composite
// type that contains one.
bool IsPlainEncryptedType(Oid type);
bool IsEncryptedType(Oid type);

// The base type's own input and output. Errors of its functions that are about the value's contents lose
// their text, which would quote it.
Datum BaseInput(const BaseType &type, char *text, std::int32_t typmod);
Datum BaseReceive(const BaseType &type, StringInfo message, std::int32_t typmod);

// CoerceToTypmod makes a base type's value fit a type modifier, or raises the base type's own error.
Datum CoerceToTypmod(const BaseType &type, Datum value, std::int32_t typmod, bool is_explicit);

}  // namespace envcrypt
