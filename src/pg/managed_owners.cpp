#include "pg/managed_owners.h"

namespace envcrypt {

bool IsManagedOwner(const Owner &) {
    return false;
}

}  // namespace envcrypt
