// shadow_column.h: the encrypted shadow column of a plain column, while a table with traffic is being
// protected.
//
// A shadow trigger names, in its WHEN clause, the plain column, its shadow column and the owner column, if
// there is one. From it alone follows what a row's shadow value must be; the trigger, the backfill and the
// verification ask here.
#pragma once

#include "columns/row_trigger.h"
#include "server/backend.h"
#include "server/conversion.h"

namespace envcrypt {

struct ShadowColumn {
    RowTrigger trigger;
    AttrNumber plain;
    AttrNumber sealed;
    const BaseType *type;
    Conversion conversion;  // from the plain column's type to the base type
};

// RowTriggerOf's owner_at for a shadow trigger.
inline constexpr int kShadowOwnerAt = 2;

// ReadShadowColumn fills *shadow; conversion lives in `context`. Raises if the trigger is not a shadow
// trigger.
void ReadShadowColumn(Relation table, const Trigger &trigger, const RowTrigger &described,
                      MemoryContext context, ShadowColumn *shadow);

// SealShadow seals a value of the plain column for its row's owner. Requires the right to seal.
Datum SealShadow(ShadowColumn *shadow, Relation table, HeapTuple row, Datum plain);

// ShadowFault says what is wrong with a row's shadow value, or returns nullptr. The caller has established
// the right to open. What it opened is wiped.
const char *ShadowFault(ShadowColumn *shadow, Relation table, HeapTuple row);

}  // namespace envcrypt
