// cast.cpp: casts between encrypted types and everything else.

#include "server/access.h"
#include "server/conversion.h"
#include "server/errors.h"
#include "server/rights.h"
#include "server/statement_state.h"
#include "values/armored.h"
#include "values/base_type.h"
#include "values/loading.h"
#include "values/seal.h"
#include "values/transit.h"
#include "values/value_memo.h"

extern "C" {
#include "catalog/pg_cast.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/supportnodes.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
}

namespace envcrypt {
namespace {

// What a cast to or from another type than the base keeps in fn_extra.
struct CastState {
    const BaseType *type;
    const BaseType *from;  // of a cast between two encrypted types
    Conversion conversion;
};

// How the cast is asked for that a function of ours implements.
CoercionContext ContextOfCast(const FmgrInfo *function) {
    const auto *call = reinterpret_cast<const FuncExpr *>(function->fn_expr);
    if (call != nullptr && IsA(call, FuncExpr) && call->funcformat != COERCE_IMPLICIT_CAST)
        return COERCION_EXPLICIT;
    HeapTuple tuple = SearchSysCache2(CASTSOURCETARGET, ObjectIdGetDatum(TypeOfArgument(function, 0)),
                                      ObjectIdGetDatum(get_func_rettype(function->fn_oid)));
    if (!HeapTupleIsValid(tuple))
        return COERCION_EXPLICIT;
    const auto *cast = reinterpret_cast<Form_pg_cast>(GETSTRUCT(tuple));
    const bool is_own = cast->castfunc == function->fn_oid;
    const char context = cast->castcontext;
    ReleaseSysCache(tuple);
    if (is_own && context == COERCION_CODE_IMPLICIT)
        return COERCION_IMPLICIT;
    return is_own && context == COERCION_CODE_ASSIGNMENT ? COERCION_ASSIGNMENT : COERCION_EXPLICIT;
}

// `argument`: where the encrypted type stands; `other`: where the other one does.
CastState *StateOf(FmgrInfo *function, int argument, int other) {
    if (likely(function->fn_extra != nullptr))
        return static_cast<CastState *>(function->fn_extra);
    const BaseType *type = LookUpTypeOfFunction(function, argument);
    RequireBase(*type);
    auto *state = static_cast<CastState *>(MemoryContextAllocZero(function->fn_mcxt, sizeof(CastState)));
    state->type = type;
    if (argument == kResult) {
        const Oid source = TypeOfArgument(function, other);
        state->from = IsPlainEncryptedType(source) ? FindBaseType(source) : nullptr;
        if (state->from != nullptr)
            RequireBase(*state->from);
        PrepareConversion(&state->conversion, state->from != nullptr ? state->from->base : source, type->base,
                          ContextOfCast(function), function->fn_mcxt);
    } else {
        PrepareConversion(&state->conversion, type->base, get_func_rettype(function->fn_oid),
                          ContextOfCast(function), function->fn_mcxt);
    }
    function->fn_extra = state;
    return state;
}

// A constant that this backend sealed while it parsed the statement would be opened once for each row.
Datum OpenArgument(FunctionCallInfo fcinfo, const BaseType &type) {
    const auto *sealed = PG_GETARG_VARLENA_PP(0);
    RequireOpen();
    const SealedHeader header = Header(type, sealed);
    if (likely(!IsInTransit(header, sealed)))
        return OpenWithHeader(type, header, sealed);
    const Datum opened = OpenThroughMemo(type, sealed);
    return BelongsToMemo(type) ? datumCopy(opened, type.by_value, type.length) : opened;
}

// to_json() of a base type's value. It asks its call expression for the value's type.
struct JsonState {
    const BaseType *type;
    FmgrInfo to_json;
};

JsonState *JsonStateOf(FmgrInfo *function) {
    if (likely(function->fn_extra != nullptr))
        return static_cast<JsonState *>(function->fn_extra);
    const BaseType *type = LookUpTypeOfFunction(function, 0);
    auto *state = static_cast<JsonState *>(MemoryContextAllocZero(function->fn_mcxt, sizeof(JsonState)));
    state->type = type;
    const MemoryContext caller = MemoryContextSwitchTo(function->fn_mcxt);
    fmgr_info(F_TO_JSON, &state->to_json);
    Const *argument =
        makeConst(type->base, -1, InvalidOid, type->length, static_cast<Datum>(0), true, type->by_value);
    fmgr_info_set_expr(reinterpret_cast<Node *>(makeFuncExpr(F_TO_JSON, JSONOID, list_make1(argument),
                                                             InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL)),
                       &state->to_json);
    MemoryContextSwitchTo(caller);
    function->fn_extra = state;
    return state;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

// Encrypted type to its base type.
ENVCRYPT_FUNCTION(envcrypt_open) {
    if (PassesUnchecked(fcinfo))
        PG_RETURN_NULL();
    return OpenArgument(fcinfo, *TypeOfFunction(fcinfo->flinfo, 0, kResult));
}

// Encrypted type to any other type, as its base type is cast to that.
ENVCRYPT_FUNCTION(envcrypt_open_as) {
    if (PassesUnchecked(fcinfo))
        PG_RETURN_NULL();
    CastState *state = StateOf(fcinfo->flinfo, 0, kResult);
    return Convert(&state->conversion, OpenArgument(fcinfo, *state->type),
                   PG_NARGS() > 1 ? PG_GETARG_INT32(1) : -1);
}

// Encrypted type to json: what to_json() gives for the base type. PostgreSQL's functions that build JSON look
// for this cast; without it they would take numbers and documents for strings.
ENVCRYPT_FUNCTION(envcrypt_to_json) {
    if (PassesUnchecked(fcinfo))
        PG_RETURN_NULL();
    JsonState *state = JsonStateOf(fcinfo->flinfo);
    return FunctionCall1(&state->to_json, OpenArgument(fcinfo, *state->type));
}

// Base type, or one that PostgreSQL can take for it, or another encrypted type, to the encrypted type,
// perhaps with a type modifier. Constants of other types are as literals: who may open may write them.
ENVCRYPT_FUNCTION(envcrypt_seal) {
    CastState *state = StateOf(fcinfo->flinfo, kResult, 0);
    const BaseType &type = *state->type;
    Datum value = 0;
    if (state->conversion.source == type.base) {
        RequireSeal();
        value = BaseArgument(fcinfo, 0, type);
    } else {
        RequireSealOrOpen();
        value = Convert(&state->conversion,
                        state->from != nullptr ? OpenArgument(fcinfo, *state->from) : PG_GETARG_DATUM(0));
        if (type.is_varlena())
            value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
    }
    RefuseArmored(type, value);
    if (PG_NARGS() == 3)
        value = CoerceToTypmod(type, value, PG_GETARG_INT32(1), PG_GETARG_BOOL(2));
    return SealInTransit(type, value);
}

// A constant is sealed once, while its statement is planned, as a literal is while it is parsed.
ENVCRYPT_FUNCTION(envcrypt_seal_support) {
    auto *node = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
    if (!IsA(node, SupportRequestSimplify))
        return kNullPointer;
    const FuncExpr *call = reinterpret_cast<SupportRequestSimplify *>(node)->fcall;
    if (!(MaySeal() || MayOpen()))
        return kNullPointer;
    Datum arguments[3] = {};
    int count = 0;
    ListCell *cell = nullptr;
    foreach (cell, call->args) {
        const auto *constant = static_cast<Const *>(lfirst(cell));
        if (!IsA(constant, Const) || constant->constisnull)
            return kNullPointer;
        arguments[count++] = constant->constvalue;
    }
    const Datum sealed = count == 3 ? OidFunctionCall3(call->funcid, arguments[0], arguments[1], arguments[2])
                                    : OidFunctionCall1(call->funcid, arguments[0]);
    PG_RETURN_POINTER(makeConst(call->funcresulttype, -1, call->funccollid, -1, sealed, false, false));
}

// An encrypted value for a column with a type modifier. Nothing is opened where there is none, nor where
// sealed values are loaded byte for byte: a restore needs no key.
ENVCRYPT_FUNCTION(envcrypt_coerce_typmod) {
    const std::int32_t typmod = PG_GETARG_INT32(1);
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, 0);
    if (typmod < 0 || !OidIsValid(type.coercion.fn_oid))
        PG_RETURN_DATUM(PG_GETARG_DATUM(0));
    // A sealed value that is restored is taken as it is, from INSERT as from COPY.
    const bool is_explicit = PG_GETARG_BOOL(2);
    const Access access = CurrentAccess();
    if (!is_explicit && access.input == Language::kCiphertext && MayBringSealed())
        PG_RETURN_DATUM(PG_GETARG_DATUM(0));
    const auto *sealed = PG_GETARG_VARLENA_PP(0);
    const SealedHeader header = Header(type, sealed);
    if (!access.may_open && !(access.may_seal && IsInTransit(header, sealed)))
        RequireOpen();
    const Datum value = OpenWithHeader(type, header, sealed);
    const Datum fitting = CoerceToTypmod(type, value, typmod, is_explicit);
    if (datumIsEqual(value, fitting, type.by_value, type.length))
        PG_RETURN_POINTER(sealed);
    return SealInTransit(type, fitting);
}
