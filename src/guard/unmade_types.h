// unmade_types.h: a made type goes with its base, or stays whole.
//
// Its functions that take or return the base depend on it, and go with it, as DROP ... CASCADE of the base,
// of its schema or of its extension has it; the type itself depends on none of them.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// NoteUnmade is told of each function that the current command is about to drop, and returns the encrypted
// type that it opens, or InvalidOid.
Oid NoteUnmade(Oid function);

// DropUnmade, at a command's end, drops what is left of such types, and whatever depends on them, unless the
// command names functions. key_loss.h keeps columns from being dropped by it.
void DropUnmade(const Node *statement);

}  // namespace envcrypt
