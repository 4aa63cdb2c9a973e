// input_output.cpp: input and output functions of encrypted types, in text and binary, under envcrypt.io.

#include "keys/key_cache.h"
#include "server/access.h"
#include "server/errors.h"
#include "server/log_filter.h"
#include "server/rights.h"
#include "server/statement_state.h"
#include "values/armored.h"
#include "values/base_type.h"
#include "values/loading.h"
#include "values/seal.h"
#include "values/transit.h"

namespace envcrypt {
namespace {

// AcceptSealed checks a sealed value that comes from outside and returns it. It is authenticated where this
// session can; where it cannot, only those may bring it in who are trusted with it: a made-up value would
// break later scans.
struct varlena *AcceptSealed(const Access &access, const BaseType &type, struct varlena *sealed) {
    const SealedHeader header = Header(type, sealed);
    // A value in transit never left this backend in armored form: it was read where another client left it.
    if (!access.passes_through && !access.may_open && IsInTransit(header, sealed))
        RaiseMisplaced();
    const Authenticity found = access.may_use_keys() ? Authenticate(header, sealed) : Authenticity::kUnknown;
    if (found == Authenticity::kForged)
        RaiseCannotOpen("authentication failed", header.key_id);
    if (found == Authenticity::kUnknown && !access.passes_through && !MayBringSealed())
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("permission denied to store sealed values that cannot be authenticated"),
                 errhint("Grant envcrypt_encrypt or envcrypt_keyadmin to the role, or give the session the "
                         "master key."),
                 HideFromLog()));
    NoteLoaded(sealed);
    return sealed;
}

// In ALTER TABLE, a constant that was printed for a role without the right to open comes back here.
bool IsConstantOfAlterTable(const BaseType &type, const struct varlena *sealed) {
    return IsAlteringTable() && Authenticate(Header(type, sealed), sealed) == Authenticity::kAuthentic;
}

[[noreturn]] void RaisePlaintextAsSealed(const BaseType &type, bool forced) {
    ereport(ERROR,
            (errcode(forced ? ERRCODE_INVALID_TEXT_REPRESENTATION : ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("plaintext given where type %s expects a sealed value", format_type_be(type.encrypted)),
             forced ? errhint("Set envcrypt.io to plaintext to seal values that are not sealed yet.")
                    : errhint("This role may neither seal nor open values: grant envcrypt_encrypt or "
                              "envcrypt_decrypt to it."),
             HideFromLog()));
    pg_unreachable();
}

// A binary value that carries the header of a sealed one and the id of a key that exists here is one.
bool IsKnownSealed(const BaseType &type, StringInfo message) {
    const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t *>(message->data),
                                              static_cast<std::size_t>(message->len));
    SealedHeader header;
    StoredKey stored;
    return ParseHeader(bytes, bytes.size(), &header).ok() && header.type_tag == type.tag &&
           header.type_name == type.name && FindKey(header.key_id, &stored);
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_type_in) {
    char *text = PG_GETARG_CSTRING(0);
    const std::int32_t typmod = PG_GETARG_INT32(2);
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, kResult);
    const bool armored = LooksArmored(text);
    const Access access = CurrentAccess();
    if (access.input == Language::kCiphertext) {
        if (!armored)
            RaisePlaintextAsSealed(type, access.is_ciphertext_forced);
        PG_RETURN_POINTER(AcceptSealed(access, type, Unarmor(text)));
    }
    if (!access.may_use_keys())
        RequireSeal();
    if (armored) {
        struct varlena *sealed = IsAlteringTable() ? Unarmor(text) : nullptr;
        if (sealed == nullptr || !IsConstantOfAlterTable(type, sealed))
            RaiseSealedAsPlaintext(type.encrypted);
        PG_RETURN_POINTER(sealed);
    }
    return SealInTransit(type, BaseInput(type, text, typmod));
}

ENVCRYPT_FUNCTION(envcrypt_type_out) {
    auto *sealed = PG_GETARG_VARLENA_PP(0);
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, 0);
    const Access access = CurrentAccess();
    if (access.output == Language::kCiphertext)
        PG_RETURN_CSTRING(Armor(sealed));
    if (!access.may_open)
        RequireOpen();
    NoteOpenedForOutput();
    const Datum value = Open(type, sealed);
    PG_RETURN_CSTRING(OutputFunctionCall(const_cast<FmgrInfo *>(&type.output), value));
}

ENVCRYPT_FUNCTION(envcrypt_type_recv) {
    auto *message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    const std::int32_t typmod = PG_GETARG_INT32(2);
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, kResult);
    const Access access = CurrentAccess();
    if (access.input == Language::kCiphertext) {
        const auto size = static_cast<std::size_t>(message->len - message->cursor);
        auto *sealed = static_cast<struct varlena *>(palloc(VARHDRSZ + size));
        SET_VARSIZE(sealed, VARHDRSZ + size);
        memcpy(VARDATA(sealed), message->data + message->cursor, size);
        message->cursor = message->len;
        PG_RETURN_POINTER(AcceptSealed(access, type, sealed));
    }
    if (!access.may_use_keys())
        RequireSeal();
    if (IsKnownSealed(type, message))
        RaiseSealedAsPlaintext(type.encrypted);
    const Datum value = BaseReceive(type, message, typmod);
    RefuseArmored(type, value);
    return SealInTransit(type, value);
}

ENVCRYPT_FUNCTION(envcrypt_type_send) {
    auto *sealed = PG_GETARG_VARLENA_PP(0);
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, 0);
    const Access access = CurrentAccess();
    if (access.output == Language::kCiphertext) {
        const auto bytes = VarlenaBytes(sealed);
        PG_RETURN_BYTEA_P(reinterpret_cast<bytea *>(cstring_to_text_with_len(
            reinterpret_cast<const char *>(bytes.data()), static_cast<int>(bytes.size()))));
    }
    if (!access.may_open)
        RequireOpen();
    const Datum value = Open(type, sealed);
    PG_RETURN_BYTEA_P(SendFunctionCall(const_cast<FmgrInfo *>(&type.send), value));
}
