#include "server/reload.h"

#include <algorithm>
#include <sys/stat.h>

extern "C" {
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

constexpr int kPerhapsMilliseconds = 200;
// A file's time is that of the kernel's last tick before it was written.
constexpr TimestampTz kTickMicroseconds = 20000;

int PatienceFor(const char *path) noexcept {
    struct stat file {};
    if (path == nullptr || stat(path, &file) != 0)
        return 0;
    const TimestampTz changed =
        time_t_to_timestamptz(file.st_mtim.tv_sec) + static_cast<TimestampTz>(file.st_mtim.tv_nsec / 1000);
    if (changed > PgReloadTime)
        return kReloadMilliseconds;
    return changed + kTickMicroseconds > PgReloadTime ? kPerhapsMilliseconds : 0;
}

}  // namespace

int ReloadPatience() {
    if (ConfigReloadPending != 0)
        return kReloadMilliseconds;
    return std::max(PatienceFor(ConfigFileName),
                    PatienceFor(psprintf("%s/%s", DataDir, PG_AUTOCONF_FILENAME)));
}

void AwaitReload(int milliseconds) {
    if (IsInParallelMode())
        return;
    const TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds);
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
