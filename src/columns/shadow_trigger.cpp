// shadow_trigger.cpp: the trigger that keeps a column's encrypted shadow column in step, while
// envcrypt_protect_online() works on a table with traffic.

#include "columns/shadow_column.h"
#include "server/errors.h"
#include "server/statement_state.h"

using namespace envcrypt;

namespace envcrypt {
namespace {

ShadowColumn *ShadowColumnOf(FunctionCallInfo fcinfo) {
    FmgrInfo *function = fcinfo->flinfo;
    const RowTrigger &trigger = RowTriggerOf(fcinfo, kShadowOwnerAt);
    auto *shadow = static_cast<ShadowColumn *>(function->fn_extra);
    if (shadow == nullptr || shadow->trigger.trigger != trigger.trigger ||
        shadow->trigger.relation_changes != trigger.relation_changes) {
        auto *data = reinterpret_cast<TriggerData *>(fcinfo->context);
        shadow = static_cast<ShadowColumn *>(MemoryContextAllocZero(function->fn_mcxt, sizeof(ShadowColumn)));
        ReadShadowColumn(data->tg_relation, *data->tg_trigger, trigger, function->fn_mcxt, shadow);
        function->fn_extra = shadow;
    }
    return shadow;
}

HeapTuple WithShadow(HeapTuple row, Relation table, AttrNumber column, Datum value, bool isnull) {
    int number = column;
    return heap_modify_tuple_by_cols(row, RelationGetDescr(table), 1, &number, &value, &isnull);
}

}  // namespace
}  // namespace envcrypt

// BEFORE INSERT OR UPDATE FOR EACH ROW WHEN (new.column IS NOT NULL OR new.shadow IS NOT NULL OR new.owner IS
// NULL), with the arguments of envcrypt_owner_trigger.
ENVCRYPT_FUNCTION(envcrypt_shadow_trigger) {
    ShadowColumn *shadow = ShadowColumnOf(fcinfo);
    auto *data = reinterpret_cast<TriggerData *>(fcinfo->context);
    const Relation table = data->tg_relation;
    const HeapTuple row = FiringTuple(data);
    const TupleDesc columns = RelationGetDescr(table);
    bool plain_null = false;
    bool shadow_null = false;
    const Datum plain = heap_getattr(row, shadow->plain, columns, &plain_null);
    heap_getattr(row, shadow->sealed, columns, &shadow_null);

    // Other columns may be updated by who may not seal, also in rows that the backfill has not reached.
    const AttrNumber owner = shadow->trigger.owner_column;
    bool same_shadow = false;
    if (TRIGGER_FIRED_BY_UPDATE(data->tg_event)) {
        const HeapTuple old = data->tg_trigtuple;
        same_shadow = SameInBoth(table, old, row, shadow->sealed);
        if (same_shadow && SameInBoth(table, old, row, shadow->plain) &&
            (owner == InvalidAttrNumber || SameInBoth(table, old, row, owner)))
            PG_RETURN_POINTER(row);
    }
    if (plain_null)
        PG_RETURN_POINTER(shadow_null ? row : WithShadow(row, table, shadow->sealed, 0, true));
    // Rows from a dump or a publisher bring their shadow value. One that stayed behind when the value changed
    // is left to the backfill.
    if (SpeaksOnlyCiphertext() || IsDumpConnection())
        PG_RETURN_POINTER(same_shadow && !shadow_null ? WithShadow(row, table, shadow->sealed, 0, true)
                                                      : row);
    PG_RETURN_POINTER(WithShadow(row, table, shadow->sealed, SealShadow(shadow, table, row, plain), false));
}
