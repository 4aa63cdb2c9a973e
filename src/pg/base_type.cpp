#include "pg/base_type.h"
#include "pg/errors.h"
#include "pg/made_type_call.h"
#include "pg/without_contents.h"

extern "C" {
#include "catalog/pg_cast.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/fmgroids.h"
#include "utils/catcache.h"
#include "utils/hsearch.h"
#include "utils/typcache.h"
}

namespace envcrypt {
namespace {

struct KnownType {
    const char *encrypted_name;
    Oid base;
    TypeTag tag;
    PlainForm form;
};

constexpr KnownType kKnownTypes[] = {
    {"encrypted_text", TEXTOID, TypeTag::kText, PlainForm::kText},
    {"encrypted_bytea", BYTEAOID, TypeTag::kBytea, PlainForm::kBytes},
    {"encrypted_jsonb", JSONBOID, TypeTag::kJsonb, PlainForm::kBinary},
    {"encrypted_int8", INT8OID, TypeTag::kInt8, PlainForm::kInteger},
    {"encrypted_numeric", NUMERICOID, TypeTag::kNumeric, PlainForm::kBinary},
    {"encrypted_float8", FLOAT8OID, TypeTag::kFloat8, PlainForm::kInteger},
    {"encrypted_bool", BOOLOID, TypeTag::kBool, PlainForm::kInteger},
    {"encrypted_date", DATEOID, TypeTag::kDate, PlainForm::kInteger},
    {"encrypted_timestamptz", TIMESTAMPTZOID, TypeTag::kTimestamptz, PlainForm::kInteger},
    {"encrypted_uuid", UUIDOID, TypeTag::kUuid, PlainForm::kFixed},
    {"encrypted_inet", INETOID, TypeTag::kInet, PlainForm::kBinary},
};
constexpr std::string_view kNamePrefix = "encrypted_";

HTAB *types = nullptr;  // Oid -> TypeEntry; what functions point to is never moved or freed

struct TypeEntry {
    Oid encrypted;
    BaseType *type;
};

bool IsOurInputFunction(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        return false;
    bool isnull = false;
    const Datum source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
    const bool ours = !isnull && reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang == ClanguageId &&
                      VarlenaChars(PG_DETOAST_DATUM_PACKED(source)) == "envcrypt_type_in";
    ReleaseSysCache(tuple);
    return ours;
}

const KnownType *FindKnownType(std::string_view encrypted_name) {
    for (const KnownType &known : kKnownTypes) {
        if (encrypted_name == known.encrypted_name)
            return &known;
    }
    return nullptr;
}

// The base of a made type: what its one implicit cast opens to, or that type's domain.
Oid BaseOfMadeType(Oid encrypted) {
    Oid base = InvalidOid;
    CatCList *casts = SearchSysCacheList1(CASTSOURCETARGET, ObjectIdGetDatum(encrypted));
    for (int i = 0; i < casts->n_members; i++) {
        auto *cast = reinterpret_cast<Form_pg_cast>(GETSTRUCT(&casts->members[i]->tuple));
        if (cast->castcontext == COERCION_CODE_IMPLICIT && cast->casttarget != encrypted &&
            OidIsValid(cast->castfunc))
            base = get_func_rettype(cast->castfunc);
    }
    ReleaseSysCacheList(casts);
    return base;
}

void LoadFunctions(BaseType *type, Oid base) {
    get_typlenbyval(base, &type->length, &type->by_value);
    Oid function = InvalidOid;
    bool varlena = false;
    getTypeInputInfo(base, &function, &type->input_parameter);
    fmgr_info_cxt(function, &type->input, CacheMemoryContext);
    getTypeOutputInfo(base, &function, &varlena);
    fmgr_info_cxt(function, &type->output, CacheMemoryContext);
    getTypeBinaryInputInfo(base, &function, &type->input_parameter);
    fmgr_info_cxt(function, &type->receive, CacheMemoryContext);
    getTypeBinaryOutputInfo(base, &function, &varlena);
    fmgr_info_cxt(function, &type->send, CacheMemoryContext);
    // encrypted_text(20) is as varchar(20).
    if (find_typmod_coercion_function(base == TEXTOID ? VARCHAROID : base, &function) == COERCION_PATH_FUNC) {
        fmgr_info_cxt(function, &type->coercion, CacheMemoryContext);
        type->coercion_arguments = get_func_nargs(function);
    }
    type->base = base;  // last: nothing of this is used before
}

// A type is known by its name and by its input function, which only superusers can give it. Not by its casts:
// while a dump is restored, values are read before those exist.
BaseType *MakeBaseType(Oid encrypted) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(encrypted));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for type %u", encrypted);
    const FormData_pg_type form = *reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    ReleaseSysCache(tuple);
    const std::string_view name = NameStr(form.typname);
    if (!name.starts_with(kNamePrefix) || !IsOurInputFunction(form.typinput))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("type %s is not an encrypted type of this version of envcrypt",
                               format_type_be(encrypted)),
                        HideFromLog()));
    const KnownType *known = FindKnownType(name);
    auto *type = static_cast<BaseType *>(MemoryContextAllocZero(CacheMemoryContext, sizeof(BaseType)));
    type->encrypted = encrypted;
    if (known != nullptr) {
        type->tag = static_cast<std::uint8_t>(known->tag);
        type->form = known->form;
        LoadFunctions(type, known->base);
        return type;
    }
    type->tag = static_cast<std::uint8_t>(TypeTag::kNamed);
    type->form = PlainForm::kBinary;
    const std::string_view base_name = name.substr(kNamePrefix.size());
    const char *utf8 = pg_server_to_any(base_name.data(), static_cast<int>(base_name.size()), PG_UTF8);
    strlcpy(type->name, utf8, sizeof(type->name));
    return type;
}

bool CompositeHasEncrypted(Oid composite) {
    TupleDesc columns = lookup_rowtype_tupdesc_noerror(composite, -1, true);
    if (columns == nullptr)
        return false;
    bool found = false;
    for (int i = 0; i < columns->natts && !found; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        found = !column->attisdropped && IsEncryptedType(column->atttypid);
    }
    ReleaseTupleDesc(columns);
    return found;
}

}  // namespace

const BaseType *FindBaseType(Oid encrypted_type) {
    if (types == nullptr) {
        HASHCTL info{};
        info.keysize = sizeof(Oid);
        info.entrysize = sizeof(TypeEntry);
        info.hcxt = CacheMemoryContext;
        types = hash_create("envcrypt types", 32, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    }
    bool found = false;
    auto *entry = static_cast<TypeEntry *>(hash_search(types, &encrypted_type, HASH_FIND, &found));
    BaseType *type = found ? entry->type : MakeBaseType(encrypted_type);
    if (!found) {
        entry = static_cast<TypeEntry *>(hash_search(types, &encrypted_type, HASH_ENTER, &found));
        entry->type = type;
    }
    if (unlikely(!OidIsValid(type->base))) {
        const Oid base = BaseOfMadeType(encrypted_type);
        if (OidIsValid(base))
            LoadFunctions(type, base);
    }
    return type;
}

void RequireBase(const BaseType &type) {
    if (unlikely(!OidIsValid(type.base)))
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_OBJECT),
                 errmsg("type %s has no implicit cast to its base type", format_type_be(type.encrypted)),
                 errhint("The cast that envcrypt_create_type made is missing."), HideFromLog()));
}

Oid TypeOfArgument(const FmgrInfo *function, int argument) {
    Oid *arguments = nullptr;
    int count = 0;
    get_func_signature(function->fn_oid, &arguments, &count);
    return argument < count ? arguments[argument] : InvalidOid;
}

Oid TypeOfSupportFunction(const FmgrInfo *function, std::string_view suffix) {
    char *name = get_func_name(function->fn_oid);
    if (name == nullptr || !std::string_view(name).ends_with(suffix))
        elog(ERROR, "function %u is not a support function of an encrypted type", function->fn_oid);
    name[strlen(name) - suffix.size()] = '\0';
    return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
                           ObjectIdGetDatum(get_func_namespace(function->fn_oid)));
}

Datum BaseArgument(FunctionCallInfo fcinfo, int argument, const BaseType &type) {
    return type.is_varlena() ? PointerGetDatum(PG_GETARG_VARLENA_PP(argument)) : PG_GETARG_DATUM(argument);
}

const BaseType *LookUpTypeOfFunction(const FmgrInfo *function, int argument) {
    return FindBaseType(argument == kResult ? get_func_rettype(function->fn_oid)
                                            : TypeOfArgument(function, argument));
}

const BaseType *TypeOfFunction(FmgrInfo *function, int argument) {
    if (unlikely(function->fn_extra == nullptr))
        function->fn_extra = const_cast<BaseType *>(LookUpTypeOfFunction(function, argument));
    return static_cast<const BaseType *>(function->fn_extra);
}

bool IsPlainEncryptedType(Oid type) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple))
        return false;
    const FormData_pg_type form = *reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    ReleaseSysCache(tuple);
    return form.typtype == TYPTYPE_BASE && IsOurInputFunction(form.typinput);
}

bool IsEncryptedType(Oid type) {
    check_stack_depth();
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple))
        return false;
    const FormData_pg_type form = *reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    ReleaseSysCache(tuple);
    if (form.typtype == TYPTYPE_DOMAIN)
        return IsEncryptedType(form.typbasetype);
    if (form.typtype == TYPTYPE_RANGE)
        return IsEncryptedType(get_range_subtype(type));
    if (form.typtype == TYPTYPE_MULTIRANGE)
        return IsEncryptedType(get_multirange_range(type));
    if (form.typtype == TYPTYPE_COMPOSITE)
        return CompositeHasEncrypted(type);
    if (OidIsValid(form.typelem) && form.typsubscript == F_ARRAY_SUBSCRIPT_HANDLER)
        return IsEncryptedType(form.typelem);
    return IsOurInputFunction(form.typinput);
}

Datum BaseInput(const BaseType &type, char *text, std::int32_t typmod) {
    RequireBase(type);
    const Datum value = CallTypeFunction(type, type.input, [&](FmgrInfo *input) {
        return WithoutContents(type.base,
                               [&] { return InputFunctionCall(input, text, type.input_parameter, -1); });
    });
    return CoerceToTypmod(type, value, typmod, false);
}

Datum BaseReceive(const BaseType &type, StringInfo message, std::int32_t typmod) {
    RequireBase(type);
    const Datum value = CallTypeFunction(type, type.receive, [&](FmgrInfo *receive) {
        return WithoutContents(
            type.base, [&] { return ReceiveFunctionCall(receive, message, type.input_parameter, -1); });
    });
    return CoerceToTypmod(type, value, typmod, false);
}

// Errors of these functions name the type and its limit, not the value.
Datum CoerceToTypmod(const BaseType &type, Datum value, std::int32_t typmod, bool is_explicit) {
    if (likely(typmod < 0) || !OidIsValid(type.coercion.fn_oid))
        return value;
    auto *coercion = const_cast<FmgrInfo *>(&type.coercion);
    if (type.coercion_arguments == 2)
        return FunctionCall2(coercion, value, Int32GetDatum(typmod));
    return FunctionCall3(coercion, value, Int32GetDatum(typmod), BoolGetDatum(is_explicit));
}

}  // namespace envcrypt
