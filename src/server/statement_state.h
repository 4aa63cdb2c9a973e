// statement_state.h: what kind of statement or process this is, where that changes what types may do.
#pragma once

#include "server/backend.h"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace envcrypt {

// IsAnalyzing: ANALYZE runs here. Nothing is opened then: statistics are kept in plain sight.
[[nodiscard]] bool IsAnalyzing() noexcept;

// IsAlteringTable: ALTER TABLE runs here; it prints constants and parses them again.
[[nodiscard]] bool IsAlteringTable() noexcept;

// SpeaksOnlyCiphertext: walsenders, logical decoding, apply and table-sync workers, binary upgrade.
[[nodiscard]] bool SpeaksOnlyCiphertext() noexcept;

// IsDumpConnection: the client calls itself pg_dump, pg_dumpall or pg_restore, or behaves as pg_dump does.
[[nodiscard]] bool IsDumpConnection() noexcept;

// IsReplicationWorker: rows are compared on behalf of a logical replication worker.
[[nodiscard]] bool IsReplicationWorker() noexcept;

// IsCopyingIn: a COPY FROM runs here. IsMakingView: a CREATE VIEW does, whose query is stored.
[[nodiscard]] bool IsCopyingIn() noexcept;
[[nodiscard]] bool IsMakingView() noexcept;

// IsLoading: a logical replication worker or a COPY FROM without WHERE writes to a table (loading.h).
[[nodiscard]] bool IsLoading() noexcept;
[[nodiscard]] bool IsInsideTrigger();

// What hears of statements: of a COPY FROM before it runs, of DISCARD ALL after it did.
struct StatementHandlers {
    void (*copying_in)(const CopyStmt *copy);
    void (*discarded)() noexcept;
};

void InstallStatementHooks(const StatementHandlers &handlers);

}  // namespace envcrypt
