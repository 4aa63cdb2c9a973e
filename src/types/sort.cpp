// sort.cpp: sort support of encrypted types: each value is opened once, when it enters the sort.
//
// The sort's abbreviated key is the opened value: itself where it is passed by value, else a pointer to a
// copy that lives as long as the sort. The copies take as much memory as the larger of work_mem and 64 MB
// allows; values beyond that are opened when they are compared, through the memo.
//
// DISTINCT aggregates and mode() compare keys' bits before they ask the equality operator. So equal values
// have the same key: copies are kept in a hash table, each value once.

#include <algorithm>
#include <cmath>
#include <limits>

#include "server/rights.h"
#include "types/sealed_bytes.h"
#include "values/base_type.h"
#include "values/seal.h"
#include "values/value_memo.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/datum.h"
#include "utils/sortsupport.h"
#include "utils/typcache.h"
}

namespace envcrypt {
namespace {

constexpr std::size_t kLeastMemory = std::size_t{64} << 20U;

struct Copy {
    Datum value;  // 0: none
    std::uint32_t hash;
};

struct OpenedSort {
    const BaseType *type;
    Oid plain_type;  // what a domain is over
    FmgrInfo *hash;
    SortSupportData base;  // compares opened values
    MemoryContext copies;
    Copy *table;  // of 2^n places, at most half of them taken
    std::size_t places;
    std::size_t taken;
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
        ReleaseOpened(*state->type, opened);
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
    const int order = left == right ? 0 : state->base.comparator(left, right, &state->base);
    state->equal = order == 0;
    return order;
}

Copy *PlaceOf(const OpenedSort *state, std::uint32_t hash, Datum value) {
    std::size_t at = hash & (state->places - 1);
    while (state->table[at].value != 0) {
        Copy &copy = state->table[at];
        if (copy.hash == hash &&
            state->base.comparator(copy.value, value, const_cast<SortSupport>(&state->base)) == 0)
            break;
        at = (at + 1) & (state->places - 1);
    }
    return &state->table[at];
}

void GrowTable(OpenedSort *state) {
    Copy *old = state->table;
    const std::size_t old_places = state->places;
    state->places = std::max(std::size_t{256}, 2 * old_places);
    state->table = static_cast<Copy *>(MemoryContextAllocExtended(state->copies, state->places * sizeof(Copy),
                                                                  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
    for (std::size_t i = 0; old != nullptr && i < old_places; i++) {
        if (old[i].value == 0)
            continue;
        std::size_t at = old[i].hash & (state->places - 1);
        while (state->table[at].value != 0) at = (at + 1) & (state->places - 1);
        state->table[at] = old[i];
    }
    if (old != nullptr)
        pfree(old);
}

// The copy of a value that is passed by reference, or 0 if there is no room left. (Once there was none, no
// value is added any more: equal values have all a copy, or all none.)
Datum CopyOf(OpenedSort *state, Datum value) {
    if (2 * state->taken >= state->places)
        GrowTable(state);
    const std::uint32_t hash =
        DatumGetUInt32(FunctionCall1Coll(state->hash, state->base.ssup_collation, value));
    Copy *place = PlaceOf(state, hash, value);
    if (place->value != 0)
        return place->value;
    const std::size_t size = datumGetSize(value, false, state->type->length) + 4 * sizeof(Copy);
    if (size > state->room) {
        state->room = 0;
        return 0;
    }
    state->room -= size;
    const MemoryContext caller = MemoryContextSwitchTo(state->copies);
    *place = {.value = datumCopy(value, false, state->type->length), .hash = hash};
    MemoryContextSwitchTo(caller);
    state->taken++;
    return place->value;
}

// What is passed by value and equal has the same bits, but for floating point's zeros and NaNs.
template <typename Number>
Number Canonical(Number number) {
    if (std::isnan(number))
        return std::numeric_limits<Number>::quiet_NaN();
    return number == 0 ? Number{0} : number;
}

Datum SameBitsIfEqual(Oid type, Datum value) {
    if (type == FLOAT8OID)
        return Float8GetDatum(Canonical(DatumGetFloat8(value)));
    if (type == FLOAT4OID)
        return Float4GetDatum(Canonical(DatumGetFloat4(value)));
    return value;
}

extern "C" Datum envcrypt_abbreviate(Datum sealed, SortSupport sort) {
    OpenedSort *state = StateOf(sort);
    const BaseType &type = *state->type;
    RequireOpen();
    MemoryContextReset(state->scratch);
    const MemoryContext caller = MemoryContextSwitchTo(state->scratch);
    const Datum value = Open(type, PG_DETOAST_DATUM_PACKED(sealed));
    const Datum key = type.by_value ? SameBitsIfEqual(state->plain_type, value) : CopyOf(state, value);
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
    RequireBase(*state->type);
    state->plain_type = getBaseType(state->type->base);
    state->base.ssup_cxt = sort->ssup_cxt;
    state->base.ssup_collation = sort->ssup_collation;
    PrepareSortSupportFromOrderingOp(lookup_type_cache(state->type->base, TYPECACHE_LT_OPR)->lt_opr,
                                     &state->base);
    sort->ssup_extra = state;
    sort->comparator = envcrypt_compare_sealed;
    TypeCacheEntry *base = lookup_type_cache(state->type->base, TYPECACHE_HASH_PROC_FINFO);
    state->hash = &base->hash_proc_finfo;
    const bool has_keys = state->type->by_value || OidIsValid(state->hash->fn_oid);
    if (sort->abbreviate && has_keys && !ComparesBytesOnly()) {
        state->copies = AllocSetContextCreate(sort->ssup_cxt, "envcrypt sort keys", ALLOCSET_DEFAULT_SIZES);
        state->scratch = AllocSetContextCreate(sort->ssup_cxt, "envcrypt scratch", ALLOCSET_SMALL_SIZES);
        state->room = std::max(kLeastMemory, static_cast<std::size_t>(work_mem) * 1024);
        sort->comparator = envcrypt_compare_keys;
        sort->abbrev_converter = envcrypt_abbreviate;
        sort->abbrev_abort = envcrypt_never_abort;
        sort->abbrev_full_comparator = envcrypt_compare_sealed;
    }
    PG_RETURN_VOID();
}
