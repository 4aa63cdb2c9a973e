#include "columns/shadow_column.h"

#include <algorithm>

#include "values/armored.h"
#include "values/plain_form.h"
#include "values/seal.h"

namespace envcrypt {
namespace {

// The base type's value, as BindPlain wants it.
Datum BaseValue(Twin *twin, Datum plain) {
    const Datum value = Convert(&twin->conversion, plain);
    return twin->type->is_varlena() ? PointerGetDatum(PG_DETOAST_DATUM_PACKED(value)) : value;
}

}  // namespace

void DescribeTwin(Relation table, const Trigger &trigger, const RowTrigger &described, MemoryContext context,
                  Twin *twin) {
    const TupleDesc columns = RelationGetDescr(table);
    if (described.columns < kTwinOwnerAt)
        RaiseNotOurTrigger(table, trigger);
    const Oid plain_type = getBaseType(TupleDescAttr(columns, described.column[0] - 1)->atttypid);
    const Oid twin_type = getBaseType(TupleDescAttr(columns, described.column[1] - 1)->atttypid);
    // An encrypted column has no twin: nothing is opened here on anybody's behalf.
    if (IsEncryptedType(plain_type) || !IsPlainEncryptedType(twin_type))
        RaiseNotOurTrigger(table, trigger);
    twin->trigger = described;
    twin->plain = described.column[0];
    twin->sealed = described.column[1];
    twin->type = FindBaseType(twin_type);
    RequireBase(*twin->type);
    PrepareConversion(&twin->conversion, plain_type, twin->type->base, COERCION_ASSIGNMENT, context);
}

Datum SealTwin(Twin *twin, Relation table, HeapTuple row, Datum plain) {
    const Datum value = BaseValue(twin, plain);
    RefuseArmored(*twin->type, value);
    return BindPlain(*twin->type, value, BindingOfRow(twin->trigger, table, row));
}

const char *TwinFault(Twin *twin, Relation table, HeapTuple row) {
    const TupleDesc columns = RelationGetDescr(table);
    bool plain_null = false;
    bool sealed_null = false;
    const Datum plain = heap_getattr(row, twin->plain, columns, &plain_null);
    const Datum sealed = heap_getattr(row, twin->sealed, columns, &sealed_null);
    if (plain_null || sealed_null)
        return plain_null == sealed_null ? nullptr : plain_null ? "has a value for null" : "missing";
    const auto *whole = reinterpret_cast<const struct varlena *>(PG_DETOAST_DATUM_PACKED(sealed));
    const Binding binding = BindingOfRow(twin->trigger, table, row);
    const char *fault = BindingFault(*twin->type, whole, &binding);
    if (fault != nullptr)
        return fault;
    PlainPlace place;
    const auto expected = PlainBytes(*twin->type, BaseValue(twin, plain), place);
    const auto opened = OpenPlain(Header(*twin->type, whole), whole);
    const bool same = std::equal(expected.begin(), expected.end(), opened.begin(), opened.end());
    Wipe(opened);
    return same ? nullptr : "opens to another value";
}

}  // namespace envcrypt
