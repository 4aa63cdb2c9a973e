#include "guard/trigger_guard.h"

#include <utility>

#include "columns/row_trigger.h"
#include "server/errors.h"
#include "server/own_function.h"
#include "server/settings.h"
#include "values/base_type.h"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "storage/bufmgr.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
}

namespace envcrypt {
namespace {

enum class Kind : std::uint8_t { kOther, kOwner, kShadow, kUsers, kKeyTable };

bool Binds(Kind kind) {
    return kind == Kind::kOwner || kind == Kind::kShadow;
}

// Known by the C function, which only superusers can declare.
Kind KindOf(const Trigger &trigger) {
    constexpr std::pair<std::string_view, Kind> kKinds[] = {
        {"envcrypt_owner_trigger", Kind::kOwner},
        {"envcrypt_shadow_trigger", Kind::kShadow},
        {"envcrypt_managed_owner_trigger", Kind::kUsers},
        {"envcrypt_key_table_trigger", Kind::kKeyTable},
    };
    for (const auto &[symbol, kind] : kKinds) {
        if (IsOurFunction(trigger.tgfoid, symbol))
            return kind;
    }
    return Kind::kOther;
}

// As SQL names it where this session is.
const char *NameOf(Relation table) {
    return DatumGetCString(DirectFunctionCall1(regclassout, ObjectIdGetDatum(RelationGetRelid(table))));
}

AttrNumber ProtectedColumn(const Trigger &trigger) {
    if (trigger.tgqual == nullptr)
        return InvalidAttrNumber;
    return ColumnsOfTrigger(trigger.tgqual).column[0];
}

void RefuseTwice(Relation table, const Trigger &one, const Trigger &other) {
    const AttrNumber column = ProtectedColumn(one);
    if (column <= 0 || column != ProtectedColumn(other))
        return;
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("column \"%s\" of table %s is protected twice",
                NameStr(TupleDescAttr(RelationGetDescr(table), column - 1)->attname), NameOf(table)),
         errdetail("Triggers \"%s\" and \"%s\" would bind its values.", one.tgname, other.tgname),
         errhint("Drop the table's own trigger before it inherits another: what it bound can still be read."),
         HideFromLog()));
}

// Triggers fire in the order of their names' bytes, in which the relation cache has them.
void RefuseAfterOurs(Relation table, const Trigger &other) {
    if (!TRIGGER_FOR_ROW(other.tgtype) || !TRIGGER_FOR_BEFORE(other.tgtype) ||
        !(TRIGGER_FOR_INSERT(other.tgtype) || TRIGGER_FOR_UPDATE(other.tgtype)) ||
        other.tgenabled == TRIGGER_DISABLED)
        return;
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("trigger \"%s\" of table %s would fire after envcrypt's", other.tgname, NameOf(table)),
         errdetail("Triggers fire in the order of their names' bytes. What it puts into an encrypted column "
                   "would be bound to no owner."),
         errhint("Give it a name that sorts before, such as one that begins with a letter from a to z."),
         HideFromLog()));
}

// Test cleaners disable all triggers of a table before they delete its rows, and pg_restore before it loads
// them.
void NoteStaysEnabled(Relation table, const Trigger &trigger) {
    ereport(NOTICE, (errmsg("trigger \"%s\" of table %s stays enabled", trigger.tgname, NameOf(table)),
                     errdetail("It keeps data keys from being deleted, and tells all sessions of changes."),
                     HideFromLog()));
}

void GuardTriggersOf(Oid oid) {
    Relation table = try_relation_open(oid, AccessShareLock);
    if (table == nullptr)
        return;
    // The cache's own may be freed during a lookup.
    const TriggerDesc *triggers = CopyTriggerDesc(table->trigdesc);
    const int count = triggers != nullptr ? triggers->numtriggers : 0;
    bool after_ours = false;
    for (int i = 0; i < count; i++) {
        const Trigger &trigger = triggers->triggers[i];
        const Kind kind = KindOf(trigger);
        const bool needed = kind == Kind::kKeyTable && !settings.allow_data_loss;
        if (needed && trigger.tgenabled == TRIGGER_DISABLED)
            NoteStaysEnabled(table, trigger);
        if ((kind != Kind::kOther && trigger.tgenabled == TRIGGER_FIRES_ON_ORIGIN) ||
            (needed && trigger.tgenabled != TRIGGER_FIRES_ALWAYS)) {
            EnableTriggerAlways(table, trigger.tgname);
            CommandCounterIncrement();  // a partition's may be the next
        }
        if (Binds(kind)) {
            for (int j = 0; j < i && kind == Kind::kOwner; j++) {
                if (KindOf(triggers->triggers[j]) == Kind::kOwner)
                    RefuseTwice(table, triggers->triggers[j], trigger);
            }
            after_ours = true;
        } else if (after_ours) {
            RefuseAfterOurs(table, trigger);
        }
    }
    relation_close(table, AccessShareLock);
}

// PostgreSQL copies row triggers to partitions itself.
bool MayNeedTriggers(Oid oid) {
    Relation table = try_relation_open(oid, AccessShareLock);
    if (table == nullptr)
        return false;
    bool inherits = false;
    const TupleDesc columns = RelationGetDescr(table);
    if (table->rd_rel->relkind == RELKIND_RELATION && !table->rd_rel->relispartition) {
        for (int i = 0; i < columns->natts && !inherits; i++) {
            const Form_pg_attribute column = TupleDescAttr(columns, i);
            inherits = !column->attisdropped && column->attinhcount > 0 && IsEncryptedType(column->atttypid);
        }
    }
    relation_close(table, AccessShareLock);
    return inherits;
}

// A function of the extension, by OID: the table's owner need not be able to name it.
Oid ExtensionFunction(const char *name, Oid schema) {
    Oid found = InvalidOid;
    CatCList *functions = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
    for (int i = 0; i < functions->n_members; i++) {
        const auto *function = reinterpret_cast<Form_pg_proc>(GETSTRUCT(&functions->members[i]->tuple));
        if (function->pronamespace == schema && function->pronargs == 1)
            found = function->oid;
    }
    ReleaseSysCacheList(functions);
    return found;
}

// Of a partition, those alone that came from its parent.
int OwnerTriggersOf(Oid oid) {
    Relation table = try_relation_open(oid, AccessShareLock);
    if (table == nullptr)
        return 0;
    const TriggerDesc *triggers = CopyTriggerDesc(table->trigdesc);
    int found = 0;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; i++) {
        const Trigger &trigger = triggers->triggers[i];
        if ((trigger.tgisclone || !table->rd_rel->relispartition) && KindOf(trigger) == Kind::kOwner)
            found++;
    }
    relation_close(table, AccessShareLock);
    return found;
}

// By its size, and of what is below it: nothing is read. Rows that were deleted count until VACUUM.
bool MayHaveRows(Oid oid) {
    bool found = false;
    const ListCell *cell = nullptr;
    foreach (cell, find_all_inheritors(oid, AccessShareLock, nullptr)) {
        Relation table = found ? nullptr : try_relation_open(lfirst_oid(cell), NoLock);
        if (table == nullptr)
            continue;
        found = RELKIND_HAS_TABLE_AM(table->rd_rel->relkind) && RelationGetNumberOfBlocks(table) > 0;
        relation_close(table, NoLock);
    }
    return found;
}

void WarnOfRows(Oid oid) {
    Relation table = MayHaveRows(oid) ? try_relation_open(oid, AccessShareLock) : nullptr;
    if (table == nullptr)
        return;
    const char *name = NameOf(table);
    relation_close(table, AccessShareLock);
    ereport(WARNING,
            (errmsg("rows of table %s may hold values that are bound to no owner", name),
             errdetail("It is protected from now on; the values that it had before stay as they are."),
             errhint("SELECT * FROM envcrypt_verify(%s) finds them, and UPDATE of the column to itself "
                     "binds them.",
                     quote_literal_cstr(name)),
             HideFromLog()));
}

}  // namespace

Oid TableOfTrigger(Oid trigger) {
    Relation pg_trigger = table_open(TriggerRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
    SysScanDesc scan = systable_beginscan(pg_trigger, TriggerOidIndexId, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    const auto *form =
        HeapTupleIsValid(tuple) ? reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple)) : nullptr;
    const Oid table = form != nullptr && !form->tgisinternal ? form->tgrelid : InvalidOid;
    systable_endscan(scan);
    table_close(pg_trigger, AccessShareLock);
    return table;
}

void GuardTrigger(Oid trigger) {
    const Oid table = TableOfTrigger(trigger);
    if (OidIsValid(table))
        GuardTriggersOf(table);
}

void SpreadTriggers(Oid table, Oid schema, bool had_rows) {
    int before = 0;
    if (MayNeedTriggers(table)) {
        before = had_rows ? OwnerTriggersOf(table) : 0;
        OidFunctionCall1(ExtensionFunction("envcrypt_spread_triggers", schema), ObjectIdGetDatum(table));
        CommandCounterIncrement();
    } else if (!get_rel_relispartition(table)) {
        return;
    }
    if (had_rows && OwnerTriggersOf(table) > before)
        WarnOfRows(table);
}

}  // namespace envcrypt
