// key_cache.h: data keys of this backend, opened and kept, and when they are forgotten.
//
// What the cache learned is dropped when the (sub)transaction that wrote it aborts or is prepared (neither
// outcome of a prepared transaction is seen by this backend), checked again after any session changed the key
// tables, emptied when the keyring changes, and wiped at exit. A DataKey pointer is good until the next call
// of this header.
//
// Callers have established the current role's right first (rights.h).
#pragma once

#include "core/data_key_cache.h"
#include "core/random.h"

#include "keys/key_table.h"
#include "keys/owner.h"
#include "server/backend.h"

namespace envcrypt {

// KeyOfValue returns the key of that id. An unknown id raises kErrCannotOpen, a shredded one
// kErrKeyDestroyed.
DataKey *KeyOfValue(std::uint64_t key_id);

// KeyOfValueIfUsable is the same, but nullptr where no key can be had: none stored, shredded, no usable
// master key.
DataKey *KeyOfValueIfUsable(std::uint64_t key_id);

// ActiveKey returns the key that seals for `owner` now, or nullptr if the owner has none.
DataKey *ActiveKey(const Owner &owner);

// OpenStoredKey puts a row that was just read (or written) into the cache and returns its key. Raises
// kErrNoMasterKey if the ring lacks its master key or the registry forbids it.
DataKey *OpenStoredKey(const StoredKey &stored, bool active);

// WrappingKeyFor returns the ring's wrapping key for a row's master key, under OpenStoredKey's conditions.
Aead *WrappingKeyFor(const Fingerprint &master);

// KeyGeneration changes whenever something that was opened might not open any more.
[[nodiscard]] std::uint64_t KeyGeneration();

// Random returns the randomness for keys and nonces, transit ids included, that this process filled itself.
RandomPool &Random() noexcept;

void SetKeyCacheSize(int entries) noexcept;
void RegisterKeyCacheCallbacks();

}  // namespace envcrypt
