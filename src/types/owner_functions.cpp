// owner_functions.cpp: SQL functions that seal, open and ask for an owner.

#include "keys/key_cache.h"
#include "server/errors.h"
#include "server/rights.h"
#include "values/armored.h"
#include "values/seal.h"

namespace envcrypt {
namespace {

// The header of a sealed value, of which nothing else is fetched, for who may know it: members, key
// administrators, and a session whose own master key does unwrap the value's data key.
SealedHeader HeaderOnly(FunctionCallInfo fcinfo) {
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, 0);
    const struct varlena *head = nullptr;
    SealedHeader header = HeaderOf(type, PG_GETARG_DATUM(0), &head);
    if (!IsKeyAdministrator() && !MayOpenByMembership())
        KeyOfValue(header.key_id);
    return header;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_encrypt_for_user) {
    RequireSeal();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    if (PG_ARGISNULL(1))
        PG_RETURN_NULL();
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, kResult, 1);
    const Datum value = BaseArgument(fcinfo, 1, type);
    RefuseArmored(type, value);
    return SealFor(owner, "encrypt_for_user() for a new owner", type, value, 0);
}

ENVCRYPT_FUNCTION(envcrypt_decrypt_for_user) {
    RequireOpen();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    if (PG_ARGISNULL(1))
        PG_RETURN_NULL();
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, 1, kResult);
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
