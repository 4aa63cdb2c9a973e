// shredding.h: how data keys cease to be.
#pragma once

#include "keys/key_creation.h"
#include "server/backend.h"

namespace envcrypt {

// DestroyKeys turns all versions of an owner's data key into tombstones and tells every backend when the
// transaction commits. Returns how many there were; calls `buried` with each key_id and version. The caller
// has established the right, and has locked the rows (LockKeys).
int DestroyKeys(const Owner &owner, const Tombstone &tombstone,
                void (*buried)(std::uint64_t, std::uint32_t, void *), void *context);

[[noreturn]] void RaiseShredded(const Owner &owner);

}  // namespace envcrypt
