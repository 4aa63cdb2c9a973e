#include "types/role_plans.h"

#include "server/statement_state.h"
#include "values/base_type.h"
#include "values/transit.h"

extern "C" {
#include "access/transam.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "tcop/utility.h"
}

namespace envcrypt {
namespace {

post_parse_analyze_hook_type next_parse_hook = nullptr;
planner_hook_type next_planner_hook = nullptr;

// How many values were sealed before the client's statement, and until the last one was parsed. A statement
// may be parsed while another one is, by a function that checks a domain's literal: so all in one are
// compared with the same number.
std::uint64_t values_before = 0;
std::uint64_t values_until_now = 0;
TimestampTz statement_start = 0;

bool MayHoldSealed() {
    const TimestampTz start = GetCurrentStatementStartTimestamp();
    if (start != statement_start) {
        statement_start = start;
        values_before = values_until_now;
    }
    values_until_now = ValuesInTransit();
    return unlikely(values_before != values_until_now);
}

extern "C" bool envcrypt_holds_sealed(Node *node, void *context) {
    if (node == nullptr)
        return false;
    if (IsA(node, Query))
        return WalkQuery(reinterpret_cast<Query *>(node), envcrypt_holds_sealed, context);
    if (!IsA(node, Const))
        return WalkExpression(node, envcrypt_holds_sealed, context);
    const auto *constant = reinterpret_cast<Const *>(node);
    return !constant->constisnull && constant->consttype >= FirstNormalObjectId &&
           IsEncryptedType(constant->consttype);
}

// The query that the plan cache looks at, or nullptr: of a statement such as EXPLAIN, the one inside.
Query *PlannedQuery(Query *query) {
    return query->commandType == CMD_UTILITY ? UtilityContainsQuery(query->utilityStmt) : query;
}

// The flag is not to be stored with a view.
extern "C" void envcrypt_post_parse_analyze(ParseState *parse, Query *query, JumbleArgument jumble) {
    if (next_parse_hook != nullptr)
        next_parse_hook(parse, query, jumble);
    if (!MayHoldSealed() || IsMakingView())
        return;
    Query *planned = PlannedQuery(query);
    if (planned != nullptr && envcrypt_holds_sealed(reinterpret_cast<Node *>(planned), nullptr))
        planned->hasRowSecurity = true;
}

extern "C" PlannedStmt *envcrypt_planner(ENVCRYPT_PLANNER_PARAMETERS) {
    const std::uint64_t before = ValuesInTransit();
    PlannedStmt *plan = next_planner_hook != nullptr ? next_planner_hook(ENVCRYPT_PLANNER_ARGUMENTS)
                                                     : standard_planner(ENVCRYPT_PLANNER_ARGUMENTS);
    if (unlikely(before != ValuesInTransit()))
        plan->dependsOnRole = true;
    return plan;
}

}  // namespace

void InstallPlanHooks() {
    next_parse_hook = post_parse_analyze_hook;
    post_parse_analyze_hook = envcrypt_post_parse_analyze;
    next_planner_hook = planner_hook;
    planner_hook = envcrypt_planner;
}

}  // namespace envcrypt
