// rights.h: who may open, seal and administer keys. The only place that decides it.
//
// A right comes from *granted* membership in one of envcrypt's roles: being superuser is not membership. Or
// from a master key that the session itself supplied, which counts only while the current user is the
// session's own, so that SECURITY DEFINER functions and the owners of views and indexes never borrow it.
// Decisions are kept until roles change.
#pragma once

#include "server/backend.h"

namespace envcrypt {

[[nodiscard]] bool MayOpen();
[[nodiscard]] bool MaySeal();

// MayOpenByMembership leaves out the session's own key, which proves nothing before it has unwrapped
// something.
[[nodiscard]] bool MayOpenByMembership();

// MayRebind: may have a stored value opened and sealed for another row owner or column. The session's user
// must be allowed to open, too, not only the owner of a function. In a foreign key's action, where PostgreSQL
// takes on the rights of the table's owner, the owner may also be a superuser who was not granted to open;
// but nobody else, because triggers, rules and constraints that he made run inside the action.
[[nodiscard]] bool MayRebind();

// IsKeyAdministrator: envcrypt_keyadmin or superuser. May make, rotate and shred keys, not open values.
[[nodiscard]] bool IsKeyAdministrator();

// MayBringSealed: may store sealed values that this session cannot authenticate.
[[nodiscard]] bool MayBringSealed();

// The same as checks. They raise insufficient_privilege.
void RequireOpen();
void RequireSeal();
void RequireSealOrOpen();  // for literals: coalesce(c, 'x') is a reader's business, too
void RequireKeyAdministrator();
void RequireOpenOrKeyAdministrator();

void RegisterRightsCallbacks();

}  // namespace envcrypt
