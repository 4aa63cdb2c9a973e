// extension_objects.h: where this database keeps envcrypt's tables, and one callback that notices their
// changes.
#pragma once

#include "server/backend.h"

namespace envcrypt {

struct ExtensionObjects {
    Oid data_keys;           // table envcrypt_data_keys
    Oid data_keys_by_id;     // its primary key
    Oid data_keys_by_owner;  // unique (kind, owner, key_version)
    Oid data_keys_by_tombstone;
    Oid master_keys;  // table envcrypt_master_keys
    Oid master_keys_by_fingerprint;
};

// Objects returns this database's objects, looked up through the extension and never by search_path.
// Raises undefined_object where the extension is not installed.
const ExtensionObjects &Objects();

// KeyTablesChanged returns true once after rows of the key tables may have changed in any session.
[[nodiscard]] bool KeyTablesChanged() noexcept;

// RelationChanges counts what this backend was told of changes to any table's definition.
[[nodiscard]] std::uint64_t RelationChanges() noexcept;

// AnnounceKeyTableChange makes every backend check its opened keys again, when this transaction commits; and
// the commit is on disk before anybody hears of it, whatever synchronous_commit says: what was destroyed does
// not come back.
void AnnounceKeyTableChange();

void RegisterExtensionCallbacks();

}  // namespace envcrypt
