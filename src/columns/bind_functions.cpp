// bind_functions.cpp: SQL functions that bind a value to a row's owner and column, and check it.

#include "columns/binding.h"
#include "server/errors.h"
#include "server/rights.h"
#include "values/armored.h"
#include "values/seal.h"

namespace envcrypt {
namespace {

// Arguments 1 and 2 of all of them. A NULL owner is the database key.
Binding BindingFromArguments(FunctionCallInfo fcinfo) {
    const int context_id = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
    if (context_id < 0 || context_id > PG_UINT16_MAX)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("context id %d is not between 0 and %d", context_id, PG_UINT16_MAX), HideFromLog()));
    Binding binding{.owner = {}, .context_id = static_cast<std::uint16_t>(context_id)};
    if (!PG_ARGISNULL(1))
        binding.owner = OwnerFromArgument(fcinfo, 1);
    return binding;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_bind_plain) {
    RequireSeal();
    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, kResult, 0);
    const Datum value = BaseArgument(fcinfo, 0, type);
    RefuseArmored(type, value);
    return BindPlain(type, value, BindingFromArguments(fcinfo));
}

ENVCRYPT_FUNCTION(envcrypt_bind_sealed) {
    RequireSealOrOpen();  // whether a value passes tells whose it is
    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, kResult);
    Datum bound = 0;
    if (!BindSealed(type, PG_GETARG_DATUM(0), BindingFromArguments(fcinfo), &bound))
        RaiseMisplaced();
    return bound;
}

// A NULL context id: the column is not protected, so that the value need only open.
ENVCRYPT_FUNCTION(envcrypt_check_value) {
    RequireOpen();
    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    const BaseType &type = *TypeOfFunction(fcinfo->flinfo, 0);
    const Binding binding = BindingFromArguments(fcinfo);
    const char *fault = BindingFault(type, PG_GETARG_VARLENA_PP(0), PG_ARGISNULL(2) ? nullptr : &binding);
    if (fault == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_TEXT_P(cstring_to_text(fault));
}
