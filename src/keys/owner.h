// owner.h: the name of a row's owner, as SQL gives it and as the formats need it.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// Plain data that points into palloc'd memory of the caller's context. An empty owner stands for the database
// key.
struct Owner {
    std::string_view stored;  // in the server's encoding, as envcrypt_data_keys has it
    std::string_view utf8;    // the same in UTF-8, as cache and wrapping know it

    [[nodiscard]] bool is_database() const noexcept { return utf8.empty(); }
};

// OwnerFromArgument reads an owner argument of a SQL function that is not STRICT. NULL, '' and more than 255
// bytes of UTF-8 raise an error.
Owner OwnerFromArgument(FunctionCallInfo fcinfo, int argument);

// RequireValidOwner raises the same errors for an owner that came from elsewhere.
void RequireValidOwner(const Owner &owner);

// IsValidOwner: neither empty nor too long.
bool IsValidOwner(const Owner &owner) noexcept;

// OwnerFromUtf8 is the same for a name that comes from a key's row in memory.
Owner OwnerFromUtf8(std::string_view utf8);

// OwnerFromStored is the same for a name that comes from the key table, or '' for the database key.
Owner OwnerFromStored(std::string_view stored);

}  // namespace envcrypt
