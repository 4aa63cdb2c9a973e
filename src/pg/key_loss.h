// key_loss.h: what destroys keys or encrypted columns has to be asked for by name.
//
// Each of these is refused unless the superuser's setting envcrypt.allow_data_loss is on: dropping the
// extension with something else (its schema, its owner's objects), dropping an encrypted column with
// something else (its type, the extension), TRUNCATE of a key table, DELETE of a data key, SET UNLOGGED.
#pragma once

#include "pg/backend.h"

extern "C" {
#include "commands/trigger.h"
}

namespace envcrypt {

// GuardDrop is told of each object, or column, that the current command is about to drop. What is said of the
// extension goes before what is said of columns, so these are kept for RefuseLostColumns, at the command's
// end.
void GuardDrop(Oid catalog, Oid object, int column, int flags);
void RefuseLostColumns();

// GuardTruncate is told of each table that a TRUNCATE statement names or reaches, so that triggers that were
// disabled, as test cleaners do it, make no difference.
void GuardTruncate(Oid table);

// GuardPersistence is told of each relation that a DDL command has changed.
void GuardPersistence(Oid table, char persistence);

// GuardKeyTable is told of what a statement does to a key table. What a publisher has done, its subscribers
// follow.
void GuardKeyTable(const TriggerData &trigger);

}  // namespace envcrypt
