// key_table_guard.h: keeps what holds keys from being emptied. Nothing is refused while
// envcrypt.allow_data_loss is on.
#pragma once

#include "server/backend.h"

extern "C" {
#include "commands/trigger.h"
}

namespace envcrypt {

// GuardTruncate is told of each table that a TRUNCATE statement names or reaches, so that triggers that were
// disabled, as test cleaners do it, make no difference.
void GuardTruncate(Oid table);

// GuardPersistence is told of each relation that a DDL command has changed.
void GuardPersistence(Oid table, char persistence);

// GuardKeyTable is told of what a statement does to a key table. What a publisher has done, its subscribers
// follow.
void GuardKeyTable(const TriggerData &trigger);

}  // namespace envcrypt
