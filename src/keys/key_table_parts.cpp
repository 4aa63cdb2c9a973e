#include "keys/key_table_parts.h"

#include <array>

#include "server/own_function.h"
#include "server/trigger_form.h"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
}

namespace envcrypt {
namespace {

struct Column {
    const char *name;
    Oid type;
};

struct KeyTable {
    const char *name;
    std::span<const Column> columns;  // in their order, as they are read
    std::span<const char *const> indexes;
};

constexpr std::array<Column, 10> kDataKeyColumns = {{{"key_id", INT8OID},
                                                     {"kind", TEXTOID},
                                                     {"owner", TEXTOID},
                                                     {"key_version", INT4OID},
                                                     {"algorithm", TEXTOID},
                                                     {"master_fingerprint", BYTEAOID},
                                                     {"wrapped_key", BYTEAOID},
                                                     {"tombstone", BYTEAOID},
                                                     {"created_at", TIMESTAMPTZOID},
                                                     {"shredded_at", TIMESTAMPTZOID}}};
constexpr std::array<Column, 4> kMasterKeyColumns = {{{"fingerprint", BYTEAOID},
                                                      {"state", TEXTOID},
                                                      {"registered_at", TIMESTAMPTZOID},
                                                      {"state_since", TIMESTAMPTZOID}}};
constexpr std::array<const char *, 3> kDataKeyIndexes = {
    "envcrypt_data_keys_pkey", "envcrypt_data_keys_owner_key", "envcrypt_data_keys_tombstone_idx"};
constexpr std::array<const char *, 1> kMasterKeyIndexes = {"envcrypt_master_keys_pkey"};

constexpr std::array<KeyTable, 2> kKeyTables = {
    {{"envcrypt_data_keys", kDataKeyColumns, kDataKeyIndexes},
     {"envcrypt_master_keys", kMasterKeyColumns, kMasterKeyIndexes}}};

struct NeededTrigger {
    const char *name;  // as sql/ has it; it may have been renamed
    std::int16_t type;
    const char *events;
};

constexpr std::array<NeededTrigger, 2> kTriggers = {
    {{"envcrypt_announce",
      TRIGGER_TYPE_ROW | TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE |
          TRIGGER_TYPE_DELETE,
      "INSERT OR UPDATE OR DELETE"},
     {"envcrypt_announce_truncate", TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE, "TRUNCATE"}}};

// By its name alone: nullptr for any other relation.
const KeyTable *FindKeyTable(Oid relation) {
    const char *name = relation >= FirstNormalObjectId ? get_rel_name(relation) : nullptr;
    if (name == nullptr)
        return nullptr;
    for (const KeyTable &table : kKeyTables) {
        if (strcmp(name, table.name) == 0)
            return &table;
    }
    return nullptr;
}

const char *QualifiedName(Relation table) {
    return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)),
                                      RelationGetRelationName(table));
}

const char *CreateStatement(Relation table, const NeededTrigger &needed) {
    const char *schema = get_namespace_name(RelationGetNamespace(table));
    return psprintf("CREATE TRIGGER %s BEFORE %s ON %s FOR EACH %s EXECUTE FUNCTION %s()", needed.name,
                    needed.events, QualifiedName(table), TRIGGER_FOR_ROW(needed.type) ? "ROW" : "STATEMENT",
                    quote_qualified_identifier(schema, "envcrypt_key_table_trigger"));
}

MissingPart LookForTrigger(Relation table, const NeededTrigger &needed) {
    // The cache's own may be freed during a lookup.
    const TriggerDesc *triggers = CopyTriggerDesc(table->trigdesc);
    const int count = triggers != nullptr ? triggers->numtriggers : 0;
    const Trigger *sleeping = nullptr;
    for (int i = 0; i < count; i++) {
        const Trigger &trigger = triggers->triggers[i];
        if (!HasFormOfOurs(trigger, needed.type) || trigger.tgqual != nullptr ||
            !IsOurFunction(trigger.tgfoid, "envcrypt_key_table_trigger"))
            continue;
        if (trigger.tgenabled == TRIGGER_FIRES_ALWAYS)
            return {};
        sleeping = &trigger;
    }
    if (sleeping == nullptr)
        return {.what = psprintf("trigger \"%s\"", needed.name), .repair = CreateStatement(table, needed)};
    return {.what = psprintf("trigger \"%s\", which is not enabled always", sleeping->tgname),
            .repair = psprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", QualifiedName(table),
                               quote_identifier(sleeping->tgname))};
}

bool HasColumn(Relation table, AttrNumber number, const Column &needed) {
    const TupleDesc columns = RelationGetDescr(table);
    if (number > columns->natts)
        return false;
    const Form_pg_attribute column = TupleDescAttr(columns, number - 1);
    return !column->attisdropped && strcmp(NameStr(column->attname), needed.name) == 0 &&
           column->atttypid == needed.type && column->atttypmod == -1 &&
           (needed.type != TEXTOID || column->attcollation == C_COLLATION_OID);
}

MissingPart LookForParts(Relation table, const KeyTable &needed) {
    for (const NeededTrigger &trigger : kTriggers) {
        const MissingPart missing = LookForTrigger(table, trigger);
        if (missing.what != nullptr)
            return missing;
    }
    AttrNumber number = 0;
    for (const Column &column : needed.columns) {
        if (!HasColumn(table, ++number, column))
            return {.what = psprintf("column \"%s\" of type %s", column.name, format_type_be(column.type))};
    }
    for (const char *index : needed.indexes) {
        const Oid found = get_relname_relid(index, RelationGetNamespace(table));
        if (!OidIsValid(found) || IndexGetRelation(found, true) != RelationGetRelid(table))
            return {.what = psprintf("index \"%s\"", index)};
    }
    return {};
}

}  // namespace

bool IsKeyTable(Oid relation) {
    if (FindKeyTable(relation) == nullptr)
        return false;
    const Oid extension = getExtensionOfObject(RelationRelationId, relation);
    return OidIsValid(extension) && extension == get_extension_oid("envcrypt", true);
}

MissingPart FindMissingPart(Oid oid) {
    const KeyTable *needed = FindKeyTable(oid);
    Relation table = needed != nullptr ? try_relation_open(oid, AccessShareLock) : nullptr;
    if (table == nullptr)
        return {};
    const MissingPart missing = LookForParts(table, *needed);
    relation_close(table, AccessShareLock);
    return missing;
}

}  // namespace envcrypt
