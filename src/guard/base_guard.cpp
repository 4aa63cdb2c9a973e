#include "guard/base_guard.h"

#include "guard/type_columns.h"
#include "server/errors.h"
#include "server/own_function.h"
#include "server/settings.h"
#include "values/base_type.h"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "utils/catcache.h"
#include "utils/typcache.h"
}

namespace envcrypt {
namespace {

bool Contains(Oid type, Oid part);

bool RowContains(Oid type, Oid part) {
    TupleDesc columns = lookup_rowtype_tupdesc(type, -1);
    bool found = false;
    for (int i = 0; i < columns->natts && !found; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        found = !column->attisdropped && Contains(column->atttypid, part);
    }
    ReleaseTupleDesc(columns);
    return found;
}

// True if a value of the type is one of `part`, or has one in it. PostgreSQL's own types do not.
bool Contains(Oid type, Oid part) {
    check_stack_depth();
    if (type == part)
        return true;
    const Oid element = get_element_type(type);
    if (OidIsValid(element))
        return Contains(element, part);
    if (type < FirstNormalObjectId)
        return false;
    switch (get_typtype(type)) {
        case TYPTYPE_DOMAIN:
            return Contains(getBaseType(type), part);
        case TYPTYPE_RANGE:
            return Contains(get_range_subtype(type), part);
        case TYPTYPE_MULTIRANGE:
            return Contains(get_multirange_range(type), part);
        case TYPTYPE_COMPOSITE:
            return RowContains(type, part);
        default:
            return false;
    }
}

[[noreturn]] void RaiseHeld(Oid changed, Oid table, AttrNumber column) {
    ereport(ERROR,
            (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
             errmsg("cannot change type %s while column \"%s\" of table \"%s\" holds encrypted values of it",
                    format_type_be(changed), get_attname(table, column, false), get_rel_name(table)),
             errdetail("What was sealed before would not open any more, or open as something else."),
             errhint("Make the column plain by envcrypt_unprotect() or ALTER TABLE, change the type, and "
                     "encrypt the column again."),
             HideFromLog()));
    pg_unreachable();
}

void RefuseColumnsOf(Oid type, Oid changed) {
    ForEachColumnOfType(type, [changed](Oid relation, AttrNumber column) {
        if (get_rel_relkind(relation) != RELKIND_VIEW)
            RaiseHeld(changed, relation, column);
    });
}

// The base of a made type is what its envcrypt_open() returns.
void GuardChangedType(Oid changed) {
    if (settings.allow_data_loss)
        return;
    CatCList *functions = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum("envcrypt_open"));
    for (int i = 0; i < functions->n_members; i++) {
        const auto *function = reinterpret_cast<Form_pg_proc>(GETSTRUCT(&functions->members[i]->tuple));
        const Oid base = function->prorettype;
        const bool may_contain = base >= FirstNormalObjectId || OidIsValid(get_element_type(base));
        if (function->pronargs != 1 || !may_contain || !IsOurFunction(function->oid, "envcrypt_open") ||
            !Contains(base, changed))
            continue;
        const Oid encrypted = function->proargtypes.values[0];
        RefuseColumnsOf(encrypted, changed);
        RefuseColumnsOf(get_array_type(encrypted), changed);
    }
    ReleaseSysCacheList(functions);
}

}  // namespace

bool ChangesType(const Node *statement) {
    if (IsA(statement, AlterEnumStmt))
        return reinterpret_cast<const AlterEnumStmt *>(statement)->oldVal != nullptr;
    if (!IsA(statement, AlterTableStmt))  // a type may have been dropped, and an attribute with it
        return IsA(statement, DropStmt) || IsA(statement, DropOwnedStmt);
    const ListCell *cell = nullptr;
    foreach (cell, reinterpret_cast<const AlterTableStmt *>(statement)->cmds) {
        const AlterTableType what = lfirst_node(AlterTableCmd, cell)->subtype;
        if (what == AT_AddColumn || what == AT_DropColumn || what == AT_AlterColumnType)
            return true;
    }
    return false;
}

void GuardChangedEnum(const Node *statement) {
    if (IsA(statement, AlterEnumStmt))
        GuardChangedType(typenameTypeId(
            nullptr, makeTypeNameFromNameList(reinterpret_cast<const AlterEnumStmt *>(statement)->typeName)));
}

void GuardChangedRow(Oid relation) {
    const Oid row = get_rel_type_id(relation);
    if (OidIsValid(row))
        GuardChangedType(row);
}

}  // namespace envcrypt
