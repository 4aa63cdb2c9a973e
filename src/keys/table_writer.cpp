#include "keys/table_writer.h"

#include "keys/check_cache.h"
#include "keys/subscribed_keys.h"
#include "server/errors.h"
#include "server/own_function.h"

extern "C" {
#include "catalog/pg_trigger.h"
#include "executor/nodeModifyTable.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/datum.h"
}

namespace envcrypt {
namespace {

constexpr const char *kMustLeaveRow = "A trigger there must return the rows of keys as they are.";

// What our own trigger would do, our writers do themselves: it is for those who write with SQL.
void LeaveOutOurTrigger(ResultRelInfo *target) {
    TriggerDesc *triggers = target->ri_TrigDesc;
    if (triggers == nullptr)
        return;
    triggers->trig_insert_before_row = triggers->trig_update_before_row = false;
    int kept = 0;
    for (int i = 0; i < triggers->numtriggers; i++) {
        const Trigger &trigger = triggers->triggers[i];
        if (IsOurFunction(trigger.tgfoid, "envcrypt_key_table_trigger"))
            continue;
        const auto fires = [&trigger](std::int16_t event) {
            return TRIGGER_TYPE_MATCHES(trigger.tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_BEFORE, event);
        };
        triggers->trig_insert_before_row |= fires(TRIGGER_TYPE_INSERT);
        triggers->trig_update_before_row |= fires(TRIGGER_TYPE_UPDATE);
        triggers->triggers[kept++] = trigger;
    }
    triggers->numtriggers = kept;
    if (kept == 0)
        target->ri_TrigDesc = nullptr;
}

TableWriter Open(Oid oid, CmdType command, std::span<const AttrNumber> columns) {
    TableWriter writer{};
    RefuseOnSubscriber();
    writer.table = table_open(oid, RowExclusiveLock);
    writer.command = command;
    CheckCmdReplicaIdentity(writer.table, command);
    if (!ActiveSnapshotSet()) {
        PushActiveSnapshot(GetTransactionSnapshot());
        writer.pushed_snapshot = true;
    }

    // Everything runs in its context, as in the executor: what triggers and expressions cache is kept there.
    EState *estate = writer.estate = CreateExecutorState();
    const MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
    estate->es_snapshot = GetActiveSnapshot();
    Bitmapset *changed = nullptr;
    for (const AttrNumber column : columns)
        changed = bms_add_member(changed, column - FirstLowInvalidHeapAttributeNumber);
    InitRangeTableOf(estate, writer.table, changed);
    ResultRelInfo *target = writer.target = makeNode(ResultRelInfo);
    InitResultRelInfo(target, writer.table, 1, nullptr, 0);
    LeaveOutOurTrigger(target);
    estate->es_opened_result_relations = lappend(estate->es_opened_result_relations, target);
    ExecOpenIndices(target, command == CMD_INSERT);
    writer.row =
        ExecInitExtraTupleSlot(estate, RelationGetDescr(writer.table), table_slot_callbacks(writer.table));
    writer.checks = TakeChecks(writer.table);
    CheckExpressions(target) = CheckStates(writer.checks);

    AfterTriggerBeginQuery();
    if (target->ri_TrigDesc != nullptr)
        writer.transition = MakeTransitionCaptureState(target->ri_TrigDesc, oid, command);
    if (command == CMD_INSERT)
        ExecBSInsertTriggers(estate, target);
    else
        ExecBSUpdateTriggers(estate, target);
    // After what those triggers wrote: a scan that begins now must not see what this writer writes.
    estate->es_output_cid = GetCurrentCommandId(true);
    MemoryContextSwitchTo(caller);
    return writer;
}

[[noreturn]] void RaiseSwallowed(Relation table) {
    ereport(ERROR, (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
                    errmsg("a trigger of table \"%s\" kept the row of a key from being written",
                           RelationGetRelationName(table)),
                    errhint(kMustLeaveRow), HideFromLog()));
    pg_unreachable();
}

// After BEFORE triggers, which may have put another row into the slot.
void RequireUnchanged(const TableWriter *writer, std::span<const Datum> values, std::span<const bool> nulls) {
    for (std::size_t i = 0; i < values.size(); i++) {
        const FormData_pg_attribute *column = TupleDescAttr(RelationGetDescr(writer->table), i);
        bool isnull = false;
        const Datum value = slot_getattr(writer->row, static_cast<int>(i) + 1, &isnull);
        if (isnull != nulls[i] ||
            (!isnull && !datum_image_eq(value, values[i], column->attbyval, column->attlen)))
            ereport(ERROR, (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
                            errmsg("a trigger of table \"%s\" changed the row of a key",
                                   RelationGetRelationName(writer->table)),
                            errhint(kMustLeaveRow), HideFromLog()));
    }
}

// Columns beside ours, in a slot for a new row.
void FillDefaults(TableWriter *writer, std::size_t ours) {
    const TupleDesc columns = RelationGetDescr(writer->table);
    for (int i = static_cast<int>(ours); i < columns->natts; i++) {
        const FormData_pg_attribute *column = TupleDescAttr(columns, i);
        Datum value = static_cast<Datum>(0);
        bool isnull = true;
        Node *expression = column->attisdropped || column->attgenerated != '\0'
                               ? nullptr
                               : build_column_default(writer->table, column->attnum);
        if (expression != nullptr)
            value = ExecEvalExpr(ExecPrepareExpr(reinterpret_cast<Expr *>(expression), writer->estate),
                                 GetPerTupleExprContext(writer->estate), &isnull);
        writer->row->tts_values[i] = value;
        writer->row->tts_isnull[i] = isnull;
    }
}

TupleTableSlot *StoreRow(TableWriter *writer, std::span<const Datum> values, std::span<const bool> nulls) {
    TupleTableSlot *slot = ExecClearTuple(writer->row);
    memcpy(slot->tts_values, values.data(), values.size_bytes());
    memcpy(slot->tts_isnull, nulls.data(), nulls.size_bytes());
    FillDefaults(writer, values.size());
    ExecStoreVirtualTuple(slot);
    slot->tts_tableOid = RelationGetRelid(writer->table);
    return slot;
}

void ComputeAndCheck(TableWriter *writer) {
    const TupleConstr *constraints = RelationGetDescr(writer->table)->constr;
    if (constraints == nullptr)
        return;
    if (constraints->has_generated_stored)
        ExecComputeStoredGenerated(writer->target, writer->estate, writer->row, writer->command);
    ExecConstraints(writer->target, writer->row, writer->estate);
}

// As INSERT ... ON CONFLICT DO NOTHING stores a row.
bool InsertSpeculatively(TableWriter *writer, Oid unique, bool (*confirm)(void *), void *context,
                         List **recheck) {
    List *const arbiters = list_make1_oid(unique);
    if (!NoConflict(writer->target, writer->row, writer->estate, arbiters))
        return false;
    const TransactionId self = GetCurrentTransactionId();
    const std::uint32_t token = SpeculativeInsertionLockAcquire(self);
    table_tuple_insert_speculative(writer->table, writer->row, writer->estate->es_output_cid, 0, nullptr,
                                   token);
    bool conflict = false;
    *recheck = InsertIndexEntries(writer->target, writer->row, writer->estate, &conflict, arbiters);
    const bool stays = !conflict && (confirm == nullptr || confirm(context));
    table_tuple_complete_speculative(writer->table, writer->row, token, stays);
    SpeculativeInsertionLockRelease(self);
    return stays;
}

bool Insert(TableWriter *writer, const RowValues &row, Oid unique, bool (*confirm)(void *), void *context) {
    ResetPerTupleExprContext(writer->estate);
    TupleTableSlot *slot = StoreRow(writer, row.values, row.nulls);
    const TriggerDesc *triggers = writer->target->ri_TrigDesc;
    if (triggers != nullptr && triggers->trig_insert_before_row) {
        if (!ExecBRInsertTriggers(writer->estate, writer->target, slot))
            RaiseSwallowed(writer->table);
        RequireUnchanged(writer, row.values, row.nulls);
    }
    ComputeAndCheck(writer);
    List *recheck = NIL;
    if (OidIsValid(unique)) {
        if (!InsertSpeculatively(writer, unique, confirm, context, &recheck))
            return false;
    } else {
        table_tuple_insert(writer->table, slot, writer->estate->es_output_cid, 0, nullptr);
        recheck = InsertIndexEntries(writer->target, slot, writer->estate, nullptr, NIL);
    }
    ExecARInsertTriggers(writer->estate, writer->target, slot, recheck, writer->transition);
    list_free(recheck);
    return true;
}

// Writes the row that stands in writer->row over the one at `place`.
void Change(TableWriter *writer, ItemPointerData place, std::span<const Datum> values,
            std::span<const bool> nulls) {
    TupleTableSlot *slot = writer->row;
    const TriggerDesc *triggers = writer->target->ri_TrigDesc;
    if (triggers != nullptr && triggers->trig_update_before_row) {
        if (!FireBeforeUpdate(writer->estate, writer->target, &place, slot))
            RaiseSwallowed(writer->table);
        RequireUnchanged(writer, values, nulls);
    }
    ComputeAndCheck(writer);
    List *recheck = NIL;
    TM_FailureData failure;
    const TM_Result result =
        UpdateRow(writer->target, writer->estate, &place, slot, writer->estate->es_output_cid,
                  writer->estate->es_snapshot, true, &failure, &recheck);
    if (result != TM_Ok)
        ereport(ERROR, (errcode(result == TM_SelfModified ? ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION
                                                          : ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("the row of a key was changed at the same time"), HideFromLog()));
    ExecARUpdateTriggers(writer->estate, writer->target, nullptr, nullptr, &place, nullptr, slot, recheck,
                         writer->transition, false);
    list_free(recheck);
}

}  // namespace

TableWriter OpenInserter(Oid table) {
    return Open(table, CMD_INSERT, {});
}

TableWriter OpenUpdater(Oid table, std::span<const AttrNumber> columns) {
    return Open(table, CMD_UPDATE, columns);
}

void CloseWriter(TableWriter *writer) {
    const MemoryContext caller = MemoryContextSwitchTo(writer->estate->es_query_cxt);
    if (writer->command == CMD_INSERT)
        ExecASInsertTriggers(writer->estate, writer->target, writer->transition);
    else
        ExecASUpdateTriggers(writer->estate, writer->target, writer->transition);
    AfterTriggerEndQuery(writer->estate);
    MemoryContextSwitchTo(caller);
    GiveBackChecks(writer->checks);
    ExecResetTupleTable(writer->estate->es_tupleTable, false);
    ExecCloseResultRelations(writer->estate);
    FreeExecutorState(writer->estate);
    table_close(writer->table, NoLock);
    if (writer->pushed_snapshot)
        PopActiveSnapshot();
    CommandCounterIncrement();
}

bool InsertRow(TableWriter *writer, const RowValues &row, Oid unique, bool (*confirm)(void *),
               void *context) {
    const MemoryContext caller = MemoryContextSwitchTo(writer->estate->es_query_cxt);
    const bool inserted = Insert(writer, row, unique, confirm, context);
    MemoryContextSwitchTo(caller);
    return inserted;
}

void ChangeRow(TableWriter *writer, TupleTableSlot *found, const RowValues &row,
               std::span<const bool> replace) {
    ResetPerTupleExprContext(writer->estate);
    const MemoryContext per_row = GetPerTupleMemoryContext(writer->estate);
    const auto columns = static_cast<std::size_t>(RelationGetDescr(writer->table)->natts);
    auto *values = static_cast<Datum *>(MemoryContextAlloc(per_row, columns * sizeof(Datum)));
    auto *nulls = static_cast<bool *>(MemoryContextAlloc(per_row, columns * sizeof(bool)));
    slot_getallattrs(found);
    memcpy(values, found->tts_values, columns * sizeof(Datum));
    memcpy(nulls, found->tts_isnull, columns * sizeof(bool));
    for (std::size_t i = 0; i < replace.size(); i++) {
        if (replace[i]) {
            values[i] = row.values[i];
            nulls[i] = row.nulls[i];
        }
    }
    StoreRow(writer, {values, columns}, {nulls, columns});
    const MemoryContext caller = MemoryContextSwitchTo(writer->estate->es_query_cxt);
    Change(writer, found->tts_tid, {values, replace.size()}, {nulls, replace.size()});
    MemoryContextSwitchTo(caller);
}

}  // namespace envcrypt
