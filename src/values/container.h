// container.h: composite types, arrays and ranges as base types.
//
// Others may change what such a type holds after its encrypted type was made, and give it domains with checks
// of their own. PostgreSQL runs none of that when it reads a plain value; its receive functions do. So values
// are opened here: from the binary form, with the receive functions of what domains are over.
#pragma once

#include "server/backend.h"
#include "values/base_type.h"

namespace envcrypt {

// OpenContainer makes a value of `type.ultimate` from its binary form, and moves the message's cursor behind
// it.
Datum OpenContainer(const BaseType &type, StringInfo message);

// RequireSealable raises if a type cannot be sealed, or holds something that cannot.
void RequireSealable(Oid type);

// RequireSealableStill does so for a container that was sealable once, whenever a relation has changed since.
void RequireSealableStill(const BaseType &type);

}  // namespace envcrypt
