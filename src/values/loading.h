// loading.h: rows that come as they are, from COPY FROM and to logical replication's apply workers.
//
// What is sealed already held to its table's and domains' CHECK constraints when it was first written. A
// worker, and a superuser who copies sealed values in, opens nothing: those constraints pass, as PostgreSQL
// has it for what is NULL. Nothing else does. A DEFAULT, a trigger or its WHEN clause, and functions that
// look at other rows, open what they open, or fail.
#pragma once

#include "server/backend.h"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace envcrypt {

// HideLines is called before a COPY FROM. The lines that it reads stay out of the log if its table has
// encrypted columns. Where rows go to a view, a trigger takes them, perhaps to such a table: they stay out,
// too, in databases with envcrypt. What cannot be found is COPY's to complain about.
void HideLines(const CopyStmt *copy);

// NoteLoaded is called with a sealed value that an input function was given; it remembers those of the row
// that is being loaded.
void NoteLoaded(const struct varlena *sealed);

// PassesUnchecked: the function, which opens its first argument, is to return NULL, because it is called to
// check a value that came with the row.
[[nodiscard]] bool PassesUnchecked(FunctionCallInfo fcinfo);

}  // namespace envcrypt
