// key_table_trigger.h: the trigger of the key tables.
#pragma once

#include "pg/backend.h"

namespace envcrypt {

// IsKeyTableTrigger: `function` is envcrypt_key_table_trigger(), under whatever name.
bool IsKeyTableTrigger(Oid function);

}  // namespace envcrypt
