// key_operations.h: what happens to raw data keys between two wrappings.
//
// Raw keys exist only inside these functions: callers hand in and get back rows that are safe to keep.
// Nothing throws or allocates; on any status but kOk the output row or bytes are not to be used.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/aead.h"
#include "core/kdf.h"
#include "core/keyring.h"
#include "core/random.h"
#include "core/wrapped_key.h"

namespace envcrypt {

using Tombstone = std::array<std::uint8_t, kHmacBytes>;

// GenerateWrappedKey makes a new data key for `row`, of which kind, algorithm, version and owner are filled,
// and wraps it under the master key `fingerprint`, whose wrapping key is `wrapping`. Fills key_id (random,
// never 0), master_fingerprint and wrapped_key.
Status GenerateWrappedKey(Aead &wrapping, const Fingerprint &fingerprint, RandomPool &random, int process_id,
                          KeyRow *row) noexcept;

// RewrapKey unwraps `row` with `from` and wraps the same key under `to`, the master key `fingerprint`, in
// place.
Status RewrapKey(Aead &from, Aead &to, const Fingerprint &fingerprint, RandomPool &random, int process_id,
                 KeyRow *row) noexcept;

// RewrapKeyAs is RewrapKey, and gives the row another key version, which the wrapping authenticates.
Status RewrapKeyAs(Aead &from, Aead &to, const Fingerprint &fingerprint, std::uint32_t key_version,
                   RandomPool &random, int process_id, KeyRow *row) noexcept;

// OwnerTombstone computes what is left of a shredded owner: a hash of the owner's name under a key derived
// from `database_key`, the database key of version 1 (docs/format.md, section 6).
Status OwnerTombstone(Aead &wrapping, const KeyRow &database_key, std::string_view owner_utf8,
                      Tombstone *out) noexcept;

}  // namespace envcrypt
