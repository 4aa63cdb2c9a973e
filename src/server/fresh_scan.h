// fresh_scan.h: index scans that see the newest committed rows and our own changes, whatever the query's
// snapshot.
//
// Key rows are looked up as catalogs are: a key made by another session a moment ago counts, also under
// REPEATABLE READ. The scan runs with SnapshotAny and checks each version against a fresh MVCC snapshot
// itself, so that it takes no predicate locks: in SERIALIZABLE, sessions that make keys for different owners
// would otherwise conflict through the index page that their keys share. Works in parallel workers, on
// standbys and in read-only transactions.
#pragma once

#include "server/backend.h"

extern "C" {
#include "access/stratnum.h"
#include "utils/fmgroids.h"
}

namespace envcrypt {

// FreshScan calls `visit(slot)` for each visible row that the keys select, in index order or, with
// BackwardScanDirection, against it, until `visit` returns false. `visit` may raise; it must not keep the
// slot.
template <typename Visit>
void FreshScan(Oid table, Oid index, std::span<ScanKeyData> keys, ScanDirection direction, Visit visit) {
    Relation heap = table_open(table, AccessShareLock);
    Relation by = index_open(index, AccessShareLock);
    const Snapshot fresh = RegisterSnapshot(GetCatalogSnapshot(table));
    TupleTableSlot *slot = table_slot_create(heap, nullptr);
    IndexScanDesc scan = BeginIndexScan(heap, by, SnapshotAny, static_cast<int>(keys.size()));
    index_rescan(scan, keys.data(), static_cast<int>(keys.size()), nullptr, 0);
    while (index_getnext_slot(scan, direction, slot)) {
        if (table_tuple_satisfies_snapshot(heap, slot, fresh) && !visit(slot))
            break;
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    UnregisterSnapshot(fresh);
    index_close(by, AccessShareLock);
    table_close(heap, AccessShareLock);
}

// WrittenByUs tells whether the transaction that is running wrote this version of the row.
inline bool WrittenByUs(TupleTableSlot *slot) {
    bool isnull = false;
    const Datum xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull);
    return TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

}  // namespace envcrypt
