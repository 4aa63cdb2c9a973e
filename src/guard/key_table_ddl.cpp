#include "guard/key_table_ddl.h"

#include "guard/ddl_commands.h"
#include "guard/trigger_guard.h"
#include "keys/key_table_parts.h"
#include "server/errors.h"
#include "server/settings.h"

extern "C" {
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/extension.h"
}

namespace envcrypt {
namespace {

// The relation itself, or the table of an index.
Oid TableOf(Oid relation) {
    const char kind = get_rel_relkind(relation);
    return kind == RELKIND_INDEX ? IndexGetRelation(relation, true) : relation;
}

// What is dropped, NoteDroppedPart has seen; triggers that are disabled, trigger_guard.cpp enables again.
bool MayReplace(const Node *statement) {
    if (IsA(statement, CreateTrigStmt))
        return reinterpret_cast<const CreateTrigStmt *>(statement)->replace;
    if (!IsA(statement, AlterTableStmt))
        return IsA(statement, RenameStmt);
    const ListCell *cell = nullptr;
    foreach (cell, reinterpret_cast<const AlterTableStmt *>(statement)->cmds) {
        if (lfirst_node(AlterTableCmd, cell)->subtype == AT_AlterColumnType)
            return true;
    }
    return false;
}

Oid TableOfTouched(TouchedObject touched) {
    switch (touched.catalog) {
        case RelationRelationId:
            return TableOf(touched.object);
        case TriggerRelationId:
            return TableOfTrigger(touched.object);
        default:
            return InvalidOid;
    }
}

[[noreturn]] void RaiseMissing(const char *table, const char *what) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("cannot drop or change what envcrypt needs of table \"%s\"", table),
             errdetail("It would lack %s.", what),
             errhint("To do it nevertheless, a superuser runs SET envcrypt.allow_data_loss = on first."),
             HideFromLog()));
    pg_unreachable();
}

}  // namespace

void NoteDroppedPart(Oid catalog, Oid object, int column) {
    if (catalog != TriggerRelationId && catalog != RelationRelationId)
        return;
    const Oid table = catalog == TriggerRelationId ? TableOfTrigger(object)
                      : column > 0                 ? object
                                                   : TableOf(object);
    if (!IsKeyTable(table))
        return;
    CurrentDdlCommand().takes_from_keys = true;
    NoteTouched(RelationRelationId, table);
}

void RefuseMissingPart(const Node *statement) {
    // creating_extension: the scripts of our own updates change them step by step.
    if (settings.allow_data_loss || creating_extension ||
        !(CurrentDdlCommand().takes_from_keys || MayReplace(statement)))
        return;
    for (int i = 0; i < TouchedCount(); i++) {
        const Oid table = TableOfTouched(Touched(i));
        if (!IsKeyTable(table))
            continue;
        const MissingPart missing = FindMissingPart(table);
        if (missing.what != nullptr)
            RaiseMissing(get_rel_name(table), missing.what);
    }
}

}  // namespace envcrypt
