#include "keys/key_row_locks.h"

#include "keys/key_table.h"
#include "server/extension_objects.h"
#include "server/fresh_scan.h"

extern "C" {
#include "storage/lmgr.h"
}

namespace envcrypt {
namespace {

// False: the row has changed since it was looked up.
bool LockRow(Relation table, ItemPointerData place, LockTupleMode mode) {
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    TM_FailureData failure;
    const TM_Result result =
        table_tuple_lock(table, &place, SnapshotAny, slot, GetCurrentCommandId(true), mode, LockWaitBlock,
                         TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS, &failure);
    ExecDropSingleTupleTableSlot(slot);
    if (result == TM_SelfModified)
        CommandCounterIncrement();  // or the row would be found again
    return result == TM_Ok;
}

int FindPlaces(std::span<ScanKeyData> keys, List **places) {
    *places = NIL;
    FreshScan(Objects().data_keys, Objects().data_keys_by_owner, keys, ForwardScanDirection,
              [places](TupleTableSlot *slot) {
                  auto *place = static_cast<ItemPointerData *>(palloc(sizeof(ItemPointerData)));
                  *place = slot->tts_tid;
                  *places = lappend(*places, place);
                  return true;
              });
    return list_length(*places);
}

bool LockPlaces(Relation table, const List *places, LockTupleMode mode) {
    const ListCell *cell = nullptr;
    foreach (cell, places) {
        if (!LockRow(table, *static_cast<const ItemPointerData *>(lfirst(cell)), mode))
            return false;
    }
    return true;
}

// Waits for a transaction that has made a row which these keys select, and has not ended. False: there is
// none.
bool WaitForNewRow(Relation table, std::span<ScanKeyData> keys) {
    SnapshotData dirty;
    InitDirtySnapshot(dirty);
    Relation by = index_open(Objects().data_keys_by_owner, AccessShareLock);
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    IndexScanDesc scan = BeginIndexScan(table, by, &dirty, static_cast<int>(keys.size()));
    index_rescan(scan, keys.data(), static_cast<int>(keys.size()), nullptr, 0);
    TransactionId maker = InvalidTransactionId;
    std::uint32_t token = 0;
    while (!TransactionIdIsValid(maker) && index_getnext_slot(scan, ForwardScanDirection, slot)) {
        maker = dirty.xmin;
        token = dirty.speculativeToken;
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    index_close(by, AccessShareLock);
    if (!TransactionIdIsValid(maker))
        return false;
    if (token != 0)
        SpeculativeInsertionWait(maker, token);
    else
        XactLockTableWait(maker, nullptr, nullptr, XLTW_None);
    return true;
}

}  // namespace

bool LockActiveKey(const Owner &owner) {
    // No lock that a rotation waits for: it changes nothing that this protects.
    Relation table = table_open(Objects().data_keys, RowShareLock);
    StoredKey key;
    bool found = FindActiveKey(owner, &key);
    // Of a key that this transaction has made, nobody else knows yet.
    while (found && !key.ours && !LockRow(table, key.place, LockTupleKeyShare)) {
        CHECK_FOR_INTERRUPTS();
        found = FindActiveKey(owner, &key);
    }
    table_close(table, NoLock);
    if (!found)
        AcceptInvalidationMessages();
    return found;
}

bool LockKeys(const Owner &owner, LockTupleMode mode) {
    Relation table = table_open(Objects().data_keys, RowExclusiveLock);
    auto keys = OwnerKeys(owner);
    List *places = NIL;
    int locked = -1;
    // Until nothing has come or gone while others were waited for. Rows come only behind those that are
    // there.
    for (int count = FindPlaces(keys, &places); count != locked; count = FindPlaces(keys, &places)) {
        CHECK_FOR_INTERRUPTS();
        locked = -1;
        if (count > 0 ? LockPlaces(table, places, mode) : !WaitForNewRow(table, keys))
            locked = count;
    }
    table_close(table, NoLock);
    AcceptInvalidationMessages();
    return locked > 0;
}

}  // namespace envcrypt
