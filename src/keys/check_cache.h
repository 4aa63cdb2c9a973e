// check_cache.h: a table's CHECK constraints, planned once for many writers.
//
// Planning the dozen of the key table takes longer than all else about making a key. What is kept is dropped
// when any table, function, type or constraint changed. What it takes to run an expression is not kept: it
// points into the memory of the executor that ran it.
#pragma once

#include "server/backend.h"

namespace envcrypt {

struct PlannedChecks;

// TakeChecks returns the planned constraints of `table`, or nullptr where it has none. They belong to the
// caller's (sub)transaction, and go with it, until GiveBackChecks.
PlannedChecks *TakeChecks(Relation table);
void GiveBackChecks(PlannedChecks *checks);

// CheckStates is what a ResultRelInfo wants: one a constraint, in the table's order. nullptr of nullptr. It
// is made in the current memory context, the executor's, and uses `checks`.
ExprState **CheckStates(const PlannedChecks *checks);

void RegisterCheckCacheCallbacks();

}  // namespace envcrypt
