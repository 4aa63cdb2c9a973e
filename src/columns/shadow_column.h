// shadow_column.h: the encrypted twin of a plain column, while a table with traffic is being protected.
//
// A sync trigger names, in its WHEN clause, the plain column, its twin and the owner column, if there is one.
// From it alone follows what the twin of a row must be; the trigger, the backfill and the verification ask
// here.
#pragma once

#include "columns/row_trigger.h"
#include "server/backend.h"
#include "server/conversion.h"

namespace envcrypt {

struct Twin {
    RowTrigger trigger;
    AttrNumber plain;
    AttrNumber sealed;
    const BaseType *type;
    Conversion conversion;  // from the plain column's type to the base type
};

// RowTriggerOf's owner_at for a sync trigger.
inline constexpr int kTwinOwnerAt = 2;

// DescribeTwin fills *twin; conversion lives in `context`. Raises if the trigger is not a sync trigger.
void DescribeTwin(Relation table, const Trigger &trigger, const RowTrigger &described, MemoryContext context,
                  Twin *twin);

// SealTwin seals a value of the plain column for its row's owner. Requires the right to seal.
Datum SealTwin(Twin *twin, Relation table, HeapTuple row, Datum plain);

// TwinFault says what is wrong with a row's twin, or returns nullptr. The caller has established the right to
// open. What it opened is wiped.
const char *TwinFault(Twin *twin, Relation table, HeapTuple row);

}  // namespace envcrypt
