// type_identity.h: what an encrypted type is known by, and what it seals.
//
// By its functions, which are in C: only superusers make those. Never by its casts or operators, which anyone
// may make who has USAGE of a type.
#pragma once

#include "server/backend.h"

extern "C" {
#include "catalog/pg_type.h"
}

namespace envcrypt {

// BaseOpenedBy returns what the type's envcrypt_open() returns, which stands beside its input function, or
// InvalidOid: while a dump is restored, values are read before that function is there.
Oid BaseOpenedBy(const FormData_pg_type &type);

// TypeOpenedBy returns the type whose envcrypt_open() a function is, or InvalidOid.
Oid TypeOpenedBy(Oid function);

// TypeChanges counts what this backend was told of changes to types and functions.
[[nodiscard]] std::uint64_t TypeChanges() noexcept;

void RegisterTypeCallbacks();

}  // namespace envcrypt
