#include "server/trigger_form.h"

#include <algorithm>

namespace envcrypt {

TriggerColumns ColumnsOfTrigger(const char *when) {
    auto *node = static_cast<Node *>(stringToNode(when));
    const bool is_or = IsA(node, BoolExpr) && reinterpret_cast<BoolExpr *>(node)->boolop == OR_EXPR;
    const List *tests = is_or ? reinterpret_cast<BoolExpr *>(node)->args : list_make1(node);
    TriggerColumns found{};
    if (list_length(tests) > kMaxTriggerColumns)
        return found;
    const ListCell *cell = nullptr;
    foreach (cell, tests) {
        const auto *test = static_cast<const NullTest *>(lfirst(cell));
        if (!IsA(test, NullTest) || !IsA(test->arg, Var))
            return {};
        const AttrNumber column = reinterpret_cast<const Var *>(test->arg)->varattno;
        AttrNumber *const end = found.column + found.count;
        if (column <= 0 || std::find(found.column, end, column) != end)
            return {};
        found.is_null[found.count] = test->nulltesttype == IS_NULL;
        found.column[found.count++] = column;
    }
    return found;
}

bool HasFormOfOurs(const Trigger &trigger, std::int16_t type) {
    return trigger.tgtype == type && trigger.tgnattr == 0 && !OidIsValid(trigger.tgconstraint);
}

}  // namespace envcrypt
