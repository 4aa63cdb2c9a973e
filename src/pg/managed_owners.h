// managed_owners.h: tables whose rows are owners: envcrypt_manage_owners().
#pragma once

#include "pg/backend.h"
#include "pg/owner.h"

namespace envcrypt {

// IsManagedOwner: a row of a managed table has this owner, now: committed, or made by this transaction. Each
// table is read as its owner reads it.
bool IsManagedOwner(const Owner &owner);

}  // namespace envcrypt
