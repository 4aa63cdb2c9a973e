// key_functions.cpp: SQL functions that make keys by name.

#include "core/encoding.h"
#include "core/keyring.h"

#include "keys/key_creation.h"
#include "keys/master_ring.h"
#include "server/errors.h"
#include "server/rights.h"

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
    if (EffectiveRingSource() == RingSource::kNone)
        RingForChange();
    const DataKey *key = EnsureActiveKey(owner, after_shred, "envcrypt_create_user_key()");
    PG_RETURN_INT64(static_cast<int64>(key->row.key_id));
}

// For users that exist already: true if a key was made, false if there was one, NULL if it was destroyed.
ENVCRYPT_FUNCTION(envcrypt_make_managed_key) {
    RequireKeyAdministrator();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    StoredKey stored;
    if (FindActiveKey(owner, &stored))
        PG_RETURN_BOOL(false);
    EnsureCurrentMasterKey();
    if (IsShredded(owner))
        PG_RETURN_NULL();
    EnsureActiveKey(owner, false, "envcrypt_manage_owners()");
    PG_RETURN_BOOL(true);
}
