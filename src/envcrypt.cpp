// envcrypt.cpp: what PostgreSQL loads: the magic block and _PG_init, a table of contents.
#include "core/self_test.h"

#include "guard/ddl_commands.h"
#include "guard/loss_guard.h"
#include "keys/check_cache.h"
#include "keys/key_cache.h"
#include "keys/key_creation.h"
#include "keys/key_table_guard.h"
#include "keys/master_ring.h"
#include "keys/orphaned_keys.h"
#include "server/backend.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/log_filter.h"
#include "server/rights.h"
#include "server/settings.h"
#include "server/statement_state.h"
#include "types/role_plans.h"
#include "values/loading.h"
#include "values/transit.h"
#include "values/type_identity.h"

extern "C" {
ENVCRYPT_MODULE_MAGIC;
PGDLLEXPORT void _PG_init();
}

void _PG_init() {
    if (!envcrypt::TestAlgorithms().ok())
        envcrypt::WarnOfMissingAlgorithms();
    envcrypt::DefineSettings({.session_ring_changed = envcrypt::ForgetSessionRing,
                              .server_ring_changed = envcrypt::ForgetServerRing,
                              .cache_size_changed = envcrypt::SetKeyCacheSize});
    envcrypt::RegisterExtensionCallbacks();
    envcrypt::RegisterRightsCallbacks();
    envcrypt::RegisterKeyCacheCallbacks();
    envcrypt::RegisterOrphanCallbacks(envcrypt::RestoreKey);
    envcrypt::RegisterCheckCacheCallbacks();
    envcrypt::RegisterTransitCallbacks();
    envcrypt::RegisterTypeCallbacks();
    envcrypt::InstallLogHook();
    envcrypt::InstallStatementHooks(
        {.copying_in = envcrypt::HideLines, .discarded = envcrypt::ForgetTransitIds});
    envcrypt::InstallDdlHooks({.dropping = envcrypt::GuardDrop,
                               .truncating = envcrypt::GuardTruncate,
                               .ending = envcrypt::RefuseLostColumns});
    envcrypt::InstallPlanHooks();
}
