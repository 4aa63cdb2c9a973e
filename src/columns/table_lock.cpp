// table_lock.cpp: a lock on a table that is known by its OID, before SQL writes its name down.
//
// A table that is locked cannot be renamed, dropped or moved, but its schema can be renamed without any lock
// on what is in it, and another one take the old name. Statements that name the table must not reach what
// stands there then, so that the schema's row is locked, too, until the transaction ends: renaming it waits.

#include "server/errors.h"

extern "C" {
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/fmgroids.h"
}

namespace envcrypt {
namespace {

LOCKMODE ModeWithName(const char *name) {
    constexpr struct {
        const char *name;
        LOCKMODE mode;
    } kModes[] = {
        {"AccessShareLock", AccessShareLock},
        {"ShareUpdateExclusiveLock", ShareUpdateExclusiveLock},
        {"ShareRowExclusiveLock", ShareRowExclusiveLock},
        {"AccessExclusiveLock", AccessExclusiveLock},
    };
    for (const auto &known : kModes) {
        if (strcmp(known.name, name) == 0)
            return known.mode;
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown lock mode \"%s\"", name)));
    pg_unreachable();
}

// Before the lock, so that nobody locks what is not his, and again after it.
void RequireTable(Oid oid, LOCKMODE mode) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("table with OID %u does not exist", oid)));
    const FormData_pg_class form = *reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    ReleaseSysCache(tuple);
    const bool read = mode == AccessShareLock;
    if (form.relkind != RELKIND_RELATION && form.relkind != RELKIND_PARTITIONED_TABLE &&
        !(read && form.relkind == RELKIND_MATVIEW))
        ereport(ERROR,
                (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", NameStr(form.relname))));
    if (read) {
        if (pg_class_aclcheck(oid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
            aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, NameStr(form.relname));
    } else if (!OwnsTable(oid)) {
        aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, NameStr(form.relname));
    }
}

bool IsKnown(HeapTuple tuple, Snapshot snapshot) {
    const HeapTupleHeader header = tuple->t_data;
    const TransactionId xmin = HeapTupleHeaderGetXmin(header);
    return HeapTupleHeaderXminFrozen(header) || TransactionIdIsCurrentTransactionId(xmin) ||
           !XidInMVCCSnapshot(xmin, snapshot);
}

// SQL sees the catalogs as they were when a REPEATABLE READ transaction began: there, a table that has
// changed since cannot be looked at after the lock.
void RequireUnchanged(Oid oid) {
    constexpr struct {
        Oid catalog;
        Oid index;
        AttrNumber table;
    } kCatalogs[] = {
        {RelationRelationId, ClassOidIndexId, Anum_pg_class_oid},
        {AttributeRelationId, AttributeRelidNumIndexId, Anum_pg_attribute_attrelid},
        {AttrDefaultRelationId, AttrDefaultIndexId, Anum_pg_attrdef_adrelid},
        {ConstraintRelationId, ConstraintRelidTypidNameIndexId, Anum_pg_constraint_conrelid},
        {TriggerRelationId, TriggerRelidNameIndexId, Anum_pg_trigger_tgrelid},
        {PolicyRelationId, PolicyPolrelidPolnameIndexId, Anum_pg_policy_polrelid},
        {IndexRelationId, IndexIndrelidIndexId, Anum_pg_index_indrelid},
        {InheritsRelationId, InheritsParentIndexId, Anum_pg_inherits_inhparent},
    };
    if (!IsolationUsesXactSnapshot())
        return;
    const Snapshot snapshot = GetTransactionSnapshot();
    for (const auto &place : kCatalogs) {
        Relation catalog = table_open(place.catalog, AccessShareLock);
        ScanKeyData key;
        ScanKeyInit(&key, place.table, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
        SysScanDesc scan = systable_beginscan(catalog, place.index, true, nullptr, 1, &key);
        for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
             tuple = systable_getnext(scan)) {
            if (!IsKnown(tuple, snapshot))
                ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                                errmsg("could not serialize access due to concurrent change of table \"%s\"",
                                       get_rel_name(oid)),
                                errhint("The transaction might succeed if retried, or in READ COMMITTED.")));
        }
        systable_endscan(scan);
        table_close(catalog, AccessShareLock);
    }
}

TM_Result LockRow(Relation catalog, HeapTuple found) {
    HeapTupleData tuple = *found;
    Buffer buffer = InvalidBuffer;
    TM_FailureData failure;
    const TM_Result result = heap_lock_tuple(catalog, &tuple, GetCurrentCommandId(true), LockTupleShare,
                                             LockWaitBlock, false, &buffer, &failure);
    ReleaseBuffer(buffer);
    return result;
}

// As SELECT ... FOR SHARE does. The row may be changed while this waits: then it is looked up again.
void LockSchema(Oid schema) {
    if (schema == PG_CATALOG_NAMESPACE || isAnyTempNamespace(schema))
        return;
    Relation catalog = table_open(NamespaceRelationId, RowShareLock);
    for (bool locked = false; !locked;) {
        CHECK_FOR_INTERRUPTS();
        AcceptInvalidationMessages();
        ScanKeyData key;
        ScanKeyInit(&key, Anum_pg_namespace_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(schema));
        SysScanDesc scan = systable_beginscan(catalog, NamespaceOidIndexId, true, nullptr, 1, &key);
        HeapTuple found = systable_getnext(scan);
        if (!HeapTupleIsValid(found))
            ereport(ERROR,
                    (errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("schema with OID %u does not exist", schema)));
        HeapTuple copy = heap_copytuple(found);
        systable_endscan(scan);
        const TM_Result result = LockRow(catalog, copy);
        // What this transaction has changed itself, nobody else changes.
        locked = result == TM_Ok || result == TM_SelfModified || result == TM_Invisible;
        heap_freetuple(copy);
    }
    table_close(catalog, NoLock);
    AcceptInvalidationMessages();
}

// The schemas of the table and of its columns' types, which are named with it.
List *AddSchemas(List *schemas, Oid oid) {
    Relation table = relation_open(oid, NoLock);
    schemas = list_append_unique_oid(schemas, RelationGetNamespace(table));
    const TupleDesc columns = RelationGetDescr(table);
    for (int i = 0; i < columns->natts; i++) {
        HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(TupleDescAttr(columns, i)->atttypid));
        if (!HeapTupleIsValid(tuple))
            continue;  // of a dropped column
        schemas =
            list_append_unique_oid(schemas, reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typnamespace);
        ReleaseSysCache(tuple);
    }
    relation_close(table, NoLock);
    return schemas;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

// (table, lock mode as pg_locks has it, whether to lock all that inherits from it)
ENVCRYPT_FUNCTION(envcrypt_lock_relation) {
    const Oid oid = PG_GETARG_OID(0);
    const LOCKMODE mode = ModeWithName(text_to_cstring(PG_GETARG_TEXT_PP(1)));
    if (mode != AccessShareLock)
        PreventCommandIfReadOnly("LOCK TABLE");
    RequireTable(oid, mode);
    LockRelationOid(oid, mode);
    RequireTable(oid, mode);
    List *tables = PG_GETARG_BOOL(2) ? find_all_inheritors(oid, mode, nullptr) : list_make1_oid(oid);
    if (mode == AccessShareLock)  // no more than read, also on a standby
        PG_RETURN_VOID();
    List *schemas = NIL;
    const ListCell *cell = nullptr;
    foreach (cell, tables) {
        RequireUnchanged(lfirst_oid(cell));
        schemas = AddSchemas(schemas, lfirst_oid(cell));
    }
    list_sort(schemas, list_oid_cmp);
    foreach (cell, schemas) LockSchema(lfirst_oid(cell));
    PG_RETURN_VOID();
}
