// lookup_guard.h: what PostgreSQL finds by name for a query on an encrypted column.
//
// An operator or function that takes an encrypted type itself is a better match than PostgreSQL's own, which
// need the implicit cast: wherever it stands in the search path, it would be handed what the query's role may
// open. So only superusers make operators and casts on encrypted types, and functions that take one under the
// name of a function that a superuser owns. These look at one that was made, renamed or moved, and raise
// insufficient_privilege.
#pragma once

#include "server/backend.h"

namespace envcrypt {

void GuardFunction(Oid function);
void GuardOperator(Oid op);
void GuardCast(Oid cast);

}  // namespace envcrypt
