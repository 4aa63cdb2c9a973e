#include "keys/key_locks.h"

#include "keys/subscribed_keys.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/patient_lock.h"

extern "C" {
#include "access/xlog.h"
#include "storage/lmgr.h"
}

namespace envcrypt {

void RefuseWriting(const char *what) {
    if (RecoveryInProgress())
        ereport(
            ERROR,
            (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION), errmsg("cannot execute %s during recovery", what),
             errdetail("A standby can open values, and seal for owners who have a data key, but it "
                       "cannot make or change data keys."),
             errhint("Do this on the primary server."), HideFromLog()));
    PreventCommandIfReadOnly(what);
    PreventCommandIfParallelMode(what);
    RefuseOnSubscriber();
}

void LockToMakeKeys() {
    LockRelationOid(Objects().data_keys, RowExclusiveLock);
    AcceptInvalidationMessages();
}

void LockToRegister() {
    LockToMakeKeys();
    LockRelationOid(Objects().master_keys, ShareRowExclusiveLock);
    AcceptInvalidationMessages();
}

void LockToRotate(const char *what) {
    LockPatiently(Objects().data_keys, ShareRowExclusiveLock, what);
    LockRelationOid(Objects().master_keys, ShareRowExclusiveLock);
    AcceptInvalidationMessages();
}

}  // namespace envcrypt
