// base_guard.h: a made type's base does not change under the values that were sealed of it.
//
// What is sealed of an enum is its label, and of a composite type its attributes in their order, without
// their names or numbers. After a change, PostgreSQL's own stored values are what they were; sealed ones
// would not open, or open as something else.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// ChangesType: an ALTER TYPE or ALTER TABLE that is no concern of sealed values, such as ADD VALUE or RENAME
// ATTRIBUTE, does not.
bool ChangesType(const Node *statement);

// GuardChangedEnum is told of the statement, GuardChangedRow of each relation that it changed.
void GuardChangedEnum(const Node *statement);
void GuardChangedRow(Oid relation);

}  // namespace envcrypt
