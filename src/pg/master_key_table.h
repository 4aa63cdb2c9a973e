// master_key_table.h: rows of envcrypt_master_keys, which register master keys by fingerprint and state.
#pragma once

#include "core/keyring.h"

#include "pg/backend.h"

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

// SetMasterKeyState adds the row or changes its state. The caller holds LockMasterKeys.
void SetMasterKeyState(const Fingerprint &fingerprint, MasterState state);

// LockMasterKeys admits one writer of the registry at a time, until the end of the transaction. Readers go
// on.
void LockMasterKeys();

}  // namespace envcrypt
