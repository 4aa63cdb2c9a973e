// patient_lock.h: a strong table lock that does not make others wait behind it.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// LockPatiently locks `table` until the end of the transaction. It queues for a fraction of a second at a
// time, so that an idle transaction in its way delays it and nobody else. A NOTICE names the processes and
// prepared transactions that it waits for; lock_timeout, where set, bounds the whole and raises
// lock_not_available naming them.
void LockPatiently(Oid table, LOCKMODE mode, const char *what);

}  // namespace envcrypt
