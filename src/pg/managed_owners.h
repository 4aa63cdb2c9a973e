// managed_owners.h: tables whose rows are owners: envcrypt_manage_owners().
#pragma once

#include "pg/backend.h"
#include "pg/owner.h"

namespace envcrypt {

// IsManagedOwner: a row of a managed table has this owner.
bool IsManagedOwner(const Owner &owner);

}  // namespace envcrypt
