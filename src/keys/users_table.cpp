#include "keys/users_table.h"

#include "keys/owner_type.h"
#include "keys/table_query.h"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/tstoreReceiver.h"
#include "utils/tuplestore.h"
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
    return before;
}

void BecomeOneself(const Before &before) {
    AtEOXact_GUC(false, before.settings);
    SetUserIdAndSecContext(before.user, before.security_context);
}

// Sees what is committed, at every isolation level, and what this transaction did before.
uint64 QueryNow(Relation table, const char *query, const QueryArguments &arguments, uint64 limit,
                DestReceiver *receiver) {
    CommandCounterIncrement();
    const Snapshot now = RegisterSnapshot(GetLatestSnapshot());
    const uint64 rows = QueryTable(table, query, arguments, now, limit, receiver);
    UnregisterSnapshot(now);
    return rows;
}

// Of a table with inheritance children, which are managed by themselves if at all, only its own rows.
const char *From(Relation table) {
    return psprintf("%s%s", table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
                    QualifiedName(table));
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

}  // namespace

bool CanHaveUsers(const UsersTable &users) {
    const char kind = get_rel_relkind(users.table);
    if ((kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE) ||
        get_rel_persistence(users.table) == RELPERSISTENCE_TEMP)
        return false;
    Oid type = InvalidOid;
    Oid collation = InvalidOid;
    std::int32_t modifier = 0;
    get_atttypetypmodcoll(users.table, users.column, &type, &modifier, &collation);
    return FormOfOwners(type, collation) != OwnerForm::kNone;
}

bool HasUser(const UsersTable &users, const Owner &owner, Oid except) {
    Relation table = try_table_open(users.table, AccessShareLock);
    if (table == nullptr)
        return false;
    const FormData_pg_attribute attribute = *TupleDescAttr(RelationGetDescr(table), users.column - 1);
    const Oid column_type = getBaseType(attribute.atttypid);
    const OwnerForm form = FormOfOwners(attribute.atttypid, attribute.attcollation);
    Datum values[] = {static_cast<Datum>(0), ObjectIdGetDatum(except)};
    Oid types[] = {column_type, OIDOID};
    bool found = false;
    if (form != OwnerForm::kNone && OwnerWithName(form, owner.stored, &values[0])) {
        const Before before = BecomeOwner(table);
        // As SQL takes values for equal, so that an index is used.
        const Oid equals = lookup_type_cache(column_type, TYPECACHE_EQ_OPR)->eq_opr;
        const char *query =
            psprintf("SELECT FROM %s AS u WHERE u.%s %s $1 AND u.tableoid OPERATOR(pg_catalog.<>) $2",
                     From(table), Column(table, users.column), QualifiedOperator(equals));
        found = QueryNow(table, query, {lengthof(values), types, values}, 1, None_Receiver) > 0;
        BecomeOneself(before);
    }
    table_close(table, NoLock);
    return found;
}

void ForEachUser(const UsersTable &users, void (*visit)(const Owner &owner, void *context), void *context) {
    Relation table = table_open(users.table, AccessShareLock);
    const char *column = psprintf("u.%s", Column(table, users.column));
    const char *name = NameExpression(table, users.column, column);
    Tuplestorestate *names = tuplestore_begin_heap(false, false, work_mem);
    DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
    SetTuplestoreDestReceiverParams(receiver, names, CurrentMemoryContext, true, nullptr, nullptr);
    TupleDesc columns = CreateTemplateTupleDesc(1);
    TupleDescInitEntry(columns, 1, "name", TEXTOID, -1, 0);

    const Before before = BecomeOwner(table);
    QueryNow(
        table,
        psprintf("SELECT DISTINCT %s COLLATE pg_catalog.\"C\" FROM %s AS u WHERE %s IS NOT NULL ORDER BY 1",
                 name, From(table), column),
        {}, 0, receiver);
    BecomeOneself(before);
    receiver->rDestroy(receiver);

    TupleTableSlot *slot = MakeSingleTupleTableSlot(columns, &TTSOpsMinimalTuple);
    while (tuplestore_gettupleslot(names, true, false, slot)) {
        CHECK_FOR_INTERRUPTS();
        bool isnull = false;
        const Datum value = slot_getattr(slot, 1, &isnull);
        const Owner owner = OwnerFromStored(VarlenaChars(PG_DETOAST_DATUM_PACKED(value)));
        if (IsValidOwner(owner))
            visit(owner, context);
    }
    ExecDropSingleTupleTableSlot(slot);
    tuplestore_end(names);
    table_close(table, NoLock);
}

}  // namespace envcrypt
