// ddl_guard.cpp: the event trigger that refuses what no operator class can: partitioning by an encrypted
// column, indexes on arrays, ranges and rows of encrypted values, and statistics on expressions that open
// one, whose values would stand in the catalog in plain.

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

void RefusePartitionKey(Relation table) {
    PartitionKey key = RelationGetPartitionKey(table);
    for (int i = 0; i < key->partnatts; i++) {
        if (IsEncryptedType(key->parttypid[i]))
            ereport(
                ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot partition by an encrypted column"),
                 errdetail("Rows would be placed by bytes that differ each time a value is sealed."),
                 errhint("Partition by another column, such as the owner."), HideFromLog()));
    }
}

// The operator classes of encrypted types refuse an index themselves; those of arrays, ranges and composite
// types, which would compare the encrypted values inside, know nothing of it.
void RefuseIndexKey(Relation index) {
    for (int i = 0; i < index->rd_index->indnkeyatts; i++) {
        if (IsEncryptedType(TupleDescAttr(RelationGetDescr(index), i)->atttypid))
            RaiseCannotIndex();
    }
}

void RefuseRelation(Oid oid) {
    Relation relation = relation_open(oid, AccessShareLock);
    if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
        RefusePartitionKey(relation);
    else
        RefuseIndexKey(relation);
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
    // With a table that was made or changed come its indexes and statistics: a column may have got an
    // encrypted type under them.
    SPI_execute(
        "WITH done AS (SELECT objid FROM pg_catalog.pg_event_trigger_ddl_commands())"
        " SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, r.oid FROM pg_catalog.pg_class AS r JOIN done"
        " ON r.oid OPERATOR(pg_catalog.=) objid"
        " WHERE r.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['p', 'i', 'I']::\"char\"[])"
        " UNION"
        " SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, i.indexrelid FROM pg_catalog.pg_index AS i JOIN "
        "done"
        " ON i.indrelid OPERATOR(pg_catalog.=) objid"
        " UNION"
        " SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, s.oid FROM pg_catalog.pg_statistic_ext "
        "AS s"
        " JOIN done ON s.oid OPERATOR(pg_catalog.=) objid OR s.stxrelid OPERATOR(pg_catalog.=) objid",
        false, 0);
    for (uint64 row = 0; row < SPI_processed; row++) {
        HeapTuple tuple = SPI_tuptable->vals[row];
        bool isnull = false;
        const Oid catalog = DatumGetObjectId(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
        const Oid object = DatumGetObjectId(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
        if (catalog == RelationRelationId)
            RefuseRelation(object);
        else
            RefuseStatistics(object);
    }
    SPI_finish();
    PG_RETURN_VOID();
}
