#include "guard/unmade_types.h"

#include "guard/ddl_commands.h"
#include "server/errors.h"
#include "server/own_function.h"
#include "values/type_identity.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
}

namespace envcrypt {
namespace {

void NoteFamily(Oid method, const char *name, Oid schema) {
    const Oid family = GetSysCacheOid3(OPFAMILYAMNAMENSP, Anum_pg_opfamily_oid, ObjectIdGetDatum(method),
                                       CStringGetDatum(name), ObjectIdGetDatum(schema));
    if (OidIsValid(family))
        NoteTouched(OperatorFamilyRelationId, family);
}

// What is the type's by its name alone (envcrypt_define_type() in sql/). Functions that take internal values,
// and operator families, depend on no type.
void NoteByName(const char *type, Oid schema) {
    for (const Oid method : {BTREE_AM_OID, HASH_AM_OID}) NoteFamily(method, psprintf("%s_ops", type), schema);
    NoteFamily(BTREE_AM_OID, psprintf("%s_comparison_ops", type), schema);
    const Oid internal = INTERNALOID;
    const Oid function =
        GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(psprintf("%s_sortsupport", type)),
                        PointerGetDatum(buildoidvector(&internal, 1)), ObjectIdGetDatum(schema));
    if (OidIsValid(function) && IsOurFunction(function, "envcrypt_sortsupport"))
        NoteTouched(ProcedureRelationId, function);
}

const char *NameOfType(Oid type) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple))
        return nullptr;
    const char *name = pstrdup(NameStr(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typname));
    ReleaseSysCache(tuple);
    return name;
}

// pg_restore --clean drops functions one by one, then the type.
bool NamesFunctions(const Node *statement) {
    if (!IsA(statement, DropStmt))
        return false;
    const ObjectType what = reinterpret_cast<const DropStmt *>(statement)->removeType;
    return what == OBJECT_FUNCTION || what == OBJECT_ROUTINE;
}

void DropIfThere(Oid catalog, int cache, Oid object) {
    if (!SearchSysCacheExists1(cache, ObjectIdGetDatum(object)))
        return;
    const ObjectAddress address{.classId = catalog, .objectId = object, .objectSubId = 0};
    performDeletion(&address, DROP_CASCADE, 0);
    CommandCounterIncrement();
}

}  // namespace

Oid NoteUnmade(Oid function) {
    const Oid type = TypeOpenedBy(function);
    const char *name = OidIsValid(type) ? NameOfType(type) : nullptr;
    if (name == nullptr)
        return InvalidOid;
    CurrentDdlCommand().unmakes = true;
    NoteTouched(TypeRelationId, type);
    NoteByName(name, get_func_namespace(function));
    return type;
}

void DropUnmade(const Node *statement) {
    if (!CurrentDdlCommand().unmakes || NamesFunctions(statement))
        return;
    // Before what belongs to them: operator classes keep their families.
    for (int i = 0; i < TouchedCount(); i++) {
        const TouchedObject left = Touched(i);
        const char *name = left.catalog == TypeRelationId ? NameOfType(left.object) : nullptr;
        if (name == nullptr)
            continue;
        ereport(NOTICE, (errmsg("encrypted type \"%s\" is dropped with its base type", name), HideFromLog()));
        DropIfThere(TypeRelationId, TYPEOID, left.object);
    }
    for (int i = 0; i < TouchedCount(); i++) {
        const TouchedObject left = Touched(i);
        if (left.catalog == OperatorFamilyRelationId)
            DropIfThere(left.catalog, OPFAMILYOID, left.object);
        else if (left.catalog == ProcedureRelationId && IsOurFunction(left.object, "envcrypt_sortsupport"))
            DropIfThere(left.catalog, PROCOID, left.object);
    }
}

}  // namespace envcrypt
