// table_scan.h: every live row of a table, once.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// ForEachRow calls `visit(slot)` for each row of `table` until it returns false. Under one snapshot taken
// now: in a REPEATABLE READ transaction, too, it sees what others have committed, and no row moves out of
// sight. `visit` runs in memory of its own, emptied after each row.
template <typename Visit>
void ForEachRow(Relation table, Visit visit) {
    const Snapshot now = RegisterSnapshot(GetLatestSnapshot());
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    TableScanDesc scan = table_beginscan_strat(table, now, 0, nullptr, true, false);
    MemoryContext per_row =
        AllocSetContextCreate(CurrentMemoryContext, "envcrypt row", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext caller = MemoryContextSwitchTo(per_row);
    bool more = true;
    while (more && table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        more = visit(slot);
        MemoryContextReset(per_row);
    }
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(per_row);
    table_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    UnregisterSnapshot(now);
}

}  // namespace envcrypt
