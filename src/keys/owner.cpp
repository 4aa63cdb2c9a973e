#include "core/wrapped_key.h"

#include "keys/owner.h"
#include "server/errors.h"

namespace envcrypt {

Owner OwnerFromStored(std::string_view stored) {
    Owner owner;
    owner.stored = stored;
    if (GetDatabaseEncoding() == PG_SQL_ASCII) {
        owner.utf8 = stored;  // nothing is known of these bytes
        return owner;
    }
    const char *utf8 = pg_server_to_any(stored.data(), static_cast<int>(stored.size()), PG_UTF8);
    owner.utf8 = utf8 == stored.data() ? stored : std::string_view(utf8);
    return owner;
}

Owner OwnerFromUtf8(std::string_view utf8) {
    Owner owner;
    auto *name = static_cast<char *>(palloc(utf8.size() + 1));
    memcpy(name, utf8.data(), utf8.size());
    name[utf8.size()] = '\0';
    owner.utf8 = {name, utf8.size()};
    if (GetDatabaseEncoding() != PG_SQL_ASCII)
        name = pg_any_to_server(name, static_cast<int>(utf8.size()), PG_UTF8);
    owner.stored = name;
    return owner;
}

Owner OwnerFromArgument(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument))
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("owner must not be null"), HideFromLog()));
    const Owner owner = OwnerFromStored(VarlenaChars(PG_GETARG_TEXT_PP(argument)));
    RequireValidOwner(owner);
    return owner;
}

bool IsValidOwner(const Owner &owner) noexcept {
    return !owner.utf8.empty() && owner.utf8.size() <= kMaxOwnerBytes;
}

void RequireValidOwner(const Owner &owner) {
    if (owner.utf8.empty())
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("owner must not be empty"), HideFromLog()));
    if (owner.utf8.size() > kMaxOwnerBytes)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("owner too long (%zu bytes, maximum %zu)", owner.utf8.size(), kMaxOwnerBytes),
                        HideFromLog()));
}

}  // namespace envcrypt
