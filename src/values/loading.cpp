#include "values/loading.h"

#include <array>

#include "core/aead.h"

#include "server/access.h"
#include "server/log_filter.h"
#include "server/statement_state.h"
#include "values/base_type.h"

extern "C" {
#include "catalog/pg_class.h"
#include "commands/copy.h"
#include "commands/copyfrom_internal.h"
#include "replication/worker_internal.h"
}

namespace envcrypt {
namespace {

// Which row is loaded: a line of a COPY, or a change that a worker applies.
struct LoadedRow {
    const void *copy;
    std::int64_t run;
    std::uint64_t number;

    bool operator==(const LoadedRow &) const = default;
};

// As many as a row can have columns, and some more for arrays. Beyond them, functions that check a value fail
// to open it.
constexpr std::size_t kMaxLoaded = 2048;
struct Loaded {
    LoadedRow row;
    std::array<std::uint8_t, kTagBytes> tag;  // differs from value to value, by the nonce
};
Loaded loaded[kMaxLoaded];
std::size_t loaded_next = 0;

// The COPY FROM that is running, perhaps with functions on top of it, or nullptr: by its error callback,
// which knows the line.
const CopyFromStateData *RunningCopy() {
    const ErrorContextCallback *at = error_context_stack;
    while (at != nullptr && at->callback != CopyFromErrorCallback) at = at->previous;
    return at != nullptr ? static_cast<const CopyFromStateData *>(at->arg) : nullptr;
}

// COPY, or the worker, itself calls the function: no other function is between.
bool IsCalledByLoader() {
    const ErrorContextCallback *top = error_context_stack;
    return top != nullptr &&
           (top->callback == CopyFromErrorCallback || (IsReplicationWorker() && top->previous == nullptr));
}

LoadedRow CurrentRow() {
    if (const CopyFromStateData *copy = RunningCopy(); copy != nullptr)
        return {.copy = copy, .run = GetCurrentStatementStartTimestamp(), .number = copy->cur_lineno};
    return {.copy = nullptr,
            .run = CurrentLocalTransaction(),
            .number = MyLogicalRepWorker != nullptr ? MyLogicalRepWorker->last_lsn : 0};
}

std::array<std::uint8_t, kTagBytes> TagOf(std::span<const std::uint8_t> sealed) {
    std::array<std::uint8_t, kTagBytes> tag{};
    if (sealed.size() >= tag.size())
        std::ranges::copy(sealed.last(tag.size()), tag.begin());
    return tag;
}

bool CameWithRow(const struct varlena *sealed) {
    const LoadedRow row = CurrentRow();
    const auto tag = TagOf(VarlenaBytes(sealed));
    for (std::size_t i = 1; i <= kMaxLoaded; i++) {
        const Loaded &value = loaded[(loaded_next + kMaxLoaded - i) % kMaxLoaded];
        if (value.row != row)
            return false;
        if (value.tag == tag)
            return true;
    }
    return false;
}

// A column of the row, or the value that a domain checks. (In a trigger's WHEN, columns have other numbers.)
extern "C" bool envcrypt_names_row(Node *node, void *context) {
    if (node == nullptr)
        return false;
    if (IsA(node, CoerceToDomainValue) || (IsA(node, Var) && reinterpret_cast<Var *>(node)->varno == 1))
        return true;
    return WalkExpression(node, envcrypt_names_row, context);
}

bool HasEncryptedColumn(Oid oid) {
    Relation table = relation_open(oid, NoLock);
    bool found = false;
    for (int i = 0; i < RelationGetNumberOfAttributes(table) && !found; i++) {
        const Oid type = TupleDescAttr(RelationGetDescr(table), i)->atttypid;  // none, of a dropped column
        found = OidIsValid(type) && IsEncryptedType(type);
    }
    relation_close(table, NoLock);
    return found;
}

}  // namespace

// The lock is COPY's own: who waits for it must not judge by what the table was before.
void HideLines(const CopyStmt *copy) {
    const Oid table = copy->is_from && copy->relation != nullptr
                          ? RangeVarGetRelid(copy->relation, RowExclusiveLock, true)
                          : InvalidOid;
    if (!OidIsValid(table))
        return;
    if (get_rel_relkind(table) == RELKIND_VIEW ? OidIsValid(get_extension_oid("envcrypt", true))
                                               : HasEncryptedColumn(table))
        NoteCopiedIn();
}

void NoteLoaded(const struct varlena *sealed) {
    if (likely(!IsLoading()) || !IsCalledByLoader())
        return;
    loaded[loaded_next] = {.row = CurrentRow(), .tag = TagOf(VarlenaBytes(sealed))};
    loaded_next = (loaded_next + 1) % kMaxLoaded;
}

bool PassesUnchecked(FunctionCallInfo fcinfo) {
    if (likely(!IsLoading()) || IsInsideTrigger())
        return false;
    if (!IsReplicationWorker() && !(superuser() && CurrentAccess().input == Language::kCiphertext))
        return false;
    if (IsCalledByLoader() && envcrypt_names_row(fcinfo->flinfo->fn_expr, nullptr))
        return true;
    return CameWithRow(PG_GETARG_VARLENA_PP(0));
}

}  // namespace envcrypt
