// just_bound.h: values that the running command has bound to a row, out of what its role has typed.
//
// In INSERT ... ON CONFLICT DO UPDATE, EXCLUDED has such values, bound for the row that was not inserted.
// Where the row that is there has another owner they are re-bound, as a value in transit is: the role knows
// what they hold.
#pragma once

#include "core/sealed_value.h"

#include "pg/backend.h"

namespace envcrypt {

// RememberBound: this value was in transit and has been bound a moment ago. The last 128 are known.
void RememberBound(const struct varlena *bound);

// WasJustBound: so was this one, by this command and for the current role. `sealed` may be the beginning of
// it.
[[nodiscard]] bool WasJustBound(const SealedHeader &header, const struct varlena *sealed);

}  // namespace envcrypt
