#include "guard/ddl_commands.h"

#include <algorithm>

#include "server/errors.h"

extern "C" {
#include "catalog/objectaccess.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"
#include "commands/event_trigger.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
}

namespace envcrypt {
namespace {

// A stack: a command that runs inside another has its objects on top.
TouchedObject *touched = nullptr;
int count = 0;
int capacity = 0;

DdlCommand current{};
int depth = 0;  // of commands that passed the utility hook

ProcessUtility_hook_type next_utility = standard_ProcessUtility;
object_access_hook_type next_access_hook = nullptr;
bool watching = false;
DdlHandlers handlers;
bool others_came_after = false;  // and call our access hook

bool IsWatched(Oid catalog) {
    constexpr Oid kCatalogs[] = {RelationRelationId,     InheritsRelationId,  ConstraintRelationId,
                                 TriggerRelationId,      ProcedureRelationId, OperatorRelationId,
                                 StatisticExtRelationId, CastRelationId,      NamespaceRelationId};
    return std::ranges::find(kCatalogs, catalog) != std::end(kCatalogs);
}

extern "C" void envcrypt_object_access(ObjectAccessType access, Oid catalog, Oid object, int column,
                                       void *argument) {
    if (next_access_hook != nullptr)
        next_access_hook(access, catalog, object, column, argument);
    if (!watching)
        return;
    if ((access == OAT_POST_CREATE || access == OAT_POST_ALTER) && (IsWatched(catalog) || current.moves_ours))
        NoteTouched(catalog, object);
    else if (access == OAT_TRUNCATE)
        handlers.truncating(object);
    else if (access == OAT_DROP)
        handlers.dropping(catalog, object, column,
                          static_cast<const ObjectAccessDrop *>(argument)->dropflags);
    if (access == OAT_DROP && catalog == RelationRelationId && column > 0)
        NoteTouched(catalog, object);  // it stays, without the column
}

void Watch() {
    if (watching)
        return;
    watching = true;
    if (others_came_after)
        return;
    next_access_hook = object_access_hook;
    object_access_hook = envcrypt_object_access;
}

void StopWatching() {
    if (!watching)
        return;
    watching = false;
    if (object_access_hook == envcrypt_object_access)
        object_access_hook = next_access_hook;
    else
        others_came_after = true;
}

bool NamesExtension(const DropStmt *drop) {
    if (drop->removeType != OBJECT_EXTENSION)
        return false;
    const ListCell *cell = nullptr;
    foreach (cell, drop->objects) {
        if (strcmp(strVal(lfirst(cell)), "envcrypt") == 0)
            return true;
    }
    return false;
}

// The last part of a name, as statements have it for different kinds of objects, or nullptr.
const char *LastName(const Node *object) {
    if (object == nullptr)
        return nullptr;
    const List *names = IsA(object, List) ? reinterpret_cast<const List *>(object)
                        : IsA(object, ObjectWithArgs)
                            ? reinterpret_cast<const ObjectWithArgs *>(object)->objname
                        : IsA(object, TypeName) ? reinterpret_cast<const TypeName *>(object)->names
                                                : NIL;
    return names != NIL && IsA(llast(names), String) ? strVal(llast(names)) : nullptr;
}

// By its name alone, an object can be a part of the extension or of a made type. Operators have any name.
bool MayBeOurs(const char *name) {
    if (name == nullptr || (*name != '_' && isascii(*name) && !isalpha(*name)))
        return true;
    const std::string_view text(name);
    return text.starts_with("envcrypt") || text.starts_with("encrypted_") || text == "encrypt_for_user" ||
           text == "decrypt_for_user" || text == "in_range";
}

// Renames an object that may be ours, or puts it into another schema; not its columns, constraints or
// triggers.
bool MovesOurs(const Node *statement) {
    if (IsA(statement, AlterObjectSchemaStmt)) {
        const auto *move = reinterpret_cast<const AlterObjectSchemaStmt *>(statement);
        return MayBeOurs(move->relation != nullptr ? move->relation->relname : LastName(move->object));
    }
    if (!IsA(statement, RenameStmt))
        return false;
    const auto *rename = reinterpret_cast<const RenameStmt *>(statement);
    switch (rename->renameType) {
        case OBJECT_ATTRIBUTE:
        case OBJECT_COLUMN:
        case OBJECT_DOMCONSTRAINT:
        case OBJECT_POLICY:
        case OBJECT_RULE:
        case OBJECT_TABCONSTRAINT:
        case OBJECT_TRIGGER:
            return false;
        default:
            return MayBeOurs(rename->relation != nullptr ? rename->relation->relname
                                                         : LastName(rename->object));
    }
}

DdlCommand CommandOf(const Node *statement) {
    DdlCommand command{.first = count};
    command.alters_table = IsA(statement, AlterTableStmt);
    command.renames = IsA(statement, RenameStmt);
    command.moves_ours = MovesOurs(statement);
    if (IsA(statement, DropStmt)) {
        const auto *drop = reinterpret_cast<const DropStmt *>(statement);
        command.names_extension = NamesExtension(drop);
        command.drops_type = drop->removeType == OBJECT_TYPE || drop->removeType == OBJECT_DOMAIN;
    }
    return command;
}

extern "C" void envcrypt_follow_utility(PlannedStmt *statement, const char *query, bool read_only_tree,
                                        ProcessUtilityContext context, ParamListInfo params,
                                        QueryEnvironment *environment, DestReceiver *destination,
                                        QueryCompletion *completion) {
    // Parts of a command belong to it: CREATE SCHEMA's tables, the indexes of CREATE TABLE.
    if (context == PROCESS_UTILITY_SUBCOMMAND ||
        (!IsA(statement->utilityStmt, TruncateStmt) &&
         !command_tag_event_trigger_ok(CreateCommandTag(statement->utilityStmt)))) {
        next_utility(statement, query, read_only_tree, context, params, environment, destination, completion);
        return;
    }
    const DdlCommand outer = current;
    const int outer_count = count;
    const bool was_watching = watching;
    current = CommandOf(statement->utilityStmt);
    depth++;
    PG_TRY();
    {
        Watch();
        next_utility(statement, query, read_only_tree, context, params, environment, destination, completion);
        handlers.ending();
    }
    PG_FINALLY();
    {
        current = outer;
        count = outer_count;
        depth--;
        if (!was_watching)
            StopWatching();
    }
    PG_END_TRY();
}

}  // namespace

DdlCommand &CurrentDdlCommand() noexcept {
    return current;
}

int TouchedCount() noexcept {
    return count - current.first;
}

TouchedObject Touched(int number) noexcept {
    return touched[current.first + number];
}

void NoteTouched(Oid catalog, Oid object) {
    const TouchedObject item{.catalog = catalog, .object = object};
    // A table with many columns is changed once for each.
    constexpr int kBack = 4;
    for (int i = count - 1; i >= std::max(current.first, count - kBack); i--) {
        if (touched[i] == item)
            return;
    }
    if (count == capacity) {
        const int wanted = std::max(64, 2 * capacity);
        const Size size = sizeof(TouchedObject) * static_cast<Size>(wanted);
        touched = static_cast<TouchedObject *>(touched == nullptr ? MemoryContextAlloc(TopMemoryContext, size)
                                                                  : repalloc(touched, size));
        capacity = wanted;
    }
    touched[count++] = item;
}

void EndDdlCommand() {
    count = current.first;
    if (depth == 0) {
        handlers.ending();
        current = {};
        StopWatching();
    }
}

void InstallDdlHooks(const DdlHandlers &given) {
    handlers = given;
    if (ProcessUtility_hook != nullptr)
        next_utility = ProcessUtility_hook;
    ProcessUtility_hook = envcrypt_follow_utility;
}

}  // namespace envcrypt

using namespace envcrypt;

// At a command's start. It came past the utility hook, unless the library is here only because of this call.
ENVCRYPT_FUNCTION(envcrypt_begin_ddl) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("envcrypt_begin_ddl was not called by event trigger manager")));
    if (depth == 0) {
        count = 0;
        current = CommandOf(reinterpret_cast<EventTriggerData *>(fcinfo->context)->parsetree);
        Watch();
    }
    PG_RETURN_VOID();
}
