// orphaned_keys.h: data keys made in a savepoint that was rolled back, while what they sealed lives on.
//
// A PL/pgSQL variable keeps a value that was sealed inside a block whose exception was caught. The key's row
// is gone with the block, and whatever is stored after it would never open. So rows made in subtransactions
// are remembered: the next key of that owner in this transaction is the same one again, and what is still
// missing when the transaction commits (or is prepared) is stored then. A transaction that rolls back as a
// whole takes all of it along.
#pragma once

#include "keys/key_table.h"
#include "keys/owner.h"
#include "server/backend.h"

namespace envcrypt {

// RememberCreatedKey is called for each key that a subtransaction makes.
void RememberCreatedKey(const KeyRow &row);

// FindOrphanedKey finds the orphaned key of `owner` with that version and master key, or returns false. Once
// its row is stored again, ForgetOrphanedKey is called; it does nothing for a key that is no orphan.
bool FindOrphanedKey(const Owner &owner, std::uint32_t key_version, const Fingerprint &master, KeyRow *row);
void ForgetOrphanedKey(std::uint64_t key_id) noexcept;

// `restore` stores the row of a key that is still missing when its transaction ends.
void RegisterOrphanCallbacks(void (*restore)(const KeyRow &row));

}  // namespace envcrypt
