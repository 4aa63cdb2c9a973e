// trigger_guard.h: keeps our triggers what they have to be: enabled always, one for each protected column,
// the last of their table's BEFORE ROW triggers, and in all that inherits from a protected table.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// TableOfTrigger returns InvalidOid for a trigger that is gone, or is a constraint's own.
Oid TableOfTrigger(Oid trigger);

// GuardTrigger looks at the table of a trigger that was made, renamed, enabled or disabled. One of ours that
// came to be enabled for ordinary sessions only, as ALTER TABLE ... ENABLE TRIGGER ALL does it, is made to
// fire always again. Raises if a column is protected twice, or if a trigger that may change rows would fire
// after one of ours.
void GuardTrigger(Oid trigger);

// SpreadTriggers gives a table that began to inherit, and those that inherit from it, the owner triggers
// of its parents. `schema` is the extension's. Where it may have had rows before (`had_rows`), which nothing
// has bound to their owners, a warning says so.
void SpreadTriggers(Oid table, Oid schema, bool had_rows);

}  // namespace envcrypt
