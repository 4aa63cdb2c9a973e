// plain_expression.cpp: expressions over encrypted columns as PostgreSQL prints them once the columns are
// plain again: without the casts that open them, which it would keep.

#include <algorithm>
#include <array>

#include "server/errors.h"
#include "server/own_function.h"

extern "C" {
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/ruleutils.h"
}

namespace envcrypt {
namespace {

struct Opened {
    Oid relation;   // what the expression itself is over
    List *tables;   // those whose columns are opened: a table and all that inherits from it
    List *columns;  // names of theirs, as char *
    List *queries;  // in which the walk is, the innermost first
};

bool IsOpenedColumn(const Var *variable, const Opened &opened) {
    Oid relation = opened.relation;
    const int level = static_cast<int>(variable->varlevelsup);
    if (level < list_length(opened.queries)) {
        const auto *query = static_cast<Query *>(list_nth(opened.queries, level));
        const RangeTblEntry *entry = rt_fetch(variable->varno, query->rtable);
        if (entry->rtekind == RTE_JOIN && variable->varattno > 0) {
            const auto *source = static_cast<Node *>(list_nth(entry->joinaliasvars, variable->varattno - 1));
            if (source == nullptr || !IsA(source, Var))
                return false;
            Var joined = *reinterpret_cast<const Var *>(source);
            joined.varlevelsup = variable->varlevelsup;
            return IsOpenedColumn(&joined, opened);
        }
        if (entry->rtekind != RTE_RELATION)
            return false;
        relation = entry->relid;
    }
    if (variable->varattno <= 0 || !list_member_oid(opened.tables, relation))
        return false;
    const char *name = get_attname(relation, variable->varattno, false);
    for (int i = 0; i < list_length(opened.columns); i++)
        if (strcmp(static_cast<char *>(list_nth(opened.columns, i)), name) == 0)
            return true;
    return false;
}

// The column that a call opens, or nullptr. A column of a domain is relabelled first.
const Var *OpenedBy(const FuncExpr *call, const Opened &opened) {
    if (list_length(call->args) != 1 || !IsOurFunction(call->funcid, "envcrypt_open"))
        return nullptr;
    const auto *value = static_cast<Node *>(linitial(call->args));
    while (IsA(value, RelabelType))
        value = reinterpret_cast<const Node *>(reinterpret_cast<const RelabelType *>(value)->arg);
    if (!IsA(value, Var) || !IsOpenedColumn(reinterpret_cast<const Var *>(value), opened))
        return nullptr;
    return reinterpret_cast<const Var *>(value);
}

extern "C" Node *envcrypt_without_opening(Node *node, void *context) {
    if (node == nullptr)
        return nullptr;
    auto *opened = static_cast<Opened *>(context);
    if (IsA(node, FuncExpr)) {
        const auto *call = reinterpret_cast<FuncExpr *>(node);
        const Var *sealed = OpenedBy(call, *opened);
        if (sealed != nullptr) {
            auto *plain = static_cast<Var *>(copyObjectImpl(sealed));
            plain->vartype = call->funcresulttype;
            return reinterpret_cast<Node *>(plain);
        }
    }
    if (IsA(node, Query)) {
        opened->queries = lcons(node, opened->queries);
        Query *changed = MutateQuery(reinterpret_cast<Query *>(node), envcrypt_without_opening, context);
        opened->queries = list_delete_first(opened->queries);
        return reinterpret_cast<Node *>(changed);
    }
    return MutateExpression(node, envcrypt_without_opening, context);
}

// Arguments `table` and `columns` of both functions.
Opened OpenedFromArguments(FunctionCallInfo fcinfo, int table, int columns, Oid relation) {
    Opened opened{.relation = relation,
                  .tables = find_all_inheritors(PG_GETARG_OID(table), NoLock, nullptr),
                  .columns = NIL,
                  .queries = NIL};
    Datum *names = nullptr;
    bool *nulls = nullptr;
    int count = 0;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(columns), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &names,
                      &nulls, &count);
    for (int i = 0; i < count; i++)
        if (!nulls[i])
            opened.columns = lappend(opened.columns, NameStr(*DatumGetName(names[i])));
    return opened;
}

// A WHEN clause is over a trigger's table twice.
char *DeparseCondition(Node *condition, Oid table) {
    List *entries = NIL;
    for (const char *name : {"old", "new"}) {
        auto *entry = makeNode(RangeTblEntry);
        entry->rtekind = RTE_RELATION;
        entry->relid = table;
        entry->relkind = get_rel_relkind(table);
        entry->rellockmode = AccessShareLock;
        entry->alias = makeAlias(name, NIL);
        entry->eref = entry->alias;
        entry->inFromCl = true;
        entries = lappend(entries, entry);
    }
    auto *statement = makeNode(PlannedStmt);
    statement->rtable = entries;
    List *names = list_make2(pstrdup("old"), pstrdup("new"));
    return deparse_expression(condition, deparse_context_for_plan_tree(statement, names), true, false);
}

// Where the quoted name or string that begins here ends. A quote in it is doubled, and so is as good as an
// end and another beginning.
std::size_t EndOfQuoted(std::string_view text, std::size_t at) {
    return std::min(text.find(text[at], at + 1), text.size() - 1);
}

// Where the condition of a trigger stands in its definition, as pg_get_triggerdef() writes it: behind the
// first WHEN that is no part of a name, until its parenthesis closes.
std::string_view ConditionIn(std::string_view definition) {
    constexpr std::string_view kWhen = " WHEN (";
    std::size_t at = 0;
    while (at < definition.size() && !definition.substr(at).starts_with(kWhen))
        at = (definition[at] == '"' ? EndOfQuoted(definition, at) : at) + 1;
    const std::size_t first = std::min(at + kWhen.size(), definition.size());
    int open = 1;
    for (at = first; at < definition.size(); at++) {
        const char letter = definition[at];
        if (letter == '"' || letter == '\'')
            at = EndOfQuoted(definition, at);
        else if (letter == '(')
            open++;
        else if (letter == ')' && --open == 0)
            return definition.substr(first, at - first);
    }
    elog(ERROR, "a trigger's definition has no condition");
}

// A function of PostgreSQL's that returns null for what is not there. (DirectFunctionCall raises then.)
bool CallForText(PGFunction function, std::span<const Datum> arguments, Datum *result) {
    LOCAL_FCINFO(call, 2);
    InitFunctionCallInfoData(*call, nullptr, static_cast<short>(arguments.size()), InvalidOid, nullptr,
                             nullptr);
    for (std::size_t i = 0; i < arguments.size(); i++)
        call->args[i] = {.value = arguments[i], .isnull = false};
    *result = function(call);
    return !call->isnull;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

// (expression, relation, table, columns): what pg_get_expr(expression, relation) will give.
ENVCRYPT_FUNCTION(envcrypt_plain_expression) {
    Opened opened = OpenedFromArguments(fcinfo, 2, 3, PG_GETARG_OID(1));
    auto *expression = static_cast<Node *>(stringToNode(text_to_cstring(PG_GETARG_TEXT_PP(0))));
    const char *plain = nodeToString(envcrypt_without_opening(expression, &opened));
    Datum printed = 0;
    if (!CallForText(pg_get_expr, std::array{PointerGetDatum(cstring_to_text(plain)), PG_GETARG_DATUM(1)},
                     &printed))
        PG_RETURN_NULL();
    PG_RETURN_DATUM(printed);
}

// (trigger, table, columns): what pg_get_triggerdef(trigger) will give, but for line breaks.
ENVCRYPT_FUNCTION(envcrypt_plain_trigger) {
    Datum printed = 0;
    if (!CallForText(pg_get_triggerdef, std::array{PG_GETARG_DATUM(0)}, &printed))
        PG_RETURN_NULL();
    Relation pg_trigger = table_open(TriggerRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, PG_GETARG_DATUM(0));
    SysScanDesc scan = systable_beginscan(pg_trigger, TriggerOidIndexId, true, nullptr, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "no trigger with OID %u", PG_GETARG_OID(0));
    const Oid table = reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple))->tgrelid;
    bool isnull = false;
    const Datum stored = heap_getattr(tuple, Anum_pg_trigger_tgqual, RelationGetDescr(pg_trigger), &isnull);
    auto *condition = isnull ? nullptr : static_cast<Node *>(stringToNode(TextDatumGetCString(stored)));
    systable_endscan(scan);
    table_close(pg_trigger, AccessShareLock);

    Opened opened = OpenedFromArguments(fcinfo, 1, 2, table);
    if (condition == nullptr || opened.columns == NIL)
        PG_RETURN_DATUM(printed);
    const std::string_view definition = VarlenaChars(DatumGetTextPP(printed));
    const std::string_view old = ConditionIn(definition);
    const auto before = static_cast<int>(old.data() - definition.data());
    const auto after = static_cast<int>(definition.size() - old.size()) - before;
    PG_RETURN_TEXT_P(
        cstring_to_text(psprintf("%.*s%s%.*s", before, definition.data(),
                                 DeparseCondition(envcrypt_without_opening(condition, &opened), table), after,
                                 old.data() + old.size())));
}
