#include "server/errors.h"
#include "server/memo.h"
#include "server/rights.h"
#include "server/settings.h"

extern "C" {
#include "utils/acl.h"
}

namespace envcrypt {
namespace {

struct Memberships {
    Oid user;
    bool decrypt;
    bool encrypt;
    bool keyadmin;  // superusers included
};

ChangeCounter role_changes = kFirstState;
Memo<Memberships> memo;

extern "C" void envcrypt_role_callback(Datum, CacheIdentifier, uint32) {
    role_changes++;
}

// A member without INHERIT has the right after SET ROLE, as with PostgreSQL's own privileges. Superusers,
// whom has_privs_of_role always lets pass, are asked for real membership.
bool IsGranted(Oid user, const char *role_name) {
    const Oid role = get_role_oid(role_name, true);
    if (!OidIsValid(role))
        return false;
    return superuser_arg(user) ? is_member_of_role_nosuper(user, role) : has_privs_of_role(user, role);
}

const Memberships &Current() {
    const Oid user = GetUserId();
    const Memberships *known = memo.At(role_changes);
    if (likely(known != nullptr && known->user == user))
        return *known;
    return memo.Fill(role_changes, [user] {
        return Memberships{.user = user,
                           .decrypt = IsGranted(user, "envcrypt_decrypt"),
                           .encrypt = IsGranted(user, "envcrypt_encrypt"),
                           .keyadmin = superuser_arg(user) || IsGranted(user, "envcrypt_keyadmin")};
    });
}

bool SessionKeyCounts() {
    return SessionHasKey() && GetUserId() == GetOuterUserId();
}

}  // namespace

bool MayOpen() {
    return Current().decrypt || SessionKeyCounts();
}

bool MaySeal() {
    return Current().encrypt || SessionKeyCounts();
}

bool IsKeyAdministrator() {
    return Current().keyadmin;
}

bool MayOpenByMembership() {
    return Current().decrypt;
}

bool MayRebind() {
    const Oid session_user = GetOuterUserId();
    if (GetUserId() == session_user)
        return MayOpen();
    return IsGranted(session_user, "envcrypt_decrypt") &&
           (MayOpen() || (InNoForceRLSOperation() && superuser()));
}

bool MayBringSealed() {
    return Current().encrypt || Current().keyadmin || has_rolreplication(GetUserId());
}

void RequireOpen() {
    if (likely(MayOpen()))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to open encrypted values"),
             errhint("Grant envcrypt_decrypt to the role; being superuser is not enough."), HideFromLog()));
}

void RequireSeal() {
    if (likely(MaySeal()))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to seal values"),
             errhint("Grant envcrypt_encrypt to the role; being superuser is not enough."), HideFromLog()));
}

void RequireSealOrOpen() {
    if (!MayOpen())
        RequireSeal();
}

void RequireKeyAdministrator() {
    if (IsKeyAdministrator())
        return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to manage data keys"),
                    errhint("Grant envcrypt_keyadmin to the role."), HideFromLog()));
}

void RequireOpenOrKeyAdministrator() {
    if (!IsKeyAdministrator())
        RequireOpen();
}

void RegisterRightsCallbacks() {
    CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, envcrypt_role_callback, static_cast<Datum>(0));
    CacheRegisterSyscacheCallback(AUTHOID, envcrypt_role_callback, static_cast<Datum>(0));
}

}  // namespace envcrypt
