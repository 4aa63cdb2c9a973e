// made_type_call.h: calls of a made type's input functions.
//
// A domain's checks may run any statement, also one that reads or compares values of the same type. What such
// a function keeps in fn_extra, and the value memo, are for one call at a time.
#pragma once

#include "server/backend.h"

namespace envcrypt {

inline int made_type_calls = 0;  // how many are on the stack

template <typename Call>
pg_noinline Datum CallMadeTypeFunction(const FmgrInfo &kept, Call *call) {
    auto *function = const_cast<FmgrInfo *>(&kept);
    if (made_type_calls > 0) {
        function = static_cast<FmgrInfo *>(palloc(sizeof(FmgrInfo)));
        fmgr_info_cxt(kept.fn_oid, function, CurrentMemoryContext);
    }
    FmgrInfo *const volatile called = function;
    volatile Datum result = 0;
    PG_TRY();
    {
        made_type_calls++;
        result = (*call)(called);
    }
    PG_FINALLY();
    { made_type_calls--; }
    PG_END_TRY();
    return result;
}

// CallTypeFunction returns call(function): `kept` itself, or for a made type, in a call within a call, one
// that is forgotten.
template <typename Call>
Datum CallTypeFunction(bool is_made, const FmgrInfo &kept, Call call) {
    if (likely(!is_made))
        return call(const_cast<FmgrInfo *>(&kept));
    return CallMadeTypeFunction(kept, &call);
}

}  // namespace envcrypt
