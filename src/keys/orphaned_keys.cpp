#include "keys/orphaned_keys.h"

namespace envcrypt {
namespace {

struct CreatedKey {
    CreatedKey *next;
    SubTransactionId made_in;
    KeyRow row;
};

// Of the running top-level transaction, in TopTransactionContext; forgotten by cutting them loose. Keys of
// open savepoints stand in the order in which they were made, the newest first, so those of one savepoint
// stand together.
CreatedKey *created_keys = nullptr;
CreatedKey *orphaned_keys = nullptr;

void (*restore_key)(const KeyRow &row) = nullptr;

CreatedKey *Pop(CreatedKey **list) {
    CreatedKey *key = *list;
    *list = key->next;
    return key;
}

// What a savepoint made belongs to what is around it once the savepoint is released (outside of all
// savepoints it can only be lost with everything else), and is orphaned once it is rolled back. Nothing here
// allocates.
extern "C" void envcrypt_orphan_subxact_callback(SubXactEvent event, SubTransactionId self,
                                                 SubTransactionId parent, void *) {
    if (event == SUBXACT_EVENT_COMMIT_SUB && parent != TopSubTransactionId) {
        for (CreatedKey *key = created_keys; key != nullptr && key->made_in == self; key = key->next)
            key->made_in = parent;
    } else if (event == SUBXACT_EVENT_COMMIT_SUB || event == SUBXACT_EVENT_ABORT_SUB) {
        while (created_keys != nullptr && created_keys->made_in == self) {
            CreatedKey *key = Pop(&created_keys);
            if (event == SUBXACT_EVENT_ABORT_SUB) {
                key->next = orphaned_keys;
                orphaned_keys = key;
            } else {
                pfree(key);
            }
        }
    }
}

extern "C" void envcrypt_orphan_xact_callback(XactEvent event, void *) {
    if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE) {
        if (orphaned_keys == nullptr)
            return;
        // The statement's snapshots are gone, and what is written without one could not be followed to TOAST.
        PushActiveSnapshot(GetTransactionSnapshot());
        while (orphaned_keys != nullptr)  // an error here just aborts the transaction
            restore_key(Pop(&orphaned_keys)->row);
        PopActiveSnapshot();
        AfterTriggerFireDeferred();  // those of this transaction have run already
    } else if (event != XACT_EVENT_PARALLEL_PRE_COMMIT) {
        created_keys = nullptr;
        orphaned_keys = nullptr;
    }
}

}  // namespace

void RememberCreatedKey(const KeyRow &row) {
    auto *key = static_cast<CreatedKey *>(MemoryContextAlloc(TopTransactionContext, sizeof(CreatedKey)));
    key->row = row;
    key->made_in = GetCurrentSubTransactionId();
    key->next = created_keys;
    created_keys = key;
}

bool FindOrphanedKey(const Owner &owner, std::uint32_t key_version, const Fingerprint &master, KeyRow *row) {
    for (const CreatedKey *key = orphaned_keys; key != nullptr; key = key->next) {
        const KeyRow &orphan = key->row;
        const bool same = orphan.has_owner ? orphan.owner() == owner.utf8 : owner.is_database();
        if (same && orphan.key_version == key_version && orphan.master_fingerprint == master) {
            *row = orphan;
            return true;
        }
    }
    return false;
}

void ForgetOrphanedKey(std::uint64_t key_id) noexcept {
    CreatedKey **link = &orphaned_keys;
    while (*link != nullptr && (*link)->row.key_id != key_id) link = &(*link)->next;
    if (*link != nullptr)
        *link = (*link)->next;
}

void RegisterOrphanCallbacks(void (*restore)(const KeyRow &row)) {
    restore_key = restore;
    RegisterXactCallback(envcrypt_orphan_xact_callback, nullptr);
    RegisterSubXactCallback(envcrypt_orphan_subxact_callback, nullptr);
}

}  // namespace envcrypt
