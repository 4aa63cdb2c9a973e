// log_filter.h: keeps opened values out of the server log.
//
// PostgreSQL prints whole rows into the details of constraint violations ("Failing row contains (...)"),
// through our output functions, which for a role that may open give plaintext. The client, who may read it,
// still sees the detail. Into the context of whatever happens in a COPY it prints the line that was read.
#pragma once

namespace envcrypt {

// NoteOpenedForOutput is called when an output function gives plaintext.
void NoteOpenedForOutput() noexcept;

// NoteCopiedIn is called when a COPY FROM begins to read values that may be sealed, or seals one.
void NoteCopiedIn() noexcept;

void InstallLogHook();

}  // namespace envcrypt
