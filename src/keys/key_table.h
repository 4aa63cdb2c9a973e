// key_table.h: rows of envcrypt_data_keys. Knows their columns and nothing of cryptography.
//
// Lookups see the newest committed rows (fresh_scan.h). Writers check first that writing is allowed and hold
// the locks that they document. A row edited by hand into something that the format does not allow raises
// kErrCannotOpen.
#pragma once

#include <array>

#include "core/key_operations.h"

#include "keys/owner.h"
#include "keys/table_writer.h"
#include "server/backend.h"

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

// What identifies a key. Points into the row that it was read from.
struct KeyIdentity {
    std::uint64_t key_id;
    std::uint32_t key_version;
    bool is_data;
    bool shredded;
    Owner owner;
};

// ReadIdentity reads it from any slot of the key table's form. False where the row is none that the table
// takes.
bool ReadIdentity(TupleTableSlot *slot, KeyIdentity *key);

// FindKey looks a key up by id. False if there is none.
bool FindKey(std::uint64_t key_id, StoredKey *found);

// FindActiveKey looks up the data key of the highest version for an owner or, for an empty owner, the
// database key.
bool FindActiveKey(const Owner &owner, StoredKey *found);

// FindFirstDatabaseKeys looks up the database keys of version 1, from which tombstones are made: one, or
// several in a database into which others' keys were merged. Returns how many.
int FindFirstDatabaseKeys(std::span<StoredKey> found);

// FindOwnersKey looks up that version of an owner's data key.
bool FindOwnersKey(const Owner &owner, std::uint32_t key_version, StoredKey *found);

// AnyKey: the table has a row.
bool AnyKey();

// HighestTombstoneVersion returns the highest version of a shredded owner's keys, or 0: not shredded.
std::uint32_t HighestTombstoneVersion(const Tombstone &tombstone);
bool AnyTombstone();

// ReadKey reads the row in `slot`, of the key table.
void ReadKey(TupleTableSlot *slot, StoredKey *key);

// InsertKey adds a row, and waits for who is doing that for the same owner and version. False, with nothing
// done, where that version is there, or where `confirm`, asked when nobody else can add it any more, says no.
// `owner` is row.owner() as stored. The new row is visible to what follows. Others' code may run:
// table_writer.h.
bool InsertKey(const KeyRow &row, const Owner &owner, bool (*confirm)(void *), void *context);

// ReplaceWrapping stores row.wrapped_key and row.master_fingerprint in the row at `slot`. The caller has
// locked the table against other writers, and closes the writer.
TableWriter OpenToRewrap();
void ReplaceWrapping(TableWriter *writer, TupleTableSlot *slot, const KeyRow &row);

// ReplaceKey gives the row of a key all that `by`, of the key table, has for it.
void ReplaceKey(const StoredKey &stored, TupleTableSlot *by);

// BuryKeys turns all rows of an owner into tombstones, which hold no key bytes and no name. Waits for locks
// on them. Calls `buried` with each key_id and version and returns how many there were.
int BuryKeys(const Owner &owner, const Tombstone &tombstone,
             void (*buried)(std::uint64_t, std::uint32_t, void *), void *context);

}  // namespace envcrypt
