#include "pg/log_filter.h"

#include "pg/backend.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

emit_log_hook_type next_log_hook = nullptr;
TimestampTz opened_in_statement = 0;
TimestampTz copied_in_statement = 0;
constexpr const char *kHiddenDetail =
    "The detail is not logged, because it may hold encrypted values in plain text.";

// Errors of ours keep their statement out of the log; inside a function, the statement stands in
// internalquery. And what PostgreSQL says of a row or value (class 22, data exceptions; class 23, integrity
// violations; class 44, a view's CHECK OPTION) is hidden, if a value was opened for output in this statement:
// by structure, not by looking for patterns. No catalog may be read here.
extern "C" void envcrypt_filter_log(ErrorData *error) {
    if (error->hide_stmt && error->hide_ctx) {
        error->internalquery = nullptr;
        error->internalpos = 0;
    }
    const int category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
    if ((category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION || category == ERRCODE_DATA_EXCEPTION ||
         category == ERRCODE_TO_CATEGORY(ERRCODE_WITH_CHECK_OPTION_VIOLATION)) &&
        opened_in_statement == GetCurrentStatementStartTimestamp()) {
        if (error->detail != nullptr)
            error->detail_log = MemoryContextStrdup(error->assoc_context, kHiddenDetail);
        error->hide_stmt = true;
        error->hide_ctx = true;
    }
    if (copied_in_statement == GetCurrentStatementStartTimestamp())
        error->hide_ctx = true;
    if (next_log_hook != nullptr)
        next_log_hook(error);
}

}  // namespace

void NoteOpenedForOutput() noexcept {
    opened_in_statement = GetCurrentStatementStartTimestamp();
}

void NoteCopiedIn() noexcept {
    copied_in_statement = GetCurrentStatementStartTimestamp();
}

void InstallLogHook() {
    next_log_hook = emit_log_hook;
    emit_log_hook = envcrypt_filter_log;
}

}  // namespace envcrypt
