#include "guard/lookup_guard.h"

#include <algorithm>

#include "server/errors.h"
#include "values/base_type.h"

extern "C" {
#include "access/stratnum.h"
#include "catalog/dependency.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
}

namespace envcrypt {
namespace {

// What an encrypted value matches without its cast: its type, and domains, arrays and ranges over it.
// (A row type matches no operator of a base type.)
bool TakesEncrypted(Oid type) {
    if (type < FirstNormalObjectId)
        return false;
    const char kind = get_typtype(type);
    if (kind == TYPTYPE_COMPOSITE)
        return false;
    const Oid element = get_element_type(getBaseType(type));
    if (OidIsValid(element))
        return TakesEncrypted(element);
    return IsEncryptedType(getBaseType(type));
}

[[noreturn]] void RaiseOnlySuperuser(const char *what, const char *hint) {
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to create %s on an encrypted type", what),
             errdetail("Queries of others on encrypted columns would call it instead of PostgreSQL's own."),
             errhint("%s", hint), HideFromLog()));
    pg_unreachable();
}

// A name that is envcrypt's own, and that one of its functions has. Others, such as round, are everybody's.
bool IsNameOfOurs(const FormData_pg_proc &function) {
    constexpr std::string_view kBeginnings[] = {"envcrypt_", "encrypted_", "encrypt_for_user",
                                                "decrypt_for_user"};
    const std::string_view name = NameStr(function.proname);
    if (std::ranges::none_of(kBeginnings, [&](std::string_view begin) { return name.starts_with(begin); }))
        return false;
    const Oid extension = get_extension_oid("envcrypt", true);
    bool found = false;
    CatCList *others = SearchSysCacheList1(PROCNAMEARGSNSP, NameGetDatum(&function.proname));
    for (int i = 0; i < others->n_members && !found; i++) {
        const Oid other = reinterpret_cast<Form_pg_proc>(GETSTRUCT(&others->members[i]->tuple))->oid;
        found = other != function.oid && OidIsValid(extension) &&
                getExtensionOfObject(ProcedureRelationId, other) == extension;
    }
    ReleaseSysCacheList(others);
    return found;
}

// Another function of this name belongs to a superuser, as PostgreSQL's and most extensions' do, or a type of
// PostgreSQL has it, which is called like one.
bool IsNameOfSuperuser(const FormData_pg_proc &function) {
    if (SearchSysCacheExists2(TYPENAMENSP, NameGetDatum(&function.proname),
                              ObjectIdGetDatum(PG_CATALOG_NAMESPACE)))
        return true;
    bool found = false;
    CatCList *others = SearchSysCacheList1(PROCNAMEARGSNSP, NameGetDatum(&function.proname));
    for (int i = 0; i < others->n_members && !found; i++) {
        const auto *other = reinterpret_cast<Form_pg_proc>(GETSTRUCT(&others->members[i]->tuple));
        found = other->oid != function.oid && superuser_arg(other->proowner);
    }
    ReleaseSysCacheList(others);
    return found;
}

}  // namespace

void GuardFunction(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        return;
    const auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    bool takes = false;
    for (int i = 0; i < form->pronargs && !takes; i++) takes = TakesEncrypted(form->proargtypes.values[i]);
    if (takes && !superuser() && IsNameOfSuperuser(*form))
        RaiseOnlySuperuser(psprintf("function \"%s\"", NameStr(form->proname)),
                           "Give it a name that no function of PostgreSQL or of a superuser has, or ask a "
                           "superuser to create it.");
    if (!superuser() && IsNameOfOurs(*form))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("permission denied to create function \"%s\"", NameStr(form->proname)),
                        errdetail("Calls of envcrypt's function of this name could find it instead."),
                        errhint("Give it another name, or ask a superuser to create it."), HideFromLog()));
    ReleaseSysCache(tuple);
}

void GuardOperator(Oid op) {
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(op));
    if (!HeapTupleIsValid(tuple))
        return;
    const auto *form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
    if ((TakesEncrypted(form->oprleft) || TakesEncrypted(form->oprright)) && !superuser())
        RaiseOnlySuperuser(psprintf("operator %s", NameStr(form->oprname)), "Ask a superuser to create it.");
    ReleaseSysCache(tuple);
}

void GuardCast(Oid cast) {
    Relation pg_cast = table_open(CastRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_cast_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(cast));
    SysScanDesc scan = systable_beginscan(pg_cast, CastOidIndexId, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    bool encrypted = false;
    if (HeapTupleIsValid(tuple)) {
        const FormData_pg_cast form = *reinterpret_cast<Form_pg_cast>(GETSTRUCT(tuple));
        encrypted = TakesEncrypted(form.castsource) || TakesEncrypted(form.casttarget);
    }
    systable_endscan(scan);
    table_close(pg_cast, AccessShareLock);
    if (encrypted && !superuser())
        RaiseOnlySuperuser("cast", "Ask a superuser to create it.");
}

}  // namespace envcrypt
