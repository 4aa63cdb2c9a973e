#include "keys/owner_type.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "server/errors.h"
#include "server/extension_objects.h"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/formatting.h"
#include "utils/numeric.h"
}

namespace envcrypt {
namespace {

// The type itself, not one that somebody calls so: a base type, which only superusers make, of that
// extension.
bool IsCitext(Oid type) {
    if (type < FirstNormalObjectId)
        return false;
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple))
        return false;
    const auto *form = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    const bool fits = form->typtype == TYPTYPE_BASE && form->typlen == -1 && !OidIsValid(form->typelem) &&
                      strcmp(NameStr(form->typname), "citext") == 0;
    ReleaseSysCache(tuple);
    if (!fits)
        return false;
    const Oid extension = getExtensionOfObject(TypeRelationId, type);
    return OidIsValid(extension) && extension == get_extension_oid("citext", true);
}

bool IsMadeOf(const char *characters, const char *text) {
    return *text != '\0' && strspn(text, characters) == strlen(text);
}

bool IntegerWithName(const char *name, long long least, long long most, long long *number) {
    char *end = nullptr;
    errno = 0;
    *number = std::strtoll(name, &end, 10);
    return IsMadeOf("-0123456789", name) && errno == 0 && *end == '\0' && *number >= least && *number <= most;
}

bool IsPrintedNumeric(const char *name) {
    const char *digits = *name == '-' ? name + 1 : name;
    const char *point = strchr(digits, '.');
    if (IsMadeOf(".0123456789", digits) && *digits != '.')
        return point == nullptr || IsMadeOf("0123456789", point + 1);
    return strcmp(name, "NaN") == 0 || strcmp(digits, "Infinity") == 0;
}

bool IsPrintedUuid(const char *name) {
    if (strlen(name) != 36 || !IsMadeOf("-0123456789abcdef", name))
        return false;
    for (int i = 0; i < 36; i++) {
        if ((name[i] == '-') != (i == 8 || i == 13 || i == 18 || i == 23))
            return false;
    }
    return true;
}

Datum FromText(Oid type, const char *name) {
    Oid input = InvalidOid;
    Oid parameter = InvalidOid;
    getTypeInputInfo(type, &input, &parameter);
    return OidInputFunctionCall(input, const_cast<char *>(name), parameter, -1);
}

std::string_view WithoutBlanks(std::string_view text) {
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

// As citext compares: by the database's collation, whatever the column's or the session's is.
std::string_view Folded(std::string_view text) {
    return str_tolower(text.data(), text.size(), DEFAULT_COLLATION_OID);
}

}  // namespace

OwnerForm FormOfOwners(Oid type, Oid collation) {
    const Oid base = getBaseType(type);
    switch (base) {
        case TEXTOID:
        case VARCHAROID:
        case BPCHAROID:
            if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
                return OwnerForm::kNone;
            return base == BPCHAROID ? OwnerForm::kBlankPadded : OwnerForm::kText;
        case NAMEOID:
            return OwnerForm::kName;
        case INT2OID:
            return OwnerForm::kInt2;
        case INT4OID:
            return OwnerForm::kInt4;
        case INT8OID:
            return OwnerForm::kInt8;
        case OIDOID:
            return OwnerForm::kOid;
        case NUMERICOID:
            return OwnerForm::kNumeric;
        case UUIDOID:
            return OwnerForm::kUuid;
        default:
            return IsCitext(base) ? OwnerForm::kFolded : OwnerForm::kNone;
    }
}

OwnerForm RequireOwnerColumn(Relation table, AttrNumber column) {
    const FormData_pg_attribute attribute = *TupleDescAttr(RelationGetDescr(table), column - 1);
    const OwnerForm form = FormOfOwners(attribute.atttypid, attribute.attcollation);
    if (form != OwnerForm::kNone)
        return form;
    const char *type = format_type_with_typemod(attribute.atttypid, attribute.atttypmod);
    if (FormOfOwners(attribute.atttypid, InvalidOid) != OwnerForm::kNone)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("column \"%s\" cannot name owners: its collation is nondeterministic",
                               NameStr(attribute.attname)),
                        errdetail("SQL would take two spellings for one owner, each with a data key."),
                        errhint("Use a deterministic collation, or type citext."), HideFromLog()));
    ereport(
        ERROR,
        (errcode(ERRCODE_DATATYPE_MISMATCH),
         errmsg("column \"%s\" of type %s cannot name owners", NameStr(attribute.attname), type),
         errdetail(
             "An owner's name must be the same text for all values that are equal, depend on no setting, "
             "and outlive renaming."),
         errhint("Types that can: smallint, integer, bigint, oid, numeric, text, varchar, character, name, "
                 "uuid, citext, and domains over them. For an enum, use text or an integer."),
         HideFromLog()));
    pg_unreachable();
}

std::string_view NameOfOwner(OwnerForm form, Datum value) {
    switch (form) {
        case OwnerForm::kText:
            return VarlenaChars(PG_DETOAST_DATUM_PACKED(value));
        case OwnerForm::kBlankPadded:
            return WithoutBlanks(VarlenaChars(PG_DETOAST_DATUM_PACKED(value)));
        case OwnerForm::kFolded:
            return Folded(VarlenaChars(PG_DETOAST_DATUM_PACKED(value)));
        case OwnerForm::kName:
            return NameStr(*DatumGetName(value));
        case OwnerForm::kInt2:
            return psprintf("%d", DatumGetInt16(value));
        case OwnerForm::kInt4:
            return psprintf("%d", DatumGetInt32(value));
        case OwnerForm::kInt8:
            return psprintf(INT64_FORMAT, DatumGetInt64(value));
        case OwnerForm::kOid:
            return psprintf("%u", DatumGetObjectId(value));
        case OwnerForm::kNumeric:
            return numeric_normalize(DatumGetNumeric(value));
        case OwnerForm::kUuid:
            return DatumGetCString(DirectFunctionCall1(uuid_out, value));
        case OwnerForm::kNone:
            break;
    }
    elog(ERROR, "values of unknown form name no owners");
    pg_unreachable();
}

bool OwnerWithName(OwnerForm form, std::string_view name, Datum *value) {
    const char *text = pnstrdup(name.data(), name.size());
    long long number = 0;
    switch (form) {
        case OwnerForm::kText:
        case OwnerForm::kBlankPadded:
        case OwnerForm::kFolded:
            *value = CStringGetTextDatum(text);
            break;
        case OwnerForm::kName:
            if (name.size() >= NAMEDATALEN)
                return false;
            *value = FromText(NAMEOID, text);
            break;
        case OwnerForm::kInt2:
            if (!IntegerWithName(text, PG_INT16_MIN, PG_INT16_MAX, &number))
                return false;
            *value = Int16GetDatum(static_cast<int16>(number));
            break;
        case OwnerForm::kInt4:
            if (!IntegerWithName(text, PG_INT32_MIN, PG_INT32_MAX, &number))
                return false;
            *value = Int32GetDatum(static_cast<int32>(number));
            break;
        case OwnerForm::kInt8:
            if (!IntegerWithName(text, PG_INT64_MIN, PG_INT64_MAX, &number))
                return false;
            *value = Int64GetDatum(number);
            break;
        case OwnerForm::kOid:
            if (!IntegerWithName(text, 0, PG_UINT32_MAX, &number))
                return false;
            *value = ObjectIdGetDatum(static_cast<Oid>(number));
            break;
        case OwnerForm::kNumeric:
            if (!IsPrintedNumeric(text))
                return false;
            *value = FromText(NUMERICOID, text);
            break;
        case OwnerForm::kUuid:
            if (!IsPrintedUuid(text))
                return false;
            *value = FromText(UUIDOID, text);
            break;
        case OwnerForm::kNone:
            return false;
    }
    // '01' and '1.0' are no names, nor is 'Ann' in citext.
    return NameOfOwner(form, *value) == name;
}

char *NameExpression(Relation table, AttrNumber column, const char *expression) {
    const OwnerForm form = RequireOwnerColumn(table, column);
    const Oid base = getBaseType(TupleDescAttr(RelationGetDescr(table), column - 1)->atttypid);
    const char *schema = quote_identifier(get_namespace_name(get_rel_namespace(Objects().data_keys)));
    // Exact matches: nobody's function can come first.
    if (form == OwnerForm::kFolded)
        return psprintf("%s.envcrypt_folded_owner_name(%s::pg_catalog.text)", schema, expression);
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(base));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for type %u", base);
    const char *type = quote_identifier(NameStr(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typname));
    char *made = psprintf("%s.envcrypt_owner_name(%s::pg_catalog.%s)", schema, expression, type);
    ReleaseSysCache(tuple);
    return made;
}

}  // namespace envcrypt

using namespace envcrypt;

// (a value of a type that may name owners) -> its name
ENVCRYPT_FUNCTION(envcrypt_owner_name) {
    FmgrInfo *function = fcinfo->flinfo;
    if (function->fn_extra == nullptr) {
        Oid *arguments = nullptr;
        int count = 0;
        get_func_signature(function->fn_oid, &arguments, &count);
        const OwnerForm form = count == 1 ? FormOfOwners(arguments[0], InvalidOid) : OwnerForm::kNone;
        if (form == OwnerForm::kNone)
            ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                            errmsg("function was declared for a type that names no owners"), HideFromLog()));
        auto *kept = static_cast<OwnerForm *>(MemoryContextAlloc(function->fn_mcxt, sizeof(OwnerForm)));
        *kept = form;
        function->fn_extra = kept;
    }
    const std::string_view name =
        NameOfOwner(*static_cast<OwnerForm *>(function->fn_extra), PG_GETARG_DATUM(0));
    PG_RETURN_TEXT_P(cstring_to_text_with_len(name.data(), static_cast<int>(name.size())));
}

ENVCRYPT_FUNCTION(envcrypt_folded_owner_name) {
    const std::string_view name = NameOfOwner(OwnerForm::kFolded, PG_GETARG_DATUM(0));
    PG_RETURN_TEXT_P(cstring_to_text_with_len(name.data(), static_cast<int>(name.size())));
}

// (table, column's number, SQL expression of its type) -> SQL expression of the owner's name
ENVCRYPT_FUNCTION(envcrypt_owner_text) {
    Relation table = try_table_open(PG_GETARG_OID(0), AccessShareLock);
    if (table == nullptr)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("table with OID %u does not exist", PG_GETARG_OID(0))));
    const AttrNumber column = PG_GETARG_INT16(1);
    if (column <= 0 || column > RelationGetNumberOfAttributes(table) ||
        TupleDescAttr(RelationGetDescr(table), column - 1)->attisdropped)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("column number %d of relation \"%s\" does not exist", column,
                               RelationGetRelationName(table))));
    char *name = NameExpression(table, column, text_to_cstring(PG_GETARG_TEXT_PP(2)));
    table_close(table, AccessShareLock);
    PG_RETURN_TEXT_P(cstring_to_text(name));
}
