// key_table_ddl.h: keeps DDL from taking from a key table what envcrypt needs of it (key_table_parts.h).
#pragma once

#include "server/backend.h"

namespace envcrypt {

// NoteDroppedPart is told of each object, or column, that the current command is about to drop, and
// RefuseMissingPart, at the command's end, raises if a key table has come to lack something by what was
// dropped, or by a `statement` that renames or replaces. Nothing is refused with envcrypt.allow_data_loss on.
void NoteDroppedPart(Oid catalog, Oid object, int column);
void RefuseMissingPart(const Node *statement);

}  // namespace envcrypt
