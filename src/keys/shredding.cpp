// shredding.cpp: envcrypt_shred_user() and envcrypt_shred_users(), which destroy owners' data keys and with
// them all that they sealed.

#include <algorithm>

#include "keys/key_creation.h"
#include "keys/key_row_locks.h"
#include "keys/key_table.h"
#include "keys/shredding.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/rights.h"

extern "C" {
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
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

namespace envcrypt {
namespace {

enum class Outcome : std::uint8_t { kShredded, kShreddedBefore, kNoKey };

// The receipt names no owner, so that it can be kept: it has the tombstone, by which he can be told.
Outcome Shred(const Owner &owner, Datum *receipt) {
    LockKeys(owner, LockTupleExclusive);
    Tombstones tombstones;
    const int tombstone_count = TombstonesOf(owner, &tombstones);
    const Tombstone &tombstone = tombstones[0];
    StringInfoData text;
    initStringInfo(&text);
    appendStringInfoString(&text, "{\"destroyed\": [");
    if (DestroyKeys(owner, tombstone, AppendBuriedKey, &text) == 0)
        return BuriedVersion(tombstones, tombstone_count) > 0 ? Outcome::kShreddedBefore : Outcome::kNoKey;
    appendStringInfo(&text, "], \"shredded_at\": \"%s\", \"tombstone\": \"",
                     timestamptz_to_str(GetCurrentTimestamp()));
    for (const std::uint8_t byte : tombstone) appendStringInfo(&text, "%02x", byte);
    appendStringInfoString(
        &text,
        "\", \"tokens_remaining\": 0, \"still_to_do\": ["
        "\"VACUUM FULL envcrypt_data_keys: until then the wrapped key's bytes stay in that table's file.\", "
        "\"WAL, standbys and backups keep the wrapped key until they age out, or until the master keys that "
        "wrapped "
        "it are destroyed after a rotation.\"]}");
    *receipt = DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data));
    return Outcome::kShredded;
}

// In one order, whoever calls: no two lists wait for each other.
int SortedOwners(ArrayType *array, Owner **owners) {
    Datum *texts = nullptr;
    bool *nulls = nullptr;
    int count = 0;
    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
    *owners = static_cast<Owner *>(palloc(sizeof(Owner) * static_cast<std::size_t>(count + 1)));
    for (int i = 0; i < count; i++) {
        if (nulls[i])
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("owner must not be null"),
                            HideFromLog()));
        (*owners)[i] = OwnerFromStored(VarlenaChars(PG_DETOAST_DATUM_PACKED(texts[i])));
        RequireValidOwner((*owners)[i]);
    }
    std::sort(*owners, *owners + count,
              [](const Owner &left, const Owner &right) { return left.stored < right.stored; });
    return count;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_shred_user) {
    RequireKeyAdministrator();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    const bool missing_ok = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
    RefuseWriting("envcrypt_shred_user()");
    Datum receipt = 0;
    const Outcome outcome = Shred(owner, &receipt);
    if (outcome == Outcome::kShredded)
        return receipt;
    if (missing_ok)
        PG_RETURN_NULL();
    if (outcome == Outcome::kShreddedBefore)
        RaiseShredded(owner);
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("owner \"%.*s\" has no data key", static_cast<int>(owner.stored.size()),
                           owner.stored.data()),
                    HideFromLog()));
    PG_RETURN_NULL();
}

// (owners) -> (owner, result, receipt), each owner once
ENVCRYPT_FUNCTION(envcrypt_shred_users) {
    RequireKeyAdministrator();
    if (PG_ARGISNULL(0))
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("owners must not be null"), HideFromLog()));
    RefuseWriting("envcrypt_shred_users()");
    InitMaterializedSRF(fcinfo, 0);
    const auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    Owner *owners = nullptr;
    const int count = SortedOwners(PG_GETARG_ARRAYTYPE_P(0), &owners);
    for (int i = 0; i < count; i++) {
        CHECK_FOR_INTERRUPTS();
        if (i > 0 && owners[i].stored == owners[i - 1].stored)
            continue;
        Datum receipt = 0;
        const Outcome outcome = Shred(owners[i], &receipt);
        Datum values[] = {PointerGetDatum(cstring_to_text_with_len(
                              owners[i].stored.data(), static_cast<int>(owners[i].stored.size()))),
                          CStringGetTextDatum(outcome == Outcome::kShredded         ? "shredded"
                                              : outcome == Outcome::kShreddedBefore ? "shredded before"
                                                                                    : "no data key"),
                          receipt};
        bool nulls[] = {false, false, outcome != Outcome::kShredded};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    return static_cast<Datum>(0);
}
