// ddl_guard.cpp: the event trigger at the end of a DDL command, which refuses what would make an encrypted
// column leak or lose values and no operator class can refuse. What has to do with no encrypted column, and
// with none of our triggers, is left alone after a look into the catalog caches.

#include "guard/base_guard.h"
#include "guard/ddl_commands.h"
#include "guard/key_table_ddl.h"
#include "guard/lookup_guard.h"
#include "guard/loss_guard.h"
#include "guard/place_guard.h"
#include "guard/trigger_guard.h"
#include "guard/type_columns.h"
#include "guard/unmade_types.h"
#include "keys/key_table_guard.h"
#include "server/errors.h"
#include "values/base_type.h"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "parser/parse_type.h"
#include "utils/array.h"
#include "utils/partcache.h"
}

namespace envcrypt {
namespace {

// True for an expression that contains a value of an encrypted type, except one that only asks whether it is
// null.
extern "C" bool envcrypt_touches_encrypted(Node *node, void *context) {
    if (node == nullptr)
        return false;
    if (IsA(node, NullTest) && IsA(reinterpret_cast<NullTest *>(node)->arg, Var))
        return false;
    if ((IsA(node, Var) || IsA(node, Const) || IsA(node, FuncExpr)) && IsEncryptedType(exprType(node)))
        return true;
    return WalkExpression(node, envcrypt_touches_encrypted, context);
}

// PostgreSQL's own types need no look.
bool HoldsEncrypted(Oid type) {
    return type >= FirstNormalObjectId && IsEncryptedType(type);
}

// The first column of an encrypted type, or nullptr.
const FormData_pg_attribute *FirstEncryptedColumn(Relation relation) {
    const TupleDesc columns = RelationGetDescr(relation);
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        if (!column->attisdropped && HoldsEncrypted(column->atttypid))
            return column;
    }
    return nullptr;
}

void RefusePartitionKey(Relation table) {
    PartitionKey key = RelationGetPartitionKey(table);
    for (int i = 0; i < key->partnatts; i++) {
        if (HoldsEncrypted(key->parttypid[i]))
            ereport(
                ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot partition by an encrypted column"),
                 errdetail("Rows would be placed by bytes that differ each time a value is sealed."),
                 errhint("Partition by another column, such as the owner."), HideFromLog()));
    }
}

// The operator classes of encrypted types refuse an index themselves; those of arrays, ranges and composite
// types, which would compare the encrypted values inside, know nothing of it.
void RefuseIndexKey(Relation index) {
    for (int i = 0; i < index->rd_index->indnkeyatts; i++) {
        if (HoldsEncrypted(TupleDescAttr(RelationGetDescr(index), i)->atttypid))
            RaiseCannotIndex();
    }
}

[[noreturn]] void RaiseForeignTable(Relation table, const FormData_pg_attribute &column) {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("foreign table \"%s\" cannot have encrypted column \"%s\"",
                    RelationGetRelationName(table), NameStr(column.attname)),
             errdetail("Rows written to a foreign table leave this server in plain text."),
             errhint("Leave the column out, or give it the base type where the other server is to have "
                     "it in plain text."),
             HideFromLog()));
    pg_unreachable();
}

void NoteAll(Oid catalog, List *objects) {
    const ListCell *cell = nullptr;
    foreach (cell, objects) NoteTouched(catalog, lfirst_oid(cell));
    list_free(objects);
}

// A row type that has come to hold encrypted values is the type of columns elsewhere.
void NoteColumnsOfType(Oid type) {
    ForEachColumnOfType(type, [](Oid relation, AttrNumber) { NoteTouched(RelationRelationId, relation); });
}

// With such a table come its indexes and statistics: a column may have got an encrypted type under them.
void GuardEncryptedTable(Relation table, const FormData_pg_attribute &column) {
    if (table->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
        RaiseForeignTable(table, column);
    if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
        RefusePartitionKey(table);
    if (OidIsValid(table->rd_rel->reltype)) {
        NoteColumnsOfType(table->rd_rel->reltype);
        NoteColumnsOfType(get_array_type(table->rd_rel->reltype));
    }
    if (table->rd_rel->relkind == RELKIND_COMPOSITE_TYPE)
        return;
    NoteAll(RelationRelationId, RelationGetIndexList(table));
    NoteAll(StatisticExtRelationId, RelationGetStatExtList(table));
}

void GuardRelation(Oid oid) {
    switch (get_rel_relkind(oid)) {
        case RELKIND_RELATION:
        case RELKIND_PARTITIONED_TABLE:
        case RELKIND_FOREIGN_TABLE:
        case RELKIND_MATVIEW:
        case RELKIND_COMPOSITE_TYPE:
        case RELKIND_INDEX:
        case RELKIND_PARTITIONED_INDEX:
            break;
        default:
            return;
    }
    Relation relation = try_relation_open(oid, AccessShareLock);
    if (relation == nullptr)
        return;
    GuardPersistence(oid, relation->rd_rel->relpersistence);
    const FormData_pg_attribute *column = FirstEncryptedColumn(relation);
    if (relation->rd_index != nullptr)
        RefuseIndexKey(relation);
    else if (column != nullptr)
        GuardEncryptedTable(relation, *column);
    else if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
        RefusePartitionKey(relation);
    relation_close(relation, AccessShareLock);
}

void GuardStatistics(Oid statistics) {
    HeapTuple tuple = SearchSysCache1(STATEXTOID, ObjectIdGetDatum(statistics));
    if (!HeapTupleIsValid(tuple))
        return;
    bool isnull = false;
    const Datum stored = SysCacheGetAttr(STATEXTOID, tuple, Anum_pg_statistic_ext_stxexprs, &isnull);
    if (!isnull &&
        envcrypt_touches_encrypted(static_cast<Node *>(stringToNode(TextDatumGetCString(stored))), nullptr))
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("cannot create statistics on an expression over an encrypted column"),
                 errdetail("Its values would be stored in the catalogs in plain text."), HideFromLog()));
    ReleaseSysCache(tuple);
}

// True if any of the columns that a foreign key's array names is encrypted.
bool NamesEncrypted(HeapTuple constraint, AttrNumber names, Oid table) {
    bool isnull = false;
    const Datum stored = SysCacheGetAttr(CONSTROID, constraint, names, &isnull);
    if (isnull)
        return false;
    const ArrayType *columns = DatumGetArrayTypeP(stored);
    const auto *column = reinterpret_cast<const AttrNumber *>(ARR_DATA_PTR(columns));
    const int columns_count = ArrayGetNItems(ARR_NDIM(columns), ARR_DIMS(columns));
    for (int i = 0; i < columns_count; i++) {
        if (HoldsEncrypted(get_atttype(table, column[i])))
            return true;
    }
    return false;
}

void GuardConstraint(Oid oid) {
    HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple))
        return;
    const FormData_pg_constraint form = *reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
    if (form.contype == CONSTRAINT_FOREIGN &&
        (NamesEncrypted(tuple, Anum_pg_constraint_conkey, form.conrelid) ||
         NamesEncrypted(tuple, Anum_pg_constraint_confkey, form.confrelid)))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("cannot create a foreign key on an encrypted column"),
                        errdetail("It would be checked with the rights of a table's owner, and tell others "
                                  "whether a value is there."),
                        errhint("Let another column refer, such as the owner."), HideFromLog()));
    ReleaseSysCache(tuple);
}

// Bodies of functions name it; and its owner could put another in its place.
void RefuseRenaming() {
    if (CurrentDdlCommand().renames)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("cannot rename the schema of extension envcrypt"),
                        errdetail("Its functions call each other by the schema's name."), HideFromLog()));
}

// ALTER TABLE ... ADD COLUMN with types of PostgreSQL's own, and nothing else: what the table is does not
// change for us, and it need not be read again. (Indexes and constraints that come with the column are looked
// at.)
bool AddsPlainColumns(const Node *statement) {
    if (!IsA(statement, AlterTableStmt))
        return false;
    const ListCell *cell = nullptr;
    foreach (cell, reinterpret_cast<const AlterTableStmt *>(statement)->cmds) {
        const auto *command = lfirst_node(AlterTableCmd, cell);
        if (command->subtype != AT_AddColumn)
            return false;
        const TypeName *type = reinterpret_cast<const ColumnDef *>(command->def)->typeName;
        const Oid oid = type != nullptr ? LookupTypeNameOid(nullptr, type, true) : InvalidOid;
        if (!OidIsValid(oid) || oid >= FirstNormalObjectId)
            return false;
    }
    return true;
}

// `schema` is the extension's.
void Guard(TouchedObject touched, Oid schema) {
    switch (touched.catalog) {
        case RelationRelationId:
            return GuardRelation(touched.object);
        case StatisticExtRelationId:
            return GuardStatistics(touched.object);
        case ConstraintRelationId:
            return GuardConstraint(touched.object);
        case InheritsRelationId:
            GuardRelation(touched.object);
            return SpreadTriggers(touched.object, schema, CurrentDdlCommand().alters_table);
        case TriggerRelationId:
            return GuardTrigger(touched.object);
        case ProcedureRelationId:
            return GuardFunction(touched.object);
        case OperatorRelationId:
            return GuardOperator(touched.object);
        case CastRelationId:
            return GuardCast(touched.object);
        case NamespaceRelationId:
            if (touched.object == schema)
                RefuseRenaming();
            return;
        default:
            return;
    }
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_guard_ddl) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("envcrypt_guard_ddl was not called by event trigger manager")));
    // pg_upgrade makes what was there before.
    const Node *statement = reinterpret_cast<EventTriggerData *>(fcinfo->context)->parsetree;
    if (!IsBinaryUpgrade && ChangesType(statement)) {
        GuardChangedEnum(statement);
        for (int i = 0; i < TouchedCount(); i++) {
            if (Touched(i).catalog == RelationRelationId)
                GuardChangedRow(Touched(i).object);
        }
    }
    if (!IsBinaryUpgrade && !creating_extension)
        GuardMembership(statement);
    if (TouchedCount() > 0 && !IsBinaryUpgrade) {
        const Oid schema = get_func_namespace(fcinfo->flinfo->fn_oid);
        const bool moves = !creating_extension && CurrentDdlCommand().moves_ours;
        const bool adds_plain = AddsPlainColumns(statement);
        for (int i = 0; i < TouchedCount(); i++) {
            if (moves)
                GuardPlace(Touched(i).catalog, Touched(i).object, schema);
            if (adds_plain && Touched(i).catalog == RelationRelationId &&
                get_rel_relkind(Touched(i).object) == RELKIND_RELATION)
                continue;
            Guard(Touched(i), schema);
        }
        RefuseMissingPart(statement);
        RefuseLostColumns();
        DropUnmade(statement);
    }
    EndDdlCommand();
    PG_RETURN_VOID();
}
