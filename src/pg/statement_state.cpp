#include "pg/statement_state.h"

extern "C" {
#include "postmaster/autovacuum.h"
#include "replication/logicalworker.h"
#include "replication/walsender.h"
#include "tcop/utility.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/portal.h"
}

namespace envcrypt {
namespace {

int analyzing = 0;       // how many VACUUM or ANALYZE statements are on the stack
int altering_table = 0;  // how many ALTER TABLE statements
ProcessUtility_hook_type next_utility_hook = nullptr;

extern "C" void envcrypt_process_utility(PlannedStmt *statement, const char *query, bool read_only_tree,
                                         ProcessUtilityContext context, ParamListInfo params,
                                         QueryEnvironment *environment, DestReceiver *destination,
                                         QueryCompletion *completion) {
    auto *const next = next_utility_hook != nullptr ? next_utility_hook : standard_ProcessUtility;
    int *depth = nullptr;
    if (IsA(statement->utilityStmt, VacuumStmt))
        depth = &analyzing;
    else if (IsA(statement->utilityStmt, AlterTableStmt))
        depth = &altering_table;
    if (depth == nullptr) {
        next(statement, query, read_only_tree, context, params, environment, destination, completion);
        return;
    }
    const int before = *depth;
    *depth = before + 1;
    PG_TRY();
    {
        next(statement, query, read_only_tree, context, params, environment, destination, completion);
    }
    PG_FINALLY();
    {
        *depth = before;
    }
    PG_END_TRY();
}

// The statement during which the library was loaded ran past the hook: its portal tells what it is.
bool OuterStatementIs(CommandTag tag, CommandTag other) noexcept {
    return ActivePortal != nullptr && (ActivePortal->commandTag == tag || ActivePortal->commandTag == other);
}

}  // namespace

bool IsAnalyzing() noexcept {
    return unlikely(analyzing > 0) || unlikely(IsAutoVacuumWorkerProcess()) ||
           unlikely(MyBEEntry != nullptr && MyBEEntry->st_progress_command == PROGRESS_COMMAND_ANALYZE) ||
           unlikely(OuterStatementIs(CMDTAG_ANALYZE, CMDTAG_VACUUM));
}

bool IsAlteringTable() noexcept {
    return altering_table > 0 || OuterStatementIs(CMDTAG_ALTER_TABLE, CMDTAG_ALTER_TABLE);
}

bool SpeaksOnlyCiphertext() noexcept {
    return am_walsender || IsBinaryUpgrade || IsReplicationWorker() || HistoricSnapshotActive();
}

bool IsDumpConnection() noexcept {
    if (application_name == nullptr)
        return false;
    const std::string_view name(application_name);
    return name == "pg_dump" || name == "pg_dumpall" || name == "pg_restore";
}

bool IsReplicationWorker() noexcept {
    return IsLogicalWorker();
}

void InstallStatementHooks() {
    next_utility_hook = ProcessUtility_hook;
    ProcessUtility_hook = envcrypt_process_utility;
}

}  // namespace envcrypt
