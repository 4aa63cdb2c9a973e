#include <utility>

#include "core/bytes.h"

#include "pg/key_cache.h"
#include "pg/seal.h"
#include "pg/value_memo.h"

extern "C" {
#include "utils/datum.h"
}

namespace envcrypt {
namespace {

constexpr std::size_t kEntries = 1024;
constexpr std::size_t kLongest = 1024;  // bytes; longer values are kept only while they are compared

struct Entry {
    void *sealed;  // a copy with its varlena header, or nullptr
    Datum value;
    const BaseType *type;
};

struct Memo {
    MemoryContext context;
    MemoryContext scratch;  // what opening allocates on the way
    std::uint64_t generation;
    std::size_t next_passing;
    Entry passing[2];
    Entry entries[kEntries];
};

Memo *memo = nullptr;

extern "C" void envcrypt_forget_memo(void *) {
    memo = nullptr;
}

Memo *CurrentMemo() {
    const std::uint64_t generation = KeyGeneration();
    if (memo != nullptr && memo->generation != generation)
        MemoryContextDelete(memo->context);
    if (memo == nullptr) {
        MemoryContext context =
            AllocSetContextCreate(TopTransactionContext, "envcrypt opened values", ALLOCSET_DEFAULT_SIZES);
        auto *made = static_cast<Memo *>(MemoryContextAllocZero(context, sizeof(Memo)));
        auto *callback = static_cast<MemoryContextCallback *>(
            MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
        callback->func = envcrypt_forget_memo;
        MemoryContextRegisterResetCallback(context, callback);
        made->context = context;
        made->scratch = AllocSetContextCreate(context, "envcrypt scratch", ALLOCSET_SMALL_SIZES);
        made->generation = generation;
        memo = made;
    }
    return memo;
}

bool Holds(const Entry &entry, const BaseType &type, std::span<const std::uint8_t> sealed) {
    if (entry.sealed == nullptr || entry.type != &type)
        return false;
    const auto kept = VarlenaBytes(entry.sealed);
    return kept.size() == sealed.size() && memcmp(kept.data(), sealed.data(), kept.size()) == 0;
}

Datum Replace(Entry *entry, const BaseType &type, const struct varlena *sealed) {
    if (entry->sealed != nullptr) {
        pfree(entry->sealed);
        entry->sealed = nullptr;
        if (!entry->type->by_value)
            pfree(DatumGetPointer(entry->value));
    }
    MemoryContextReset(memo->scratch);
    const MemoryContext caller = MemoryContextSwitchTo(memo->scratch);
    const Datum opened = Open(type, sealed);
    MemoryContextSwitchTo(memo->context);
    entry->value = datumCopy(opened, type.by_value, type.length);
    entry->type = &type;
    void *copy = palloc(VARSIZE_ANY(sealed));
    memcpy(copy, sealed, VARSIZE_ANY(sealed));
    entry->sealed = copy;
    MemoryContextSwitchTo(caller);
    MemoryContextReset(memo->scratch);
    return entry->value;
}

// Opening may find that keys changed meanwhile. That empties the memo at the next call, never between the two
// values of one comparison: the first one's result is in use.
Datum OpenInto(Memo *current, const BaseType &type, const struct varlena *sealed) {
    const auto bytes = VarlenaBytes(sealed);
    if (bytes.size() < sizeof(std::uint64_t) || bytes.size() > kLongest) {
        current->next_passing = 1 - current->next_passing;
        return Replace(&current->passing[current->next_passing], type, sealed);
    }
    // Tags are uniformly distributed. Two values that are compared may fall on the same place, and the first
    // one's result must outlive the second call: so each place has two entries, the later one first.
    Entry *place = &current->entries[LoadBigEndian<std::uint64_t>(bytes.last(8)) % (kEntries / 2) * 2];
    if (Holds(place[0], type, bytes))
        return place[0].value;
    if (!Holds(place[1], type, bytes))
        Replace(&place[1], type, sealed);
    std::swap(place[0], place[1]);
    return place[0].value;
}

}  // namespace

Datum OpenThroughMemo(const BaseType &type, const struct varlena *sealed) {
    return OpenInto(CurrentMemo(), type, sealed);
}

OpenedPair OpenPairThroughMemo(const BaseType &type, const struct varlena *left,
                               const struct varlena *right) {
    Memo *current = CurrentMemo();
    OpenedPair opened;
    opened.left = OpenInto(current, type, left);
    opened.right = OpenInto(current, type, right);
    return opened;
}

}  // namespace envcrypt
