// subscript.cpp: subscripts of encrypted documents and arrays: doc['k'], a[1].
//
// The parser's node is turned into one over the opened value, which the base type's own code then handles.

#include "server/errors.h"
#include "values/base_type.h"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/subscripting.h"
#include "parser/parse_coerce.h"
}

namespace envcrypt {
namespace {

extern "C" void envcrypt_transform_subscript(SubscriptingRef *reference, List *indirection,
                                             struct ParseState *parse, bool is_slice, bool is_assignment) {
    if (is_assignment)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("cannot assign to a part of an encrypted value"),
                        errhint("Assign the whole value, for example with jsonb_set()."), HideFromLog()));
    const BaseType &type = *FindBaseType(reference->refcontainertype);
    RequireBase(type);
    reference->refexpr = reinterpret_cast<Expr *>(
        coerce_to_target_type(parse, reinterpret_cast<Node *>(reference->refexpr), type.encrypted, type.base,
                              -1, COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1));
    reference->refcontainertype = getBaseType(type.base);
    const SubscriptRoutines *routines =
        getSubscriptingRoutines(reference->refcontainertype, &reference->refelemtype);
    routines->transform(reference, indirection, parse, is_slice, is_assignment);
}

// Never called: after the above, a node belongs to the base type.
extern "C" void envcrypt_set_up_subscript(const SubscriptingRef *, SubscriptingRefState *,
                                          SubscriptExecSteps *) {
    elog(ERROR, "subscript of an encrypted type was not replaced");
}

constexpr SubscriptRoutines kRoutines = {
    .transform = envcrypt_transform_subscript,
    .exec_setup = envcrypt_set_up_subscript,
    .fetch_strict = true,
    .fetch_leakproof = false,
    .store_leakproof = false,
};

}  // namespace
}  // namespace envcrypt

ENVCRYPT_FUNCTION(envcrypt_subscript) {
    PG_RETURN_POINTER(&envcrypt::kRoutines);
}
