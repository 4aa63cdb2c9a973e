// key_creation.h: how data keys come into being.
//
// One key per owner, whatever runs at the same time and at whatever isolation level: a fresh look, an insert
// that waits for whoever inserts the same, and another look (key_locks.h). New keys are wrapped by the
// registered current master key only.
#pragma once

#include <array>

#include "keys/key_cache.h"
#include "keys/key_locks.h"
#include "keys/owner.h"
#include "server/backend.h"

namespace envcrypt {

// EnsureActiveKey returns the owner's active key and makes one if there is none. An owner who was shredded
// raises kErrKeyDestroyed unless `after_shred`. `what` names the caller in errors about read-only
// transactions. The caller has established the right to make keys.
DataKey *EnsureActiveKey(const Owner &owner, bool after_shred, const char *what);

// CreateKeyVersion makes one more version of an owner's key, which seals from now on, or returns nullptr for
// an owner without a key. The caller holds LockKeys (key_row_locks.h).
DataKey *CreateKeyVersion(const Owner &owner);

// IsShredded: the owner had data keys, which were destroyed, and has no other since. Needs the master key.
bool IsShredded(const Owner &owner);

// EnsureCurrentMasterKey returns the current master key's fingerprint; where none is registered, it registers
// the ring's primary key and makes the database key, for which the caller must be a key administrator.
Fingerprint EnsureCurrentMasterKey();

// EnsureDatabaseKey makes the database key in a database that has no key at all. The caller holds
// LockToRegister or LockToRotate. Where only the database key is missing, it warns.
void EnsureDatabaseKey(const Fingerprint &master);

// RestoreKey stores the row of a key whose savepoint was rolled back, at the end of the transaction. If the
// owner got another key meanwhile, the row gets a higher version; if the owner was shredded, it raises
// kErrKeyDestroyed.
void RestoreKey(const KeyRow &row);

// TombstonesOf computes an owner's tombstones, one for each database key of version 1, the first of which is
// to be written, and returns how many. Raises if a database key does not open.
inline constexpr int kMaxFirstDatabaseKeys = 16;
using Tombstones = std::array<Tombstone, kMaxFirstDatabaseKeys>;
int TombstonesOf(const Owner &owner, Tombstones *tombstones);

// BuriedVersion returns the highest version of a shredded owner's keys, or 0: not shredded.
std::uint32_t BuriedVersion(const Tombstones &tombstones, int count);

}  // namespace envcrypt
