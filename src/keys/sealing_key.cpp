#include "keys/sealing_key.h"

#include "keys/key_creation.h"
#include "keys/managed_owners.h"
#include "keys/master_key_table.h"
#include "keys/master_ring.h"
#include "server/errors.h"
#include "server/settings.h"

namespace envcrypt {
namespace {

bool MayMakeKey(const Owner &owner) {
    switch (static_cast<AutoCreate>(settings.auto_create_owners)) {
        case AutoCreate::kOn:
            return true;
        case AutoCreate::kManaged:
            return IsManagedOwner(owner);
        default:
            return false;
    }
}

}  // namespace

DataKey *KeyToSealFor(const Owner &owner, const char *what) {
    if (DataKey *key = ActiveKey(owner); likely(key != nullptr))
        return key;
    if (owner.is_database())
        ereport(ERROR, (errcode(kErrNoDataKey), errmsg("this database has no database key yet"),
                        errhint("A key administrator makes it, once, with SELECT envcrypt_rotate_master()."),
                        HideFromLog()));
    // Before anything is said about the owner: a session's made-up key must not learn which owners exist.
    Fingerprint current{};
    MasterRing();
    if (FindCurrentMasterKey(&current))
        WrappingKeyFor(current);
    if (!MayMakeKey(owner))
        ereport(ERROR, (errcode(kErrNoDataKey),
                        errmsg("owner \"%.*s\" has no data key", static_cast<int>(owner.stored.size()),
                               owner.stored.data()),
                        errdetail("envcrypt.auto_create_owners does not allow to make one now."),
                        errhint("A key administrator makes one with envcrypt_create_user_key(owner)."),
                        HideFromLog()));
    return EnsureActiveKey(owner, false, what);
}

}  // namespace envcrypt
