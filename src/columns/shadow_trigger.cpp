// shadow_trigger.cpp: the trigger that keeps a column's encrypted twin in step, while
// envcrypt_protect_online() works on a table with traffic.

#include "columns/shadow_column.h"
#include "server/errors.h"
#include "server/statement_state.h"

using namespace envcrypt;

namespace envcrypt {
namespace {

Twin *TwinOf(FunctionCallInfo fcinfo) {
    FmgrInfo *function = fcinfo->flinfo;
    const RowTrigger &trigger = RowTriggerOf(fcinfo, kTwinOwnerAt);
    auto *twin = static_cast<Twin *>(function->fn_extra);
    if (twin == nullptr || twin->trigger.trigger != trigger.trigger ||
        twin->trigger.relation_changes != trigger.relation_changes) {
        auto *data = reinterpret_cast<TriggerData *>(fcinfo->context);
        twin = static_cast<Twin *>(MemoryContextAllocZero(function->fn_mcxt, sizeof(Twin)));
        DescribeTwin(data->tg_relation, *data->tg_trigger, trigger, function->fn_mcxt, twin);
        function->fn_extra = twin;
    }
    return twin;
}

HeapTuple WithTwin(HeapTuple row, Relation table, AttrNumber column, Datum value, bool isnull) {
    int number = column;
    return heap_modify_tuple_by_cols(row, RelationGetDescr(table), 1, &number, &value, &isnull);
}

}  // namespace
}  // namespace envcrypt

// BEFORE INSERT OR UPDATE FOR EACH ROW WHEN (new.column IS NOT NULL OR new.twin IS NOT NULL OR new.owner IS
// NULL), with the arguments of envcrypt_owner_trigger.
ENVCRYPT_FUNCTION(envcrypt_sync_trigger) {
    Twin *twin = TwinOf(fcinfo);
    auto *data = reinterpret_cast<TriggerData *>(fcinfo->context);
    const Relation table = data->tg_relation;
    const HeapTuple row = FiringTuple(data);
    const TupleDesc columns = RelationGetDescr(table);
    bool plain_null = false;
    bool twin_null = false;
    const Datum plain = heap_getattr(row, twin->plain, columns, &plain_null);
    heap_getattr(row, twin->sealed, columns, &twin_null);

    // Other columns may be updated by who may not seal, also in rows that the backfill has not reached.
    const AttrNumber owner = twin->trigger.owner_column;
    bool same_twin = false;
    if (TRIGGER_FIRED_BY_UPDATE(data->tg_event)) {
        const HeapTuple old = data->tg_trigtuple;
        same_twin = SameInBoth(table, old, row, twin->sealed);
        if (same_twin && SameInBoth(table, old, row, twin->plain) &&
            (owner == InvalidAttrNumber || SameInBoth(table, old, row, owner)))
            PG_RETURN_POINTER(row);
    }
    if (plain_null)
        PG_RETURN_POINTER(twin_null ? row : WithTwin(row, table, twin->sealed, 0, true));
    // Rows from a dump or a publisher bring their twin. One that stayed behind when the value changed is left
    // to the backfill.
    if (SpeaksOnlyCiphertext() || IsDumpConnection())
        PG_RETURN_POINTER(same_twin && !twin_null ? WithTwin(row, table, twin->sealed, 0, true) : row);
    PG_RETURN_POINTER(WithTwin(row, table, twin->sealed, SealTwin(twin, table, row, plain), false));
}
