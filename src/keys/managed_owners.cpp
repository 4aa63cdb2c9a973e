#include "server/extension_objects.h"
#include "keys/managed_owners.h"
#include "keys/users_table.h"
#include "server/trigger_form.h"

extern "C" {
#include "catalog/pg_depend.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "utils/fmgroids.h"
}

namespace envcrypt {
namespace {

constexpr const char *kTriggerFunction = "envcrypt_managed_owner_trigger";

Oid TriggerFunction() {
    const Oid schema = get_rel_namespace(Objects().data_keys);
    return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(kTriggerFunction),
                           PointerGetDatum(buildoidvector(nullptr, 0)), ObjectIdGetDatum(schema));
}

// The managed table that a trigger makes one, or no table. Of a partitioned table, only the trigger of the
// table itself counts, not its copies on partitions.
UsersTable TableOfTrigger(Relation triggers, Oid trigger, bool with_disabled) {
    UsersTable users{};
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
    SysScanDesc scan = systable_beginscan(triggers, TriggerOidIndexId, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple)) {
        const auto *form = reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple));
        bool isnull = false;
        const Datum when = heap_getattr(tuple, Anum_pg_trigger_tgqual, RelationGetDescr(triggers), &isnull);
        if (!isnull && !OidIsValid(form->tgparentid) && !OidIsValid(form->tgconstraint) &&
            (with_disabled || form->tgenabled != TRIGGER_DISABLED) && form->tgattr.dim1 == 0 &&
            (form->tgtype == kMakesKeys || form->tgtype == kDestroysKeys))
            users = {form->tgrelid, UserColumnOf(TextDatumGetCString(when))};
    }
    systable_endscan(scan);
    if (users.column == InvalidAttrNumber || !CanHaveUsers(users))
        users = {};
    return users;
}

bool IsListed(const List *tables, const UsersTable &users) {
    const ListCell *cell = nullptr;
    foreach (cell, tables) {
        const auto *other = static_cast<const UsersTable *>(lfirst(cell));
        if (other->table == users.table && other->column == users.column)
            return true;
    }
    return false;
}

// All managed tables: those with a trigger that depends on our function. palloc'd.
List *ManagedTables(bool with_disabled) {
    List *tables = NIL;
    Relation triggers = table_open(TriggerRelationId, AccessShareLock);
    Relation depend = table_open(DependRelationId, AccessShareLock);
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(ProcedureRelationId));
    ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(TriggerFunction()));
    SysScanDesc scan =
        systable_beginscan(depend, DependReferenceIndexId, true, nullptr, lengthof(keys), keys);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
        const auto *form = reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
        if (form->classid != TriggerRelationId)
            continue;
        const UsersTable users = TableOfTrigger(triggers, form->objid, with_disabled);
        if (!OidIsValid(users.table) || IsListed(tables, users))
            continue;
        auto *kept = static_cast<UsersTable *>(palloc(sizeof(UsersTable)));
        *kept = users;
        tables = lappend(tables, kept);
    }
    systable_endscan(scan);
    table_close(depend, AccessShareLock);
    table_close(triggers, AccessShareLock);
    return tables;
}

// `truncated`: a table whose rows do not count any more.
bool HasUserIn(const List *tables, const Owner &owner, Oid truncated) {
    const ListCell *cell = nullptr;
    foreach (cell, tables) {
        const auto *users = static_cast<const UsersTable *>(lfirst(cell));
        if (users->table != truncated && HasUser(*users, owner, truncated))
            return true;
    }
    return false;
}

}  // namespace

AttrNumber UserColumnOf(const char *when) {
    const TriggerColumns named = ColumnsOfTrigger(when);
    if (named.count != 1 || named.is_null[0])
        return InvalidAttrNumber;
    return named.column[0];
}

bool IsManagedOwner(const Owner &owner) {
    return HasUserIn(ManagedTables(false), owner, InvalidOid);
}

bool IsUserOfAnyTable(const Owner &owner, Oid except) {
    return HasUserIn(ManagedTables(true), owner, except);
}

}  // namespace envcrypt
