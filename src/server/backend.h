// backend.h: the one door to PostgreSQL's headers, and every difference between its major versions.
//
// Include it after all C++ and OpenSSL headers. Functions outside of src/core are *backend frames*: they may
// leave by longjmp, so their locals are trivially destructible. What owns memory lives in src/core, whose
// functions are noexcept and never call PostgreSQL.
#pragma once

extern "C" {
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "commands/vacuum.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_relation.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
}

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 200000
#error "envcrypt is written for PostgreSQL 15 to 19"
#endif

#include <cstdint>
#include <span>
#include <string_view>

// ENVCRYPT_FUNCTION declares a function that SQL calls, the only kind of symbol that this library exports.
#define ENVCRYPT_FUNCTION(name)                      \
    extern "C" {                                     \
    extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
    PGDLLEXPORT PG_FUNCTION_INFO_V1(name);           \
    }                                                \
    Datum name(PG_FUNCTION_ARGS)

// ENVCRYPT_MODULE_MAGIC says for which server the library was built and, where PostgreSQL keeps it, its name
// and version.
#if PG_VERSION_NUM >= 180000
#define ENVCRYPT_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "envcrypt", .version = ENVCRYPT_VERSION)
#else
#define ENVCRYPT_MODULE_MAGIC PG_MODULE_MAGIC
#endif

namespace envcrypt {

// What a function returns that is to return a null pointer: PG_RETURN_POINTER does not take nullptr in 19.
inline constexpr Datum kNullPointer = 0;

// What callbacks and hooks are called with.
#if PG_VERSION_NUM >= 190000
using CacheIdentifier = SysCacheIdentifier;
using JumbleArgument = const JumbleState *;
#define ENVCRYPT_PLANNER_PARAMETERS \
    Query *query, const char *text, int options, ParamListInfo params, ExplainState *explain
#define ENVCRYPT_PLANNER_ARGUMENTS query, text, options, params, explain
#else
using CacheIdentifier = int;
using JumbleArgument = JumbleState *;
#define ENVCRYPT_PLANNER_PARAMETERS Query *query, const char *text, int options, ParamListInfo params
#define ENVCRYPT_PLANNER_ARGUMENTS query, text, options, params
#endif

// PlanQuery is pg_plan_query.
inline PlannedStmt *PlanQuery(Query *query, const char *text, int options, ParamListInfo params) {
#if PG_VERSION_NUM >= 190000
    return pg_plan_query(query, text, options, params, nullptr);
#else
    return pg_plan_query(query, text, options, params);
#endif
}

// Who has CREATEROLE can grant any role that is no superuser.
inline constexpr bool kCreateRoleGrantsAnyRole = PG_VERSION_NUM < 160000;

// CurrentLocalTransaction changes with every transaction of this backend.
inline LocalTransactionId CurrentLocalTransaction() noexcept {
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

// WalkExpression is expression_tree_walker, which before PostgreSQL 16 takes a function without a prototype.
inline bool WalkExpression(Node *node, bool (*walker)(Node *, void *), void *context) {
#if PG_VERSION_NUM >= 160000
    return expression_tree_walker(node, walker, context);
#else
    return expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void *>(walker)),
                                  context);
#endif
}

// MutateExpression and MutateQuery are expression_tree_mutator and query_tree_mutator, likewise.
inline Node *MutateExpression(Node *node, Node *(*mutator)(Node *, void *), void *context) {
#if PG_VERSION_NUM >= 160000
    return expression_tree_mutator(node, mutator, context);
#else
    return expression_tree_mutator(node, reinterpret_cast<Node *(*)()>(reinterpret_cast<void *>(mutator)),
                                   context);
#endif
}

inline Query *MutateQuery(Query *query, Node *(*mutator)(Node *, void *), void *context) {
#if PG_VERSION_NUM >= 160000
    return query_tree_mutator(query, mutator, context, 0);
#else
    return query_tree_mutator(query, reinterpret_cast<Node *(*)()>(reinterpret_cast<void *>(mutator)),
                              context, 0);
#endif
}

// BeginIndexScan is index_beginscan without order-by keys.
inline IndexScanDesc BeginIndexScan(Relation heap, Relation index, Snapshot snapshot, int keys) {
#if PG_VERSION_NUM >= 190000
    return index_beginscan(heap, index, snapshot, nullptr, keys, 0, 0);
#elif PG_VERSION_NUM >= 180000
    return index_beginscan(heap, index, snapshot, nullptr, keys, 0);
#else
    return index_beginscan(heap, index, snapshot, keys, 0);
#endif
}

// BeginTidRangeScan is table_beginscan_tidrange.
inline TableScanDesc BeginTidRangeScan(Relation table, Snapshot snapshot, ItemPointer first,
                                       ItemPointer last) {
#if PG_VERSION_NUM >= 190000
    return table_beginscan_tidrange(table, snapshot, first, last, 0);
#else
    return table_beginscan_tidrange(table, snapshot, first, last);
#endif
}

// AnalyzeDelayPoint is vacuum_delay_point for ANALYZE.
inline void AnalyzeDelayPoint() {
#if PG_VERSION_NUM >= 180000
    vacuum_delay_point(true);
#else
    vacuum_delay_point();
#endif
}

// StatisticsTarget is the column's own, negative where it has none.
inline int StatisticsTarget(const VacAttrStats *stats) noexcept {
#if PG_VERSION_NUM >= 170000
    return stats->attstattarget;
#else
    return stats->attr->attstattarget;
#endif
}

// WalkQuery is query_tree_walker, likewise.
inline bool WalkQuery(Query *query, bool (*walker)(Node *, void *), void *context) {
#if PG_VERSION_NUM >= 160000
    return query_tree_walker(query, walker, context, 0);
#else
    return query_tree_walker(query, reinterpret_cast<bool (*)()>(reinterpret_cast<void *>(walker)), context,
                             0);
#endif
}

// SerializeRange is range_serialize, which from PostgreSQL 16 on may report softly.
inline RangeType *SerializeRange(TypeCacheEntry *range, RangeBound *lower, RangeBound *upper, bool empty) {
#if PG_VERSION_NUM >= 160000
    return range_serialize(range, lower, upper, empty, nullptr);
#else
    return range_serialize(range, lower, upper, empty);
#endif
}

// OwnsTable: the current role owns the table, or is superuser.
inline bool OwnsTable(Oid table) {
#if PG_VERSION_NUM >= 160000
    // It takes a table that is not there for an internal error.
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table)))
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", table),
                 errhidestmt(true), errhidecontext(true)));
    return object_ownercheck(RelationRelationId, table, GetUserId());
#else
    return pg_class_ownercheck(table, GetUserId());
#endif
}

// EnableTriggerAlways is ALTER TABLE ... ENABLE ALWAYS TRIGGER, for partitions, too.
inline void EnableTriggerAlways(Relation table, const char *name) {
#if PG_VERSION_NUM >= 160000
    EnableDisableTrigger(table, name, InvalidOid, TRIGGER_FIRES_ALWAYS, false, true, ShareRowExclusiveLock);
#else
    EnableDisableTrigger(table, name, TRIGGER_FIRES_ALWAYS, false, ShareRowExclusiveLock);
#endif
}

// RunExecutor runs a query that has been started, once, up to `limit` rows (0: all).
inline void RunExecutor(QueryDesc *query, uint64 limit) {
#if PG_VERSION_NUM >= 180000
    ExecutorRun(query, ForwardScanDirection, limit);
#else
    ExecutorRun(query, ForwardScanDirection, limit, true);
#endif
}

// InitRangeTableOf gives an executor state the range table of a statement that writes `table`.
inline void InitRangeTableOf(EState *estate, Relation table, Bitmapset *updated_columns) {
    auto *entry = makeNode(RangeTblEntry);
    entry->rtekind = RTE_RELATION;
    entry->relid = RelationGetRelid(table);
    entry->relkind = table->rd_rel->relkind;
    entry->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
    List *permissions = NIL;
    addRTEPermissionInfo(&permissions, entry)->updatedCols = updated_columns;
#endif
#if PG_VERSION_NUM >= 180000
    ExecInitRangeTable(estate, list_make1(entry), permissions, bms_make_singleton(1));
#elif PG_VERSION_NUM >= 160000
    ExecInitRangeTable(estate, list_make1(entry), permissions);
#else
    entry->updatedCols = updated_columns;
    ExecInitRangeTable(estate, list_make1(entry));
#endif
}

// CheckExpressions is where a ResultRelInfo keeps its table's compiled CHECK constraints.
inline ExprState **&CheckExpressions(ResultRelInfo *target) {
#if PG_VERSION_NUM >= 180000
    return target->ri_CheckConstraintExprs;
#else
    return target->ri_ConstraintExprs;
#endif
}

// NoConflict waits for transactions that write rows of the same key in one of the unique indexes `arbiters`,
// and tells whether none is left.
inline bool NoConflict(ResultRelInfo *target, TupleTableSlot *slot, EState *estate, List *arbiters) {
    ItemPointerData conflicting;
#if PG_VERSION_NUM >= 180000
    ItemPointerData no_row_yet;
    ItemPointerSetInvalid(&no_row_yet);
    return ExecCheckIndexConstraints(target, slot, estate, &conflicting, &no_row_yet, arbiters);
#else
    return ExecCheckIndexConstraints(target, slot, estate, &conflicting, arbiters);
#endif
}

// InsertIndexEntries adds a new row's index entries and returns the indexes to be checked again later. With
// `conflict`, a conflict in one of `arbiters` is told, not raised.
inline List *InsertIndexEntries(ResultRelInfo *target, TupleTableSlot *slot, EState *estate, bool *conflict,
                                List *arbiters) {
    if (target->ri_NumIndices == 0)
        return NIL;
#if PG_VERSION_NUM >= 190000
    return ExecInsertIndexTuples(target, estate, conflict != nullptr ? EIIT_NO_DUPE_ERROR : 0, slot, arbiters,
                                 conflict);
#elif PG_VERSION_NUM >= 160000
    return ExecInsertIndexTuples(target, slot, estate, false, conflict != nullptr, conflict, arbiters, false);
#else
    return ExecInsertIndexTuples(target, slot, estate, false, conflict != nullptr, conflict, arbiters);
#endif
}

// FireBeforeUpdate fires the BEFORE ROW triggers; false where one says that nothing is to be done.
inline bool FireBeforeUpdate(EState *estate, ResultRelInfo *target, ItemPointer row, TupleTableSlot *slot) {
    EPQState recheck;
    TM_FailureData failure;
#if PG_VERSION_NUM >= 180000
    EvalPlanQualInit(&recheck, estate, nullptr, NIL, -1, NIL);
    const bool go_on =
        ExecBRUpdateTriggers(estate, &recheck, target, row, nullptr, slot, nullptr, &failure, false);
#elif PG_VERSION_NUM >= 160000
    EvalPlanQualInit(&recheck, estate, nullptr, NIL, -1, NIL);
    const bool go_on = ExecBRUpdateTriggers(estate, &recheck, target, row, nullptr, slot, nullptr, &failure);
#else
    EvalPlanQualInit(&recheck, estate, nullptr, NIL, -1);
    const bool go_on = ExecBRUpdateTriggers(estate, &recheck, target, row, nullptr, slot, &failure);
#endif
    EvalPlanQualEnd(&recheck);
    return go_on;
}

// UpdateRow is table_tuple_update and, where it succeeds, the index entries of the new row. `check_later`
// gets the indexes of deferrable constraints, for AFTER triggers.
inline TM_Result UpdateRow(ResultRelInfo *target, EState *estate, ItemPointer row, TupleTableSlot *slot,
                           CommandId command, Snapshot snapshot, bool wait, TM_FailureData *failure,
                           List **check_later = nullptr) {
    LockTupleMode mode{};
#if PG_VERSION_NUM >= 160000
    TU_UpdateIndexes indexes = TU_None;
#else
    bool indexes = false;
#endif
#if PG_VERSION_NUM >= 190000
    const TM_Result result = table_tuple_update(target->ri_RelationDesc, row, slot, command, 0, snapshot,
                                                InvalidSnapshot, wait, failure, &mode, &indexes);
#else
    const TM_Result result = table_tuple_update(target->ri_RelationDesc, row, slot, command, snapshot,
                                                InvalidSnapshot, wait, failure, &mode, &indexes);
#endif
    if (result != TM_Ok || target->ri_NumIndices == 0)
        return result;
    List *recheck = NIL;
#if PG_VERSION_NUM >= 190000
    if (indexes != TU_None)
        recheck = ExecInsertIndexTuples(
            target, estate, EIIT_IS_UPDATE | (indexes == TU_Summarizing ? EIIT_ONLY_SUMMARIZING : 0), slot,
            NIL, nullptr);
#elif PG_VERSION_NUM >= 160000
    if (indexes != TU_None)
        recheck =
            ExecInsertIndexTuples(target, slot, estate, true, false, nullptr, NIL, indexes == TU_Summarizing);
#else
    if (indexes)
        recheck = ExecInsertIndexTuples(target, slot, estate, true, false, nullptr, NIL);
#endif
    if (check_later != nullptr)
        *check_later = recheck;
    else
        list_free(recheck);
    return result;
}

// The bytes of a varlena that is not compressed or external, with either kind of header. Aliases `value`.
inline std::span<const std::uint8_t> VarlenaBytes(const void *value) noexcept {
    return {reinterpret_cast<const std::uint8_t *>(VARDATA_ANY(value)), VARSIZE_ANY_EXHDR(value)};
}

inline std::string_view VarlenaChars(const void *value) noexcept {
    return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

}  // namespace envcrypt
