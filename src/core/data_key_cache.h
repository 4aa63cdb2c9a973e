// data_key_cache.h: opened data keys of one process, with their keyed contexts, least recently used out
// first.
//
// The cache knows nothing of tables or transactions; its user tells it when what it learned may have changed:
// MarkStale() makes every entry unusable until Put() confirms it with an identical row, and DropUncommitted()
// forgets rows that may never have existed. A missing key is never remembered.
//
// A DataKey pointer is valid until the next call of a member that is not const. Nothing throws:
// std::bad_alloc becomes kNoMemory. Entries hold about 2 kB, of which OpenSSL's contexts are the larger part,
// in malloc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/aead.h"
#include "core/status.h"
#include "core/wrapped_key.h"

namespace envcrypt {

struct DataKey {
    Aead aead;  // first: what a lookup touches stands together
    bool recently_used = false;
    KeyRow row;
};

class DataKeyCache {
 public:
    explicit DataKeyCache(std::size_t capacity) noexcept : capacity_(capacity) {}
    DataKeyCache(const DataKeyCache &) = delete;
    DataKeyCache &operator=(const DataKeyCache &) = delete;

    // Find returns the key of that id, or nullptr: unknown here or stale.
    [[nodiscard]] DataKey *Find(std::uint64_t key_id) noexcept {
        const Recent &recent = RecentPlace(key_id);
        if (recent.key_id != key_id)
            return FindInTable(key_id);
        if (recent.key != nullptr)
            recent.key->recently_used = true;
        return recent.key;
    }

    // FindActive returns the key that seals for `owner` now ('' is the database key), or nullptr.
    [[nodiscard]] DataKey *FindActive(std::string_view owner) noexcept;

    // Put adds the key of `row`, unwrapped by `wrapping`, or confirms the entry that was made from an
    // identical row. `active`: the row is the one its owner's values are sealed under. `uncommitted`: the row
    // was written by the transaction that is running. *out is the entry. Statuses: UnwrapKey's,
    // Aead::SetKey's, kNoMemory.
    Status Put(const KeyRow &row, Aead &wrapping, bool active, bool uncommitted, DataKey **out) noexcept;

    // generation changes with every call that makes an opened key unusable.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

    void MarkStale() noexcept;
    // Returns whether the database key was among what it dropped.
    bool DropUncommitted() noexcept;
    void CommitUncommitted() noexcept;
    void Clear() noexcept;
    void SetCapacity(std::size_t capacity) noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
    struct Entry : DataKey {
        std::uint64_t epoch = 0;
        std::uint64_t active_epoch = 0;  // never the current epoch while not known to be active
        bool uncommitted = false;
    };
    using Entries = std::list<Entry>;

    // A place in front of the hash table, found by the low bits of the (random) key id: a look into the table
    // costs several cache misses. Holds entries of the current epoch only.
    struct Recent {
        std::uint64_t key_id = 0;
        DataKey *key = nullptr;
    };

    DataKey *FindInTable(std::uint64_t key_id) noexcept;
    DataKey *MarkUsed(Entries::iterator entry) noexcept;
    Recent &RecentPlace(std::uint64_t key_id) noexcept { return recent_[key_id % recent_.size()]; }
    void ForgetRecent() noexcept;
    void EvictDownTo(std::size_t entries) noexcept;
    void Erase(Entries::iterator entry) noexcept;
    void SetActive(Entries::iterator entry);

    std::size_t capacity_;
    std::uint64_t epoch_ = 1;
    std::uint64_t generation_ = 1;
    std::size_t uncommitted_ = 0;
    Entries entries_;  // newest, or given a second chance, first
    std::array<Recent, 4096> recent_{};
    std::unordered_map<std::uint64_t, Entries::iterator> by_id_;
    std::unordered_map<std::string_view, Entries::iterator>
        active_by_owner_;  // keys point into the entries' rows
};

}  // namespace envcrypt
