#include "keys/check_cache.h"

#include "server/extension_objects.h"

extern "C" {
#include "optimizer/optimizer.h"
}

namespace envcrypt {

struct PlannedChecks {
    MemoryContext context;
    Oid table;
    std::uint64_t relation_changes;
    std::uint64_t definition_changes;
    int count;
    Expr **expressions;
};

namespace {

PlannedChecks *idle = nullptr;
std::uint64_t definition_changes = 1;

extern "C" void envcrypt_definition_callback(Datum, CacheIdentifier, uint32) {
    definition_changes++;
}

PlannedChecks *Plan(Relation table) {
    // Read before the look, so that what changes meanwhile counts.
    const std::uint64_t relations = RelationChanges();
    const std::uint64_t definitions = definition_changes;
    const MemoryContext context =
        AllocSetContextCreate(CurTransactionContext, "envcrypt checks", ALLOCSET_SMALL_SIZES);
    const MemoryContext caller = MemoryContextSwitchTo(context);
    auto *checks = static_cast<PlannedChecks *>(palloc(sizeof(PlannedChecks)));
    const int count = RelationGetDescr(table)->constr->num_check;
    auto **expressions = static_cast<Expr **>(palloc(sizeof(Expr *) * static_cast<std::size_t>(count)));
    *checks = {context, RelationGetRelid(table), relations, definitions, count, expressions};
    for (int i = 0; i < count; i++) {
        auto *expression = static_cast<Expr *>(stringToNode(RelationGetDescr(table)->constr->check[i].ccbin));
        expressions[i] = expression_planner(expression);
    }
    MemoryContextSwitchTo(caller);
    return checks;
}

bool IsCurrent(const PlannedChecks *checks, Oid table) noexcept {
    return checks->table == table && checks->relation_changes == RelationChanges() &&
           checks->definition_changes == definition_changes;
}

}  // namespace

PlannedChecks *TakeChecks(Relation table) {
    const TupleConstr *constraints = RelationGetDescr(table)->constr;
    if (constraints == nullptr || constraints->num_check == 0)
        return nullptr;
    PlannedChecks *checks = idle;
    idle = nullptr;
    if (checks != nullptr && IsCurrent(checks, RelationGetRelid(table))) {
        MemoryContextSetParent(checks->context, CurTransactionContext);
        return checks;
    }
    if (checks != nullptr)
        MemoryContextDelete(checks->context);
    return Plan(table);
}

void GiveBackChecks(PlannedChecks *checks) {
    if (checks == nullptr)
        return;
    if (idle != nullptr)
        MemoryContextDelete(idle->context);
    MemoryContextSetParent(checks->context, TopMemoryContext);
    idle = checks;
}

ExprState **CheckStates(const PlannedChecks *checks) {
    if (checks == nullptr)
        return nullptr;
    auto **states =
        static_cast<ExprState **>(palloc(sizeof(ExprState *) * static_cast<std::size_t>(checks->count)));
    for (int i = 0; i < checks->count; i++) states[i] = ExecInitExpr(checks->expressions[i], nullptr);
    return states;
}

void RegisterCheckCacheCallbacks() {
    for (const auto cache : {PROCOID, TYPEOID, CONSTROID})
        CacheRegisterSyscacheCallback(cache, envcrypt_definition_callback, static_cast<Datum>(0));
}

}  // namespace envcrypt
