#include <algorithm>

#include "core/bytes.h"

#include "keys/key_cache.h"
#include "values/seal.h"
#include "values/value_memo.h"

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

// Makes an entry that of an opened value. Calls nobody's functions.
void Keep(Entry *entry, const BaseType &type, const struct varlena *sealed, Datum opened) {
    if (entry->sealed != nullptr) {
        pfree(entry->sealed);
        entry->sealed = nullptr;
        if (!entry->type->by_value)
            pfree(DatumGetPointer(entry->value));
    }
    const MemoryContext caller = MemoryContextSwitchTo(memo->context);
    entry->value = datumCopy(opened, type.by_value, type.length);
    entry->type = &type;
    void *copy = palloc(VARSIZE_ANY(sealed));
    memcpy(copy, sealed, VARSIZE_ANY(sealed));
    entry->sealed = copy;
    MemoryContextSwitchTo(caller);
}

void Replace(Entry *entry, const BaseType &type, const struct varlena *sealed) {
    MemoryContextReset(memo->scratch);
    const MemoryContext caller = MemoryContextSwitchTo(memo->scratch);
    const Datum opened = Open(type, sealed);
    MemoryContextSwitchTo(caller);
    Keep(entry, type, sealed, opened);
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

bool IsKept(std::span<const std::uint8_t> sealed) {
    return sealed.size() >= sizeof(std::uint64_t) && sealed.size() <= kLongest;
}

// Tags are uniformly distributed.
Entry (&PlaceOf(Memo *current, std::span<const std::uint8_t> sealed))[kWays] {
    return current->entries[LoadBigEndian<std::uint64_t>(sealed.last(8)) % kPlaces];
}

Entry *FindKept(Entry (&place)[kWays], const BaseType &type, std::span<const std::uint8_t> sealed) {
    for (Entry &entry : place) {
        if (Holds(entry, type, sealed)) {
            entry.uses = static_cast<std::uint8_t>(std::min(entry.uses + kUse, UINT8_MAX));
            return &entry;
        }
    }
    return nullptr;
}

// Opening may find that keys changed meanwhile. That empties the memo at the next call, never between the two
// values of one comparison: the first one's result is in use.
const Entry *Find(Memo *current, const BaseType &type, const struct varlena *sealed) {
    const auto bytes = VarlenaBytes(sealed);
    if (!IsKept(bytes)) {
        current->next_passing = 1 - current->next_passing;
        Entry *passing = &current->passing[current->next_passing];
        Replace(passing, type, sealed);
        return passing;
    }
    Entry(&place)[kWays] = PlaceOf(current, bytes);
    Entry *found = FindKept(place, type, bytes);
    if (found == nullptr) {
        found = Victim(place);
        Replace(found, type, sealed);
        found->uses = kUse;
    }
    return found;
}

// The caller's copy. Opening may call anything, this memo, too: so it comes first, and nothing of the memo is
// held across it.
Datum OpenForCaller(const BaseType &type, const struct varlena *sealed) {
    const auto bytes = VarlenaBytes(sealed);
    if (IsKept(bytes)) {
        const Entry *kept = FindKept(PlaceOf(CurrentMemo(), bytes), type, bytes);
        if (kept != nullptr)
            return datumCopy(kept->value, type.by_value, type.length);
    }
    const MemoryContext caller = CurrentMemoryContext;
    MemoryContext scratch = AllocSetContextCreate(caller, "envcrypt scratch", ALLOCSET_SMALL_SIZES);
    MemoryContextSwitchTo(scratch);
    const Datum opened = Open(type, sealed);
    MemoryContextSwitchTo(caller);
    const Datum copy = datumCopy(opened, type.by_value, type.length);
    MemoryContextDelete(scratch);
    if (IsKept(bytes)) {
        Memo *current = CurrentMemo();
        current->in_use = nullptr;
        Entry *victim = Victim(PlaceOf(current, bytes));
        Keep(victim, type, sealed, copy);
        victim->uses = kUse;
    }
    return copy;
}

}  // namespace

Datum OpenThroughMemo(const BaseType &type, const struct varlena *sealed) {
    if (unlikely(!BelongsToMemo(type)))
        return OpenForCaller(type, sealed);
    Memo *current = CurrentMemo();
    current->in_use = nullptr;
    return Find(current, type, sealed)->value;
}

void ReleaseOpened(const BaseType &type, Datum opened) {
    if (unlikely(!BelongsToMemo(type) && !type.by_value))
        pfree(DatumGetPointer(opened));
}

OpenedPair OpenPairThroughMemo(const BaseType &type, const struct varlena *left,
                               const struct varlena *right) {
    OpenedPair opened;
    if (unlikely(!BelongsToMemo(type))) {
        opened.left = OpenForCaller(type, left);
        opened.right = OpenForCaller(type, right);
        return opened;
    }
    Memo *current = CurrentMemo();
    current->in_use = nullptr;
    current->in_use = Find(current, type, left);
    opened.left = current->in_use->value;
    opened.right = Find(current, type, right)->value;
    return opened;
}

void ReleaseOpened(const BaseType &type, const OpenedPair &opened) {
    ReleaseOpened(type, opened.left);
    ReleaseOpened(type, opened.right);
}

}  // namespace envcrypt
