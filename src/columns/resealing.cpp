// resealing.cpp: what envcrypt_rekey_users() does to rows: seals what older versions of owners' keys sealed
// again, under their newest.
//
// Every row of a table is read, and looked at by the key id in each value's header: also values that stand in
// the wrong row, or in a column that is not protected, are found. Rows are written as in backfill.cpp, as the
// table's owner would write them, without triggers and constraints: no plaintext changes. The caller keeps
// the lock, so that nobody else writes in between.

#include "keys/key_creation.h"
#include "keys/key_row_locks.h"
#include "keys/key_table.h"
#include "keys/shredding.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/fresh_scan.h"
#include "server/rights.h"
#include "server/table_scan.h"
#include "values/seal.h"

extern "C" {
#include "access/detoast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/hsearch.h"
}

namespace envcrypt {
namespace {

struct Replacement {
    std::uint64_t old_key;
    std::uint64_t new_key;
};

// How a column's values are found: they are sealed themselves, stand in an array, or somewhere else inside.
enum class Holds : std::uint8_t { kValue, kArray, kOther };

struct SealedColumn {
    AttrNumber number;
    Holds holds;
    const BaseType *type;  // of the value, or of the array's elements
};

struct Work {
    Relation table;
    HTAB *replacements;  // in the memory of the call's FmgrInfo
    int columns;
    SealedColumn *column;
    // Only to write:
    Snapshot snapshot;
    CommandId command;
    EState *estate;
    ResultRelInfo *target;
    TupleTableSlot *changed;
};

// What was read from the arguments of an earlier call: ids, and no key bytes. A key's owner and version are
// authenticated: what was right stays right, or the key, shredded since, does not unwrap any more.
struct Remembered {
    ArrayType *keys[2];
    HTAB *replacements;
};

bool SameKeys(const Remembered *before, ArrayType *const keys[2]) {
    for (int i = 0; i < 2; i++) {
        if (VARSIZE(before->keys[i]) != VARSIZE(keys[i]) ||
            memcmp(before->keys[i], keys[i], VARSIZE(keys[i])) != 0)
            return false;
    }
    return true;
}

HTAB *LookUpReplacements(ArrayType *const arrays[2], MemoryContext keep) {
    Datum *keys[2] = {};
    int counts[2] = {};
    for (int i = 0; i < 2; i++)
        deconstruct_array(arrays[i], INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &keys[i],
                          nullptr, &counts[i]);
    HASHCTL info{};
    info.keysize = sizeof(std::uint64_t);
    info.entrysize = sizeof(Replacement);
    info.hcxt = keep;
    HTAB *table = hash_create("envcrypt replaced keys", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    for (int i = 0; i < counts[0]; i++) {
        StoredKey old_key;
        StoredKey new_key;
        const auto old_id = static_cast<std::uint64_t>(DatumGetInt64(keys[0][i]));
        if (counts[0] != counts[1] || !FindKey(old_id, &old_key) ||
            !FindKey(static_cast<std::uint64_t>(DatumGetInt64(keys[1][i])), &new_key) || old_key.shredded ||
            new_key.shredded || !old_key.row.has_owner || !new_key.row.has_owner ||
            old_key.row.owner() != new_key.row.owner() || old_key.row.key_version >= new_key.row.key_version)
            ereport(ERROR,
                    (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                     errmsg("keys do not replace older versions of the same owners' keys"), HideFromLog()));
        auto *entry = static_cast<Replacement *>(hash_search(table, &old_id, HASH_ENTER, nullptr));
        entry->new_key = new_key.row.key_id;
    }
    return table;
}

// envcrypt_rekey_users() calls for each table with the same keys: looked up for each, many owners and many
// tables would take hours.
HTAB *ReadReplacements(FunctionCallInfo fcinfo) {
    ArrayType *const keys[2] = {PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_ARRAYTYPE_P(2)};
    auto *remembered = static_cast<Remembered *>(fcinfo->flinfo->fn_extra);
    if (remembered != nullptr && SameKeys(remembered, keys))
        return remembered->replacements;
    if (remembered != nullptr) {
        fcinfo->flinfo->fn_extra = nullptr;  // an error may come
        hash_destroy(remembered->replacements);
        pfree(remembered->keys[0]);
        pfree(remembered->keys[1]);
        pfree(remembered);
    }
    HTAB *replacements = LookUpReplacements(keys, fcinfo->flinfo->fn_mcxt);
    const MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    remembered = static_cast<Remembered *>(palloc(sizeof(Remembered)));
    for (int i = 0; i < 2; i++) remembered->keys[i] = DatumGetArrayTypePCopy(PointerGetDatum(keys[i]));
    remembered->replacements = replacements;
    MemoryContextSwitchTo(caller);
    fcinfo->flinfo->fn_extra = remembered;
    return replacements;
}

void FindColumns(Work *work) {
    const TupleDesc columns = RelationGetDescr(work->table);
    work->column = static_cast<SealedColumn *>(
        palloc(sizeof(SealedColumn) * static_cast<std::size_t>(columns->natts + 1)));
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute attribute = TupleDescAttr(columns, i);
        if (attribute->attisdropped || !IsEncryptedType(attribute->atttypid))
            continue;
        SealedColumn found{.number = attribute->attnum, .holds = Holds::kOther, .type = nullptr};
        Oid type = getBaseType(attribute->atttypid);
        if (IsPlainEncryptedType(type)) {
            found.holds = Holds::kValue;
        } else {
            type = get_element_type(type);
            type = OidIsValid(type) ? getBaseType(type) : InvalidOid;
            if (OidIsValid(type) && IsPlainEncryptedType(type))
                found.holds = Holds::kArray;
        }
        if (found.holds != Holds::kOther)
            found.type = FindBaseType(type);
        work->column[work->columns++] = found;
    }
}

// Of which nothing but the header is fetched. nullptr: another key's. What is damaged is nobody's.
const Replacement *ReplacementOf(const Work *work, Datum value) {
    constexpr int kEnough = kMaxHeaderBytes + kMaxNonceBytes;
    const auto *head = reinterpret_cast<struct varlena *>(PG_DETOAST_DATUM_SLICE(value, 0, kEnough));
    SealedHeader header;
    if (!ParseHeader(VarlenaBytes(head), toast_raw_datum_size(value) - VARHDRSZ, &header).ok())
        return nullptr;
    return static_cast<const Replacement *>(
        hash_search(work->replacements, &header.key_id, HASH_FIND, nullptr));
}

int64 CountInArray(const Work *work, Datum value) {
    Datum *elements = nullptr;
    bool *nulls = nullptr;
    int count = 0;
    deconstruct_array(DatumGetArrayTypeP(value), ARR_ELEMTYPE(DatumGetArrayTypeP(value)), -1, false,
                      TYPALIGN_INT, &elements, &nulls, &count);
    int64 found = 0;
    for (int i = 0; i < count; i++) {
        if (!nulls[i] && ReplacementOf(work, elements[i]) != nullptr)
            found++;
    }
    return found;
}

Datum SealAgain(const BaseType &type, Datum value, const Replacement &replacement) {
    const auto *sealed = reinterpret_cast<const struct varlena *>(PG_DETOAST_DATUM_PACKED(value));
    const SealedHeader header = Header(type, sealed);
    const auto plain = OpenPlain(header, sealed);
    const Datum result = SealPlainUnder(replacement.new_key, type, plain, header.context_id);
    Wipe(plain);
    return result;
}

[[noreturn]] void RaiseOutOfReach(const Work *work, const SealedColumn &column) {
    ereport(
        ERROR,
        (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
         errmsg("cannot seal values inside column \"%s\" of table \"%s\" again",
                NameStr(TupleDescAttr(RelationGetDescr(work->table), column.number - 1)->attname),
                RelationGetRelationName(work->table)),
         errdetail("They stand in an array, a range or a composite value."),
         errhint(
             "Move them into a column of an encrypted type, or set the column to null, and call it again. "
             "Nothing was changed."),
         HideFromLog()));
    pg_unreachable();
}

// How many values of the row have a key that is replaced. With `write`, their replacements are in
// work->changed.
int64 LookAtRow(Work *work, TupleTableSlot *row, bool write) {
    int64 found = 0;
    slot_getallattrs(row);
    for (int i = 0; i < work->columns; i++) {
        const SealedColumn &column = work->column[i];
        const int at = column.number - 1;
        if (row->tts_isnull[at])
            continue;
        if (column.holds == Holds::kValue) {
            const Replacement *replacement = ReplacementOf(work, row->tts_values[at]);
            if (replacement == nullptr)
                continue;
            if (write && found == 0) {
                const std::size_t count = static_cast<std::size_t>(RelationGetDescr(work->table)->natts);
                ExecClearTuple(work->changed);
                memcpy(work->changed->tts_values, row->tts_values, count * sizeof(Datum));
                memcpy(work->changed->tts_isnull, row->tts_isnull, count * sizeof(bool));
            }
            if (write)
                work->changed->tts_values[at] = SealAgain(*column.type, row->tts_values[at], *replacement);
            found++;
        } else if (column.holds == Holds::kOther || CountInArray(work, row->tts_values[at]) > 0) {
            RaiseOutOfReach(work, column);
        }
    }
    return found;
}

// The expressions of the table's indexes are its owner's: they run as his, as in REINDEX.
void Write(Work *work, TupleTableSlot *row) {
    ExecStoreVirtualTuple(work->changed);
    work->changed->tts_tableOid = RelationGetRelid(work->table);
    Oid user = InvalidOid;
    int security_context = 0;
    GetUserIdAndSecContext(&user, &security_context);
    SetUserIdAndSecContext(work->table->rd_rel->relowner, security_context | SECURITY_RESTRICTED_OPERATION);
    ItemPointerData place = row->tts_tid;
    TM_FailureData failure;
    const TM_Result result = UpdateRow(work->target, work->estate, &place, work->changed, work->command,
                                       work->snapshot, true, &failure);
    SetUserIdAndSecContext(user, security_context);
    if (result != TM_Ok)
        ereport(ERROR,
                (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                 errmsg("a row of table \"%s\" was changed meanwhile", RelationGetRelationName(work->table)),
                 errhint("Call it again. Nothing was changed."), HideFromLog()));
}

int64 Run(Work *work, bool write) {
    int64 found = 0;
    work->snapshot = RegisterSnapshot(GetLatestSnapshot());
    if (write) {
        work->command = GetCurrentCommandId(true);
        work->estate = CreateExecutorState();
        work->target = makeNode(ResultRelInfo);
        InitResultRelInfo(work->target, work->table, 0, nullptr, 0);
        ExecOpenIndices(work->target, false);
        work->changed = MakeSingleTupleTableSlot(RelationGetDescr(work->table), &TTSOpsVirtual);
    }
    ForEachRow(work->table, [&](TupleTableSlot *row) {
        const int64 in_row = LookAtRow(work, row, write);
        if (write && in_row > 0) {
            if (found == 0)
                CheckCmdReplicaIdentity(work->table, CMD_UPDATE);
            Write(work, row);
            ResetPerTupleExprContext(work->estate);
        }
        found += in_row;
        return true;
    });
    if (write) {
        ExecDropSingleTupleTableSlot(work->changed);
        ExecCloseIndices(work->target);
        FreeExecutorState(work->estate);
        CommandCounterIncrement();
    }
    UnregisterSnapshot(work->snapshot);
    return found;
}

void RequireOwnTable(Oid table) {
    if (!OwnsTable(table))
        aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(table));
}

// nullptr: others have dropped the table since it was listed.
Relation OpenToReseal(Oid oid, bool write) {
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(oid)))
        return nullptr;
    RequireOwnTable(oid);  // before others are kept waiting
    Relation table = try_table_open(oid, write ? ShareRowExclusiveLock : AccessShareLock);
    if (table == nullptr)
        return nullptr;
    RequireOwnTable(oid);
    const char kind = table->rd_rel->relkind;
    if (kind != RELKIND_RELATION && (write || kind != RELKIND_MATVIEW))
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("\"%s\" is not a table", RelationGetRelationName(table))));
    return table;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

// (owner) -> ids: the new version's, which seals from now on, and then those of the older ones, which stay
ENVCRYPT_FUNCTION(envcrypt_new_key_version) {
    RequireKeyAdministrator();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    RefuseWriting("envcrypt_rekey_user()");
    if (!LockKeys(owner, LockTupleNoKeyExclusive)) {
        if (IsShredded(owner))
            RaiseShredded(owner);
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("owner \"%.*s\" has no data key", static_cast<int>(owner.stored.size()),
                               owner.stored.data()),
                        HideFromLog()));
    }
    List *ids = NIL;
    auto keys = OwnerKeys(owner);
    FreshScan(Objects().data_keys, Objects().data_keys_by_owner, keys, ForwardScanDirection,
              [&ids](TupleTableSlot *slot) {
                  StoredKey key;
                  ReadKey(slot, &key);
                  auto *id = static_cast<std::uint64_t *>(palloc(sizeof(std::uint64_t)));
                  *id = key.row.key_id;
                  ids = lappend(ids, id);
                  return true;
              });
    const std::uint64_t made = CreateKeyVersion(owner)->row.key_id;
    AnnounceKeyTableChange();
    CommandCounterIncrement();
    const int count = list_length(ids) + 1;
    auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<std::size_t>(count)));
    values[0] = Int64GetDatum(static_cast<int64>(made));
    for (int i = 1; i < count; i++)
        values[i] = Int64GetDatum(static_cast<int64>(*static_cast<std::uint64_t *>(list_nth(ids, i - 1))));
    PG_RETURN_ARRAYTYPE_P(
        construct_array(values, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// (table, keys, keys that replace them, whether to write) -> how many values have one of the first
ENVCRYPT_FUNCTION(envcrypt_reseal) {
    const bool write = PG_GETARG_BOOL(3);
    RequireKeyAdministrator();
    RequireOpen();
    if (write)
        RefuseWriting("envcrypt_rekey_user()");
    Work work{};
    work.table = OpenToReseal(PG_GETARG_OID(0), write);
    if (work.table == nullptr)
        PG_RETURN_INT64(0);
    work.replacements = ReadReplacements(fcinfo);
    FindColumns(&work);
    const int64 found = work.columns > 0 ? Run(&work, write) : 0;
    table_close(work.table, NoLock);
    PG_RETURN_INT64(found);
}
