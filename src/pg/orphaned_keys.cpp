#include "pg/errors.h"
#include "pg/key_creation.h"
#include "pg/orphaned_keys.h"

extern "C" {
#include "nodes/pg_list.h"
}

namespace envcrypt {
namespace {

struct CreatedKey {
    KeyRow row;
    SubTransactionId made_in;  // InvalidSubTransactionId: rolled back, an orphan
};

// Of the running top-level transaction, in TopTransactionContext. Emptied by cutting it loose.
List *created_keys = NIL;

CreatedKey *At(int index) {
    return static_cast<CreatedKey *>(list_nth(created_keys, index));
}

// What a savepoint made belongs to what is around it once the savepoint is released, and is an orphan once it
// is rolled back. Nothing here allocates.
extern "C" void envcrypt_orphan_subxact_callback(SubXactEvent event, SubTransactionId self,
                                                 SubTransactionId parent, void *) {
    if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
        return;
    for (int i = 0; i < list_length(created_keys); i++) {
        if (At(i)->made_in == self)
            At(i)->made_in = event == SUBXACT_EVENT_ABORT_SUB ? InvalidSubTransactionId : parent;
    }
}

// Runs where an error still just aborts the transaction.
void StoreOrphans() {
    for (int i = 0; i < list_length(created_keys); i++) {
        if (At(i)->made_in == InvalidSubTransactionId)
            RestoreKey(At(i)->row);
    }
}

extern "C" void envcrypt_orphan_xact_callback(XactEvent event, void *) {
    if (created_keys == NIL)
        return;
    if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
        StoreOrphans();
    else if (event != XACT_EVENT_PARALLEL_PRE_COMMIT)
        created_keys = NIL;
}

}  // namespace

void RememberCreatedKey(const KeyRow &row) {
    const MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);
    auto *key = static_cast<CreatedKey *>(palloc(sizeof(CreatedKey)));
    key->row = row;
    key->made_in = GetCurrentSubTransactionId();
    created_keys = lappend(created_keys, key);
    MemoryContextSwitchTo(caller);
}

bool TakeOrphanedKey(const Owner &owner, std::uint32_t key_version, const Fingerprint &master, KeyRow *row) {
    for (int i = 0; i < list_length(created_keys); i++) {
        CreatedKey *key = At(i);
        const bool same = key->row.has_owner ? key->row.owner() == owner.utf8 : owner.is_database();
        if (same && key->made_in == InvalidSubTransactionId && key->row.key_version == key_version &&
            key->row.master_fingerprint == master) {
            *row = key->row;
            created_keys = list_delete_nth_cell(created_keys, i);
            return true;
        }
    }
    return false;
}

void RegisterOrphanCallbacks() {
    RegisterXactCallback(envcrypt_orphan_xact_callback, nullptr);
    RegisterSubXactCallback(envcrypt_orphan_subxact_callback, nullptr);
}

}  // namespace envcrypt
