// key_file.h: reads a keyring from a file that the operator keeps apart from the data.
//
// The file must be regular, belong to this process's user or root, and be closed to group and others (0600 or
// less). Its real place must not be inside a PostgreSQL data directory or tablespace, where a stolen backup
// would carry its own key. Symbolic links are followed first: container secrets are links.
#pragma once

#include <cstdint>

#include "core/keyring.h"
#include "core/status.h"

namespace envcrypt {

enum class KeyFileFault : std::uint8_t {
    kNone,
    kSystem,  // system_error is an errno value
    kNotRegular,
    kForeignOwner,
    kOpenToOthers,
    kInsideDataDirectory,
    kTooLarge,
    kBadKeyring,  // keyring says why
};

struct KeyFileResult {
    KeyFileFault fault = KeyFileFault::kNone;
    int system_error = 0;
    Status keyring;
};

inline constexpr std::size_t kMaxKeyFileBytes = 16384;

// LoadKeyFile replaces `ring` by the file's keys. On any fault the ring is empty.
[[nodiscard]] KeyFileResult LoadKeyFile(const char *path, Keyring &ring) noexcept;

}  // namespace envcrypt
