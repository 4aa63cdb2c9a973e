// without_contents.h: errors of PostgreSQL's own functions, without the value that they would quote.
#pragma once

#include "pg/backend.h"
#include "pg/errors.h"

namespace envcrypt {

// WithoutContents calls `work`, which hands plaintext to PostgreSQL, and returns its result. A data exception
// keeps its SQLSTATE and loses its text, which quotes the value. Anything else (out of memory, cancel) passes
// unchanged.
template <typename Work>
Datum WithoutContents(Oid type, Work work) {
    MemoryContext context = CurrentMemoryContext;
    volatile Datum result = 0;
    volatile int bad_value = 0;
    PG_TRY();
    { result = work(); }
    PG_CATCH();
    {
        const int code = geterrcode();
        if (ERRCODE_TO_CATEGORY(code) != ERRCODE_DATA_EXCEPTION)
            PG_RE_THROW();
        MemoryContextSwitchTo(context);
        FlushErrorState();
        bad_value = code;
    }
    PG_END_TRY();
    if (bad_value != 0)
        ereport(ERROR,
                (errcode(bad_value), errmsg("invalid value for type %s", format_type_be(type)),
                 errdetail("The value is not shown, because it is or was to be encrypted."), HideFromLog()));
    return result;
}

}  // namespace envcrypt
