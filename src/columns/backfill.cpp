// backfill.cpp: writes the missing shadow values of a table's rows, a batch at a time, and verifies them.
//
// Rows are written as UPDATE writes them, with index entries and all that replication needs, but no trigger
// fires and no constraint is checked: nothing changes that they could see. A row that someone else has locked
// or changed meanwhile is left alone: the shadow trigger has written its shadow value, or a later pass does.

#include "columns/shadow_column.h"
#include "server/errors.h"
#include "server/own_function.h"
#include "server/rights.h"
#include "server/table_scan.h"

extern "C" {
#include "storage/bufmgr.h"
#include "tcop/utility.h"
}

namespace envcrypt {
namespace {

// One batch reads no more than this, however little there is to do: a snapshot is held so long.
constexpr BlockNumber kMaxBlocks = 16384;

// Before the lock, so that nobody locks what is not his, and again after it.
void RequireOwned(Oid oid) {
    if (!OwnsTable(oid))
        aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(oid));
}

Relation OpenOwned(Oid oid, LOCKMODE lock) {
    RequireOwned(oid);
    Relation table = try_table_open(oid, lock);
    if (table == nullptr)
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", oid)));
    RequireOwned(oid);
    if (table->rd_rel->relkind != RELKIND_RELATION || table->rd_tableam->scan_set_tidrange == nullptr)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("rows of \"%s\" cannot be read by block", RelationGetRelationName(table))));
    return table;
}

ShadowColumn *ShadowColumnOfTable(Relation table, Oid trigger_oid) {
    // A copy: what is looked up below may rebuild the table's own.
    const TriggerDesc *triggers = CopyTriggerDesc(table->trigdesc);
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; i++) {
        const Trigger &trigger = triggers->triggers[i];
        if (trigger.tgoid != trigger_oid)
            continue;
        if (!IsOurFunction(trigger.tgfoid, "envcrypt_shadow_trigger"))
            RaiseNotOurTrigger(table, trigger);
        RowTrigger described;
        DescribeRowTrigger(table, trigger, kShadowOwnerAt, &described);
        auto *shadow = static_cast<ShadowColumn *>(palloc0(sizeof(ShadowColumn)));
        ReadShadowColumn(table, trigger, described, CurrentMemoryContext, shadow);
        return shadow;
    }
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("table \"%s\" has no trigger with OID %u",
                                                              RelationGetRelationName(table), trigger_oid)));
    pg_unreachable();
}

struct Batch {
    Relation table;
    ShadowColumn *shadow;
    Snapshot snapshot;
    CommandId command;
    EState *estate;
    ResultRelInfo *target;
    TupleTableSlot *found;
    TupleTableSlot *changed;
    TupleTableSlot *locked;
};

// Fills batch->changed from batch->found; false where there is nothing to do.
bool MakeChanged(Batch *batch) {
    slot_getallattrs(batch->found);
    const int plain = batch->shadow->plain - 1;
    const int sealed = batch->shadow->sealed - 1;
    if (batch->found->tts_isnull[plain] || !batch->found->tts_isnull[sealed])
        return false;
    bool should_free = false;
    const HeapTuple row = ExecFetchSlotHeapTuple(batch->found, false, &should_free);
    TupleTableSlot *changed = ExecClearTuple(batch->changed);
    const int columns = RelationGetDescr(batch->table)->natts;
    memcpy(changed->tts_values, batch->found->tts_values, columns * sizeof(Datum));
    memcpy(changed->tts_isnull, batch->found->tts_isnull, columns * sizeof(bool));
    changed->tts_values[sealed] =
        SealShadow(batch->shadow, batch->table, row, batch->found->tts_values[plain]);
    changed->tts_isnull[sealed] = false;
    ExecStoreVirtualTuple(changed);
    changed->tts_tableOid = RelationGetRelid(batch->table);
    return true;
}

// Somebody may be changing or locking the row now: it says so, or nobody has found out yet that it is over.
bool MayBeLocked(TupleTableSlot *found) {
    bool should_free = false;
    const HeapTuple row = ExecFetchSlotHeapTuple(found, false, &should_free);
    return (row->t_data->t_infomask & HEAP_XMAX_INVALID) == 0;
}

// An update waits for whoever has the row. So where it may be locked, it is locked first, which waits for
// nobody; by foreign keys it may be, as an update of other columns does not disturb them.
TM_Result TryToWrite(Batch *batch) {
    ItemPointerData row = batch->found->tts_tid;
    TM_FailureData failure;
    if (MayBeLocked(batch->found)) {
        const TM_Result result =
            table_tuple_lock(batch->table, &row, batch->snapshot, batch->locked, batch->command,
                             LockTupleNoKeyExclusive, LockWaitSkip, 0, &failure);
        ExecClearTuple(batch->locked);
        if (result != TM_Ok)
            return result;
    }
    return UpdateRow(batch->target, batch->estate, &row, batch->changed, batch->command, batch->snapshot,
                     true, &failure);
}

// The expressions of the table's indexes are its owner's: they run as his, as in REINDEX.
bool WriteChanged(Batch *batch) {
    Oid user = InvalidOid;
    int security_context = 0;
    GetUserIdAndSecContext(&user, &security_context);
    const Oid owner = batch->table->rd_rel->relowner;
    if (likely(user == owner))
        return TryToWrite(batch) == TM_Ok;
    SetUserIdAndSecContext(owner, security_context | SECURITY_RESTRICTED_OPERATION);
    const TM_Result result = TryToWrite(batch);
    SetUserIdAndSecContext(user, security_context);
    return result == TM_Ok;
}

struct BatchResult {
    BlockNumber next;
    int64 written;
    int64 skipped;
};

BatchResult RunBatch(Batch *batch, BlockNumber from, BlockNumber to, int64 rows) {
    const BlockNumber last = to - from > kMaxBlocks ? from + kMaxBlocks : to;
    ItemPointerData first_row;
    ItemPointerData last_row;
    ItemPointerSet(&first_row, from, FirstOffsetNumber);
    ItemPointerSet(&last_row, last - 1, MaxOffsetNumber);
    TableScanDesc scan = BeginTidRangeScan(batch->table, batch->snapshot, &first_row, &last_row);
    BatchResult result{.next = last, .written = 0, .skipped = 0};
    while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, batch->found)) {
        CHECK_FOR_INTERRUPTS();
        const BlockNumber block = ItemPointerGetBlockNumber(&batch->found->tts_tid);
        if (result.written >= rows && block > from) {
            result.next = block;
            break;
        }
        // Batches end between blocks.
        from = block;
        ResetPerTupleExprContext(batch->estate);
        const MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(batch->estate));
        if (MakeChanged(batch)) {
            if (WriteChanged(batch))
                result.written++;
            else
                result.skipped++;
        }
        MemoryContextSwitchTo(caller);
    }
    table_endscan(scan);
    return result;
}

[[noreturn]] void RaiseShadowFault(Relation table, TupleTableSlot *slot, const char *fault) {
    ereport(
        ERROR,
        (errcode(ERRCODE_DATA_CORRUPTED),
         errmsg("shadow value of a row of table \"%s\" is not what it must be",
                RelationGetRelationName(table)),
         errdetail("The shadow value of the row at (%u,%u): %s.", ItemPointerGetBlockNumber(&slot->tts_tid),
                   ItemPointerGetOffsetNumber(&slot->tts_tid), fault),
         errhint("Nothing was swapped. Update the row's value to what it is or to null, or cancel with "
                 "envcrypt_protect_online_cancel() and start again."),
         HideFromLog()));
    pg_unreachable();
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

// (table, shadow trigger, first block, block after the last, rows) -> (next block, written, skipped)
ENVCRYPT_FUNCTION(envcrypt_backfill) {
    PreventCommandIfReadOnly("envcrypt_backfill()");
    const int64 from = PG_GETARG_INT64(2);
    const int64 to = PG_GETARG_INT64(3);
    TupleDesc columns = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    if (from < 0 || to > MaxBlockNumber || PG_GETARG_INT32(4) <= 0)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid range of blocks or batch size")));

    Batch batch{};
    batch.table = OpenOwned(PG_GETARG_OID(0), RowExclusiveLock);
    RequireSeal();
    CheckCmdReplicaIdentity(batch.table, CMD_UPDATE);
    batch.shadow = ShadowColumnOfTable(batch.table, PG_GETARG_OID(1));
    batch.snapshot = RegisterSnapshot(GetLatestSnapshot());
    batch.command = GetCurrentCommandId(true);
    batch.estate = CreateExecutorState();
    batch.target = makeNode(ResultRelInfo);
    InitResultRelInfo(batch.target, batch.table, 0, nullptr, 0);
    ExecOpenIndices(batch.target, false);
    batch.found = table_slot_create(batch.table, nullptr);
    batch.locked = table_slot_create(batch.table, nullptr);
    batch.changed = MakeSingleTupleTableSlot(RelationGetDescr(batch.table), &TTSOpsVirtual);

    BatchResult result{.next = static_cast<BlockNumber>(to), .written = 0, .skipped = 0};
    if (from < to)
        result = RunBatch(&batch, static_cast<BlockNumber>(from), static_cast<BlockNumber>(to),
                          PG_GETARG_INT32(4));

    ExecDropSingleTupleTableSlot(batch.found);
    ExecDropSingleTupleTableSlot(batch.locked);
    ExecDropSingleTupleTableSlot(batch.changed);
    ExecCloseIndices(batch.target);
    FreeExecutorState(batch.estate);
    UnregisterSnapshot(batch.snapshot);
    table_close(batch.table, NoLock);

    Datum values[] = {Int64GetDatum(result.next), Int64GetDatum(result.written),
                      Int64GetDatum(result.skipped)};
    bool nulls[] = {false, false, false};
    return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
}

// (table, shadow trigger) -> whether a value is without its shadow value
ENVCRYPT_FUNCTION(envcrypt_lacks_shadow) {
    Relation table = OpenOwned(PG_GETARG_OID(0), AccessShareLock);
    const ShadowColumn *shadow = ShadowColumnOfTable(table, PG_GETARG_OID(1));
    bool found = false;
    ForEachRow(table, [&](TupleTableSlot *slot) {
        found = !slot_attisnull(slot, shadow->plain) && slot_attisnull(slot, shadow->sealed);
        return !found;
    });
    table_close(table, NoLock);
    PG_RETURN_BOOL(found);
}

// (table, shadow trigger) -> rows read
ENVCRYPT_FUNCTION(envcrypt_verify_shadow) {
    Relation table = OpenOwned(PG_GETARG_OID(0), AccessShareLock);
    RequireOpen();
    ShadowColumn *shadow = ShadowColumnOfTable(table, PG_GETARG_OID(1));
    int64 rows = 0;
    ForEachRow(table, [&](TupleTableSlot *slot) {
        bool should_free = false;
        const char *fault = ShadowFault(shadow, table, ExecFetchSlotHeapTuple(slot, false, &should_free));
        if (fault != nullptr)
            RaiseShadowFault(table, slot, fault);
        rows++;
        return true;
    });
    table_close(table, NoLock);
    PG_RETURN_INT64(rows);
}
