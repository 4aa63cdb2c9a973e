// envcrypt.cpp: what PostgreSQL loads: the magic block and _PG_init, a table of contents.
#include "core/algorithms.h"

#include "pg/backend.h"
#include "pg/check_cache.h"
#include "pg/ddl_commands.h"
#include "pg/errors.h"
#include "pg/extension_objects.h"
#include "pg/key_cache.h"
#include "pg/log_filter.h"
#include "pg/orphaned_keys.h"
#include "pg/rights.h"
#include "pg/role_plans.h"
#include "pg/settings.h"
#include "pg/statement_state.h"
#include "pg/transit.h"
#include "pg/type_identity.h"

extern "C" {
ENVCRYPT_MODULE_MAGIC;
PGDLLEXPORT void _PG_init();
}

void _PG_init() {
    if (!envcrypt::FetchAlgorithms().ok())
        envcrypt::WarnOfMissingAlgorithms();
    envcrypt::DefineSettings();
    envcrypt::RegisterExtensionCallbacks();
    envcrypt::RegisterRightsCallbacks();
    envcrypt::RegisterKeyCacheCallbacks();
    envcrypt::RegisterOrphanCallbacks();
    envcrypt::RegisterCheckCacheCallbacks();
    envcrypt::RegisterTransitCallbacks();
    envcrypt::RegisterTypeCallbacks();
    envcrypt::InstallLogHook();
    envcrypt::InstallStatementHooks();
    envcrypt::InstallDdlHooks();
    envcrypt::InstallPlanHooks();
}
