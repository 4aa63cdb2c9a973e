// without_contents.h: errors of PostgreSQL's own functions, without the value that they would quote.
#pragma once

#include "server/backend.h"
#include "server/errors.h"

namespace envcrypt {

// SaysNothingOfValues: errors of these classes are about the server, not about what a function was given.
inline bool SaysNothingOfValues(int code) {
    switch (ERRCODE_TO_CATEGORY(code)) {
        case MAKE_SQLSTATE('4', '0', '0', '0', '0'):  // transaction rollback
        case MAKE_SQLSTATE('5', '3', '0', '0', '0'):  // insufficient resources
        case MAKE_SQLSTATE('5', '4', '0', '0', '0'):  // program limit exceeded
        case MAKE_SQLSTATE('5', '7', '0', '0', '0'):  // operator intervention
        case MAKE_SQLSTATE('5', '8', '0', '0', '0'):  // system error
            return true;
        default:
            return false;
    }
}

// WithoutContents calls `work`, which hands plaintext to PostgreSQL, and returns its result. An error keeps
// its SQLSTATE and loses its text, which may quote the value, unless it is of a class that never does.
// What PostgreSQL's receive functions take for an internal error is a bad value all the same. `is_stored`:
// the bytes come from no client, so that no protocol was violated.
template <typename Work>
Datum WithoutContents(Oid type, Work work, bool is_stored = false) {
    MemoryContext context = CurrentMemoryContext;
    volatile Datum result = 0;
    volatile int bad_value = 0;
    PG_TRY();
    { result = work(); }
    PG_CATCH();
    {
        const int code = geterrcode();
        if (SaysNothingOfValues(code))
            PG_RE_THROW();
        MemoryContextSwitchTo(context);
        FlushErrorState();
        bad_value = code;
    }
    PG_END_TRY();
    if (bad_value == ERRCODE_INTERNAL_ERROR || (is_stored && bad_value == ERRCODE_PROTOCOL_VIOLATION))
        bad_value = ERRCODE_INVALID_BINARY_REPRESENTATION;
    if (bad_value != 0)
        ereport(ERROR,
                (errcode(bad_value), errmsg("invalid value for type %s", format_type_be(type)),
                 errdetail("The value is not shown, because it is or was to be encrypted."), HideFromLog()));
    return result;
}

}  // namespace envcrypt
