// binding.h: sealing a row's value for the row's owner and its column, and who may have that done.
//
// A value in transit is re-bound for who may seal: it is what that role has just typed. Any other value only
// for who may open it: else a clerk who sees armored text could put it into a row of his own and have it
// served to him. That is asked of the session's user, too: a SECURITY DEFINER function opens explicitly what
// it means to open, and is not tricked into it by the values it is given.
#pragma once

#include "keys/owner.h"
#include "server/backend.h"
#include "values/base_type.h"

namespace envcrypt {

struct Binding {
    Owner owner;  // empty: the database key
    std::uint16_t context_id;
};

// BindPlain seals a base type's value. Requires the right to seal.
Datum BindPlain(const BaseType &type, Datum value, const Binding &binding);

// BindSealed sets *bound to `sealed` itself if it is sealed for this owner and column already, of which no
// more than the header is fetched; else to a copy that is. False: the role may not have that done
// (RaiseMisplaced).
[[nodiscard]] bool BindSealed(const BaseType &type, Datum sealed, const Binding &binding, Datum *bound);

// BindingFault says what is wrong with a value that should have that binding, or nullptr. It opens it.
const char *BindingFault(const BaseType &type, const struct varlena *sealed, const Binding *binding);

}  // namespace envcrypt
