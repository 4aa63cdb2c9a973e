#include <algorithm>

#include "core/bytes.h"

#include "pg/key_cache.h"
#include "pg/made_type_call.h"
#include "pg/seal.h"
#include "pg/value_memo.h"

extern "C" {
#include "utils/datum.h"
}

namespace envcrypt {
namespace {

// Places of four. In a grouping, a group's first value is needed for each row, and each row's own value twice
// and never again: so what was used most stays, and uses are forgotten as others come.
constexpr std::size_t kPlaces = 1024;
constexpr std::size_t kWays = 4;
constexpr std::uint8_t kUse = 2;
constexpr std::size_t kLongest = 1024;  // bytes; longer values are kept only while they are compared

struct Entry {
    void *sealed;  // a copy with its varlena header, or nullptr
    Datum value;
    const BaseType *type;
    std::uint8_t uses;
};

struct Memo {
    MemoryContext context;
    MemoryContext scratch;  // what opening allocates on the way
    std::uint64_t generation;
    std::size_t next_passing;
    const Entry *in_use;  // the first value of the comparison that is running
    Entry passing[2];
    Entry entries[kPlaces][kWays];
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

void Replace(Entry *entry, const BaseType &type, const struct varlena *sealed) {
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
}

// The entry of a value that is not there yet: the least used one, which is not in use now.
Entry *Victim(Entry (&place)[kWays]) {
    Entry *victim = nullptr;
    for (Entry &entry : place) {
        if (entry.uses > 0)
            entry.uses--;
        if (&entry != memo->in_use && (victim == nullptr || entry.uses < victim->uses))
            victim = &entry;
    }
    return victim;
}

// Opening may find that keys changed meanwhile. That empties the memo at the next call, never between the two
// values of one comparison: the first one's result is in use.
const Entry *Find(Memo *current, const BaseType &type, const struct varlena *sealed) {
    const auto bytes = VarlenaBytes(sealed);
    if (bytes.size() < sizeof(std::uint64_t) || bytes.size() > kLongest) {
        current->next_passing = 1 - current->next_passing;
        Entry *passing = &current->passing[current->next_passing];
        Replace(passing, type, sealed);
        return passing;
    }
    // Tags are uniformly distributed.
    Entry(&place)[kWays] = current->entries[LoadBigEndian<std::uint64_t>(bytes.last(8)) % kPlaces];
    for (Entry &entry : place) {
        if (Holds(entry, type, bytes)) {
            entry.uses = static_cast<std::uint8_t>(std::min(entry.uses + kUse, UINT8_MAX));
            return &entry;
        }
    }
    Entry *victim = Victim(place);
    Replace(victim, type, sealed);
    victim->uses = kUse;
    return victim;
}

}  // namespace

Datum OpenThroughMemo(const BaseType &type, const struct varlena *sealed) {
    if (unlikely(made_type_calls > 0))  // the memo is perhaps just opening a value
        return Open(type, sealed);
    Memo *current = CurrentMemo();
    current->in_use = nullptr;
    return Find(current, type, sealed)->value;
}

OpenedPair OpenPairThroughMemo(const BaseType &type, const struct varlena *left,
                               const struct varlena *right) {
    if (unlikely(made_type_calls > 0))
        return {.left = Open(type, left), .right = Open(type, right)};
    Memo *current = CurrentMemo();
    current->in_use = nullptr;
    current->in_use = Find(current, type, left);
    OpenedPair opened;
    opened.left = current->in_use->value;
    opened.right = Find(current, type, right)->value;
    return opened;
}

}  // namespace envcrypt
