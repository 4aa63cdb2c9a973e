// key_table.h: rows of envcrypt_data_keys. Knows their columns and nothing of cryptography.
//
// Lookups see the newest committed rows (fresh_scan.h). Writers check first that writing is allowed and hold
// the locks that they document. A row edited by hand into something that the format does not allow raises
// kErrCannotOpen.
#pragma once

#include <array>

#include "core/key_operations.h"

#include "pg/backend.h"
#include "pg/owner.h"

extern "C" {
#include "access/skey.h"
}

namespace envcrypt {

struct StoredKey {
    KeyRow row;  // of a shredded key, only key_id and key_version are meaningful
    bool shredded = false;
    bool ours = false;  // this version was written by the running transaction
    ItemPointerData place{};
};

// OwnerKeys selects an owner's keys, or the database keys, in data_keys_by_owner: in order of version.
std::array<ScanKeyData, 2> OwnerKeys(const Owner &owner);

// FindKey looks a key up by id. False if there is none.
bool FindKey(std::uint64_t key_id, StoredKey *found);

// FindActiveKey looks up the data key of the highest version for an owner or, for an empty owner, the
// database key.
bool FindActiveKey(const Owner &owner, StoredKey *found);

// FindFirstDatabaseKeys looks up the database keys of version 1, from which tombstones are made: one, or
// several in a database into which others' keys were merged. Returns how many.
int FindFirstDatabaseKeys(std::span<StoredKey> found);

// AnyKey: the table has a row.
bool AnyKey();

// HighestTombstoneVersion returns the highest version of a shredded owner's keys, or 0: not shredded.
std::uint32_t HighestTombstoneVersion(const Tombstone &tombstone);
bool AnyTombstone();

// ReadKey reads the row in `slot`, of the key table.
void ReadKey(TupleTableSlot *slot, StoredKey *key);

// InsertKey adds a row. `owner` is row.owner() as stored. The new row is visible to what this command does
// next.
void InsertKey(const KeyRow &row, const Owner &owner);

// A writer of many rows of the key table; owns what it opens until Close.
struct KeyTableWriter {
    Relation table;
    CatalogIndexState indexes;
};
KeyTableWriter OpenKeyTableForUpdate();
void CloseKeyTable(KeyTableWriter *writer);

// ReplaceWrapping stores row.wrapped_key and row.master_fingerprint in the row at `slot`.
void ReplaceWrapping(KeyTableWriter *writer, TupleTableSlot *slot, const KeyRow &row);

// BuryKeys turns all rows of an owner into tombstones, which hold no key bytes and no name. Calls `buried`
// with each key_id and version and returns how many there were.
int BuryKeys(const Owner &owner, const Tombstone &tombstone,
             void (*buried)(std::uint64_t, std::uint32_t, void *), void *context);

}  // namespace envcrypt
