// type_sort.cpp: sort support of encrypted types: each value is opened once, when it enters the sort.
//
// The sort's abbreviated key is the opened value: itself where it is passed by value, else a pointer to a
// copy that lives as long as the sort. The copies take as much memory as the larger of work_mem and 64 MB
// allows; values beyond that are opened when they are compared, through the memo.

#include <algorithm>

#include "pg/base_type.h"
#include "pg/rights.h"
#include "pg/seal.h"
#include "pg/sealed_bytes.h"
#include "pg/value_memo.h"

extern "C" {
#include "utils/datum.h"
#include "utils/sortsupport.h"
#include "utils/typcache.h"
}

namespace envcrypt {
namespace {

constexpr std::size_t kLeastMemory = std::size_t{64} << 20U;

struct OpenedSort {
    const BaseType *type;
    SortSupportData base;  // compares opened values
    MemoryContext copies;
    MemoryContext scratch;
    std::size_t room;  // bytes left for copies
    bool equal;        // the last comparison of keys found two opened values equal
};

OpenedSort *StateOf(SortSupport sort) {
    return static_cast<OpenedSort *>(sort->ssup_extra);
}

extern "C" int envcrypt_compare_sealed(Datum left, Datum right, SortSupport sort) {
    OpenedSort *state = StateOf(sort);
    // The sort compares two values after it found their keys equal: those were whole values.
    if (state->equal) {
        state->equal = false;
        return 0;
    }
    auto *left_sealed = PG_DETOAST_DATUM_PACKED(left);
    auto *right_sealed = PG_DETOAST_DATUM_PACKED(right);
    int order = CompareBytes(VarlenaBytes(left_sealed), VarlenaBytes(right_sealed));
    if (order != 0 && !ComparesBytesOnly()) {
        RequireOpen();
        const OpenedPair opened = OpenPairThroughMemo(*state->type, left_sealed, right_sealed);
        order = state->base.comparator(opened.left, opened.right, &state->base);
    }
    if (PointerGetDatum(left_sealed) != left)
        pfree(left_sealed);
    if (PointerGetDatum(right_sealed) != right)
        pfree(right_sealed);
    return order;
}

extern "C" int envcrypt_compare_keys(Datum left, Datum right, SortSupport sort) {
    OpenedSort *state = StateOf(sort);
    if (unlikely(!state->type->by_value && (left == 0 || right == 0)))
        return 0;  // not opened: envcrypt_compare_sealed decides
    const int order = state->base.comparator(left, right, &state->base);
    state->equal = order == 0;
    return order;
}

extern "C" Datum envcrypt_abbreviate(Datum sealed, SortSupport sort) {
    OpenedSort *state = StateOf(sort);
    const BaseType &type = *state->type;
    RequireOpen();
    MemoryContextReset(state->scratch);
    const MemoryContext caller = MemoryContextSwitchTo(state->scratch);
    Datum key = Open(type, PG_DETOAST_DATUM_PACKED(sealed));
    if (!type.by_value) {
        const std::size_t size = datumGetSize(key, false, type.length);
        MemoryContextSwitchTo(state->copies);
        key = size <= state->room ? datumCopy(key, false, type.length) : static_cast<Datum>(0);
        state->room -= std::min(size, state->room);
    }
    MemoryContextSwitchTo(caller);
    return key;
}

extern "C" bool envcrypt_never_abort(int, SortSupport) {
    return false;
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_sortsupport) {
    auto *sort = reinterpret_cast<SortSupport>(PG_GETARG_POINTER(0));
    auto *state = static_cast<OpenedSort *>(MemoryContextAllocZero(sort->ssup_cxt, sizeof(OpenedSort)));
    state->type = FindBaseType(TypeOfSupportFunction(fcinfo->flinfo, "_sortsupport"));
    state->base.ssup_cxt = sort->ssup_cxt;
    state->base.ssup_collation = sort->ssup_collation;
    PrepareSortSupportFromOrderingOp(lookup_type_cache(state->type->base, TYPECACHE_LT_OPR)->lt_opr,
                                     &state->base);
    sort->ssup_extra = state;
    sort->comparator = envcrypt_compare_sealed;
    if (sort->abbreviate && !ComparesBytesOnly()) {
        state->copies = GenerationContextCreate(sort->ssup_cxt, "envcrypt sort keys", ALLOCSET_DEFAULT_SIZES);
        state->scratch = AllocSetContextCreate(sort->ssup_cxt, "envcrypt scratch", ALLOCSET_SMALL_SIZES);
        state->room = std::max(kLeastMemory, static_cast<std::size_t>(work_mem) * 1024);
        sort->comparator = envcrypt_compare_keys;
        sort->abbrev_converter = envcrypt_abbreviate;
        sort->abbrev_abort = envcrypt_never_abort;
        sort->abbrev_full_comparator = envcrypt_compare_sealed;
    }
    PG_RETURN_VOID();
}
