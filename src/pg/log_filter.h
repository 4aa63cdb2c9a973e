// log_filter.h: keeps opened values out of the server log.
//
// PostgreSQL prints whole rows into the details of constraint violations ("Failing row contains (...)"),
// through our output functions, which for a role that may open give plaintext. The client, who may read it,
// still sees the detail.
#pragma once

namespace envcrypt {

// NoteOpenedForOutput is called when an output function gives plaintext.
void NoteOpenedForOutput() noexcept;

void InstallLogHook();

}  // namespace envcrypt
