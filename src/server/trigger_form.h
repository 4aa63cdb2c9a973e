// trigger_form.h: what a trigger of ours looks like in the catalog.
//
// It names its columns in its WHEN clause, as `new.salary IS NOT NULL OR new.owner IS NULL`: PostgreSQL keeps
// that right when columns are renamed, tables dumped and restored, and partitions made.
#pragma once

#include "server/backend.h"

extern "C" {
#include "commands/trigger.h"
}

namespace envcrypt {

inline constexpr int kMaxTriggerColumns = 3;

// ColumnsOfTrigger reads the columns that a WHEN clause of ours, as pg_trigger.tgqual has it, names, in its
// order: different columns, of each of which it asks whether it is null. Of any other clause, the count is 0.
struct TriggerColumns {
    int count;
    AttrNumber column[kMaxTriggerColumns];
    bool is_null[kMaxTriggerColumns];  // asked is IS NULL, not IS NOT NULL
};
TriggerColumns ColumnsOfTrigger(const char *when);

// HasFormOfOurs: fires at these events and times (TRIGGER_TYPE_...), whatever columns an UPDATE names.
bool HasFormOfOurs(const Trigger &trigger, std::int16_t type);

}  // namespace envcrypt
