// base_type.h: what an encrypted type is made of: its base type, and that type's plaintext form.
//
// Everything the code needs to know of a type stands in one row of a table in base_type.cpp; SQL's side of a
// type is one call of envcrypt_create_type in sql/.
#pragma once

#include "core/sealed_value.h"

#include "pg/backend.h"

namespace envcrypt {

// How a value becomes the bytes that are sealed (docs/format.md, section 2.6).
enum class PlainForm : std::uint8_t {
    kText,   // the characters, in UTF-8
    kBytes,  // the contents of a bytea
};

struct BaseType {
    Oid encrypted;
    Oid base;
    std::uint8_t tag;
    PlainForm form;
    bool by_value;
    std::int16_t length;  // pg_type.typlen
    Oid input_parameter;
    FmgrInfo input;
    FmgrInfo output;
    FmgrInfo receive;
    FmgrInfo send;
};

// LookUpTypeOfFunction returns the encrypted type that a function of ours takes (argument >= 0) or returns
// (kResult). It lives as long as the process. TypeOfFunction keeps it in fn_extra: one look into the catalogs
// per FmgrInfo.
inline constexpr int kResult = -1;
const BaseType *LookUpTypeOfFunction(const FmgrInfo *function, int argument);
const BaseType *TypeOfFunction(FmgrInfo *function, int argument);

// FindBaseType looks an encrypted type up by OID.
const BaseType *FindBaseType(Oid encrypted_type);

// IsEncryptedType tells whether a type is one of ours, or a domain, array, range or composite type that
// contains one.
bool IsEncryptedType(Oid type);

// PlainBytes returns the plaintext form of a base type's value: aliases it, or a palloc'd copy.
std::span<const std::uint8_t> PlainBytes(const BaseType &type, Datum value);

// The base type's own input and output. Errors of its functions that are about the value's contents lose
// their text, which would quote it.
Datum BaseInput(const BaseType &type, char *text, std::int32_t typmod);
Datum BaseReceive(const BaseType &type, StringInfo message, std::int32_t typmod);

// ValueFromPlain turns opened bytes into a value of the base type. `plain` is a palloc'd varlena with a
// 4-byte header whose contents are the plaintext form; it is consumed.
Datum ValueFromPlain(const BaseType &type, struct varlena *plain);

}  // namespace envcrypt
