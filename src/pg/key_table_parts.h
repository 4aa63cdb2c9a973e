// key_table_parts.h: what envcrypt needs of the key tables: their triggers, columns and indexes.
//
// The triggers keep data keys from being deleted and tell all sessions of changes; columns are read by
// number, rows found through indexes. What else a superuser hangs on the tables is his own.
#pragma once

#include "pg/backend.h"

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

// NoteDroppedPart is told of each object, or column, that the current command is about to drop, and
// RefuseMissingPart, at the command's end, raises if a key table has come to lack something by what was
// dropped, or by a `statement` that renames or replaces. Nothing is refused with envcrypt.allow_data_loss on.
void NoteDroppedPart(Oid catalog, Oid object, int column);
void RefuseMissingPart(const Node *statement);

}  // namespace envcrypt
