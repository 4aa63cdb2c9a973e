// type_cast.cpp: casts between encrypted types and everything else.

#include "pg/armored.h"
#include "pg/base_type.h"
#include "pg/errors.h"
#include "pg/rights.h"
#include "pg/seal.h"
#include "pg/value_memo.h"
#include "pg/without_contents.h"

namespace envcrypt {
namespace {

// What a cast to another type than the base keeps in fn_extra.
struct CastState {
    const BaseType *type;
    Oid target;
    Oid target_parameter;
    FmgrInfo target_input;
};

CastState *StateOf(FmgrInfo *function) {
    if (likely(function->fn_extra != nullptr))
        return static_cast<CastState *>(function->fn_extra);
    const BaseType *type = LookUpTypeOfFunction(function, 0);
    auto *state = static_cast<CastState *>(MemoryContextAllocZero(function->fn_mcxt, sizeof(CastState)));
    state->type = type;
    function->fn_extra = state;
    return state;
}

// A constant that this backend sealed while it parsed the statement would be opened once for each row.
Datum OpenArgument(FunctionCallInfo fcinfo, const BaseType &type) {
    const auto *sealed = PG_GETARG_VARLENA_PP(0);
    RequireOpen();
    const SealedHeader header = Header(type, sealed);
    if (likely(!SealedInThisBackend(header, sealed)))
        return OpenWithHeader(type, header, sealed);
    const Datum value = OpenThroughMemo(type, sealed);
    return type.by_value ? value : PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

// Encrypted type to its base type.
ENVCRYPT_FUNCTION(envcrypt_open) {
    return OpenArgument(fcinfo, *TypeOfFunction(fcinfo->flinfo, 0));
}

// Encrypted type to any other type, as its base type converts to it through text.
ENVCRYPT_FUNCTION(envcrypt_open_as) {
    CastState *state = StateOf(fcinfo->flinfo);
    if (!OidIsValid(state->target)) {
        Oid input = InvalidOid;
        const Oid target = get_func_rettype(fcinfo->flinfo->fn_oid);
        getTypeInputInfo(target, &input, &state->target_parameter);
        fmgr_info_cxt(input, &state->target_input, fcinfo->flinfo->fn_mcxt);
        state->target = target;
    }
    const Datum value = OpenArgument(fcinfo, *state->type);
    char *text = OutputFunctionCall(const_cast<FmgrInfo *>(&state->type->output), value);
    return WithoutContents(state->target, [&] {
        return InputFunctionCall(&state->target_input, text, state->target_parameter, -1);
    });
}

// Base type, or one that PostgreSQL can take for it, to the encrypted type.
ENVCRYPT_FUNCTION(envcrypt_seal) {
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, kResult);
    RequireSeal();
    const Datum value = type.by_value ? PG_GETARG_DATUM(0) : PointerGetDatum(PG_GETARG_VARLENA_PP(0));
    if (type.form == PlainForm::kText && LooksArmored(VarlenaChars(DatumGetPointer(value))))
        RaiseSealedAsPlaintext(type.encrypted);
    return SealInTransit(type, value);
}
