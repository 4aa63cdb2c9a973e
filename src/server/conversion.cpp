#include "server/conversion.h"

#include "server/without_contents.h"

extern "C" {
#include "parser/parse_coerce.h"
}

namespace envcrypt {

void PrepareConversion(Conversion *conversion, Oid source, Oid target, CoercionContext allowed,
                       MemoryContext context) {
    *conversion = {};
    conversion->source = source;
    conversion->target = target;
    conversion->context = context;
    conversion->to_domain = getBaseType(target) != target;
    Oid function = InvalidOid;
    switch (find_coercion_pathway(target, source, allowed, &function)) {
        case COERCION_PATH_FUNC:
            fmgr_info_cxt(function, &conversion->function, context);
            conversion->arguments = get_func_nargs(function);
            return;
        case COERCION_PATH_RELABELTYPE:
            return;
        default:
            break;
    }
    bool is_varlena = false;
    conversion->through_text = true;
    conversion->to_domain = false;  // a domain's input function checks it
    getTypeOutputInfo(source, &function, &is_varlena);
    fmgr_info_cxt(function, &conversion->output, context);
    getTypeInputInfo(target, &function, &conversion->input_parameter);
    fmgr_info_cxt(function, &conversion->input, context);
}

Datum Convert(Conversion *conversion, Datum value, std::int32_t typmod) {
    return WithoutContents(conversion->target, [&] {
        Datum result = value;
        if (conversion->through_text)
            return InputFunctionCall(&conversion->input, OutputFunctionCall(&conversion->output, value),
                                     conversion->input_parameter, -1);
        if (conversion->arguments == 1)
            result = FunctionCall1(&conversion->function, value);
        else if (conversion->arguments == 2)
            result = FunctionCall2(&conversion->function, value, Int32GetDatum(typmod));
        else if (conversion->arguments == 3)
            result = FunctionCall3(&conversion->function, value, Int32GetDatum(typmod), BoolGetDatum(true));
        if (conversion->to_domain)
            domain_check(result, false, conversion->target, &conversion->domain_state, conversion->context);
        return result;
    });
}

}  // namespace envcrypt
