// loss_guard.h: what destroys keys or encrypted columns has to be asked for by name.
//
// Each of these is refused unless the superuser's setting envcrypt.allow_data_loss is on: dropping the
// extension with something else (its schema, its owner's objects), and dropping an encrypted column with
// something else (its type, the extension). What is taken from the key tables: key_table_ddl.h and
// key_table_guard.h.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// GuardDrop is told of each object, or column, that the current command is about to drop. What is said of the
// extension goes before what is said of columns, so these are kept for RefuseLostColumns, at the command's
// end.
void GuardDrop(Oid catalog, Oid object, int column, int flags);
void RefuseLostColumns();

}  // namespace envcrypt
