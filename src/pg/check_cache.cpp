#include "pg/check_cache.h"

#include "pg/extension_objects.h"

extern "C" {
#include "optimizer/optimizer.h"
}

namespace envcrypt {

struct CompiledChecks {
    MemoryContext context;
    Oid table;
    std::uint64_t relation_changes;
    std::uint64_t definition_changes;
    ExprState **states;
};

namespace {

CompiledChecks *idle = nullptr;
std::uint64_t definition_changes = 1;

extern "C" void envcrypt_definition_callback(Datum, int, uint32) {
    definition_changes++;
}

CompiledChecks *Compile(Relation table) {
    // Read before the look, so that what changes meanwhile counts.
    const std::uint64_t relations = RelationChanges();
    const std::uint64_t definitions = definition_changes;
    const MemoryContext context =
        AllocSetContextCreate(CurTransactionContext, "envcrypt checks", ALLOCSET_SMALL_SIZES);
    const MemoryContext caller = MemoryContextSwitchTo(context);
    auto *checks = static_cast<CompiledChecks *>(palloc(sizeof(CompiledChecks)));
    *checks = {context, RelationGetRelid(table), relations, definitions, nullptr};
    const int count = RelationGetDescr(table)->constr->num_check;
    checks->states = static_cast<ExprState **>(palloc(count * sizeof(ExprState *)));
    for (int i = 0; i < count; i++) {
        auto *expression = static_cast<Expr *>(stringToNode(RelationGetDescr(table)->constr->check[i].ccbin));
        checks->states[i] = ExecInitExpr(expression_planner(expression), nullptr);
    }
    MemoryContextSwitchTo(caller);
    return checks;
}

bool IsCurrent(const CompiledChecks *checks, Oid table) noexcept {
    return checks->table == table && checks->relation_changes == RelationChanges() &&
           checks->definition_changes == definition_changes;
}

}  // namespace

CompiledChecks *TakeChecks(Relation table) {
    const TupleConstr *constraints = RelationGetDescr(table)->constr;
    if (constraints == nullptr || constraints->num_check == 0)
        return nullptr;
    CompiledChecks *checks = idle;
    idle = nullptr;
    if (checks != nullptr && IsCurrent(checks, RelationGetRelid(table))) {
        MemoryContextSetParent(checks->context, CurTransactionContext);
        return checks;
    }
    if (checks != nullptr)
        MemoryContextDelete(checks->context);
    return Compile(table);
}

void GiveBackChecks(CompiledChecks *checks) {
    if (checks == nullptr)
        return;
    if (idle != nullptr)
        MemoryContextDelete(idle->context);
    MemoryContextSetParent(checks->context, TopMemoryContext);
    idle = checks;
}

ExprState **CheckStates(CompiledChecks *checks) noexcept {
    return checks != nullptr ? checks->states : nullptr;
}

void RegisterCheckCacheCallbacks() {
    for (const auto cache : {PROCOID, TYPEOID, CONSTROID})
        CacheRegisterSyscacheCallback(cache, envcrypt_definition_callback, static_cast<Datum>(0));
}

}  // namespace envcrypt
