#include "columns/shadow_column.h"

#include <algorithm>

#include "values/armored.h"
#include "values/plain_form.h"
#include "values/seal.h"

namespace envcrypt {
namespace {

// The base type's value, as BindPlain wants it.
Datum BaseValue(ShadowColumn *shadow, Datum plain) {
    const Datum value = Convert(&shadow->conversion, plain);
    return shadow->type->is_varlena() ? PointerGetDatum(PG_DETOAST_DATUM_PACKED(value)) : value;
}

}  // namespace

void ReadShadowColumn(Relation table, const Trigger &trigger, const RowTrigger &described,
                      MemoryContext context, ShadowColumn *shadow) {
    const TupleDesc columns = RelationGetDescr(table);
    if (described.columns < kShadowOwnerAt)
        RaiseNotOurTrigger(table, trigger);
    const Oid plain_type = getBaseType(TupleDescAttr(columns, described.column[0] - 1)->atttypid);
    const Oid shadow_type = getBaseType(TupleDescAttr(columns, described.column[1] - 1)->atttypid);
    // An encrypted column has no shadow column: nothing is opened here on anybody's behalf.
    if (IsEncryptedType(plain_type) || !IsPlainEncryptedType(shadow_type))
        RaiseNotOurTrigger(table, trigger);
    shadow->trigger = described;
    shadow->plain = described.column[0];
    shadow->sealed = described.column[1];
    shadow->type = FindBaseType(shadow_type);
    RequireBase(*shadow->type);
    PrepareConversion(&shadow->conversion, plain_type, shadow->type->base, COERCION_ASSIGNMENT, context);
}

Datum SealShadow(ShadowColumn *shadow, Relation table, HeapTuple row, Datum plain) {
    const Datum value = BaseValue(shadow, plain);
    RefuseArmored(*shadow->type, value);
    return BindPlain(*shadow->type, value, BindingOfRow(shadow->trigger, table, row));
}

const char *ShadowFault(ShadowColumn *shadow, Relation table, HeapTuple row) {
    const TupleDesc columns = RelationGetDescr(table);
    bool plain_null = false;
    bool sealed_null = false;
    const Datum plain = heap_getattr(row, shadow->plain, columns, &plain_null);
    const Datum sealed = heap_getattr(row, shadow->sealed, columns, &sealed_null);
    if (plain_null || sealed_null)
        return plain_null == sealed_null ? nullptr : plain_null ? "has a value for null" : "missing";
    const auto *whole = reinterpret_cast<const struct varlena *>(PG_DETOAST_DATUM_PACKED(sealed));
    const Binding binding = BindingOfRow(shadow->trigger, table, row);
    const char *fault = BindingFault(*shadow->type, whole, &binding);
    if (fault != nullptr)
        return fault;
    PlainPlace place;
    const auto expected = PlainBytes(*shadow->type, BaseValue(shadow, plain), place);
    const auto opened = OpenPlain(Header(*shadow->type, whole), whole);
    const bool same = std::equal(expected.begin(), expected.end(), opened.begin(), opened.end());
    Wipe(opened);
    return same ? nullptr : "opens to another value";
}

}  // namespace envcrypt
