#include "guard/loss_guard.h"

#include "guard/ddl_commands.h"
#include "guard/key_table_ddl.h"
#include "guard/type_columns.h"
#include "guard/unmade_types.h"
#include "server/errors.h"
#include "server/settings.h"
#include "values/base_type.h"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
}

namespace envcrypt {
namespace {

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

const char *KindOf(Oid relation) {
    switch (get_rel_relkind(relation)) {
        case RELKIND_VIEW:
            return "view";
        case RELKIND_MATVIEW:
            return "materialized view";
        case RELKIND_COMPOSITE_TYPE:
            return "type";
        default:
            return "table";
    }
}

void GuardColumn(Oid table, AttrNumber column) {
    DdlCommand &command = CurrentDdlCommand();
    const Oid type = get_atttype(table, column);
    if (command.lost_column != nullptr || type < FirstNormalObjectId || !IsEncryptedType(type))
        return;
    command.lost_table = get_rel_name(table);
    command.lost_from = KindOf(table);
    command.lost_column = get_attname(table, column, false);
}

// The first column of a type, if the type is still there, becomes the one that is lost.
void FindColumnOf(Oid type) {
    ForEachColumnOfType(type, GuardColumn);
}

// Without its opening function, which goes with the base type, too, an encrypted type is of no use.
void GuardOpening(Oid function) {
    const Oid type = NoteUnmade(function);
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

}  // namespace

void GuardDrop(Oid catalog, Oid object, int column, int flags) {
    // creating_extension: the scripts of our own updates replace functions.
    if ((flags & PERFORM_DELETION_INTERNAL) != 0 || IsBinaryUpgrade || creating_extension)
        return;
    if (catalog == ProcedureRelationId)
        GuardOpening(object);  // on purpose, too, no half of a type is left
    if (settings.allow_data_loss)
        return;
    const DdlCommand command = CurrentDdlCommand();
    if (!command.names_extension)
        NoteDroppedPart(catalog, object, column);
    if (catalog == ExtensionRelationId)
        GuardExtension(object);
    else if (catalog == RelationRelationId && column > 0 && !command.alters_table)
        GuardColumn(object, static_cast<AttrNumber>(column));
    else if (catalog == RelationRelationId && column == 0 && command.drops_type)
        GuardTypedTable(object);
}

void RefuseLostColumns() {
    DdlCommand &command = CurrentDdlCommand();
    const bool stays =
        command.lost_column == nullptr && OidIsValid(command.unopened) && !settings.allow_data_loss;
    if (stays)
        FindColumnOf(command.unopened);
    if (command.lost_column == nullptr)
        return;
    ereport(ERROR,
            (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
             stays ? errmsg("cannot drop what opens encrypted column \"%s\" of %s \"%s\"",
                            command.lost_column, command.lost_from, command.lost_table)
                   : errmsg("cannot drop encrypted column \"%s\" of %s \"%s\" with another object",
                            command.lost_column, command.lost_from, command.lost_table),
             HintOnPurpose("Drop the column by ALTER TABLE, or make it plain by envcrypt_unprotect()."),
             HideFromLog()));
}

}  // namespace envcrypt
