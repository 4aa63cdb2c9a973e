// online_functions.cpp: what envcrypt_protect_online() cannot ask in SQL.

#include "pg/errors.h"
#include "pg/row_trigger.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
}

using namespace envcrypt;

// A procedure: only those are told whether they may commit. They cannot be STRICT.
ENVCRYPT_FUNCTION(envcrypt_require_own_transaction) {
    const auto *context = reinterpret_cast<CallContext *>(fcinfo->context);
    if (context != nullptr && IsA(context, CallContext) && !context->atomic)
        PG_RETURN_VOID();
    const char *what = PG_ARGISNULL(0) ? "procedure" : text_to_cstring(PG_GETARG_TEXT_PP(0));
    ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
                    errmsg("%s cannot run inside a transaction block", what),
                    errdetail("It commits as it goes."),
                    errhint("CALL it by itself, outside BEGIN, functions and blocks with EXCEPTION.")));
    PG_RETURN_VOID();
}

// (trigger) -> (columns that WHEN names, in that order; arguments); nulls for a trigger without WHEN
ENVCRYPT_FUNCTION(envcrypt_trigger_parts) {
    TupleDesc columns = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    Datum values[] = {0, 0};
    bool nulls[] = {true, true};

    Relation catalog = table_open(TriggerRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(PG_GETARG_OID(0)));
    SysScanDesc scan = systable_beginscan(catalog, TriggerOidIndexId, true, nullptr, 1, &key);
    const HeapTuple tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple)) {
        bool isnull = false;
        const Datum when = heap_getattr(tuple, Anum_pg_trigger_tgqual, RelationGetDescr(catalog), &isnull);
        if (!isnull) {
            const TriggerColumns found = ColumnsOfTrigger(TextDatumGetCString(when));
            Datum numbers[kMaxTriggerColumns];
            for (int i = 0; i < found.count; i++) numbers[i] = Int16GetDatum(found.column[i]);
            values[0] = PointerGetDatum(
                construct_array(numbers, found.count, INT2OID, sizeof(std::int16_t), true, TYPALIGN_SHORT));
            nulls[0] = false;
        }
        const int count = reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple))->tgnargs;
        const Datum stored = heap_getattr(tuple, Anum_pg_trigger_tgargs, RelationGetDescr(catalog), &isnull);
        if (!isnull) {
            auto *arguments = static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1)));
            const char *next = VARDATA_ANY(PG_DETOAST_DATUM_PACKED(stored));
            for (int i = 0; i < count; i++) {
                arguments[i] = CStringGetTextDatum(next);
                next += strlen(next) + 1;
            }
            values[1] = PointerGetDatum(construct_array(arguments, count, TEXTOID, -1, false, TYPALIGN_INT));
            nulls[1] = false;
        }
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
}
