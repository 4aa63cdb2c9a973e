#include "server/statement_state.h"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "tcop/pquery.h"
#include "replication/logicalworker.h"
#include "replication/walsender.h"
#include "tcop/utility.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/fmgroids.h"
#include "utils/portal.h"
#include "utils/rls.h"
}

namespace envcrypt {
namespace {

int analyzing = 0;       // how many VACUUM or ANALYZE statements are on the stack
int altering_table = 0;  // how many ALTER TABLE statements
int copying_in = 0;      // how many COPY FROM statements
int loading = 0;         // how many of those have no WHERE clause
int making_view = 0;     // how many CREATE VIEW statements
StatementHandlers handlers;
ProcessUtility_hook_type next_utility_hook = nullptr;

// RunCounted runs a statement with *depth one higher, also when it fails.
template <typename Run>
void RunCounted(int *depth, const Run &run) {
    int *volatile counted = depth;
    (*counted)++;
    PG_TRY();
    { run(); }
    PG_FINALLY();
    { (*counted)--; }
    PG_END_TRY();
}

bool IsDiscardAll(const Node *statement) {
    return IsA(statement, DiscardStmt) &&
           reinterpret_cast<const DiscardStmt *>(statement)->target == DISCARD_ALL;
}

bool IsCopyFrom(const Node *statement) {
    return IsA(statement, CopyStmt) && reinterpret_cast<const CopyStmt *>(statement)->is_from;
}

template <typename Run>
void RunCopyFrom(const CopyStmt *copy, const Run &run) {
    handlers.copying_in(copy);
    RunCounted(&copying_in, [&] {
        if (copy->whereClause == nullptr)
            RunCounted(&loading, run);
        else
            run();
    });
}

extern "C" void envcrypt_process_utility(PlannedStmt *statement, const char *query, bool read_only_tree,
                                         ProcessUtilityContext context, ParamListInfo params,
                                         QueryEnvironment *environment, DestReceiver *destination,
                                         QueryCompletion *completion) {
    auto *const next = next_utility_hook != nullptr ? next_utility_hook : standard_ProcessUtility;
    const auto run = [&] {
        next(statement, query, read_only_tree, context, params, environment, destination, completion);
    };
    // FETCH locks no table, so it would not hear of a shredding since the cursor was opened.
    if (IsA(statement->utilityStmt, FetchStmt))
        AcceptInvalidationMessages();
    if (IsA(statement->utilityStmt, VacuumStmt))
        RunCounted(&analyzing, run);
    else if (IsA(statement->utilityStmt, AlterTableStmt))
        RunCounted(&altering_table, run);
    else if (IsCopyFrom(statement->utilityStmt))
        RunCopyFrom(reinterpret_cast<const CopyStmt *>(statement->utilityStmt), run);
    else if (IsA(statement->utilityStmt, ViewStmt))
        RunCounted(&making_view, run);
    else
        run();
    if (IsDiscardAll(statement->utilityStmt))
        handlers.discarded();
}

// The statement during which the library was loaded ran past the hook: its portal tells what it is.
bool OuterStatementIs(CommandTag tag, CommandTag other) noexcept {
    return ActivePortal != nullptr && (ActivePortal->commandTag == tag || ActivePortal->commandTag == other);
}

}  // namespace

// PostgreSQL reports the progress of ANALYZE for exactly as long as it looks at values, in autovacuum, too.
// Where track_activities keeps it from that, every VACUUM and ANALYZE counts.
bool IsAnalyzing() noexcept {
    if (likely(pgstat_track_activities))
        return MyBEEntry != nullptr && MyBEEntry->st_progress_command == PROGRESS_COMMAND_ANALYZE;
    return analyzing > 0 || MyBackendType == B_AUTOVAC_WORKER ||
           OuterStatementIs(CMDTAG_ANALYZE, CMDTAG_VACUUM);
}

bool IsAlteringTable() noexcept {
    return altering_table > 0 || OuterStatementIs(CMDTAG_ALTER_TABLE, CMDTAG_ALTER_TABLE);
}

bool SpeaksOnlyCiphertext() noexcept {
    return am_walsender || IsBinaryUpgrade || IsReplicationWorker() || HistoricSnapshotActive();
}

// A monitored backup job may have given its pg_dump another name: then it is known by what it sets.
bool IsDumpConnection() noexcept {
    if (!synchronize_seqscans && !row_security && XactReadOnly && IsolationUsesXactSnapshot())
        return true;
    if (application_name == nullptr)
        return false;
    const std::string_view name(application_name);
    return name == "pg_dump" || name == "pg_dumpall" || name == "pg_restore";
}

bool IsReplicationWorker() noexcept {
    return IsLogicalWorker();
}

bool IsCopyingIn() noexcept {
    return copying_in > 0;
}

bool IsMakingView() noexcept {
    return making_view > 0;
}

bool IsLoading() noexcept {
    return loading > 0 || IsReplicationWorker();
}

bool IsInsideTrigger() {
    return DatumGetInt32(OidFunctionCall0(F_PG_TRIGGER_DEPTH)) > 0;
}

void InstallStatementHooks(const StatementHandlers &given) {
    handlers = given;
    next_utility_hook = ProcessUtility_hook;
    ProcessUtility_hook = envcrypt_process_utility;
}

}  // namespace envcrypt
