// key_row_locks.h: locks on rows of the key table, by which whoever destroys an owner's keys and whoever
// writes rows that need them follow each other.
//
// As the checks of foreign keys lock rows: without limit, until the transaction ends or the savepoint in
// which it was taken is undone, seen through rotations, and kept by prepared transactions. Callers look at
// anything else that they decide by only after they have the lock.
#pragma once

#include "keys/owner.h"
#include "server/backend.h"

namespace envcrypt {

// LockActiveKey keeps the owner's key from being destroyed. Waits only for who is just destroying it; a
// rotation never waits for it. False: the owner has no key.
bool LockActiveKey(const Owner &owner);

// LockKeys locks all versions of an owner's key, as they are now, and returns whether there are any. Those
// that are just being made, changed or locked are waited for. LockTupleNoKeyExclusive lets in who calls
// LockActiveKey, and no second one of its kind; LockTupleExclusive nobody.
bool LockKeys(const Owner &owner, LockTupleMode mode);

}  // namespace envcrypt
