#include "server/log_filter.h"

#include "server/backend.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

emit_log_hook_type next_log_hook = nullptr;

// A statement is known by its start. Processes that run none have the time 0, which nothing is compared with
// unless it was noted.
struct NotedStatement {
    bool noted;
    TimestampTz start;

    void Note() noexcept { *this = {.noted = true, .start = GetCurrentStatementStartTimestamp()}; }
    [[nodiscard]] bool IsRunning() const noexcept {
        return noted && start == GetCurrentStatementStartTimestamp();
    }
};
NotedStatement opened;
NotedStatement copied_in;

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
        opened.IsRunning()) {
        if (error->detail != nullptr)
            error->detail_log = MemoryContextStrdup(error->assoc_context, kHiddenDetail);
        error->hide_stmt = true;
        error->hide_ctx = true;
    }
    if (copied_in.IsRunning())
        error->hide_ctx = true;
    if (next_log_hook != nullptr)
        next_log_hook(error);
}

}  // namespace

void NoteOpenedForOutput() noexcept {
    opened.Note();
}

void NoteCopiedIn() noexcept {
    copied_in.Note();
}

void InstallLogHook() {
    next_log_hook = emit_log_hook;
    emit_log_hook = envcrypt_filter_log;
}

}  // namespace envcrypt
