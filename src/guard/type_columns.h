// type_columns.h: which columns have a type, of whatever kind of relation.
#pragma once

#include "server/backend.h"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
}

namespace envcrypt {

// ForEachColumnOfType calls `visit(relation, column)` for each column of exactly this type, as pg_depend has
// it: no lock is taken, and a relation may be gone. `visit` may raise.
template <typename Visit>
void ForEachColumnOfType(Oid type, Visit visit) {
    Relation pg_depend = table_open(DependRelationId, AccessShareLock);
    ScanKeyData key[2];
    ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(TypeRelationId));
    ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(type));
    SysScanDesc scan = systable_beginscan(pg_depend, DependReferenceIndexId, true, nullptr, 2, key);
    HeapTuple tuple = nullptr;
    while (HeapTupleIsValid(tuple = systable_getnext(scan))) {
        const FormData_pg_depend dependent = *reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
        if (dependent.classid == RelationRelationId && dependent.objsubid > 0)
            visit(dependent.objid, static_cast<AttrNumber>(dependent.objsubid));
    }
    systable_endscan(scan);
    table_close(pg_depend, AccessShareLock);
}

}  // namespace envcrypt
