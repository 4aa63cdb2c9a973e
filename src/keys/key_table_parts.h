// key_table_parts.h: what envcrypt needs of the key tables: their triggers, columns and indexes.
//
// The triggers keep data keys from being deleted and tell all sessions of changes; columns are read by
// number, rows found through indexes. What else a superuser hangs on the tables is his own.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// IsKeyTable: one of the extension's own, which may be about to be dropped.
bool IsKeyTable(Oid relation);

// A part that a key table lacks: what it is, and the statement that brings it back, where there is one.
// Both are palloc'd.
struct MissingPart {
    const char *what;  // nullptr: nothing is missing
    const char *repair;
};

// FindMissingPart returns the first one of a key table. A trigger that does not fire always is missing.
MissingPart FindMissingPart(Oid table);

}  // namespace envcrypt
