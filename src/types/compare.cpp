// compare.cpp: order, equality and hashes of opened values, for ORDER BY, GROUP BY, DISTINCT and the
// like.
//
// Identical bytes are equal without being opened. While ANALYZE runs, and in logical replication workers,
// bytes are all that is compared: what is opened there would end in a catalog, or needs a key that the worker
// has not.

#include "server/errors.h"
#include "server/rights.h"
#include "types/sealed_bytes.h"
#include "values/base_type.h"
#include "values/seal.h"
#include "values/value_memo.h"

extern "C" {
#include "access/nbtree.h"
#include "common/hashfn.h"
#include "utils/typcache.h"
}

namespace envcrypt {
namespace {

struct CompareState {
    const BaseType *type;
    const TypeCacheEntry *base;  // lives as long as the process
};

CompareState *StateOf(FmgrInfo *function) {
    if (likely(function->fn_extra != nullptr))
        return static_cast<CompareState *>(function->fn_extra);
    const BaseType *type = LookUpTypeOfFunction(function, 0);
    RequireBase(*type);
    auto *state =
        static_cast<CompareState *>(MemoryContextAllocZero(function->fn_mcxt, sizeof(CompareState)));
    state->type = type;
    state->base =
        lookup_type_cache(type->base, TYPECACHE_CMP_PROC_FINFO | TYPECACHE_EQ_OPR_FINFO |
                                          TYPECACHE_HASH_PROC_FINFO | TYPECACHE_HASH_EXTENDED_PROC_FINFO);
    function->fn_extra = state;
    return state;
}

// A comparison runs in the caller's memory, which a sort keeps until its end: nothing may be left there.
// `compare` is called with the two opened values if their bytes differ; its result is `same` if they do not.
template <typename Compare>
int CompareWith(FunctionCallInfo fcinfo, int same, Compare compare) {
    auto *left = PG_GETARG_VARLENA_PP(0);
    auto *right = PG_GETARG_VARLENA_PP(1);
    int result = CompareBytes(VarlenaBytes(left), VarlenaBytes(right));
    if (result == 0 || ComparesBytesOnly()) {
        result = result == 0 ? same : result < 0 ? -1 : 1;
    } else {
        const CompareState *state = StateOf(fcinfo->flinfo);
        RequireOpen();
        const OpenedPair opened = OpenPairThroughMemo(*state->type, left, right);
        result = compare(state->base, opened);
        ReleaseOpened(*state->type, opened);
    }
    PG_FREE_IF_COPY(left, 0);
    PG_FREE_IF_COPY(right, 1);
    return result;
}

int Compare(FunctionCallInfo fcinfo) {
    return CompareWith(fcinfo, 0, [fcinfo](const TypeCacheEntry *base, const OpenedPair &opened) {
        auto *compare = const_cast<FmgrInfo *>(&base->cmp_proc_finfo);
        return DatumGetInt32(FunctionCall2Coll(compare, PG_GET_COLLATION(), opened.left, opened.right));
    });
}

// Bytes that differ are unequal where bytes alone count: their order is -1 or 1.
bool Equal(FunctionCallInfo fcinfo) {
    constexpr int kEqual = 2;
    return CompareWith(fcinfo, kEqual, [fcinfo](const TypeCacheEntry *base, const OpenedPair &opened) {
               auto *equal = const_cast<FmgrInfo *>(&base->eq_opr_finfo);
               return DatumGetBool(FunctionCall2Coll(equal, PG_GET_COLLATION(), opened.left, opened.right))
                          ? kEqual
                          : 0;
           }) == kEqual;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_compare) {
    PG_RETURN_INT32(Compare(fcinfo));
}
ENVCRYPT_FUNCTION(envcrypt_lt) {
    PG_RETURN_BOOL(Compare(fcinfo) < 0);
}
ENVCRYPT_FUNCTION(envcrypt_le) {
    PG_RETURN_BOOL(Compare(fcinfo) <= 0);
}
ENVCRYPT_FUNCTION(envcrypt_eq) {
    PG_RETURN_BOOL(Equal(fcinfo));
}
ENVCRYPT_FUNCTION(envcrypt_ne) {
    PG_RETURN_BOOL(!Equal(fcinfo));
}
ENVCRYPT_FUNCTION(envcrypt_ge) {
    PG_RETURN_BOOL(Compare(fcinfo) >= 0);
}
ENVCRYPT_FUNCTION(envcrypt_gt) {
    PG_RETURN_BOOL(Compare(fcinfo) > 0);
}

ENVCRYPT_FUNCTION(envcrypt_hash) {
    auto *sealed = PG_GETARG_VARLENA_PP(0);
    const auto bytes = VarlenaBytes(sealed);
    Datum hash = 0;
    if (ComparesBytesOnly()) {
        hash = hash_any(bytes.data(), static_cast<int>(bytes.size()));
    } else {
        CompareState *state = StateOf(fcinfo->flinfo);
        RequireOpen();
        const Datum value = OpenThroughMemo(*state->type, sealed);
        hash = FunctionCall1Coll(const_cast<FmgrInfo *>(&state->base->hash_proc_finfo), PG_GET_COLLATION(),
                                 value);
        ReleaseOpened(*state->type, value);
    }
    PG_FREE_IF_COPY(sealed, 0);
    return hash;
}

ENVCRYPT_FUNCTION(envcrypt_hash_extended) {
    auto *sealed = PG_GETARG_VARLENA_PP(0);
    const Datum seed = PG_GETARG_DATUM(1);
    const auto bytes = VarlenaBytes(sealed);
    Datum hash = 0;
    if (ComparesBytesOnly()) {
        hash = hash_any_extended(bytes.data(), static_cast<int>(bytes.size()), DatumGetUInt64(seed));
    } else {
        CompareState *state = StateOf(fcinfo->flinfo);
        RequireOpen();
        const Datum value = OpenThroughMemo(*state->type, sealed);
        hash = FunctionCall2Coll(const_cast<FmgrInfo *>(&state->base->hash_extended_proc_finfo),
                                 PG_GET_COLLATION(), value, seed);
        ReleaseOpened(*state->type, value);
    }
    PG_FREE_IF_COPY(sealed, 0);
    return hash;
}

// in_range for window frames (RANGE BETWEEN 1 PRECEDING ...): as the base type's operator family does it.
ENVCRYPT_FUNCTION(envcrypt_in_range) {
    struct RangeState {
        const BaseType *type;
        FmgrInfo in_range;
    };
    auto *state = static_cast<RangeState *>(fcinfo->flinfo->fn_extra);
    if (unlikely(state == nullptr)) {
        MemoryContext context = fcinfo->flinfo->fn_mcxt;
        state = static_cast<RangeState *>(MemoryContextAllocZero(context, sizeof(RangeState)));
        state->type = LookUpTypeOfFunction(fcinfo->flinfo, 0);
        RequireBase(*state->type);
        const TypeCacheEntry *base = lookup_type_cache(state->type->base, TYPECACHE_BTREE_OPFAMILY);
        const Oid in_range = get_opfamily_proc(base->btree_opf, base->btree_opintype,
                                               TypeOfArgument(fcinfo->flinfo, 2), BTINRANGE_PROC);
        if (!OidIsValid(in_range))
            elog(ERROR, "no in_range function for %s", format_type_be(state->type->base));
        fmgr_info_cxt(in_range, &state->in_range, context);
        fcinfo->flinfo->fn_extra = state;
    }
    RequireOpen();
    const OpenedPair opened =
        OpenPairThroughMemo(*state->type, PG_GETARG_VARLENA_PP(0), PG_GETARG_VARLENA_PP(1));
    const Datum result = FunctionCall5Coll(&state->in_range, PG_GET_COLLATION(), opened.left, opened.right,
                                           PG_GETARG_DATUM(2), PG_GETARG_DATUM(3), PG_GETARG_DATUM(4));
    ReleaseOpened(*state->type, opened);
    return result;
}

// The options support function of the operator classes. PostgreSQL calls it when an index is defined on a
// column (plain, empty and partitioned tables alike) and never for sorting: so sorting works and indexes are
// refused.
ENVCRYPT_FUNCTION(envcrypt_refuse_index) {
    RaiseCannotIndex();
}
