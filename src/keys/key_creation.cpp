#include <algorithm>
#include <array>

#include "keys/key_creation.h"
#include "keys/master_key_table.h"
#include "keys/master_ring.h"
#include "keys/orphaned_keys.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/rights.h"
#include "server/settings.h"

namespace envcrypt {
namespace {

// What a new key's version was chosen by.
struct Buried {
    const Owner *owner;
    std::uint32_t version;
};

// The highest version of the owner's keys that were destroyed, or 0.
std::uint32_t VersionBuried(const Owner &owner) {
    if (!AnyTombstone())
        return 0;
    Tombstones tombstones;
    return BuriedVersion(tombstones, TombstonesOf(owner, &tombstones));
}

// A key of the owner may have been made and destroyed since we looked.
bool StillBuried(void *buried) {
    const auto *expected = static_cast<const Buried *>(buried);
    return VersionBuried(*expected->owner) == expected->version;
}

bool Insert(const KeyRow &row, const Owner &owner, std::uint32_t buried) {
    Buried expected{&owner, buried};
    return InsertKey(row, owner, owner.is_database() ? nullptr : StillBuried, &expected);
}

[[noreturn]] void RaiseDestroyed(const Owner &owner) {
    ereport(ERROR, (errcode(kErrKeyDestroyed),
                    errmsg("data key of owner \"%.*s\" was destroyed", static_cast<int>(owner.stored.size()),
                           owner.stored.data()),
                    errhint("If this owner is to have data again, a key administrator runs "
                            "envcrypt_create_user_key(owner, after_shred => true)."),
                    HideFromLog()));
    pg_unreachable();
}

// Returns nullptr where somebody else's key came first.
DataKey *Store(const KeyRow &row, const Owner &owner, std::uint32_t buried) {
    StoredKey made;
    made.row = row;
    made.ours = true;
    if (!Insert(row, owner, buried))
        return nullptr;
    ForgetOrphanedKey(row.key_id);
    if (GetCurrentTransactionNestLevel() > 1)
        RememberCreatedKey(row);
    return OpenStoredKey(made, true);
}

// Wraps a new key of that version, stores it, and opens it. `buried`: the highest version that was destroyed.
DataKey *Create(const Owner &owner, Algorithm algorithm, std::uint32_t key_version, std::uint32_t buried,
                const Fingerprint &master) {
    KeyRow row;
    if (FindOrphanedKey(owner, key_version, master, &row))
        return Store(row, owner, buried);
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
    return Store(row, owner, buried);
}

}  // namespace

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
        Create({}, Algorithm::kXaes256Gcm, 1, 0, master);
}

bool IsShredded(const Owner &owner) {
    StoredKey active;
    return !FindActiveKey(owner, &active) && VersionBuried(owner) > 0;
}

namespace {

// The orphan as it may be stored now: under the current master key, after the newest version.
KeyRow Restorable(const KeyRow &orphan, const Owner &owner, const Fingerprint &current) {
    KeyRow row = orphan;
    StoredKey newest;
    const bool has_other = FindActiveKey(owner, &newest);
    if (!has_other && row.master_fingerprint == current)
        return row;
    Aead *from = WrappingKeyFor(row.master_fingerprint);
    const Status status =
        RewrapKeyAs(*from, *WrappingKeyFor(current), current,
                    has_other ? newest.row.key_version + 1 : row.key_version, Random(), MyProcPid, &row);
    if (!status.ok())
        RaiseStatus(status);
    return row;
}

}  // namespace

void RestoreKey(const KeyRow &orphan) {
    const Owner owner = OwnerFromUtf8(orphan.owner());
    Fingerprint current{};
    LockToMakeKeys();
    if (owner.is_database() || !FindCurrentMasterKey(&current)) {
        LockToRegister();
        if (!FindCurrentMasterKey(&current)) {  // its registration was rolled back with it
            current = orphan.master_fingerprint;
            SetMasterKeyState(current, MasterState::kCurrent);
        }
    }
    KeyRow row;
    std::uint32_t buried = 0;
    do {
        CHECK_FOR_INTERRUPTS();
        buried = owner.is_database() ? 0 : VersionBuried(owner);
        if (buried >= orphan.key_version)
            RaiseDestroyed(owner);
        row = Restorable(orphan, owner, current);
    } while (!Insert(row, owner, buried));
    if (row.key_version != orphan.key_version)
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
    LockToRegister();
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
    // Before the look at the registry: a rotation admits no new key while it runs.
    LockToMakeKeys();
    for (;;) {
        const Fingerprint current = EnsureCurrentMasterKey();
        const std::uint32_t buried = VersionBuried(owner);
        if (buried > 0 && !after_shred)
            RaiseDestroyed(owner);
        const auto algorithm = static_cast<Algorithm>(settings.data_key_algorithm);
        if (DataKey *key = Create(owner, algorithm, buried + 1, buried, current); key != nullptr)
            return key;
        // Somebody else was faster, or has made and destroyed one.
        AcceptInvalidationMessages();
        if (DataKey *key = ActiveKey(owner); key != nullptr)
            return key;
        CHECK_FOR_INTERRUPTS();
    }
}

DataKey *CreateKeyVersion(const Owner &owner) {
    LockToMakeKeys();
    for (;;) {
        StoredKey newest;
        const std::uint32_t buried = VersionBuried(owner);
        if (!FindActiveKey(owner, &newest))
            return nullptr;
        const auto algorithm = static_cast<Algorithm>(settings.data_key_algorithm);
        if (DataKey *key =
                Create(owner, algorithm, newest.row.key_version + 1, buried, EnsureCurrentMasterKey());
            key != nullptr)
            return key;
        // A key of a rolled-back savepoint came first.
        CHECK_FOR_INTERRUPTS();
    }
}

}  // namespace envcrypt
