// owner_trigger.cpp: the trigger that binds the values of a protected column to their row's owner.

#include "columns/row_trigger.h"
#include "server/errors.h"
#include "server/statement_state.h"

using namespace envcrypt;

namespace envcrypt {
namespace {

// The row held the same value for the same owner before: whoever may update the row may leave it there.
bool IsUnchanged(const TriggerData &data, const RowTrigger &trigger) {
    const auto same = [&](AttrNumber column) {
        return SameInBoth(data.tg_relation, data.tg_trigtuple, data.tg_newtuple, column);
    };
    return TRIGGER_FIRED_BY_UPDATE(data.tg_event) && same(trigger.column[0]) &&
           (trigger.owner_column == InvalidAttrNumber || same(trigger.owner_column));
}

}  // namespace
}  // namespace envcrypt

// BEFORE INSERT OR UPDATE FOR EACH ROW WHEN (new.column IS NOT NULL OR new.owner IS NULL), with the arguments
// context id, 'error' or 'database' (what a row without an owner is), and the type that the column had.
ENVCRYPT_FUNCTION(envcrypt_owner_trigger) {
    constexpr int kOwnerAt = 1;
    const RowTrigger &trigger = RowTriggerOf(fcinfo, kOwnerAt);
    auto *data = reinterpret_cast<TriggerData *>(fcinfo->context);
    const Relation table = data->tg_relation;
    HeapTuple row = FiringTuple(data);
    int column = trigger.column[0];
    bool isnull = false;
    const Datum value = heap_getattr(row, column, RelationGetDescr(table), &isnull);
    if (isnull || SpeaksOnlyCiphertext())
        PG_RETURN_POINTER(row);
    if (trigger.type == nullptr)
        ereport(ERROR,
                (errcode(ERRCODE_DATATYPE_MISMATCH),
                 errmsg("column \"%s\" of table \"%s\" is not encrypted any more",
                        NameStr(TupleDescAttr(RelationGetDescr(table), column - 1)->attname),
                        RelationGetRelationName(table)),
                 errhint("Drop trigger \"%s\" or protect the column again.", data->tg_trigger->tgname)));

    Datum bound = 0;
    if (!BindSealed(*trigger.type, value, BindingOfRow(trigger, table, row), &bound)) {
        if (!IsUnchanged(*data, trigger))
            RaiseMisplaced();
        PG_RETURN_POINTER(row);
    }
    if (bound == value)
        PG_RETURN_POINTER(row);
    PG_RETURN_POINTER(heap_modify_tuple_by_cols(row, RelationGetDescr(table), 1, &column, &bound, &isnull));
}
