// shredding.cpp: envcrypt_shred_user(), which destroys an owner's data keys and with them all that they
// sealed.

#include "pg/errors.h"
#include "pg/extension_objects.h"
#include "pg/key_creation.h"
#include "pg/key_lock.h"
#include "pg/key_table.h"
#include "pg/rights.h"
#include "pg/shredding.h"

extern "C" {
#include "lib/stringinfo.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

void AppendBuriedKey(std::uint64_t key_id, std::uint32_t key_version, void *receipt) {
    auto *out = static_cast<StringInfo>(receipt);
    appendStringInfo(out, "%s{\"key_id\": \"" INT64_FORMAT "\", \"key_version\": %u}",
                     out->data[out->len - 1] == '[' ? "" : ", ", static_cast<int64>(key_id), key_version);
}

}  // namespace

int DestroyKeys(const Owner &owner, const Tombstone &tombstone,
                void (*buried)(std::uint64_t, std::uint32_t, void *), void *context) {
    const int destroyed = BuryKeys(owner, tombstone, buried, context);
    if (destroyed > 0)
        AnnounceKeyTableChange();
    return destroyed;
}

void RaiseShredded(const Owner &owner) {
    ereport(ERROR, (errcode(kErrKeyDestroyed),
                    errmsg("data key of owner \"%.*s\" was destroyed", static_cast<int>(owner.stored.size()),
                           owner.stored.data()),
                    HideFromLog()));
    pg_unreachable();
}

}  // namespace envcrypt

using namespace envcrypt;

// The receipt names no owner, so that it can be kept: it has the tombstone, by which it can be replayed.
ENVCRYPT_FUNCTION(envcrypt_shred_user) {
    RequireKeyAdministrator();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    RefuseWriting("envcrypt_shred_user()");
    LockKeys(owner, LockTupleExclusive);

    Tombstones tombstones;
    const int tombstone_count = TombstonesOf(owner, &tombstones);
    const Tombstone &tombstone = tombstones[0];
    StringInfoData receipt;
    initStringInfo(&receipt);
    appendStringInfoString(&receipt, "{\"destroyed\": [");
    if (DestroyKeys(owner, tombstone, AppendBuriedKey, &receipt) == 0) {
        const bool shredded = BuriedVersion(tombstones, tombstone_count) > 0;
        ereport(ERROR, (errcode(shredded ? kErrKeyDestroyed : ERRCODE_UNDEFINED_OBJECT),
                        shredded ? errmsg("data key of owner \"%.*s\" was destroyed",
                                          static_cast<int>(owner.stored.size()), owner.stored.data())
                                 : errmsg("owner \"%.*s\" has no data key",
                                          static_cast<int>(owner.stored.size()), owner.stored.data()),
                        HideFromLog()));
    }

    appendStringInfo(&receipt, "], \"shredded_at\": \"%s\", \"tombstone\": \"",
                     timestamptz_to_str(GetCurrentTimestamp()));
    for (const std::uint8_t byte : tombstone) appendStringInfo(&receipt, "%02x", byte);
    appendStringInfoString(
        &receipt,
        "\", \"tokens_remaining\": 0, \"still_to_do\": ["
        "\"VACUUM FULL envcrypt_data_keys: until then the wrapped key's bytes stay in that table's file.\", "
        "\"WAL, standbys and backups keep the wrapped key until they age out, or until the master keys that "
        "wrapped "
        "it are destroyed after a rotation.\"]}");
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(receipt.data));
}
