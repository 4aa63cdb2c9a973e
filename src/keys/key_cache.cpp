#include <array>
#include <new>

#include "keys/key_cache.h"
#include "keys/master_key_table.h"
#include "keys/master_ring.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/settings.h"

extern "C" {
#include "storage/ipc.h"
#include "utils/plancache.h"
}

namespace envcrypt {
namespace {

DataKeyCache *cache = nullptr;  // never freed: emptied at exit

alignas(RandomPool) unsigned char random_pool_place[sizeof(RandomPool)];  // no global constructor
RandomPool *random_pool = nullptr;

// Plans may hold literals that were sealed under a database key that was never there: they are parsed again.
// Marking plans neither allocates nor fails.
void DropUncommitted() {
    if (cache->DropUncommitted())
        ResetPlanCache();
}

extern "C" {

void envcrypt_wipe_at_exit(int, Datum) {
    if (cache != nullptr)
        cache->Clear();
    if (random_pool != nullptr)
        random_pool->~RandomPool();
    random_pool = nullptr;
}

// Nothing here allocates or fails: an error in ABORT or COMMIT would bring the server down.
void envcrypt_xact_callback(XactEvent event, void *) {
    if (cache == nullptr)
        return;
    if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT || event == XACT_EVENT_PREPARE)
        DropUncommitted();
    else if (event == XACT_EVENT_COMMIT)
        cache->CommitUncommitted();
}

void envcrypt_subxact_callback(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
    if (cache != nullptr && event == SUBXACT_EVENT_ABORT_SUB)
        DropUncommitted();
}

}  // extern "C"

// Memory contexts' callbacks do not run at exit.
void WipeAtExit() {
    static int registered_process = 0;
    if (registered_process != MyProcPid)
        on_proc_exit(envcrypt_wipe_at_exit, static_cast<Datum>(0));
    registered_process = MyProcPid;
}

void ClearKeyCache() noexcept {
    if (cache != nullptr)
        cache->Clear();
}

DataKeyCache &Cache() {
    if (unlikely(cache == nullptr)) {
        WipeAtExit();
        cache = new (std::nothrow) DataKeyCache(static_cast<std::size_t>(settings.cache_size));
        if (cache == nullptr)
            RaiseStatus({Code::kNoMemory});
    }
    return *cache;
}

// Brings the cache up to date with everything that this backend has been told; after it, entries may be used.
DataKeyCache &CurrentCache() {
    DataKeyCache &current = Cache();
    if (unlikely(RingMayHaveChanged()))
        MasterRing();
    if (unlikely(KeyTablesChanged()))
        current.MarkStale();
    return current;
}

[[noreturn]] void RaiseMissingMaster(const Keyring &ring, const Fingerprint &needed) {
    MasterState state{};
    Fingerprint current{};
    const Fingerprint &primary = ring.fingerprint(0);
    const char *current_hex = FindCurrentMasterKey(&current) ? FingerprintHex(current) : "none";
    if (!FindMasterKey(primary, &state))
        ereport(ERROR,
                (errcode(kErrNoMasterKey),
                 errmsg("master key %s is not registered for this database", FingerprintHex(primary)),
                 errdetail("The current master key is %s; this data key is wrapped by %s.", current_hex,
                           FingerprintHex(needed)),
                 errhint("Check the key for typing errors. Nothing was written under it."), HideFromLog()));
    ereport(ERROR,
            (errcode(kErrNoMasterKey), errmsg("the keyring lacks master key %s", FingerprintHex(needed)),
             errdetail("The keyring's primary key is %s; the current master key is %s.",
                       FingerprintHex(primary), current_hex),
             errhint("Add the missing key to the keyring, after the primary."), HideFromLog()));
    pg_unreachable();
}

// Why the ring may not unwrap what `master` wrapped, or nullptr.
const char *MasterFault(const Fingerprint &master) {
    MasterState state{};
    if (!FindMasterKey(master, &state))
        return "is not registered for this database";
    return MayUnwrap(state) ? nullptr : psprintf("is %s", MasterStateName(state));
}

DataKey *Load(std::uint64_t key_id) {
    StoredKey stored;
    MasterRing();  // "no master key" is what the user must hear first
    if (!FindKey(key_id, &stored))
        RaiseCannotOpen("the data key is not in envcrypt_data_keys", key_id);
    if (stored.shredded)
        RaiseKeyDestroyed(key_id);
    return OpenStoredKey(stored, false);
}

}  // namespace

Aead *WrappingKeyFor(const Fingerprint &master) {
    Keyring *ring = MasterRing();
    Aead *wrapping = ring->Find(master);
    if (wrapping == nullptr)
        RaiseMissingMaster(*ring, master);
    if (const char *fault = MasterFault(master); fault != nullptr)
        ereport(ERROR, (errcode(kErrNoMasterKey), errmsg("master key %s %s", FingerprintHex(master), fault),
                        errhint("See table envcrypt_master_keys."), HideFromLog()));
    return wrapping;
}

DataKey *OpenStoredKey(const StoredKey &stored, bool active) {
    if (stored.row.kind != KeyKind::kData)
        RaiseCannotOpen("its key is not for values", stored.row.key_id);
    Aead *wrapping = WrappingKeyFor(stored.row.master_fingerprint);
    DataKey *key = nullptr;
    // Not CurrentCache(): a change that was announced since the row was read must still make this entry
    // stale.
    const Status status = Cache().Put(stored.row, *wrapping, active, stored.ours, &key);
    if (status.code == Code::kAuthFailed)
        RaiseCannotOpen("the data key's row does not unwrap", stored.row.key_id);
    if (!status.ok())
        RaiseStatus(status);
    return key;
}

DataKey *KeyOfValue(std::uint64_t key_id) {
    DataKey *key = CurrentCache().Find(key_id);
    return likely(key != nullptr) ? key : Load(key_id);
}

DataKey *KeyOfValueIfUsable(std::uint64_t key_id) {
    if (EffectiveRingSource() == RingSource::kNone)
        return nullptr;
    Keyring *ring = MasterRingIfUsable();
    if (ring == nullptr)
        return nullptr;
    if (DataKey *key = CurrentCache().Find(key_id); key != nullptr)
        return key;
    StoredKey stored;
    if (!FindKey(key_id, &stored) || stored.shredded ||
        ring->Find(stored.row.master_fingerprint) == nullptr ||
        MasterFault(stored.row.master_fingerprint) != nullptr)
        return nullptr;
    return OpenStoredKey(stored, false);
}

DataKey *ActiveKey(const Owner &owner) {
    if (DataKey *key = CurrentCache().FindActive(owner.utf8); key != nullptr)
        return key;
    StoredKey stored;
    return FindActiveKey(owner, &stored) ? OpenStoredKey(stored, true) : nullptr;
}

std::uint64_t KeyGeneration() {
    return CurrentCache().generation();
}

RandomPool &Random() noexcept {
    if (random_pool == nullptr)
        random_pool = new (random_pool_place) RandomPool;
    return *random_pool;
}

void SetKeyCacheSize(int entries) noexcept {
    if (cache != nullptr)
        cache->SetCapacity(static_cast<std::size_t>(entries));
}

void RegisterKeyCacheCallbacks() {
    OnRingChange(ClearKeyCache);
    RegisterXactCallback(envcrypt_xact_callback, nullptr);
    RegisterSubXactCallback(envcrypt_subxact_callback, nullptr);
}

}  // namespace envcrypt
