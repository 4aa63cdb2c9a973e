#include "pg/key_loss.h"

#include "pg/base_type.h"
#include "pg/ddl_commands.h"
#include "pg/errors.h"
#include "pg/extension_objects.h"
#include "pg/settings.h"
#include "pg/statement_state.h"
#include "pg/type_columns.h"
#include "pg/type_identity.h"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
}

namespace envcrypt {
namespace {

// The last step of every hint.
int HintOnPurpose(const char *otherwise) {
    return errhint("%s To destroy it nevertheless, a superuser runs SET envcrypt.allow_data_loss = on first.",
                   otherwise);
}

[[noreturn]] void RaiseTruncate(const char *table) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("cannot truncate table \"%s\"", table),
             errdetail("It holds keys of this database, without which no encrypted value can be opened."),
             HintOnPurpose("To destroy one owner's keys, call envcrypt_shred_user()."), HideFromLog()));
    pg_unreachable();
}

void GuardExtension(Oid extension) {
    const char *name = get_extension_name(extension);
    if (name == nullptr || strcmp(name, "envcrypt") != 0)
        return;
    if (CurrentDdlCommand().names_extension)
        return RefuseLostColumns();  // the event trigger goes with it
    ereport(ERROR, (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
                    errmsg("cannot drop extension envcrypt with another object"),
                    errdetail("Its tables hold the data keys of this database, without which no encrypted "
                              "value can be opened."),
                    HintOnPurpose("DROP EXTENSION envcrypt drops it by its name."), HideFromLog()));
}

void GuardColumn(Oid table, AttrNumber column) {
    DdlCommand &command = CurrentDdlCommand();
    const Oid type = get_atttype(table, column);
    if (command.lost_column != nullptr || type < FirstNormalObjectId || !IsEncryptedType(type))
        return;
    command.lost_table = get_rel_name(table);
    command.lost_column = get_attname(table, column, false);
}

// The first column of a type, if the type is still there, becomes the one that is lost.
void FindColumnOf(Oid type) {
    ForEachColumnOfType(type, GuardColumn);
}

// Without its opening function, which goes with the base type, too, an encrypted type is of no use.
void GuardOpening(Oid function) {
    const Oid type = TypeOpenedBy(function);
    if (OidIsValid(type) && !OidIsValid(CurrentDdlCommand().unopened))
        CurrentDdlCommand().unopened = type;
}

// CREATE TABLE ... OF a type goes with the type.
void GuardTypedTable(Oid table) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple))
        return;
    const FormData_pg_class form = *reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    ReleaseSysCache(tuple);
    if (!OidIsValid(form.reloftype))
        return;
    for (AttrNumber column = 1; column <= form.relnatts; column++) GuardColumn(table, column);
}

bool IsKeyTable(Oid table) {
    const char *name = get_rel_name(table);
    if (name == nullptr ||
        (strcmp(name, "envcrypt_data_keys") != 0 && strcmp(name, "envcrypt_master_keys") != 0))
        return false;
    const Oid extension = getExtensionOfObject(RelationRelationId, table);
    return OidIsValid(extension) && extension == get_extension_oid("envcrypt", true);
}

}  // namespace

void GuardDrop(Oid catalog, Oid object, int column, int flags) {
    // creating_extension: the scripts of our own updates replace functions.
    if (settings.allow_data_loss || (flags & PERFORM_DELETION_INTERNAL) != 0 || IsBinaryUpgrade ||
        creating_extension)
        return;
    const DdlCommand command = CurrentDdlCommand();
    if (catalog == ExtensionRelationId)
        GuardExtension(object);
    else if (catalog == ProcedureRelationId)
        GuardOpening(object);
    else if (catalog == RelationRelationId && column > 0 && !command.alters_table)
        GuardColumn(object, static_cast<AttrNumber>(column));
    else if (catalog == RelationRelationId && column == 0 && command.drops_type)
        GuardTypedTable(object);
}

void RefuseLostColumns() {
    DdlCommand &command = CurrentDdlCommand();
    const bool stays = command.lost_column == nullptr && OidIsValid(command.unopened);
    if (stays)
        FindColumnOf(command.unopened);
    if (command.lost_column == nullptr)
        return;
    ereport(ERROR,
            (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
             stays ? errmsg("cannot drop what opens encrypted column \"%s\" of table \"%s\"",
                            command.lost_column, command.lost_table)
                   : errmsg("cannot drop encrypted column \"%s\" of table \"%s\" with another object",
                            command.lost_column, command.lost_table),
             HintOnPurpose("Drop the column by ALTER TABLE, or make it plain by envcrypt_unprotect()."),
             HideFromLog()));
}

void GuardTruncate(Oid table) {
    if (!settings.allow_data_loss && IsKeyTable(table))
        RaiseTruncate(get_rel_name(table));
}

void GuardPersistence(Oid table, char persistence) {
    if (persistence == RELPERSISTENCE_PERMANENT || settings.allow_data_loss || !IsKeyTable(table))
        return;
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("cannot make table \"%s\" unlogged", get_rel_name(table)),
                    errdetail("A crash would empty it, standbys and backups would lack it, and no encrypted "
                              "value could be opened any more."),
                    HintOnPurpose("Leave it as it is."), HideFromLog()));
}

void GuardKeyTable(const TriggerData &trigger) {
    if (settings.allow_data_loss || IsReplicationWorker())
        return;
    const char *table = RelationGetRelationName(trigger.tg_relation);
    if (TRIGGER_FIRED_BY_TRUNCATE(trigger.tg_event))
        RaiseTruncate(table);
    if (!TRIGGER_FIRED_FOR_ROW(trigger.tg_event) || !TRIGGER_FIRED_BY_DELETE(trigger.tg_event) ||
        RelationGetRelid(trigger.tg_relation) != Objects().data_keys)
        return;
    const TupleDesc columns = RelationGetDescr(trigger.tg_relation);
    const int wrapped_key = SPI_fnumber(columns, "wrapped_key");
    if (wrapped_key > 0 && heap_attisnull(trigger.tg_trigtuple, wrapped_key, columns))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("cannot delete data keys from table \"%s\"", table),
             errdetail("What was sealed under them could not be opened any more."),
             HintOnPurpose("To destroy one owner's keys, call envcrypt_shred_user()."), HideFromLog()));
}

}  // namespace envcrypt
