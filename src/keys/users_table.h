// users_table.h: reading tables whose rows are owners, with SQL, as their owners may.
//
// A name is compared as it is, whatever the column's collation says: 'Ann' is not 'ann'.
#pragma once

#include "keys/owner.h"
#include "server/backend.h"

namespace envcrypt {

struct UsersTable {
    Oid table;
    AttrNumber column;
};

// CanHaveUsers: rows of the table can be looked at by every session, and the column's type can name owners.
bool CanHaveUsers(const UsersTable &users);

// HasUser: a row has this name; of the partition `except`, if that is valid, rows do not count. False where
// the table is gone.
bool HasUser(const UsersTable &users, const Owner &owner, Oid except);

// ForEachUser calls `visit` with each name of the table, in sorted order, but '' and what is too long.
void ForEachUser(const UsersTable &users, void (*visit)(const Owner &owner, void *context), void *context);

}  // namespace envcrypt
