// seal.h: from a base type's value to a sealed one and back.
#pragma once

#include "core/data_key_cache.h"
#include "core/sealed_value.h"

#include "pg/backend.h"
#include "pg/base_type.h"

namespace envcrypt {

// The longest plaintext form whose sealed value still fits PostgreSQL's 1 GB.
inline constexpr std::size_t kMaxPlainBytes =
    MaxAllocSize - VARHDRSZ - SealedOverhead(Algorithm::kXaes256Gcm);

// SealUnder seals a base type's value under `key`, not bound to a column. Returns a palloc'd sealed value.
Datum SealUnder(DataKey *key, const BaseType &type, Datum value);

// SealInTransit seals under the database key, for a value whose row, and so whose owner, is not known yet:
// its nonce begins with this backend's id. Writes nothing; raises kErrNoDataKey while the database key was
// not made.
Datum SealInTransit(const BaseType &type, Datum value);

// Open authenticates and opens a sealed value of the given type; it may be short, but not compressed or
// external. The caller has established the right to open. Raises kErrCannotOpen and its kin; never while
// ANALYZE runs.
Datum Open(const BaseType &type, const struct varlena *sealed);

// OpenWithHeader is Open for a value whose Header was read.
Datum OpenWithHeader(const BaseType &type, const SealedHeader &header, const struct varlena *sealed);

// Header reads and checks the header; a malformed value or one of another type raises kErrCannotOpen.
SealedHeader Header(const BaseType &type, const struct varlena *sealed);

// SealedInThisBackend: a value in transit that this backend sealed.
[[nodiscard]] bool SealedInThisBackend(const SealedHeader &header, const struct varlena *sealed);

enum class Authenticity : std::uint8_t { kAuthentic, kForged, kUnknown };

// Authenticate tells whether a sealed value is genuine, or kUnknown where its key cannot be had here. Keeps
// nothing of what it opened. The caller has established the right to use the master key.
Authenticity Authenticate(const SealedHeader &header, const struct varlena *sealed);

}  // namespace envcrypt
