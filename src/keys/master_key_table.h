// master_key_table.h: rows of envcrypt_master_keys, which register master keys by fingerprint and state.
#pragma once

#include "core/keyring.h"

#include "server/backend.h"

namespace envcrypt {

enum class MasterState : std::uint8_t { kPending, kCurrent, kRetiring, kRetired, kCompromised };

// MayUnwrap: what a retired or compromised master key wrapped stays closed.
[[nodiscard]] constexpr bool MayUnwrap(MasterState state) noexcept {
    return state != MasterState::kRetired && state != MasterState::kCompromised;
}

// MasterStateName returns the word that the table has for a state.
const char *MasterStateName(MasterState state) noexcept;

// FindMasterKey looks up a registered key's state. False: not registered.
bool FindMasterKey(const Fingerprint &fingerprint, MasterState *state);

// FindCurrentMasterKey returns false where none is registered yet. Raises data_corrupted where two are
// current.
bool FindCurrentMasterKey(Fingerprint *fingerprint);

// SetMasterKeyState adds the row or changes its state. The caller holds LockToRegister or LockToRotate.
void SetMasterKeyState(const Fingerprint &fingerprint, MasterState state);

// For rows that replication brings, in slots of the table's form. MakeWayForCurrent: if the row is of the
// current master key, another that is current here becomes a retiring one. MergeMasterKey does that, too, and
// returns true where the fingerprint is registered here already, now in the row's state; but a key that was
// retired or compromised here does not unwrap again.
void MakeWayForCurrent(TupleTableSlot *incoming);
bool MergeMasterKey(TupleTableSlot *incoming);

}  // namespace envcrypt
