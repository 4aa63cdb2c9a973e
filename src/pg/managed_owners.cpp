// managed_owners.cpp: the triggers that make a data key with each user and, if they are told to, destroy it
// with the user.
//
// All of a table's triggers have one function. A row trigger is what makes a table a managed one; its WHEN
// clause names the column. Triggers that have another form than those which envcrypt_manage_owners() makes
// raise an error, and do not count. A disabled one makes no keys, but the rows of its table keep theirs.

#include "pg/errors.h"
#include "pg/extension_objects.h"
#include "pg/key_creation.h"
#include "pg/key_row_locks.h"
#include "pg/language.h"
#include "pg/managed_owners.h"
#include "pg/rights.h"
#include "pg/row_trigger.h"
#include "pg/shredding.h"
#include "pg/statement_state.h"
#include "pg/users_table.h"

extern "C" {
#include "catalog/dependency.h"
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

constexpr std::int16_t kMakesKeys = TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE;  // AFTER
constexpr std::int16_t kDestroysKeys = TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE;
constexpr std::int16_t kEmpties = TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE;

// The column that a row trigger's WHEN clause names, or InvalidAttrNumber.
AttrNumber UserColumn(const char *when) {
    const TriggerColumns named = ColumnsOfTrigger(when);
    if (named.count != 1 || named.is_null[0])
        return InvalidAttrNumber;
    return named.column[0];
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
            users = {form->tgrelid, UserColumn(TextDatumGetCString(when))};
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

// A name that another row or table still has keeps its key. The first lock makes two who delete the last two
// rows with one name follow each other; the second waits for those who have just written a row with it, and
// keeps others from it (UserWritten), so that none can be missed.
void ShredUser(const Owner &owner, Oid truncated) {
    for (const LockTupleMode mode : {LockTupleNoKeyExclusive, LockTupleExclusive}) {
        if (!LockKeys(owner, mode) || HasUserIn(ManagedTables(true), owner, truncated))
            return;
    }
    Tombstones tombstones;
    TombstonesOf(owner, &tombstones);
    DestroyKeys(
        owner, tombstones[0], [](std::uint64_t, std::uint32_t, void *) {}, nullptr);
}

void UserWritten(const TriggerData *data) {
    const RowTrigger &trigger = UserTriggerOf(data);
    const bool updated = TRIGGER_FIRED_BY_UPDATE(data->tg_event);
    HeapTuple row = updated ? data->tg_newtuple : data->tg_trigtuple;
    if (updated && SameInBoth(data->tg_relation, data->tg_trigtuple, row, trigger.owner_column))
        return;
    Owner owner;
    if (!OwnerOfRow(trigger, data->tg_relation, row, &owner))
        return;
    RequireValidOwner(owner);
    // What is restored brings its keys along; else the first value makes one.
    if (LockActiveKey(owner) || ForcesCiphertext())
        return;
    EnsureActiveKey(owner, false, "making a data key for a new user");
    // It may be another transaction's that has just ended.
    if (!LockActiveKey(owner))
        RaiseShredded(owner);
}

void UserDeleted(const TriggerData *data) {
    // An UPDATE that moves the row to another partition.
    if (HeapTupleHeaderIndicatesMovedPartitions(data->tg_trigtuple->t_data))
        return;
    Owner owner;
    if (OwnerOfRow(UserTriggerOf(data), data->tg_relation, data->tg_trigtuple, &owner) && IsValidOwner(owner))
        ShredUser(owner, InvalidOid);
}

// A statement trigger has no WHEN clause: the row trigger beside it names the column.
void UsersTruncated(const TriggerData *data) {
    const TriggerDesc *triggers = CopyTriggerDesc(data->tg_relation->trigdesc);
    UsersTable users{.table = RelationGetRelid(data->tg_relation), .column = InvalidAttrNumber};
    for (int i = 0; i < triggers->numtriggers; i++) {
        const Trigger &other = triggers->triggers[i];
        if (other.tgfoid == data->tg_trigger->tgfoid && other.tgqual != nullptr &&
            users.column == InvalidAttrNumber)
            users.column = UserColumn(other.tgqual);
    }
    if (users.column == InvalidAttrNumber || !CanHaveUsers(users))
        return;
    ForEachUser(
        users,
        [](const Owner &owner, void *truncated) { ShredUser(owner, *static_cast<const Oid *>(truncated)); },
        &users.table);
}

}  // namespace

namespace {

void RequireFormOfOurs(const TriggerData *data) {
    const Trigger &trigger = *data->tg_trigger;
    const bool empties = HasFormOfOurs(trigger, kEmpties);
    if (trigger.tgnargs > 0 ||
        !(empties || HasFormOfOurs(trigger, kMakesKeys) || HasFormOfOurs(trigger, kDestroysKeys)))
        RaiseNotUserTrigger(data->tg_relation, trigger);
    if (!empties && !CanHaveUsers({RelationGetRelid(data->tg_relation), UserTriggerOf(data).owner_column}))
        RaiseNotUserTrigger(data->tg_relation, trigger);
}

}  // namespace

bool IsManagedOwner(const Owner &owner) {
    return HasUserIn(ManagedTables(false), owner, InvalidOid);
}

}  // namespace envcrypt

using namespace envcrypt;

// Who may attach this function to a table has the right to delegate keys, so it asks for no right of whoever
// writes the row.
ENVCRYPT_FUNCTION(envcrypt_managed_owner_trigger) {
    auto *data = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("function was not called as a trigger of envcrypt_manage_owners()")));
    RequireFormOfOurs(data);
    if (SpeaksOnlyCiphertext())  // the rows of keys are replicated themselves
        return kNullPointer;
    if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
        UsersTruncated(data);
    else if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
        UserDeleted(data);
    else
        UserWritten(data);
    return kNullPointer;
}

// For users that exist already: true if a key was made, false if there was one, NULL if it was destroyed.
ENVCRYPT_FUNCTION(envcrypt_make_managed_key) {
    RequireKeyAdministrator();
    const Owner owner = OwnerFromArgument(fcinfo, 0);
    StoredKey stored;
    if (FindActiveKey(owner, &stored))
        PG_RETURN_BOOL(false);
    EnsureCurrentMasterKey();
    if (IsShredded(owner))
        PG_RETURN_NULL();
    EnsureActiveKey(owner, false, "envcrypt_manage_owners()");
    PG_RETURN_BOOL(true);
}
