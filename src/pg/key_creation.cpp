#include <algorithm>
#include <array>

#include "pg/errors.h"
#include "pg/extension_objects.h"
#include "pg/key_creation.h"
#include "pg/master_key_table.h"
#include "pg/master_ring.h"
#include "pg/orphaned_keys.h"
#include "pg/rights.h"
#include "pg/settings.h"

extern "C" {
#include "access/xlog.h"
#include "common/hashfn.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
}

namespace envcrypt {
namespace {

// Told apart from pg_advisory_lock's, which use 1 and 2.
constexpr std::uint16_t kOwnerLockClass = 0xEC;

// Locks of owners live in shared memory, where there is room for some thousands. A transaction that makes
// very many keys locks the table instead, once.
constexpr int kMaxOwnerLocks = 256;

bool HasManyOwnerLocks() {
    static LocalTransactionId counted_transaction = InvalidLocalTransactionId;
    static int count = 0;
    if (counted_transaction != CurrentLocalTransaction())
        count = 0;
    counted_transaction = CurrentLocalTransaction();
    return ++count > kMaxOwnerLocks;
}

DataKey *Store(const KeyRow &row, const Owner &owner) {
    StoredKey made;
    made.row = row;
    made.ours = true;
    if (GetCurrentTransactionNestLevel() > 1)
        RememberCreatedKey(row);
    InsertKey(row, owner);
    return OpenStoredKey(made, true);
}

// Wraps a new key for the row's owner, stores it, and opens it.
DataKey *Create(const Owner &owner, Algorithm algorithm, std::uint32_t key_version,
                const Fingerprint &master) {
    KeyRow row;
    if (TakeOrphanedKey(owner, key_version, master, &row))
        return Store(row, owner);
    Aead *wrapping = WrappingKeyFor(master);
    row = KeyRow{};
    row.algorithm = algorithm;
    row.key_version = key_version;
    row.has_owner = !owner.is_database();
    row.owner_bytes = static_cast<std::uint8_t>(owner.utf8.size());
    std::copy(owner.utf8.begin(), owner.utf8.end(), row.owner_utf8.begin());
    const Status status = GenerateWrappedKey(*wrapping, master, Random(), MyProcPid, &row);
    if (!status.ok())
        RaiseStatus(status);
    return Store(row, owner);
}

}  // namespace

void RefuseWriting(const char *what) {
    if (RecoveryInProgress())
        ereport(
            ERROR,
            (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION), errmsg("cannot execute %s during recovery", what),
             errdetail("A standby can open values, and seal for owners who have a data key, but it "
                       "cannot make or change data keys."),
             errhint("Do this on the primary server."), HideFromLog()));
    PreventCommandIfReadOnly(what);
    PreventCommandIfParallelMode(what);
}

void LockOwner(const Owner &owner) {
    Relation table = table_open(Objects().data_keys, RowExclusiveLock);
    const bool alone = CheckRelationLockedByMe(table, ShareRowExclusiveLock, true);
    table_close(table, NoLock);
    if (!alone && HasManyOwnerLocks()) {
        LockRelationOid(Objects().data_keys, ShareRowExclusiveLock);
    } else if (!alone) {
        const std::uint64_t hash =
            hash_bytes_extended(reinterpret_cast<const unsigned char *>(owner.utf8.data()),
                                static_cast<int>(owner.utf8.size()), 0);
        LOCKTAG tag;
        SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<std::uint32_t>(hash >> 32U),
                             static_cast<std::uint32_t>(hash), kOwnerLockClass);
        LockAcquire(&tag, ExclusiveLock, false, false);
    }
    AcceptInvalidationMessages();
}

int TombstonesOf(const Owner &owner, Tombstones *tombstones) {
    std::array<StoredKey, kMaxFirstDatabaseKeys> keys;
    const int count = FindFirstDatabaseKeys(keys);
    if (count == 0)
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the database key of version 1 is missing"),
                        errhint("Restore its row of envcrypt_data_keys from a backup."), HideFromLog()));
    for (int i = 0; i < count; i++) {
        Aead *wrapping = WrappingKeyFor(keys[i].row.master_fingerprint);
        const Status status = OwnerTombstone(*wrapping, keys[i].row, owner.utf8, &(*tombstones)[i]);
        if (!status.ok())
            RaiseStatus(status);
    }
    return count;
}

std::uint32_t BuriedVersion(const Tombstones &tombstones, int count) {
    std::uint32_t highest = 0;
    for (int i = 0; i < count; i++) highest = std::max(highest, HighestTombstoneVersion(tombstones[i]));
    return highest;
}

void EnsureDatabaseKey(const Fingerprint &master) {
    if (ActiveKey({}) != nullptr)
        return;
    // Where there are other keys, it was lost. A new one would make all tombstones worthless, without a word.
    if (AnyKey())
        ereport(WARNING, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the database key is missing"),
                          errhint("Restore its row of envcrypt_data_keys from a backup."), HideFromLog()));
    else
        Create({}, Algorithm::kXaes256Gcm, 1, master);
}

// The highest version of the owner's keys that were destroyed, or 0.
static std::uint32_t VersionBuried(const Owner &owner) {
    if (!AnyTombstone())
        return 0;
    Tombstones tombstones;
    return BuriedVersion(tombstones, TombstonesOf(owner, &tombstones));
}

bool IsShredded(const Owner &owner) {
    StoredKey active;
    return !FindActiveKey(owner, &active) && VersionBuried(owner) > 0;
}

void RestoreKey(const KeyRow &orphan) {
    KeyRow row = orphan;
    const Owner owner = OwnerFromUtf8(row.owner());
    if (owner.is_database())
        LockMasterKeys();
    else
        LockOwner(owner);
    Fingerprint current{};
    if (!FindCurrentMasterKey(&current)) {  // its registration was rolled back with it
        current = row.master_fingerprint;
        SetMasterKeyState(current, MasterState::kCurrent);
    }
    StoredKey active;
    const bool has_other = FindActiveKey(owner, &active);
    if (has_other || row.master_fingerprint != current) {
        Aead *from = WrappingKeyFor(row.master_fingerprint);
        const Status status =
            RewrapKeyAs(*from, *WrappingKeyFor(current), current,
                        has_other ? active.row.key_version + 1 : row.key_version, Random(), MyProcPid, &row);
        if (!status.ok())
            RaiseStatus(status);
    }
    InsertKey(row, owner);
    if (has_other)
        AnnounceKeyTableChange();
}

Fingerprint EnsureCurrentMasterKey() {
    Keyring *ring = MasterRing();
    Fingerprint current{};
    if (FindCurrentMasterKey(&current))
        return current;
    if (!IsKeyAdministrator())
        ereport(ERROR, (errcode(kErrNoMasterKey), errmsg("no master key is registered for this database"),
                        errhint("A key administrator registers it with SELECT envcrypt_rotate_master()."),
                        HideFromLog()));
    LockMasterKeys();
    if (!FindCurrentMasterKey(&current)) {  // nobody else was faster
        current = ring->fingerprint(0);
        SetMasterKeyState(current, MasterState::kCurrent);
    }
    EnsureDatabaseKey(current);
    return current;
}

DataKey *EnsureActiveKey(const Owner &owner, bool after_shred, const char *what) {
    if (DataKey *key = ActiveKey(owner); key != nullptr)
        return key;
    RefuseWriting(what);
    // Before the owner's lock and before the look at the registry: a rotation admits no new key while it
    // runs.
    LockRelationOid(Objects().data_keys, RowExclusiveLock);
    LockOwner(owner);
    if (DataKey *key = ActiveKey(owner); key != nullptr)
        return key;
    const Fingerprint current = EnsureCurrentMasterKey();
    const std::uint32_t buried = VersionBuried(owner);
    if (buried > 0 && !after_shred)
        ereport(ERROR, (errcode(kErrKeyDestroyed),
                        errmsg("data key of owner \"%.*s\" was destroyed",
                               static_cast<int>(owner.stored.size()), owner.stored.data()),
                        errhint("If this owner is to have data again, a key administrator runs "
                                "envcrypt_create_user_key(owner, after_shred => true)."),
                        HideFromLog()));
    return Create(owner, static_cast<Algorithm>(settings.data_key_algorithm), buried + 1, current);
}

DataKey *CreateKeyVersion(const Owner &owner, std::uint32_t key_version) {
    return Create(owner, static_cast<Algorithm>(settings.data_key_algorithm), key_version,
                  EnsureCurrentMasterKey());
}

}  // namespace envcrypt
