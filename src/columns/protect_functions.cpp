// protect_functions.cpp: what envcrypt_protect() and its like, which are SQL, cannot learn by SQL.

#include <algorithm>

#include "server/errors.h"
#include "server/own_function.h"
#include "server/rights.h"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/supportnodes.h"
#include "utils/array.h"
}

namespace envcrypt {
namespace {

struct ColumnSearch {
    bool with_null_tests;  // columns that are only asked whether they are null count, too
    List *columns;
};

// Both for expressions over one table and for WHEN clauses, whose variables are old's and new's.
extern "C" bool envcrypt_search_columns(Node *node, void *context) {
    if (node == nullptr)
        return false;
    auto *search = static_cast<ColumnSearch *>(context);
    if (IsA(node, NullTest) && !search->with_null_tests && IsA(reinterpret_cast<NullTest *>(node)->arg, Var))
        return reinterpret_cast<Var *>(reinterpret_cast<NullTest *>(node)->arg)->varattno == 0;
    if (IsA(node, Var)) {
        search->columns = list_append_unique_int(search->columns, reinterpret_cast<Var *>(node)->varattno);
        return false;
    }
    return WalkExpression(node, envcrypt_search_columns, context);
}

bool IsBindFunction(Oid function) {
    return IsOurFunction(function, "envcrypt_bind_plain") || IsOurFunction(function, "envcrypt_bind_sealed");
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

// 'seal' or 'open': raises insufficient_privilege before any work is done.
ENVCRYPT_FUNCTION(envcrypt_require_right) {
    const std::string_view right = VarlenaChars(PG_GETARG_TEXT_PP(0));
    if (right == "seal")
        RequireSeal();
    else if (right == "open")
        RequireOpen();
    else
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a right is \"seal\" or \"open\"")));
    PG_RETURN_VOID();
}

// The numbers of the columns that an expression names, in the order in which it does; 0 is the whole row.
ENVCRYPT_FUNCTION(envcrypt_expression_columns) {
    ColumnSearch search{.with_null_tests = PG_GETARG_BOOL(1), .columns = NIL};
    envcrypt_search_columns(static_cast<Node *>(stringToNode(text_to_cstring(PG_GETARG_TEXT_PP(0)))),
                            &search);
    const int count = list_length(search.columns);
    auto *numbers = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<std::size_t>(count + 1)));
    for (int i = 0; i < count; i++)
        numbers[i] = Int16GetDatum(static_cast<std::int16_t>(list_nth_int(search.columns, i)));
    PG_RETURN_ARRAYTYPE_P(
        construct_array(numbers, count, INT2OID, sizeof(std::int16_t), true, TYPALIGN_SHORT));
}

// pg_trigger.tgargs, which holds strings that end with a zero byte, as an array.
ENVCRYPT_FUNCTION(envcrypt_trigger_arguments) {
    const std::string_view stored = VarlenaChars(PG_GETARG_BYTEA_PP(0));
    List *arguments = NIL;
    for (std::size_t at = 0; at < stored.size();) {
        const std::size_t end = std::min(stored.find('\0', at), stored.size());
        pg_verifymbstr(stored.data() + at, static_cast<int>(end - at), false);  // it may be anybody's bytea
        arguments =
            lappend(arguments, cstring_to_text_with_len(stored.data() + at, static_cast<int>(end - at)));
        at = end + 1;
    }
    const int count = list_length(arguments);
    auto *texts = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<std::size_t>(count + 1)));
    for (int i = 0; i < count; i++) texts[i] = PointerGetDatum(list_nth(arguments, i));
    PG_RETURN_ARRAYTYPE_P(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
}

// A value that was bound as it came out of a column with the same type modifier need not be opened again to
// see that it fits.
ENVCRYPT_FUNCTION(envcrypt_coerce_support) {
    auto *node = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
    if (!IsA(node, SupportRequestSimplify))
        return kNullPointer;
    const FuncExpr *call = reinterpret_cast<SupportRequestSimplify *>(node)->fcall;
    const auto *bind = static_cast<FuncExpr *>(linitial(call->args));
    const auto *typmod = static_cast<Const *>(lsecond(call->args));
    if (!IsA(typmod, Const) || typmod->constisnull || !IsA(bind, FuncExpr) || !IsBindFunction(bind->funcid))
        return kNullPointer;
    auto *value = static_cast<Node *>(linitial(bind->args));
    while (IsA(value, RelabelType))
        value = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(value)->arg);
    if (!IsA(value, Var) || exprTypmod(value) != DatumGetInt32(typmod->constvalue))
        return kNullPointer;
    PG_RETURN_POINTER(const_cast<FuncExpr *>(bind));
}

// A procedure: only those are told whether they may commit. They cannot be STRICT.
ENVCRYPT_FUNCTION(envcrypt_require_own_transaction) {
    const auto *context = reinterpret_cast<CallContext *>(fcinfo->context);
    if (context != nullptr && IsA(context, CallContext) && !context->atomic)
        PG_RETURN_VOID();
    const char *what = PG_ARGISNULL(0) ? "procedure" : text_to_cstring(PG_GETARG_TEXT_PP(0));
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
             errmsg("%s cannot run inside a transaction block", what), errdetail("It commits as it goes."),
             errhint("CALL it by itself, outside BEGIN, functions and blocks with EXCEPTION.")));
    PG_RETURN_VOID();
}
