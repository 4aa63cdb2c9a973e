// online_functions.cpp: what envcrypt_protect_online() cannot ask in SQL.

#include "pg/errors.h"

using namespace envcrypt;

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
