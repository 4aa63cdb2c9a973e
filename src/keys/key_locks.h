// key_locks.h: which locks the key tables take, in which order, and what keeps two who change keys apart.
//
// Always the table of data keys first, then that of master keys; all until the end of the transaction, and
// never a stronger one on the data keys after a weaker: two transactions that both did that would deadlock.
//
// Whoever makes or destroys a key holds RowExclusiveLock on the data keys from before he looks at the
// registry of master keys. Readers, and who seals for an owner that has a key, take no lock that lasts.
//
//   pair               what keeps them apart
//   make / make        One owner: the unique index on owner and version. The second waits for the first one's
//                      transaction, looks again, and uses its key. No lock, so no limit, and owners that
//                      differ never wait. Two transactions that make several owners' keys in opposite orders
//                      may deadlock, as with any unique index.
//   make / shred       The owner has a key: there is nothing to make. It has none: nothing to shred. A key
//                      that came and went between look and insertion: tombstones are looked at again once
//                      nobody else can insert that version any more.
//   shred / shred      LockKeys (key_row_locks.h); the second finds nothing left.
//   shred / after_shred  The tombstone is committed before the new key is made. Two who make it: make / make.
//   shred / new version, new version / new version   Whoever gives an owner who has a key another version
//                      holds at least a KEY SHARE lock on the newest one's row: LockKeys, or weaker.
//   rotate / make, shred   ShareRowExclusiveLock on the data keys against RowExclusiveLock.
//   rotate / rotate, register / register   ShareRowExclusiveLock on the master keys, and on the data keys.
//   registering the first master key, making the database key / the same   ShareRowExclusiveLock on the
//                      master keys.
//   restore            A key of a rolled-back savepoint, at commit: as make. A version that is taken becomes
//                      a higher one; an owner who was shredded meanwhile fails the transaction.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// RefuseWriting raises where no key can be changed: read-only transaction, standby, parallel worker,
// subscriber of the key tables. `what` is what was to be done.
void RefuseWriting(const char *what);

// LockToMakeKeys lets no rotation begin before this transaction ends.
void LockToMakeKeys();

// LockToRegister, and makes this transaction the only one that registers a master key or makes the database
// key.
void LockToRegister();

// LockToRotate waits patiently for all who change keys, and keeps them out.
void LockToRotate(const char *what);

}  // namespace envcrypt
