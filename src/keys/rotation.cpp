// rotation.cpp: envcrypt_rotate_master(), which re-wraps data keys and touches no sealed value.
//
// One transaction, all or nothing. A lock that conflicts with every writer of the key table makes sure that
// no data key is created under the old master key meanwhile, and is held to the end; readers, and sealing for
// owners who have a key, never wait for it.

#include "core/key_operations.h"

#include "keys/key_creation.h"
#include "keys/key_table.h"
#include "keys/master_key_table.h"
#include "keys/master_ring.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/rights.h"
#include "server/table_scan.h"

namespace envcrypt {
namespace {

constexpr const char *kWhat = "envcrypt_rotate_master()";

// ForEachKey calls `visit(slot)` for each row of the key table.
template <typename Visit>
void ForEachKey(Visit visit) {
    Relation table = table_open(Objects().data_keys, AccessShareLock);
    ForEachRow(table, [&](TupleTableSlot *slot) {
        visit(slot);
        return true;
    });
    table_close(table, AccessShareLock);
}

// The keyring's primary key becomes current, unless the registry forbids it.
void MakeCurrent(const Fingerprint &primary) {
    Fingerprint current{};
    MasterState state{};
    const bool registered = FindMasterKey(primary, &state);
    if (registered && !MayUnwrap(state))
        ereport(
            ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("master key %s is %s", FingerprintHex(primary), MasterStateName(state)),
             errhint("Put a new key at the top of the keyring: envcrypt_generate_master_key() makes one."),
             HideFromLog()));
    if (registered && state == MasterState::kCurrent)
        return;
    if (FindCurrentMasterKey(&current))
        SetMasterKeyState(current, MasterState::kRetiring);
    SetMasterKeyState(primary, MasterState::kCurrent);
}

// Every data key must open with a key of the ring before any is changed, so that the error can name all that
// is missing. Returns how many are to be re-wrapped.
int64 RequireAllWrappers(Keyring *ring, const Fingerprint &primary) {
    int64 to_do = 0;
    int64 missing = 0;
    Fingerprint missing_master{};
    ForEachKey([&](TupleTableSlot *slot) {
        StoredKey key;
        ReadKey(slot, &key);
        const Fingerprint &master = key.row.master_fingerprint;
        if (key.shredded || master == primary)
            return;
        to_do++;
        if (ring->Find(master) == nullptr) {
            missing++;
            missing_master = master;
        }
    });
    if (missing > 0)
        ereport(
            ERROR,
            (errcode(kErrNoMasterKey),
             errmsg_plural("%lld data key is wrapped by a master key that the keyring lacks",
                           "%lld data keys are wrapped by a master key that the keyring lacks", missing,
                           static_cast<long long>(missing)),
             errdetail("Master key %s is missing. Nothing was changed.", FingerprintHex(missing_master)),
             errhint("Add it to the keyring after the new primary key, and rotate again."), HideFromLog()));
    return to_do;
}

int64 RewrapAll(const Fingerprint &primary) {
    int64 rewrapped = 0;
    TableWriter writer = OpenToRewrap();
    ForEachKey([&](TupleTableSlot *slot) {
        StoredKey key;
        ReadKey(slot, &key);
        if (key.shredded || key.row.master_fingerprint == primary)
            return;
        // Taken for each row: a trigger may have changed the keyring.
        Aead *from = WrappingKeyFor(key.row.master_fingerprint);
        Aead *to = MasterRing()->Find(primary);
        if (to == nullptr)
            to = WrappingKeyFor(primary);
        const Status status = RewrapKey(*from, *to, primary, Random(), MyProcPid, &key.row);
        if (status.code == Code::kAuthFailed)
            RaiseCannotOpen("the data key's row does not unwrap", key.row.key_id);
        if (!status.ok())
            RaiseStatus(status);
        ReplaceWrapping(&writer, slot, key.row);
        rewrapped++;
    });
    CloseWriter(&writer);
    return rewrapped;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_rotate_master) {
    RequireKeyAdministrator();
    RefuseWriting(kWhat);
    const Fingerprint primary = RingForChange()->fingerprint(0);
    LockToRotate(kWhat);

    const int64 to_do = RequireAllWrappers(MasterRing(), primary);
    MakeCurrent(primary);
    const int64 rewrapped = to_do > 0 ? RewrapAll(primary) : 0;
    AnnounceKeyTableChange();
    EnsureDatabaseKey(primary);
    PG_RETURN_INT64(rewrapped);
}
