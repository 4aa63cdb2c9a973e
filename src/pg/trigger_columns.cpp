// trigger_columns.cpp: what SQL is told of the columns of our row triggers.

#include "pg/row_trigger.h"

extern "C" {
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
}

using namespace envcrypt;

// The columns that a trigger's WHEN clause names, in its order: of an owner trigger, the value and the owner.
// NULL for a trigger without one, and if there is no such trigger.
ENVCRYPT_FUNCTION(envcrypt_trigger_columns) {
    Relation triggers = table_open(TriggerRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, PG_GETARG_DATUM(0));
    SysScanDesc scan = systable_beginscan(triggers, TriggerOidIndexId, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    bool isnull = true;
    const Datum when = HeapTupleIsValid(tuple)
                           ? heap_getattr(tuple, Anum_pg_trigger_tgqual, RelationGetDescr(triggers), &isnull)
                           : static_cast<Datum>(0);
    TriggerColumns found{};
    if (!isnull)
        found = ColumnsOfTrigger(TextDatumGetCString(when));
    systable_endscan(scan);
    table_close(triggers, AccessShareLock);
    if (isnull)
        PG_RETURN_NULL();
    Datum columns[kMaxTriggerColumns];
    for (int i = 0; i < found.count; i++) columns[i] = Int16GetDatum(found.column[i]);
    PG_RETURN_ARRAYTYPE_P(
        construct_array(columns, found.count, INT2OID, sizeof(std::int16_t), true, TYPALIGN_SHORT));
}
