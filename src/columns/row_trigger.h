// row_trigger.h: what our row triggers know of their table.
//
// A trigger of ours names its columns in its WHEN clause, as `new.salary IS NOT NULL OR new.owner IS NULL`:
// PostgreSQL keeps that right when columns are renamed, tables dumped and restored, and partitions made. In
// its arguments stand the column's context id and what to do about a row without an owner.
#pragma once

#include "columns/binding.h"
#include "keys/owner_type.h"
#include "server/backend.h"
#include "server/trigger_form.h"
#include "values/base_type.h"

extern "C" {
#include "commands/trigger.h"
}

namespace envcrypt {

struct RowTrigger {
    Oid trigger;  // key of the table that keeps these
    std::uint64_t relation_changes;
    int columns;
    AttrNumber column[kMaxTriggerColumns];  // in the order in which WHEN names them
    std::uint16_t context_id;
    bool null_owner_allowed;
    const BaseType *type;     // of column[0], or nullptr: it is not encrypted
    AttrNumber owner_column;  // InvalidAttrNumber: the values belong to nobody
    OwnerForm owner_form;
};

// RowTriggerOf returns what is known of the trigger that fires. `owner_at`: which of WHEN's columns is the
// owner; there may be one less. Raises if it was not made as envcrypt makes it.
const RowTrigger &RowTriggerOf(FunctionCallInfo fcinfo, int owner_at);

// DescribeRowTrigger is the same, not kept, for a trigger of a table that is open: what fmgr needs is in
// CacheMemoryContext.
void DescribeRowTrigger(Relation table, const Trigger &trigger, int owner_at, RowTrigger *described);

[[noreturn]] void RaiseNotOurTrigger(Relation table, const Trigger &trigger);
[[noreturn]] void RaiseNotUserTrigger(Relation table, const Trigger &trigger);

// UserTriggerOf is the same for a row trigger of a table whose rows are owners: WHEN names the owner alone.
// The caller has looked at its form.
const RowTrigger &UserTriggerOf(const TriggerData *data);

// FiringTuple returns the tuple that a BEFORE INSERT OR UPDATE trigger is to return.
HeapTuple FiringTuple(const TriggerData *data);

// OwnerOfRow reads the owner's name, which may be '' or too long, from a row. False: it is null.
bool OwnerOfRow(const RowTrigger &trigger, Relation table, HeapTuple row, Owner *owner);

// BindingOfRow reads the owner from a row. Raises not_null_violation for a row without one.
Binding BindingOfRow(const RowTrigger &trigger, Relation table, HeapTuple row);

// SameInBoth: the column holds the same bytes in both rows.
bool SameInBoth(Relation table, HeapTuple left, HeapTuple right, AttrNumber column);

}  // namespace envcrypt
