#include "pg/base_type.h"
#include "pg/errors.h"
#include "pg/without_contents.h"

extern "C" {
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
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
};

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

// A type is known by its name and by its input function, which only superusers can give it. Not by its casts:
// while a dump is restored, values are read before those exist.
const KnownType *FindKnownType(Oid encrypted) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(encrypted));
    if (!HeapTupleIsValid(tuple))
        return nullptr;
    auto *type = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    const KnownType *found = nullptr;
    for (const KnownType &known : kKnownTypes) {
        if (strcmp(known.encrypted_name, NameStr(type->typname)) == 0 && IsOurInputFunction(type->typinput))
            found = &known;
    }
    ReleaseSysCache(tuple);
    return found;
}

BaseType *MakeBaseType(Oid encrypted) {
    const KnownType *known = FindKnownType(encrypted);
    if (known == nullptr)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("type %s is not an encrypted type of this version of envcrypt",
                               format_type_be(encrypted)),
                        HideFromLog()));
    auto *type = static_cast<BaseType *>(MemoryContextAllocZero(CacheMemoryContext, sizeof(BaseType)));
    const Oid base = known->base;
    type->encrypted = encrypted;
    type->base = base;
    type->tag = static_cast<std::uint8_t>(known->tag);
    type->form = known->form;
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
    if (found)
        return entry->type;
    BaseType *type = MakeBaseType(encrypted_type);
    entry = static_cast<TypeEntry *>(hash_search(types, &encrypted_type, HASH_ENTER, &found));
    entry->type = type;
    return type;
}

const BaseType *LookUpTypeOfFunction(const FmgrInfo *function, int argument) {
    Oid *arguments = nullptr;
    int count = 0;
    Oid type = get_func_signature(function->fn_oid, &arguments, &count);
    if (argument != kResult)
        type = argument < count ? arguments[argument] : InvalidOid;
    return FindBaseType(type);
}

const BaseType *TypeOfFunction(FmgrInfo *function, int argument) {
    if (unlikely(function->fn_extra == nullptr))
        function->fn_extra = const_cast<BaseType *>(LookUpTypeOfFunction(function, argument));
    return static_cast<const BaseType *>(function->fn_extra);
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

std::span<const std::uint8_t> PlainBytes(const BaseType &type, Datum value) {
    const auto bytes = VarlenaBytes(DatumGetPointer(value));
    if (type.form != PlainForm::kText || GetDatabaseEncoding() == PG_SQL_ASCII)
        return bytes;
    const auto *stored = reinterpret_cast<const char *>(bytes.data());
    const char *utf8 = pg_server_to_any(stored, static_cast<int>(bytes.size()), PG_UTF8);
    if (utf8 == stored)
        return bytes;
    return {reinterpret_cast<const std::uint8_t *>(utf8), strlen(utf8)};
}

Datum BaseInput(const BaseType &type, char *text, std::int32_t typmod) {
    auto *input = const_cast<FmgrInfo *>(&type.input);  // fmgr counts calls in it
    return WithoutContents(type.base,
                           [&] { return InputFunctionCall(input, text, type.input_parameter, typmod); });
}

Datum BaseReceive(const BaseType &type, StringInfo message, std::int32_t typmod) {
    auto *receive = const_cast<FmgrInfo *>(&type.receive);
    return WithoutContents(
        type.base, [&] { return ReceiveFunctionCall(receive, message, type.input_parameter, typmod); });
}

Datum ValueFromPlain(const BaseType &type, struct varlena *plain) {
    if (type.form != PlainForm::kText || GetDatabaseEncoding() == PG_SQL_ASCII)
        return PointerGetDatum(plain);
    char *utf8 = VARDATA(plain);
    const int length = static_cast<int>(VARSIZE(plain) - VARHDRSZ);
    if (likely(GetDatabaseEncoding() == PG_UTF8)) {
        // Authentic, yet perhaps sealed in a SQL_ASCII database: what is not UTF-8 must not get in.
        if (likely(pg_verify_mbstr(PG_UTF8, utf8, length, true)))
            return PointerGetDatum(plain);
        ereport(ERROR,
                (errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
                 errmsg("opened value is not valid in encoding \"UTF8\""),
                 errhint("It was probably sealed in a database of encoding SQL_ASCII."), HideFromLog()));
    }
    return WithoutContents(type.base, [&] {
        char *converted = pg_any_to_server(utf8, length, PG_UTF8);
        return converted == utf8 ? PointerGetDatum(plain) : CStringGetTextDatum(converted);
    });
}

}  // namespace envcrypt
