#include "values/container.h"

#include "server/errors.h"
#include "server/extension_objects.h"
#include "values/type_identity.h"

extern "C" {
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"
}

namespace envcrypt {
namespace {

// A type as it stands in a container, its own or a domain's.
struct Part {
    Oid type;  // what a domain is over
    char kind;
    Oid element;  // of an array
    std::int16_t length;
    bool by_value;
    char alignment;
    FmgrInfo receive;  // of what holds nothing
    Oid parameter;
};

[[noreturn]] void RaiseMalformed() {
    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("incorrect binary data format"),
                    HideFromLog()));
    pg_unreachable();
}

void LookUpPart(Oid type, Part *part) {
    *part = {};
    part->type = getBaseType(type);
    part->kind = get_typtype(part->type);
    part->element = get_element_type(part->type);
    get_typlenbyvalalign(part->type, &part->length, &part->by_value, &part->alignment);
    if (part->kind != TYPTYPE_BASE && part->kind != TYPTYPE_ENUM)
        return;
    Oid receive = InvalidOid;
    getTypeBinaryInputInfo(part->type, &receive, &part->parameter);
    if (!OidIsValid(part->element))
        fmgr_info(receive, &part->receive);
}

Datum Receive(Part *part, StringInfo message);

// A value after its length, -1 for null.
Datum ReceiveCounted(Part *part, StringInfo message, bool *isnull) {
    const int length = static_cast<int>(pq_getmsgint(message, 4));
    *isnull = length == -1;
    if (*isnull)
        return 0;
    if (length < 0 || length > message->len - message->cursor)
        RaiseMalformed();
    StringInfoData inner;
    inner.data = message->data + message->cursor;
    inner.len = length;
    inner.maxlen = length + 1;
    inner.cursor = 0;
    message->cursor += length;
    const char after = inner.data[length];
    inner.data[length] = '\0';  // receive functions of strings count on it
    const Datum value = Receive(part, &inner);
    message->data[message->cursor] = after;
    if (inner.cursor != length)
        RaiseMalformed();
    return value;
}

// The number of a type is its number in the database that sealed the value. PostgreSQL's own are the same
// everywhere.
void RequireSameType(Oid sealed, Oid expected) {
    if (sealed != expected && (sealed < FirstNormalObjectId || expected < FirstNormalObjectId))
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("value was sealed with another type than %s", format_type_be(expected)),
                        HideFromLog()));
}

Datum ReceiveRow(const Part &part, StringInfo message) {
    TupleDesc columns = lookup_rowtype_tupdesc(part.type, -1);
    auto *values = static_cast<Datum *>(palloc0(sizeof(Datum) * static_cast<std::size_t>(columns->natts)));
    auto *nulls = static_cast<bool *>(palloc(sizeof(bool) * static_cast<std::size_t>(columns->natts)));
    int left = static_cast<int>(pq_getmsgint(message, 4));
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        nulls[i] = true;
        if (column->attisdropped)
            continue;
        if (left-- <= 0)
            RaiseMalformed();
        RequireSameType(pq_getmsgint(message, 4), column->atttypid);
        Part inner;
        LookUpPart(column->atttypid, &inner);
        values[i] = ReceiveCounted(&inner, message, &nulls[i]);
    }
    if (left != 0)
        RaiseMalformed();
    HeapTuple tuple = heap_form_tuple(columns, values, nulls);
    ReleaseTupleDesc(columns);
    auto *row = static_cast<HeapTupleHeader>(palloc(tuple->t_len));
    memcpy(row, tuple->t_data, tuple->t_len);
    heap_freetuple(tuple);
    return HeapTupleHeaderGetDatum(row);
}

Datum ReceiveArray(const Part &part, StringInfo message) {
    int sizes[MAXDIM];
    int bounds[MAXDIM];
    const int dimensions = static_cast<int>(pq_getmsgint(message, 4));
    if (dimensions < 0 || dimensions > MAXDIM)
        RaiseMalformed();
    pq_getmsgint(message, 4);  // whether there are nulls
    RequireSameType(pq_getmsgint(message, 4), part.element);
    for (int i = 0; i < dimensions; i++) {
        sizes[i] = static_cast<int>(pq_getmsgint(message, 4));
        bounds[i] = static_cast<int>(pq_getmsgint(message, 4));
    }
    const int count = ArrayGetNItems(dimensions, sizes);
    ArrayCheckBounds(dimensions, sizes, bounds);
    if (count == 0)
        return PointerGetDatum(construct_empty_array(part.element));
    if (count > (message->len - message->cursor) / 4)
        RaiseMalformed();
    const auto places = static_cast<std::size_t>(count);
    auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * places));
    auto *nulls = static_cast<bool *>(palloc(sizeof(bool) * places));
    Part inner;
    LookUpPart(part.element, &inner);
    for (std::size_t i = 0; i < places; i++) values[i] = ReceiveCounted(&inner, message, &nulls[i]);
    return PointerGetDatum(construct_md_array(values, nulls, dimensions, sizes, bounds, part.element,
                                              inner.length, inner.by_value, inner.alignment));
}

Datum ReceiveRange(Oid type, StringInfo message) {
    TypeCacheEntry *range = lookup_type_cache(type, TYPECACHE_RANGE_INFO);
    Part bound;
    LookUpPart(range->rngelemtype->type_id, &bound);
    const auto flags = static_cast<char>(pq_getmsgbyte(message));
    RangeBound lower{};
    RangeBound upper{};
    bool isnull = false;
    if (RANGE_HAS_LBOUND(flags))
        lower.val = ReceiveCounted(&bound, message, &isnull);
    if (RANGE_HAS_UBOUND(flags) && !isnull)
        upper.val = ReceiveCounted(&bound, message, &isnull);
    if (isnull)
        RaiseMalformed();
    lower.infinite = (flags & RANGE_LB_INF) != 0;
    lower.inclusive = (flags & RANGE_LB_INC) != 0;
    lower.lower = true;
    upper.infinite = (flags & RANGE_UB_INF) != 0;
    upper.inclusive = (flags & RANGE_UB_INC) != 0;
    // It was made canonical before it was sealed.
    return RangeTypePGetDatum(SerializeRange(range, &lower, &upper, (flags & RANGE_EMPTY) != 0));
}

Datum ReceiveMultirange(const Part &part, StringInfo message) {
    TypeCacheEntry *range = lookup_type_cache(part.type, TYPECACHE_MULTIRANGE_INFO)->rngtype;
    const int count = static_cast<int>(pq_getmsgint(message, 4));
    if (count < 0 || count > (message->len - message->cursor) / 4)
        RaiseMalformed();
    auto **ranges =
        static_cast<RangeType **>(palloc(sizeof(RangeType *) * (static_cast<std::size_t>(count) + 1)));
    Part inner;
    LookUpPart(range->type_id, &inner);
    for (int i = 0; i < count; i++) {
        bool isnull = false;
        const Datum value = ReceiveCounted(&inner, message, &isnull);
        if (isnull)
            RaiseMalformed();
        ranges[i] = DatumGetRangeTypeP(value);
    }
    return MultirangeTypePGetDatum(make_multirange(part.type, range, count, ranges));
}

Datum Receive(Part *part, StringInfo message) {
    check_stack_depth();
    if (part->kind == TYPTYPE_COMPOSITE)
        return ReceiveRow(*part, message);
    if (part->kind == TYPTYPE_RANGE)
        return ReceiveRange(part->type, message);
    if (part->kind == TYPTYPE_MULTIRANGE)
        return ReceiveMultirange(*part, message);
    if (OidIsValid(part->element))
        return ReceiveArray(*part, message);
    return ReceiveFunctionCall(&part->receive, message, part->parameter, -1);
}

[[noreturn]] void RaiseNotSealable(Oid type, Oid whole, const char *reason) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("cannot encrypt values of type %s", format_type_be(whole)),
                    type == whole ? errdetail("%s", reason)
                                  : errdetail("It contains type %s. %s", format_type_be(type), reason),
                    HideFromLog()));
    pg_unreachable();
}

// PostgreSQL's types for its own statistics and trees, whose binary forms it gives and does not take.
bool RefusesBinaryInput(Oid receive) {
    switch (receive) {
        case F_PG_NODE_TREE_RECV:
        case F_PG_NDISTINCT_RECV:
        case F_PG_DEPENDENCIES_RECV:
        case F_PG_MCV_LIST_RECV:
        case F_BRIN_BLOOM_SUMMARY_RECV:
        case F_BRIN_MINMAX_MULTI_SUMMARY_RECV:
            return true;
        default:
            return false;
    }
}

void RequirePart(Oid type, Oid whole);

void RequireColumns(Oid row, Oid whole) {
    TupleDesc columns = lookup_rowtype_tupdesc_copy(row, -1);
    for (int i = 0; i < columns->natts; i++) {
        if (!TupleDescAttr(columns, i)->attisdropped)
            RequirePart(TupleDescAttr(columns, i)->atttypid, whole);
    }
    FreeTupleDesc(columns);
}

void RequirePart(Oid type, Oid whole) {
    check_stack_depth();
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("type with OID %u does not exist", type)));
    const FormData_pg_type form = *reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    ReleaseSysCache(tuple);
    if (IsPlainEncryptedType(type))
        RaiseNotSealable(type, whole, "Its values are encrypted already.");
    if (form.typtype == TYPTYPE_PSEUDO || !form.typisdefined || !OidIsValid(form.typreceive) ||
        !OidIsValid(form.typsend))
        RaiseNotSealable(type, whole,
                         "A type that is to be encrypted needs binary send and receive functions.");
    if (RefusesBinaryInput(form.typreceive))
        RaiseNotSealable(type, whole, "Its receive function takes no value.");
    if (form.typtype == TYPTYPE_DOMAIN)
        RequirePart(form.typbasetype, whole);
    else if (form.typtype == TYPTYPE_COMPOSITE)
        RequireColumns(type, whole);
    else if (form.typtype == TYPTYPE_RANGE)
        RequirePart(get_range_subtype(type), whole);
    else if (form.typtype == TYPTYPE_MULTIRANGE)
        RequirePart(get_multirange_range(type), whole);
    else if (OidIsValid(get_element_type(type)))
        RequirePart(get_element_type(type), whole);
}

}  // namespace

void RequireSealable(Oid type) {
    RequirePart(type, type);
}

void RequireSealableStill(const BaseType &type) {
    const std::uint64_t changes = RelationChanges() + TypeChanges();
    if (likely(type.sealable_at == changes))
        return;
    RequireSealable(type.base);
    type.sealable_at = changes;
}

Datum OpenContainer(const BaseType &type, StringInfo message) {
    Part whole;
    LookUpPart(type.ultimate, &whole);
    return Receive(&whole, message);
}

}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_require_sealable) {
    RequireSealable(PG_GETARG_OID(0));
    PG_RETURN_VOID();
}
