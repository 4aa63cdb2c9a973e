#include "server/own_function.h"

extern "C" {
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
}

namespace envcrypt {

bool IsOurFunction(Oid function, std::string_view source) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        return false;
    bool isnull = false;
    const Datum stored = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
    const bool ours = !isnull && reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang == ClanguageId &&
                      VarlenaChars(PG_DETOAST_DATUM_PACKED(stored)) == source;
    ReleaseSysCache(tuple);
    return ours;
}

}  // namespace envcrypt
