#include "values/type_identity.h"

#include "server/own_function.h"

extern "C" {
#include "catalog/pg_proc.h"
}

namespace envcrypt {
namespace {

constexpr const char *kOpenFunction = "envcrypt_open";

std::uint64_t type_changes = 1;

extern "C" void envcrypt_type_callback(Datum, CacheIdentifier, uint32) {
    type_changes++;
}

}  // namespace

Oid BaseOpenedBy(const FormData_pg_type &type) {
    const oidvector *arguments = buildoidvector(&type.oid, 1);
    const Oid open =
        GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(kOpenFunction),
                        PointerGetDatum(arguments), ObjectIdGetDatum(get_func_namespace(type.typinput)));
    return OidIsValid(open) && IsOurFunction(open, kOpenFunction) ? get_func_rettype(open) : InvalidOid;
}

Oid TypeOpenedBy(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        return InvalidOid;
    const auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const Oid type = form->pronargs == 1 ? form->proargtypes.values[0] : InvalidOid;
    const Oid schema = form->pronamespace;
    const bool is_named_so = strcmp(NameStr(form->proname), kOpenFunction) == 0;
    ReleaseSysCache(tuple);
    Oid input = InvalidOid;
    HeapTuple type_tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (HeapTupleIsValid(type_tuple)) {
        input = reinterpret_cast<Form_pg_type>(GETSTRUCT(type_tuple))->typinput;
        ReleaseSysCache(type_tuple);
    }
    return is_named_so && OidIsValid(input) && get_func_namespace(input) == schema &&
                   IsOurFunction(function, kOpenFunction)
               ? type
               : InvalidOid;
}

std::uint64_t TypeChanges() noexcept {
    return type_changes;
}

void RegisterTypeCallbacks() {
    CacheRegisterSyscacheCallback(TYPEOID, envcrypt_type_callback, static_cast<Datum>(0));
    CacheRegisterSyscacheCallback(PROCOID, envcrypt_type_callback, static_cast<Datum>(0));
}

}  // namespace envcrypt
