#include "core/data_key_cache.h"

#include <new>

namespace envcrypt {

DataKey *DataKeyCache::MarkUsed(Entries::iterator entry) noexcept {
    DataKey *key = &*entry;
    key->recently_used = true;
    RecentPlace(key->row.key_id) = {key->row.key_id, key};
    return key;
}

DataKey *DataKeyCache::FindInTable(std::uint64_t key_id) noexcept {
    const auto found = by_id_.find(key_id);
    return found == by_id_.end() || found->second->epoch != epoch_ ? nullptr : MarkUsed(found->second);
}

void DataKeyCache::ForgetRecent() noexcept {
    recent_.fill({});
}

void DataKeyCache::MarkStale() noexcept {
    epoch_++;
    generation_++;
    ForgetRecent();
}

void DataKeyCache::EvictDownTo(std::size_t entries) noexcept {
    while (entries_.size() > entries && entries_.size() > 1) {
        const auto oldest = std::prev(entries_.end());
        if (oldest->recently_used) {
            oldest->recently_used = false;
            entries_.splice(entries_.begin(), entries_, oldest);
        } else {
            Erase(oldest);
        }
    }
}

DataKey *DataKeyCache::FindActive(std::string_view owner) noexcept {
    const auto found = active_by_owner_.find(owner);
    if (found == active_by_owner_.end() || found->second->epoch != epoch_ ||
        found->second->active_epoch != epoch_)
        return nullptr;
    return MarkUsed(found->second);
}

Status DataKeyCache::Put(const KeyRow &row, Aead &wrapping, bool active, bool uncommitted,
                         DataKey **out) noexcept {
    try {
        if (const auto found = by_id_.find(row.key_id); found != by_id_.end()) {
            if (found->second->row == row) {
                found->second->epoch = epoch_;
                if (active)
                    SetActive(found->second);
                *out = MarkUsed(found->second);
                return {};
            }
            Erase(found->second);
        }
        entries_.emplace_front();
        const auto entry = entries_.begin();
        SecretKey key;
        Status status = UnwrapKey(wrapping, row, key);
        if (status.ok())
            status = entry->aead.SetKey(row.algorithm, key.ExposeSecret());
        if (!status.ok()) {
            entries_.pop_front();
            return status;
        }
        entry->row = row;
        entry->epoch = epoch_;
        entry->uncommitted = uncommitted;
        uncommitted_ += uncommitted ? 1 : 0;
        by_id_.emplace(row.key_id, entry);
        if (active)
            SetActive(entry);
        entry->recently_used = true;  // it must not be the one that goes
        EvictDownTo(capacity_);
        *out = MarkUsed(entry);
        return {};
    } catch (const std::bad_alloc &) {
        Clear();  // whatever was half made is gone with the rest
        return {Code::kNoMemory};
    }
}

void DataKeyCache::SetActive(Entries::iterator entry) {
    const std::string_view owner = entry->row.has_owner ? entry->row.owner() : std::string_view{};
    active_by_owner_.erase(owner);
    active_by_owner_.emplace(owner, entry);
    entry->active_epoch = epoch_;
}

void DataKeyCache::Erase(Entries::iterator entry) noexcept {
    const std::string_view owner = entry->row.has_owner ? entry->row.owner() : std::string_view{};
    if (const auto active = active_by_owner_.find(owner);
        active != active_by_owner_.end() && active->second == entry)
        active_by_owner_.erase(active);
    if (Recent &recent = RecentPlace(entry->row.key_id); recent.key_id == entry->row.key_id)
        recent = {};
    by_id_.erase(entry->row.key_id);
    uncommitted_ -= entry->uncommitted ? 1 : 0;
    entries_.erase(entry);
}

bool DataKeyCache::DropUncommitted() noexcept {
    bool database_key = false;
    if (uncommitted_ > 0)
        generation_++;
    for (auto entry = entries_.begin(); uncommitted_ > 0 && entry != entries_.end();) {
        const auto next = std::next(entry);
        if (entry->uncommitted) {
            database_key = database_key || !entry->row.has_owner;
            Erase(entry);
        }
        entry = next;
    }
    return database_key;
}

void DataKeyCache::CommitUncommitted() noexcept {
    for (auto entry = entries_.begin(); uncommitted_ > 0 && entry != entries_.end(); ++entry) {
        uncommitted_ -= entry->uncommitted ? 1 : 0;
        entry->uncommitted = false;
    }
}

void DataKeyCache::Clear() noexcept {
    generation_++;
    ForgetRecent();
    active_by_owner_.clear();
    by_id_.clear();
    entries_.clear();
    uncommitted_ = 0;
}

void DataKeyCache::SetCapacity(std::size_t capacity) noexcept {
    capacity_ = capacity;
    EvictDownTo(capacity_);
}

}  // namespace envcrypt
