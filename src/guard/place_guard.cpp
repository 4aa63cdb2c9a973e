#include "guard/place_guard.h"

#include "server/errors.h"
#include "server/settings.h"
#include "values/base_type.h"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
}

namespace envcrypt {
namespace {

constexpr std::string_view kLibrary = "$libdir/envcrypt";

bool IsOfLibrary(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        return false;
    bool isnull = false;
    const Datum stored = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_probin, &isnull);
    const bool ours = !isnull && reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang == ClanguageId &&
                      VarlenaChars(PG_DETOAST_DATUM_PACKED(stored)) == kLibrary;
    ReleaseSysCache(tuple);
    return ours;
}

// What envcrypt_define_operators() made, in SQL.
bool IsOperatorFunction(Oid function, Oid extension_schema) {
    const char *name = get_func_name(function);
    return name != nullptr && get_func_namespace(function) == extension_schema &&
           std::string_view(name).starts_with("envcrypt_");
}

bool BelongsToMadeType(Oid catalog, Oid object, Oid extension_schema) {
    switch (catalog) {
        case TypeRelationId:
            return IsPlainEncryptedType(object);
        case ProcedureRelationId:
            return IsOfLibrary(object);
        case OperatorRelationId: {
            const Oid function = get_opcode(object);
            return IsOfLibrary(function) || IsOperatorFunction(function, extension_schema);
        }
        default:
            return false;
    }
}

// With a table its row type, their arrays, indexes and constraints are renamed and moved: no look into
// pg_depend for each.
bool ComesWithAnother(Oid catalog, Oid object) {
    switch (catalog) {
        case RelationRelationId: {
            const char kind = get_rel_relkind(object);
            return kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX;
        }
        case TypeRelationId:
            return get_typtype(object) == TYPTYPE_COMPOSITE || OidIsValid(get_element_type(object));
        case ConstraintRelationId:
            return true;
        default:
            return false;
    }
}

[[noreturn]] void RaiseMoved(const ObjectAddress &object, bool member) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    member ? errmsg("cannot rename or move a part of extension envcrypt")
                           : errmsg("cannot rename or move a part of an encrypted type"),
                    errdetail("Functions, queries and dumps find this %s by its name and schema.",
                              getObjectTypeDescription(&object, false)),
                    HideFromLog()));
    pg_unreachable();
}

}  // namespace

void GuardPlace(Oid catalog, Oid object, Oid extension_schema) {
    if (object < FirstNormalObjectId || ComesWithAnother(catalog, object))
        return;
    const Oid extension = getExtensionOfObject(catalog, object);
    const bool member = OidIsValid(extension) && extension == get_extension_oid("envcrypt", true);
    if (member || BelongsToMadeType(catalog, object, extension_schema))
        RaiseMoved({.classId = catalog, .objectId = object, .objectSubId = 0}, member);
}

void GuardMembership(const Node *statement) {
    if (!IsA(statement, AlterExtensionContentsStmt) || settings.allow_data_loss)
        return;
    const auto *change = reinterpret_cast<const AlterExtensionContentsStmt *>(statement);
    if (change->action >= 0 || strcmp(change->extname, "envcrypt") != 0)
        return;
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot take a part out of extension envcrypt"),
             errdetail("It could be dropped then, and pg_dump would take it for a table, type or function of "
                       "its own."),
             errhint("To do it nevertheless, a superuser runs SET envcrypt.allow_data_loss = on first."),
             HideFromLog()));
}

}  // namespace envcrypt
