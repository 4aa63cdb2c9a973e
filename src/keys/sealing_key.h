// sealing_key.h: the data key that seals a row's value, made on first use where the administrator allows
// that.
#pragma once

#include "keys/key_cache.h"
#include "keys/owner.h"
#include "server/backend.h"

namespace envcrypt {

// KeyToSealFor returns the owner's active key; for an empty owner, the database key. Raises kErrNoDataKey
// where there is none and envcrypt.auto_create_owners does not allow to make one. `what` names the caller in
// errors about read-only transactions. The caller has established the right to seal.
DataKey *KeyToSealFor(const Owner &owner, const char *what);

}  // namespace envcrypt
