#include "columns/row_trigger.h"

#include <algorithm>
#include <cstdlib>

#include "server/errors.h"
#include "server/extension_objects.h"

extern "C" {
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "rewrite/prs2lock.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
}

namespace envcrypt {
namespace {

HTAB *known_triggers = nullptr;

[[noreturn]] void RaiseNotOurs(Relation table, const Trigger &trigger, bool binds) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("trigger \"%s\" of table \"%s\" was not made by envcrypt", trigger.tgname,
                           RelationGetRelationName(table)),
                    binds ? errhint("Protect the column with envcrypt_protect().")
                          : errhint("Call envcrypt_manage_owners()."),
                    HideFromLog()));
    pg_unreachable();
}

void Describe(Relation table, const Trigger &trigger, int owner_at, bool binds, RowTrigger *found) {
    if (trigger.tgqual == nullptr)
        RaiseNotOurs(table, trigger, binds);
    const TriggerColumns named = ColumnsOfTrigger(trigger.tgqual);
    if (named.count < std::max(owner_at, 1) || named.count > owner_at + 1)
        RaiseNotOurs(table, trigger, binds);
    for (int i = 0; i < named.count; i++) {
        if (named.is_null[i] != (binds && i == owner_at))
            RaiseNotOurs(table, trigger, binds);
    }
    const TupleDesc columns = RelationGetDescr(table);
    found->trigger = trigger.tgoid;
    const auto type_of = [columns](AttrNumber column) {
        return getBaseType(TupleDescAttr(columns, column - 1)->atttypid);
    };
    found->columns = named.count;
    std::copy_n(named.column, named.count, found->column);
    for (int i = 0; i < found->columns; i++) {
        if (found->column[i] > columns->natts)
            RaiseNotOurs(table, trigger, binds);
    }
    found->type =
        IsPlainEncryptedType(type_of(found->column[0])) ? FindBaseType(type_of(found->column[0])) : nullptr;
    if (found->columns > owner_at) {
        found->owner_column = found->column[owner_at];
        found->owner_form = RequireOwnerColumn(table, found->owner_column);
    }
}

// The arguments of a trigger that binds values.
void DescribeBinding(Relation table, const Trigger &trigger, RowTrigger *found) {
    if (trigger.tgnargs < 2 || !HasFormOfOurs(trigger, TRIGGER_TYPE_ROW | TRIGGER_TYPE_BEFORE |
                                                           TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE))
        RaiseNotOurs(table, trigger, true);
    char *end = nullptr;
    const std::uint64_t context_id = std::strtoul(trigger.tgargs[0], &end, 10);
    if (end == trigger.tgargs[0] || *end != '\0' || context_id > PG_UINT16_MAX)
        RaiseNotOurs(table, trigger, true);
    found->context_id = static_cast<std::uint16_t>(context_id);
    found->null_owner_allowed = strcmp(trigger.tgargs[1], "database") == 0;
    if (!found->null_owner_allowed && strcmp(trigger.tgargs[1], "error") != 0)
        RaiseNotOurs(table, trigger, true);
}

RowTrigger *FindOrAdd(Oid trigger, bool *found) {
    if (known_triggers == nullptr) {
        HASHCTL info{};
        info.keysize = sizeof(Oid);
        info.entrysize = sizeof(RowTrigger);
        info.hcxt = CacheMemoryContext;
        known_triggers =
            hash_create("envcrypt row triggers", 32, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    }
    return static_cast<RowTrigger *>(hash_search(known_triggers, &trigger, HASH_ENTER, found));
}

const RowTrigger &Known(const TriggerData *data, int owner_at, bool binds) {
    const std::uint64_t changes = RelationChanges();
    // The last one again, as in each row of a statement.
    static const RowTrigger *last = nullptr;
    if (likely(last != nullptr && last->trigger == data->tg_trigger->tgoid &&
               last->relation_changes == changes))
        return *last;
    bool found = false;
    RowTrigger *known = FindOrAdd(data->tg_trigger->tgoid, &found);
    if (unlikely(!found || known->relation_changes != changes)) {
        RowTrigger described{};
        known->relation_changes = 0;
        Describe(data->tg_relation, *data->tg_trigger, owner_at, binds, &described);
        if (binds)
            DescribeBinding(data->tg_relation, *data->tg_trigger, &described);
        described.relation_changes = changes;
        *FindOrAdd(data->tg_trigger->tgoid, &found) = described;
        known = FindOrAdd(data->tg_trigger->tgoid, &found);
    }
    last = known;
    return *known;
}

}  // namespace

void DescribeRowTrigger(Relation table, const Trigger &trigger, int owner_at, RowTrigger *described) {
    *described = {};
    Describe(table, trigger, owner_at, true, described);
    DescribeBinding(table, trigger, described);
}

void RaiseNotOurTrigger(Relation table, const Trigger &trigger) {
    RaiseNotOurs(table, trigger, true);
}

void RaiseNotUserTrigger(Relation table, const Trigger &trigger) {
    RaiseNotOurs(table, trigger, false);
}

const RowTrigger &RowTriggerOf(FunctionCallInfo fcinfo, int owner_at) {
    auto *data = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data->tg_event) ||
        !TRIGGER_FIRED_FOR_ROW(data->tg_event) || TRIGGER_FIRED_BY_DELETE(data->tg_event))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("function was not called as a BEFORE INSERT OR UPDATE row trigger")));
    return Known(data, owner_at, true);
}

const RowTrigger &UserTriggerOf(const TriggerData *data) {
    return Known(data, 0, false);
}

HeapTuple FiringTuple(const TriggerData *data) {
    return TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple;
}

bool OwnerOfRow(const RowTrigger &trigger, Relation table, HeapTuple row, Owner *owner) {
    bool isnull = false;
    const Datum value = heap_getattr(row, trigger.owner_column, RelationGetDescr(table), &isnull);
    if (isnull)
        return false;
    *owner = OwnerFromStored(NameOfOwner(trigger.owner_form, value));
    return true;
}

Binding BindingOfRow(const RowTrigger &trigger, Relation table, HeapTuple row) {
    Binding binding{.owner = {}, .context_id = trigger.context_id};
    if (trigger.owner_column == InvalidAttrNumber)
        return binding;
    if (OwnerOfRow(trigger, table, row, &binding.owner)) {
        RequireValidOwner(binding.owner);
    } else if (!trigger.null_owner_allowed) {
        const Form_pg_attribute column = TupleDescAttr(RelationGetDescr(table), trigger.owner_column - 1);
        ereport(ERROR,
                (errcode(ERRCODE_NOT_NULL_VIOLATION),
                 errmsg("row of table \"%s\" has no owner to encrypt for", RelationGetRelationName(table)),
                 errdetail("Column \"%s\" is null, and column \"%s\" is not.", NameStr(column->attname),
                           NameStr(TupleDescAttr(RelationGetDescr(table), trigger.column[0] - 1)->attname)),
                 errhint("Give the row an owner, or protect the column with null_owner => 'database'."),
                 HideFromLog()));
    }
    return binding;
}

bool SameInBoth(Relation table, HeapTuple left, HeapTuple right, AttrNumber column) {
    const TupleDesc columns = RelationGetDescr(table);
    bool left_null = false;
    bool right_null = false;
    const Datum old_value = heap_getattr(left, column, columns, &left_null);
    const Datum new_value = heap_getattr(right, column, columns, &right_null);
    if (left_null || right_null)
        return left_null && right_null;
    const Form_pg_attribute attribute = TupleDescAttr(columns, column - 1);
    return datumIsEqual(old_value, new_value, attribute->attbyval, attribute->attlen);
}

}  // namespace envcrypt
