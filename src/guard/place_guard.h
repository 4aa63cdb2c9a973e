// place_guard.h: what envcrypt finds by name stays where it is, under its name.
//
// Bodies of functions, dumps and queries name the extension's parts and what belongs to an encrypted type
// that envcrypt_create_type() made.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// GuardPlace is told of each object that a statement has renamed or put into another schema.
void GuardPlace(Oid catalog, Oid object, Oid extension_schema);

// GuardMembership refuses ALTER EXTENSION envcrypt DROP: what is no member any more is not guarded.
void GuardMembership(const Node *statement);

}  // namespace envcrypt
