#include "values/base_type.h"
#include "server/errors.h"
#include "server/own_function.h"
#include "server/without_contents.h"
#include "values/made_type_call.h"
#include "values/type_identity.h"

extern "C" {
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/typcache.h"
}

namespace envcrypt {
namespace {

struct BuiltInType {
    const char *encrypted_name;
    Oid base;
    TypeTag tag;
    PlainForm form;
};

constexpr BuiltInType kBuiltInTypes[] = {
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
    std::uint64_t changes;  // TypeChanges() when it was looked up
};

bool IsOurInputFunction(Oid function) {
    return IsOurFunction(function, "envcrypt_type_in");
}

const BuiltInType *FindBuiltInType(std::string_view encrypted_name) {
    for (const BuiltInType &type : kBuiltInTypes) {
        if (encrypted_name == type.encrypted_name)
            return &type;
    }
    return nullptr;
}

// What a container holds can be changed by its owner, and have a domain whose checks are his: each value in
// it is opened by itself.
bool IsContainer(Oid type) {
    const char kind = get_typtype(type);
    return type >= FirstNormalObjectId && (kind == TYPTYPE_COMPOSITE || kind == TYPTYPE_RANGE ||
                                           kind == TYPTYPE_MULTIRANGE || OidIsValid(get_element_type(type)));
}

struct TypeFunctions {
    Oid input;
    Oid output;
    Oid receive;
    Oid send;
    Oid open;
    Oid coercion;

    bool operator==(const TypeFunctions &) const = default;
};

void FindFunctions(BaseType *type, Oid base, TypeFunctions *found) {
    bool varlena = false;
    getTypeInputInfo(base, &found->input, &type->input_parameter);
    getTypeOutputInfo(base, &found->output, &varlena);
    getTypeBinaryInputInfo(base, &found->receive, &type->input_parameter);
    getTypeBinaryOutputInfo(base, &found->send, &varlena);
    type->ultimate = getBaseType(base);
    getTypeBinaryInputInfo(type->ultimate, &found->open, &type->open_parameter);
    // encrypted_text(20) is as varchar(20).
    if (find_typmod_coercion_function(base == TEXTOID ? VARCHAROID : base, &found->coercion) !=
        COERCION_PATH_FUNC)
        found->coercion = InvalidOid;
}

void LoadFunctions(BaseType *type, Oid base) {
    TypeFunctions found{};
    FindFunctions(type, base, &found);
    get_typlenbyval(base, &type->length, &type->by_value);
    type->is_container = IsContainer(type->ultimate);
    fmgr_info_cxt(found.input, &type->input, CacheMemoryContext);
    fmgr_info_cxt(found.output, &type->output, CacheMemoryContext);
    fmgr_info_cxt(found.receive, &type->receive, CacheMemoryContext);
    fmgr_info_cxt(found.send, &type->send, CacheMemoryContext);
    fmgr_info_cxt(found.open, &type->open, CacheMemoryContext);
    if (OidIsValid(found.coercion)) {
        fmgr_info_cxt(found.coercion, &type->coercion, CacheMemoryContext);
        type->coercion_arguments = get_func_nargs(found.coercion);
    }
    type->base = base;  // last: nothing of this is used before
}

// What the catalogs say of a type.
struct Identity {
    FormData_pg_type form;
    const BuiltInType *built_in;
    Oid base;
};

// A type is known by its name and by its input function. Not by what opens it: while a dump is restored,
// values are read before that exists.
void Identify(Oid encrypted, Identity *found) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(encrypted));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for type %u", encrypted);
    found->form = *reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    ReleaseSysCache(tuple);
    const std::string_view name = NameStr(found->form.typname);
    if (!name.starts_with(kNamePrefix) || !IsOurInputFunction(found->form.typinput))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("type %s is not an encrypted type of this version of envcrypt",
                               format_type_be(encrypted)),
                        HideFromLog()));
    found->built_in = FindBuiltInType(name);
    found->base = found->built_in != nullptr ? found->built_in->base : BaseOpenedBy(found->form);
    if (OidIsValid(found->base) && !SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(found->base)))
        found->base = InvalidOid;
}

BaseType *MakeBaseType(const Identity &identity) {
    auto *type = static_cast<BaseType *>(MemoryContextAllocZero(CacheMemoryContext, sizeof(BaseType)));
    type->encrypted = identity.form.oid;
    if (identity.built_in != nullptr) {
        type->tag = static_cast<std::uint8_t>(identity.built_in->tag);
        type->form = identity.built_in->form;
    } else {
        type->tag = static_cast<std::uint8_t>(TypeTag::kNamed);
        type->form = PlainForm::kBinary;
        const std::string_view base_name =
            std::string_view(NameStr(identity.form.typname)).substr(kNamePrefix.size());
        const char *utf8 = pg_server_to_any(base_name.data(), static_cast<int>(base_name.size()), PG_UTF8);
        strlcpy(type->name, utf8, sizeof(type->name));
    }
    if (OidIsValid(identity.base))
        LoadFunctions(type, identity.base);
    return type;
}

// Whether a type is still what it was made as.
bool IsStill(const BaseType &type, const Identity &identity) {
    if (type.base != identity.base)
        return false;
    if (!OidIsValid(type.base))
        return true;
    BaseType now{};
    TypeFunctions found{};
    FindFunctions(&now, type.base, &found);
    const TypeFunctions kept{.input = type.input.fn_oid,
                             .output = type.output.fn_oid,
                             .receive = type.receive.fn_oid,
                             .send = type.send.fn_oid,
                             .open = type.open.fn_oid,
                             .coercion = type.coercion.fn_oid};
    return kept == found;
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
    const std::uint64_t changes = TypeChanges();  // before what it counts is looked at
    bool found = false;
    auto *entry = static_cast<TypeEntry *>(hash_search(types, &encrypted_type, HASH_FIND, &found));
    if (likely(found && entry->changes == changes))
        return entry->type;
    BaseType *type = found ? entry->type : nullptr;
    Identity identity{};
    Identify(encrypted_type, &identity);
    if (type != nullptr && !OidIsValid(type->base) && OidIsValid(identity.base))
        LoadFunctions(type, identity.base);
    else if (type == nullptr || !IsStill(*type, identity))
        type = MakeBaseType(identity);
    entry = static_cast<TypeEntry *>(hash_search(types, &encrypted_type, HASH_ENTER, &found));
    entry->type = type;
    entry->changes = changes;
    return type;
}

void RequireBase(const BaseType &type) {
    if (unlikely(!OidIsValid(type.base)))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("type %s has no function envcrypt_open() to its base type",
                               format_type_be(type.encrypted)),
                        errhint("The function that envcrypt_create_type() made is missing."), HideFromLog()));
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

const BaseType *LookUpTypeOfFunction(const FmgrInfo *function, int argument, int base_argument) {
    const BaseType *type = LookUpTypeOfFunction(function, argument);
    RequireBase(*type);
    std::int16_t length = 0;
    bool by_value = false;
    get_typlenbyval(base_argument == kResult ? get_func_rettype(function->fn_oid)
                                             : TypeOfArgument(function, base_argument),
                    &length, &by_value);
    if (length != type->length || by_value != type->by_value)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
                 errmsg("function %s is not declared with type %s", get_func_name(function->fn_oid),
                        format_type_be(type->base)),
                 errdetail("It is what type %s seals.", format_type_be(type->encrypted)), HideFromLog()));
    return type;
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
    const Datum value = CallTypeFunction(type.is_made(), type.input, [&](FmgrInfo *input) {
        return WithoutContents(type.base,
                               [&] { return InputFunctionCall(input, text, type.input_parameter, -1); });
    });
    return CoerceToTypmod(type, value, typmod, false);
}

Datum BaseReceive(const BaseType &type, StringInfo message, std::int32_t typmod) {
    RequireBase(type);
    const Datum value = CallTypeFunction(type.is_made(), type.receive, [&](FmgrInfo *receive) {
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
