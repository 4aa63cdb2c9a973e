// check_cache.h: a table's CHECK constraints, compiled once for many writers.
//
// Compiling the dozen of the key table takes longer than all else about making a key. What is kept is dropped
// when any table, function, type or constraint changed. A compiled expression cannot be entered twice, so
// whoever takes one has it alone: what a constraint's function calls compiles its own.
#pragma once

#include "pg/backend.h"

namespace envcrypt {

struct CompiledChecks;

// TakeChecks returns the compiled constraints of `table`, or nullptr where it has none. They belong to the
// caller's (sub)transaction, and go with it, until GiveBackChecks.
CompiledChecks *TakeChecks(Relation table);
void GiveBackChecks(CompiledChecks *checks);

// CheckStates is what a ResultRelInfo wants: one a constraint, in the table's order. nullptr of nullptr.
ExprState **CheckStates(CompiledChecks *checks) noexcept;

void RegisterCheckCacheCallbacks();

}  // namespace envcrypt
