#include <algorithm>

#include "server/errors.h"
#include "server/patient_lock.h"

extern "C" {
#include "executor/spi.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
}

namespace envcrypt {
namespace {

constexpr int kAttemptMs = 200;
constexpr int kPauseMs = 100;
constexpr long kNoticeAfterMs = 2000;

bool TryLock(Oid table, LOCKMODE mode, int patience_ms) {
    const MemoryContext caller = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    volatile bool locked = true;
    BeginInternalSubTransaction(nullptr);
    PG_TRY();
    {
        const int nest_level = NewGUCNestLevel();
        set_config_option("lock_timeout", psprintf("%d", patience_ms), PGC_USERSET, PGC_S_SESSION,
                          GUC_ACTION_SAVE, true, 0, false);
        LockRelationOid(table, mode);
        AtEOXact_GUC(true, nest_level);
        ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        // An internal subtransaction, so going on after its rollback is legal.
        MemoryContextSwitchTo(caller);
        ErrorData *error = CopyErrorData();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(caller);
        CurrentResourceOwner = owner;
        if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
            ReThrowError(error);
        FreeErrorData(error);
        locked = false;
    }
    PG_END_TRY();
    MemoryContextSwitchTo(caller);
    CurrentResourceOwner = owner;
    return locked;
}

// Who holds a lock that conflicts, as words. Our callers have a fixed search_path.
char *Holders(Oid table) {
    const MemoryContext caller = CurrentMemoryContext;
    char *names = nullptr;
    char *query = psprintf(
        "SELECT string_agg(DISTINCT CASE WHEN l.pid IS NULL THEN 'prepared transaction ' || "
        "quote_literal(p.gid)"
        " ELSE 'process ' || l.pid END, ', ')"
        " FROM pg_catalog.pg_locks l"
        // A prepared transaction keeps its virtual id, by which its own transaction id is found.
        " LEFT JOIN pg_catalog.pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'"
        " AND x.granted AND x.virtualtransaction = l.virtualtransaction"
        " LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid"
        " WHERE l.locktype = 'relation' AND l.relation = %u AND l.granted AND l.mode NOT IN "
        "('AccessShareLock',"
        " 'RowShareLock') AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()"
        " AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())",
        table);
    SPI_connect();
    if (SPI_execute(query, true, 1) == SPI_OK_SELECT && SPI_processed == 1) {
        const char *found = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
        if (found != nullptr)
            names = MemoryContextStrdup(caller, found);
    }
    SPI_finish();
    return names != nullptr ? names : pstrdup("a transaction that has just ended");
}

}  // namespace

void LockPatiently(Oid table, LOCKMODE mode, const char *what) {
    const TimestampTz start = GetCurrentTimestamp();
    const int limit_ms = LockTimeout;
    bool noticed = false;
    for (int attempt = 1;; attempt++) {
        // Now and then long enough for PostgreSQL to cancel an autovacuum that is in the way.
        int patience = attempt % 5 == 0 ? DeadlockTimeout + kAttemptMs : kAttemptMs;
        if (limit_ms > 0)
            patience = std::min(patience, limit_ms);
        if (TryLock(table, mode, patience))
            return;
        const long waited_ms = TimestampDifferenceMilliseconds(start, GetCurrentTimestamp());
        if (limit_ms > 0 && waited_ms >= limit_ms)
            ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                            errmsg("%s could not lock the data keys within %d ms", what, limit_ms),
                            errdetail("In its way: %s.", Holders(table)),
                            errhint("End those transactions, or call it again later. Nothing was changed."),
                            HideFromLog()));
        if (!noticed && waited_ms >= kNoticeAfterMs) {
            ereport(NOTICE, (errmsg("%s waits for %s", what, Holders(table))));
            noticed = true;
        }
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kPauseMs,
                        PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    }
}

}  // namespace envcrypt
