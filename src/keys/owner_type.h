// owner_type.h: which types may name owners, and the one name that stands for all values that SQL takes for
// equal.
//
// An owner is one person, however a row spells him: numeric 1.00 is 1, citext is folded as citext compares,
// trailing blanks of character(n) are gone. The name depends on no setting of the session and on nothing that
// renaming changes: an enum's label is no name. A type that is not here names no owners, nor does text of a
// collation that takes different bytes for equal.
#pragma once

#include "server/backend.h"

namespace envcrypt {

enum class OwnerForm : std::uint8_t {
    kNone,  // names no owners
    kText,  // text, varchar: the characters
    kBlankPadded,
    kName,
    kInt2,
    kInt4,
    kInt8,
    kOid,
    kNumeric,
    kUuid,
    kFolded,  // the extension citext's type
};

// FormOfOwners returns how values of a column of this type and collation, or of what its domain is over, name
// owners.
OwnerForm FormOfOwners(Oid type, Oid collation);

// RequireOwnerColumn is the same for a column; raises datatype_mismatch for kNone.
OwnerForm RequireOwnerColumn(Relation table, AttrNumber column);

// NameOfOwner returns the name, which points into `value` or into palloc'd memory.
std::string_view NameOfOwner(OwnerForm form, Datum value);

// OwnerWithName is the reverse: a value of that form, equal by SQL to all that have the name. False if no
// value has it.
[[nodiscard]] bool OwnerWithName(OwnerForm form, std::string_view name, Datum *value);

// NameExpression returns SQL for the name of `expression`, which has the column's type. The same error.
char *NameExpression(Relation table, AttrNumber column, const char *expression);

}  // namespace envcrypt
