#include "keys/table_query.h"

#include "server/errors.h"

extern "C" {
#include "executor/tstoreReceiver.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "tcop/tcopprot.h"
#include "utils/tuplestore.h"
}

namespace envcrypt {
namespace {

Query *Analyzed(Relation table, const char *query, const QueryArguments &arguments) {
    List *statements = raw_parser(query, RAW_PARSE_DEFAULT);
    if (list_length(statements) != 1)
        ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("query of a table must be one statement")));
    Query *analyzed = parse_analyze_fixedparams(linitial_node(RawStmt, statements), query, arguments.types,
                                                arguments.count, nullptr);
    if (analyzed->commandType != CMD_SELECT || analyzed->hasModifyingCTE)
        ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("query of a table must be a SELECT")));
    List *relations = NIL;
    List *items = NIL;
    bool depends_on_role = false;
    extract_query_dependencies(reinterpret_cast<Node *>(analyzed), &relations, &items, &depends_on_role);
    const ListCell *cell = nullptr;
    foreach (cell, relations) {
        if (lfirst_oid(cell) != RelationGetRelid(table))
            ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                            errmsg("table \"%s\" was renamed meanwhile", RelationGetRelationName(table)),
                            errdetail("Another relation has its name, or its schema's."),
                            errhint("Try again."), HideFromLog()));
    }
    return analyzed;
}

ParamListInfo Parameters(const QueryArguments &arguments) {
    if (arguments.count == 0)
        return nullptr;
    ParamListInfo made = makeParamList(arguments.count);
    for (int i = 0; i < arguments.count; i++)
        made->params[i] = {arguments.values[i], false, PARAM_FLAG_CONST, arguments.types[i]};
    return made;
}

}  // namespace

uint64 QueryTable(Relation table, const char *query, const QueryArguments &arguments, Snapshot snapshot,
                  uint64 limit, DestReceiver *receiver, TupleDesc *columns) {
    MemoryContext work =
        AllocSetContextCreate(CurrentMemoryContext, "envcrypt table query", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext caller = MemoryContextSwitchTo(work);
    PushActiveSnapshot(snapshot);
    ParamListInfo parameters = Parameters(arguments);
    List *rewritten = pg_rewrite_query(Analyzed(table, query, arguments));
    PlannedStmt *plan = PlanQuery(linitial_node(Query, rewritten), query, CURSOR_OPT_PARALLEL_OK, parameters);
    QueryDesc *running =
        CreateQueryDesc(plan, query, GetActiveSnapshot(), InvalidSnapshot, receiver, parameters, nullptr, 0);
    ExecutorStart(running, 0);
    if (columns != nullptr) {
        MemoryContextSwitchTo(caller);
        *columns = CreateTupleDescCopy(running->tupDesc);
        MemoryContextSwitchTo(work);
    }
    RunExecutor(running, limit);
    const uint64 rows = running->estate->es_processed;
    ExecutorFinish(running);
    ExecutorEnd(running);
    FreeQueryDesc(running);
    PopActiveSnapshot();
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(work);
    return rows;
}

const char *QualifiedName(Relation table) {
    return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)),
                                      RelationGetRelationName(table));
}

}  // namespace envcrypt

using namespace envcrypt;

// (table, a SELECT from it alone) -> its rows
ENVCRYPT_FUNCTION(envcrypt_query_table) {
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    if (result == nullptr || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_Materialize) == 0 ||
        result->expectedDesc == nullptr)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("materialize mode required, but it is not allowed in this context")));
    Relation table = try_table_open(PG_GETARG_OID(0), AccessShareLock);
    if (table == nullptr)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("table with OID %u does not exist", PG_GETARG_OID(0))));
    const MemoryContext caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
    Tuplestorestate *rows =
        tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
    DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
    SetTuplestoreDestReceiverParams(receiver, rows, CurrentMemoryContext, false, nullptr, nullptr);
    TupleDesc columns = nullptr;
    QueryTable(table, text_to_cstring(PG_GETARG_TEXT_PP(1)), {}, GetActiveSnapshot(), 0, receiver, &columns);
    receiver->rDestroy(receiver);
    result->returnMode = SFRM_Materialize;
    result->setResult = rows;
    result->setDesc = columns;  // the executor compares it with what the caller expects
    MemoryContextSwitchTo(caller);
    table_close(table, NoLock);
    return static_cast<Datum>(0);
}
