// owner_functions.cpp: SQL functions that seal, open and ask for an owner.

#include "core/encoding.h"
#include "core/keyring.h"

#include "pg/armored.h"
#include "pg/errors.h"
#include "pg/key_creation.h"
#include "pg/master_key_table.h"
#include "pg/master_ring.h"
#include "pg/rights.h"
#include "pg/seal.h"
#include "pg/settings.h"

extern "C" {
#include "access/detoast.h"
}

namespace envcrypt {
namespace {

// The key that seals for `owner`, made on first use where the administrator allows that.
DataKey *KeyToSealFor(const Owner &owner) {
    if (DataKey *key = ActiveKey(owner); key != nullptr)
        return key;
    // Before anything is said about the owner: a session's made-up key must not learn which owners exist.
    Fingerprint current{};
    MasterRing();
    if (FindCurrentMasterKey(&current))
        WrappingKeyFor(current);
    // "managed" owners get their keys from the trigger of envcrypt_manage_owners, so here it is as "off".
    if (settings.auto_create_owners != static_cast<int>(AutoCreate::kOn))
        ereport(ERROR, (errcode(kErrNoDataKey),
                        errmsg("owner \"%.*s\" has no data key", static_cast<int>(owner.stored.size()),
                               owner.stored.data()),
                        errdetail("envcrypt.auto_create_owners does not allow to make one now."),
                        errhint("A key administrator makes one with envcrypt_create_user_key(owner)."),
                        HideFromLog()));
    return EnsureActiveKey(owner, false, "encrypt_for_user() for a new owner");
}

// The header of a sealed value, of which nothing else is fetched, for who may know it: members, key
// administrators, and a session whose own master key does unwrap the value's data key.
SealedHeader HeaderOnly(FunctionCallInfo fcinfo) {
    const Datum datum = PG_GETARG_DATUM(0);
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, 0);
    const auto *head = reinterpret_cast<struct varlena *>(PG_DETOAST_DATUM_SLICE(datum, 0, kHeaderBytes));
    SealedHeader header;
    const std::size_t size = toast_raw_datum_size(datum) - VARHDRSZ;
    if (!ParseHeader(VarlenaBytes(head), size, &header).ok() || header.type_tag != type.tag)
        RaiseCannotOpen("malformed", 0);
    if (!IsKeyAdministrator() && !MayOpenByMembership())
        KeyOfValue(header.key_id);
    return header;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_generate_master_key) {
    constexpr std::size_t kChars = Base64Chars(kKeyBytes);
    auto *text = static_cast<struct varlena *>(palloc(VARHDRSZ + kChars + 1));
    SET_VARSIZE(text, VARHDRSZ + kChars);
    const Status status = GenerateMasterKey(std::span<char, kChars + 1>(VARDATA(text), kChars + 1));
    if (!status.ok())
        RaiseStatus(status);
    PG_RETURN_TEXT_P(text);
}

ENVCRYPT_FUNCTION(envcrypt_create_user_key) {
    RequireKeyAdministrator();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    const bool after_shred = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
    const DataKey *key = EnsureActiveKey(owner, after_shred, "envcrypt_create_user_key()");
    PG_RETURN_INT64(static_cast<int64>(key->row.key_id));
}

ENVCRYPT_FUNCTION(envcrypt_encrypt_for_user) {
    RequireSeal();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    if (PG_ARGISNULL(1))
        PG_RETURN_NULL();
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, kResult);
    const Datum value = type.by_value ? PG_GETARG_DATUM(1) : PointerGetDatum(PG_GETARG_VARLENA_PP(1));
    if (type.form == PlainForm::kText && LooksArmored(VarlenaChars(DatumGetPointer(value))))
        RaiseSealedAsPlaintext(type.encrypted);
    return SealUnder(KeyToSealFor(owner), type, value);
}

ENVCRYPT_FUNCTION(envcrypt_decrypt_for_user) {
    RequireOpen();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    if (PG_ARGISNULL(1))
        PG_RETURN_NULL();
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, 1);
    const auto *sealed = PG_GETARG_VARLENA_PP(1);
    const KeyRow &row = KeyOfValue(Header(type, sealed).key_id)->row;
    if (!row.has_owner || row.owner() != owner.utf8)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("value is not sealed for owner \"%.*s\"",
                               static_cast<int>(owner.stored.size()), owner.stored.data()),
                        HideFromLog()));
    return Open(type, sealed);
}

ENVCRYPT_FUNCTION(envcrypt_key_id) {
    RequireOpenOrKeyAdministrator();
    PG_RETURN_INT64(static_cast<int64>(HeaderOnly(fcinfo).key_id));
}

ENVCRYPT_FUNCTION(envcrypt_owner) {
    RequireOpenOrKeyAdministrator();
    const std::uint64_t key_id = HeaderOnly(fcinfo).key_id;
    StoredKey stored;
    if (!FindKey(key_id, &stored))
        RaiseCannotOpen("the data key is not in envcrypt_data_keys", key_id);
    if (stored.shredded || !stored.row.has_owner)
        PG_RETURN_NULL();
    const std::string_view owner = OwnerFromUtf8(stored.row.owner()).stored;
    PG_RETURN_TEXT_P(cstring_to_text_with_len(owner.data(), static_cast<int>(owner.size())));
}
