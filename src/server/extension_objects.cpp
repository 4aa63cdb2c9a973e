#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/memo.h"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_extension.h"
#include "utils/fmgroids.h"
}

namespace envcrypt {
namespace {

ChangeCounter object_changes = kFirstState;  // of our tables, or of any while they are not known
Memo<ExtensionObjects> memo;
// Starts true: nothing is known yet.
bool tables_changed = true;
std::uint64_t relation_changes = 1;

// Our tables have no syscache, so their writers send relation invalidations by hand. The callback may run at
// any point where a lock is taken, so it only counts: no catalog access, nothing freed.
extern "C" void envcrypt_relcache_callback(Datum, Oid relation) {
    relation_changes++;
    const ExtensionObjects *known = memo.At(object_changes);
    if (relation == InvalidOid || known == nullptr || relation == known->data_keys ||
        relation == known->master_keys) {
        tables_changed = true;
        object_changes++;
    }
}

Oid ExtensionSchema(Oid extension) {
    Relation pg_extension = table_open(ExtensionRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(extension));
    SysScanDesc scan = systable_beginscan(pg_extension, ExtensionOidIndexId, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    const Oid schema = HeapTupleIsValid(tuple)
                           ? reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple))->extnamespace
                           : InvalidOid;
    systable_endscan(scan);
    table_close(pg_extension, AccessShareLock);
    return schema;
}

ExtensionObjects LookUpObjects() {
    const Oid extension = get_extension_oid("envcrypt", true);
    const Oid schema = OidIsValid(extension) ? ExtensionSchema(extension) : InvalidOid;
    if (!OidIsValid(schema))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("extension \"envcrypt\" is not installed in this database"),
                        errhint("Run CREATE EXTENSION envcrypt as a superuser."), HideFromLog()));
    const auto find = [schema](const char *name) {
        const Oid relation = get_relname_relid(name, schema);
        if (!OidIsValid(relation))
            ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                            errmsg("relation \"%s\" of extension envcrypt is missing from schema \"%s\"",
                                   name, get_namespace_name(schema)),
                            errhint("Undo what has renamed, moved or dropped it."), HideFromLog()));
        return relation;
    };
    return {.data_keys = find("envcrypt_data_keys"),
            .data_keys_by_id = find("envcrypt_data_keys_pkey"),
            .data_keys_by_owner = find("envcrypt_data_keys_owner_key"),
            .data_keys_by_tombstone = find("envcrypt_data_keys_tombstone_idx"),
            .master_keys = find("envcrypt_master_keys"),
            .master_keys_by_fingerprint = find("envcrypt_master_keys_pkey")};
}

}  // namespace

const ExtensionObjects &Objects() {
    const ExtensionObjects *known = memo.At(object_changes);
    return likely(known != nullptr) ? *known : memo.Fill(object_changes, LookUpObjects);
}

bool KeyTablesChanged() noexcept {
    const bool changed = tables_changed;
    tables_changed = false;
    return changed;
}

std::uint64_t RelationChanges() noexcept {
    return relation_changes;
}

void AnnounceKeyTableChange() {
    CacheInvalidateRelcacheByRelid(Objects().data_keys);
    ForceSyncCommit();
}

void RegisterExtensionCallbacks() {
    CacheRegisterRelcacheCallback(envcrypt_relcache_callback, static_cast<Datum>(0));
}

}  // namespace envcrypt
