// seal.h: from a base type's value to a sealed one and back.
#pragma once

#include "core/sealed_value.h"

#include "keys/owner.h"
#include "server/backend.h"
#include "values/base_type.h"

namespace envcrypt {

// SealFor seals a base type's value under the owner's active key, for a column's context id, or 0: not bound
// to a column. Returns a palloc'd sealed value. `what` is KeyToSealFor's (sealing_key.h).
//
// No function here takes or gives a data key. Making the plaintext form runs the base type's functions, which
// may open other values, so that a key that was at hand is forgotten: keys are looked for last.
Datum SealFor(const Owner &owner, const char *what, const BaseType &type, Datum value,
              std::uint16_t context_id);

// SealPlainFor is SealFor for bytes that are a plaintext form already.
Datum SealPlainFor(const Owner &owner, const char *what, const BaseType &type,
                   std::span<const std::uint8_t> plain, std::uint16_t context_id);

// SealPlainUnder is the same under the key with this id.
Datum SealPlainUnder(std::uint64_t key_id, const BaseType &type, std::span<const std::uint8_t> plain,
                     std::uint16_t context_id);

// SealInTransit seals under the database key, for a value whose row, and so whose owner, is not known yet:
// its nonce begins with CurrentTransitId (transit.h). Writes nothing; raises kErrNoDataKey while the database
// key was not made.
Datum SealInTransit(const BaseType &type, Datum value);

// Open authenticates and opens a sealed value of the given type; it may be short, but not compressed or
// external. The caller has established the right to open. Raises kErrCannotOpen and its kin; never while
// ANALYZE runs.
Datum Open(const BaseType &type, const struct varlena *sealed);

// OpenWithHeader is Open for a value whose Header was read.
Datum OpenWithHeader(const BaseType &type, const SealedHeader &header, const struct varlena *sealed);

// OpenPlain is OpenWithHeader that gives the plaintext form: palloc'd, to be wiped by the caller.
std::span<std::uint8_t> OpenPlain(const SealedHeader &header, const struct varlena *sealed);

// Header reads and checks the header; a malformed value or one of another type raises kErrCannotOpen.
// HeaderOf is the same for a value that may be toasted, of which it fetches no more than the header; `*head`
// is what was fetched, which the result's name aliases.
SealedHeader Header(const BaseType &type, const struct varlena *sealed);
SealedHeader HeaderOf(const BaseType &type, Datum sealed, const struct varlena **head);

enum class Authenticity : std::uint8_t { kAuthentic, kForged, kUnknown };

// Authenticate tells whether a sealed value is genuine, or kUnknown where its key cannot be had here. Keeps
// nothing of what it opened. The caller has established the right to use the master key.
Authenticity Authenticate(const SealedHeader &header, const struct varlena *sealed);

}  // namespace envcrypt
