// managed_owners.h: tables whose rows are owners: envcrypt_manage_owners().
//
// All of a table's triggers have one function. A row trigger is what makes a table a managed one; its WHEN
// clause names the column. Triggers that have another form than those which envcrypt_manage_owners() makes
// do not count, and raise an error when they fire. A disabled one makes no keys, but the rows of its table
// keep theirs.
#pragma once

#include "keys/owner.h"
#include "server/backend.h"

extern "C" {
#include "catalog/pg_trigger.h"
}

namespace envcrypt {

inline constexpr std::int16_t kMakesKeys =
    TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE;  // AFTER
inline constexpr std::int16_t kDestroysKeys = TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE;
inline constexpr std::int16_t kEmpties = TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE;

// UserColumnOf returns the column that a row trigger's WHEN clause (pg_trigger.tgqual) names, or
// InvalidAttrNumber.
AttrNumber UserColumnOf(const char *when);

// IsManagedOwner: a row of a managed table has this owner, now: committed, or made by this transaction. Each
// table is read as its owner reads it.
bool IsManagedOwner(const Owner &owner);

// IsUserOfAnyTable is the same with tables whose triggers are disabled, but without the table or partition
// `except`, if that is valid, whose rows do not count any more.
bool IsUserOfAnyTable(const Owner &owner, Oid except);

}  // namespace envcrypt
