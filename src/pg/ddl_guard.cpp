// ddl_guard.cpp: the event trigger that refuses what no operator class can: partitioning by an encrypted
// column, and statistics on expressions that open one, whose values would stand in the catalog in plain.

#include "pg/base_type.h"
#include "pg/errors.h"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_statistic_ext.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "utils/partcache.h"
}

namespace envcrypt {
namespace {

// True for an expression that contains a value of an encrypted type, except one that only asks whether it is
// null.
extern "C" bool envcrypt_touches_encrypted(Node *node, void *context) {
    if (node == nullptr)
        return false;
    if (IsA(node, NullTest) && IsA(reinterpret_cast<NullTest *>(node)->arg, Var))
        return false;
    if ((IsA(node, Var) || IsA(node, Const) || IsA(node, FuncExpr)) && IsEncryptedType(exprType(node)))
        return true;
    return WalkExpression(node, envcrypt_touches_encrypted, context);
}

void RefusePartitionKey(Oid table) {
    Relation relation = relation_open(table, AccessShareLock);
    PartitionKey key = RelationGetPartitionKey(relation);
    for (int i = 0; i < key->partnatts; i++) {
        if (IsEncryptedType(key->parttypid[i]))
            ereport(
                ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot partition by an encrypted column"),
                 errdetail("Rows would be placed by bytes that differ each time a value is sealed."),
                 errhint("Partition by another column, such as the owner."), HideFromLog()));
    }
    relation_close(relation, AccessShareLock);
}

void RefuseStatistics(Oid statistics) {
    HeapTuple tuple = SearchSysCache1(STATEXTOID, ObjectIdGetDatum(statistics));
    if (!HeapTupleIsValid(tuple))
        return;
    bool isnull = false;
    const Datum stored = SysCacheGetAttr(STATEXTOID, tuple, Anum_pg_statistic_ext_stxexprs, &isnull);
    if (!isnull &&
        envcrypt_touches_encrypted(static_cast<Node *>(stringToNode(TextDatumGetCString(stored))), nullptr))
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("cannot create statistics on an expression over an encrypted column"),
                 errdetail("Its values would be stored in the catalogs in plain text."), HideFromLog()));
    ReleaseSysCache(tuple);
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_guard_ddl) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("envcrypt_guard_ddl was not called by event trigger manager")));
    SPI_connect();
    // ALTER TABLE may have given a column an encrypted type under statistics that exist already.
    SPI_execute(
        "WITH done AS (SELECT classid, objid FROM pg_catalog.pg_event_trigger_ddl_commands())"
        " SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, r.oid FROM pg_catalog.pg_class AS r JOIN done"
        " ON classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
        " AND r.oid OPERATOR(pg_catalog.=) objid WHERE r.relkind OPERATOR(pg_catalog.=) 'p'"
        " UNION ALL"
        " SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, s.oid FROM pg_catalog.pg_statistic_ext "
        "AS s"
        " JOIN done ON (classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass"
        " AND s.oid OPERATOR(pg_catalog.=) objid)"
        " OR (classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
        " AND s.stxrelid OPERATOR(pg_catalog.=) objid)",
        false, 0);
    for (uint64 row = 0; row < SPI_processed; row++) {
        HeapTuple tuple = SPI_tuptable->vals[row];
        bool isnull = false;
        const Oid catalog = DatumGetObjectId(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
        const Oid object = DatumGetObjectId(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
        if (catalog == RelationRelationId)
            RefusePartitionKey(object);
        else
            RefuseStatistics(object);
    }
    SPI_finish();
    PG_RETURN_VOID();
}
