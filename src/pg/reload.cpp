#include "pg/reload.h"

#include <sys/stat.h>

extern "C" {
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

constexpr int kPatienceMilliseconds = 2000;

bool IsNewer(const char *path) noexcept {
    struct stat file {};
    if (path == nullptr || stat(path, &file) != 0)
        return false;
    const TimestampTz changed =
        time_t_to_timestamptz(file.st_mtim.tv_sec) + static_cast<TimestampTz>(file.st_mtim.tv_nsec / 1000);
    return changed > PgReloadTime;
}

}  // namespace

bool ConfigurationChanged() {
    return ConfigReloadPending != 0 || IsNewer(ConfigFileName) ||
           IsNewer(psprintf("%s/%s", DataDir, PG_AUTOCONF_FILENAME));
}

void AwaitReload() {
    if (IsInParallelMode())
        return;
    const TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kPatienceMilliseconds);
    while (ConfigReloadPending == 0) {
        const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until);
        if (left <= 0)
            return;
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left, PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    }
    ConfigReloadPending = 0;
    ProcessConfigFile(PGC_SIGHUP);
}

}  // namespace envcrypt
