#include "pg/users_table.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "parser/parse_coerce.h"
#include "utils/typcache.h"
}

namespace envcrypt {
namespace {

// Who runs the query, and with which settings: the table's owner, who may do nothing else meanwhile.
// Row-level security is not for him.
struct Before {
    Oid user;
    int security_context;
    int settings;
};

Before BecomeOwner(Relation table) {
    Before before{};
    GetUserIdAndSecContext(&before.user, &before.security_context);
    SetUserIdAndSecContext(table->rd_rel->relowner, before.security_context | SECURITY_LOCAL_USERID_CHANGE |
                                                        SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
    before.settings = NewGUCNestLevel();
    SPI_connect();
    return before;
}

void BecomeOneself(const Before &before) {
    SPI_finish();
    AtEOXact_GUC(false, before.settings);
    SetUserIdAndSecContext(before.user, before.security_context);
}

// Sees what is committed, at every isolation level, and what this transaction did before.
void Query(const char *query, int count, Oid *types, Datum *values, long limit) {
    SPIPlanPtr plan = SPI_prepare(query, count, types);
    if (plan == nullptr)
        elog(ERROR, "envcrypt: SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
    CommandCounterIncrement();
    PushActiveSnapshot(GetLatestSnapshot());
    const int result =
        SPI_execute_snapshot(plan, values, nullptr, GetActiveSnapshot(), InvalidSnapshot, true, false, limit);
    PopActiveSnapshot();
    if (result != SPI_OK_SELECT)
        elog(ERROR, "envcrypt: SPI_execute_snapshot failed: %s", SPI_result_code_string(result));
}

// Of a table with inheritance children, which are managed by themselves if at all, only its own rows.
const char *From(Relation table) {
    return psprintf("%s%s", table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
                    quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)),
                                               RelationGetRelationName(table)));
}

const char *Column(Relation table, AttrNumber column) {
    return quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(table), column - 1)->attname));
}

const char *QualifiedOperator(Oid oid) {
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(oid));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for operator %u", oid);
    const auto *form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
    const char *name = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
                                NameStr(form->oprname));
    ReleaseSysCache(tuple);
    return name;
}

bool IsMadeOf(const char *characters, const char *text) {
    return *text != '\0' && strspn(text, characters) == strlen(text);
}

// Its values are passed as text, and compared so.
bool IsTextLike(Oid type) {
    return type == BPCHAROID || IsBinaryCoercible(type, TEXTOID);
}

// AsColumnType makes the value that a row with this name has, so that an index finds it. False if there can
// be none: it is not how a value of that type is printed.
bool AsColumnType(Oid type, const char *name, Datum *value) {
    long long number = 0;
    switch (type) {
        case INT2OID:
        case INT4OID:
        case INT8OID:
        case OIDOID: {
            if (!IsMadeOf("-0123456789", name))
                return false;
            char *end = nullptr;
            errno = 0;
            number = std::strtoll(name, &end, 10);
            if (errno != 0 || *end != '\0')
                return false;
            const bool fits = type == INT2OID   ? number >= PG_INT16_MIN && number <= PG_INT16_MAX
                              : type == INT4OID ? number >= PG_INT32_MIN && number <= PG_INT32_MAX
                              : type == OIDOID  ? number >= 0 && number <= PG_UINT32_MAX
                                                : true;
            *value = type == INT2OID   ? Int16GetDatum(static_cast<int16>(number))
                     : type == INT4OID ? Int32GetDatum(static_cast<int32>(number))
                     : type == OIDOID  ? ObjectIdGetDatum(static_cast<Oid>(number))
                                       : Int64GetDatum(number);
            return fits;
        }
        case NUMERICOID: {
            const char *digits = *name == '-' ? name + 1 : name;
            const char *point = strchr(digits, '.');
            const bool printed = IsMadeOf(".0123456789", digits) && *digits != '.' &&
                                 (point == nullptr || IsMadeOf("0123456789", point + 1));
            if (!printed && strcmp(name, "NaN") != 0 && strcmp(digits, "Infinity") != 0)
                return false;
            break;
        }
        case UUIDOID:
            if (strlen(name) != 36 || !IsMadeOf("-0123456789abcdef", name))
                return false;
            for (int i = 0; i < 36; i++) {
                if ((name[i] == '-') != (i == 8 || i == 13 || i == 18 || i == 23))
                    return false;
            }
            break;
        case NAMEOID:
            if (strlen(name) >= NAMEDATALEN)
                return false;
            break;
        default:
            if (type_is_enum(type)) {
                if (strlen(name) >= NAMEDATALEN ||
                    !SearchSysCacheExists2(ENUMTYPOIDNAME, ObjectIdGetDatum(type), CStringGetDatum(name)))
                    return false;
                break;
            }
            *value = CStringGetTextDatum(name);
            return IsTextLike(type);
    }
    Oid input = InvalidOid;
    Oid parameter = InvalidOid;
    getTypeInputInfo(type, &input, &parameter);
    *value = OidInputFunctionCall(input, const_cast<char *>(name), parameter, -1);
    return true;
}

}  // namespace

bool CanHaveUsers(const UsersTable &users) {
    const char kind = get_rel_relkind(users.table);
    if ((kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE) ||
        get_rel_persistence(users.table) == RELPERSISTENCE_TEMP)
        return false;
    const Oid type = getBaseType(get_atttype(users.table, users.column));
    switch (type) {
        case INT2OID:
        case INT4OID:
        case INT8OID:
        case OIDOID:
        case NUMERICOID:
        case UUIDOID:
        case NAMEOID:
            return true;
        default:
            return type_is_enum(type) || IsTextLike(type);
    }
}

bool HasUser(const UsersTable &users, const Owner &owner, Oid except) {
    Relation table = try_table_open(users.table, AccessShareLock);
    if (table == nullptr)
        return false;
    const Oid column_type = getBaseType(TupleDescAttr(RelationGetDescr(table), users.column - 1)->atttypid);
    const char *name = pnstrdup(owner.stored.data(), owner.stored.size());
    Datum values[] = {static_cast<Datum>(0), CStringGetTextDatum(name), ObjectIdGetDatum(except)};
    Oid types[] = {column_type, TEXTOID, OIDOID};
    const Oid equals = lookup_type_cache(column_type, TYPECACHE_EQ_OPR)->eq_opr;
    bool found = false;
    if (AsColumnType(column_type, name, &values[0])) {
        const Before before = BecomeOwner(table);
        const char *column = Column(table, users.column);
        const char *indexed =
            OidIsValid(equals) ? psprintf("u.%s %s $1", column, QualifiedOperator(equals)) : "$1 IS NOT NULL";
        Query(psprintf(
                  "SELECT FROM %s AS u WHERE %s AND u.%s::pg_catalog.text OPERATOR(pg_catalog.=) $2 COLLATE "
                  "pg_catalog.\"C\" AND u.tableoid OPERATOR(pg_catalog.<>) $3",
                  From(table), indexed, column),
              lengthof(values), types, values, 1);
        found = SPI_processed > 0;
        BecomeOneself(before);
    }
    table_close(table, NoLock);
    return found;
}

void ForEachUser(const UsersTable &users, void (*visit)(const Owner &owner, void *context), void *context) {
    Relation table = table_open(users.table, AccessShareLock);
    const Before before = BecomeOwner(table);
    Query(psprintf("SELECT DISTINCT u.%s::pg_catalog.text COLLATE pg_catalog.\"C\" FROM %s AS u ORDER BY 1",
                   Column(table, users.column), From(table)),
          0, nullptr, nullptr, 0);
    SPITupleTable *names = SPI_tuptable;
    const uint64 count = SPI_processed;
    SetUserIdAndSecContext(before.user, before.security_context);
    for (uint64 i = 0; i < count; i++) {
        CHECK_FOR_INTERRUPTS();
        bool isnull = false;
        const Datum name = SPI_getbinval(names->vals[i], names->tupdesc, 1, &isnull);
        if (isnull)
            continue;
        const Owner owner = OwnerFromStored(VarlenaChars(PG_DETOAST_DATUM_PACKED(name)));
        if (IsValidOwner(owner))
            visit(owner, context);
    }
    BecomeOneself(before);
    table_close(table, NoLock);
}

}  // namespace envcrypt
