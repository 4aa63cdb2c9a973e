#include "pg/log_filter.h"

#include "pg/backend.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

emit_log_hook_type next_log_hook = nullptr;
TimestampTz opened_in_statement = 0;
constexpr const char *kHiddenDetail =
    "The detail is not logged, because it may hold encrypted values in plain text.";

// Whatever an integrity violation (class 23) says of a row is hidden, if a value was opened for output in
// this statement: by structure, not by looking for patterns. No catalog may be read here.
extern "C" void envcrypt_filter_log(ErrorData *error) {
    if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION &&
        error->detail != nullptr && opened_in_statement == GetCurrentStatementStartTimestamp()) {
        error->detail_log = MemoryContextStrdup(error->assoc_context, kHiddenDetail);
        error->hide_stmt = true;
        error->hide_ctx = true;
    }
    if (next_log_hook != nullptr)
        next_log_hook(error);
}

}  // namespace

void NoteOpenedForOutput() noexcept {
    opened_in_statement = GetCurrentStatementStartTimestamp();
}

void InstallLogHook() {
    next_log_hook = emit_log_hook;
    emit_log_hook = envcrypt_filter_log;
}

}  // namespace envcrypt
