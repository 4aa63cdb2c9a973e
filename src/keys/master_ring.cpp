#include <sys/stat.h>

#include <cerrno>
#include <new>

#include "core/key_file.h"

#include "keys/master_ring.h"
#include "server/errors.h"
#include "server/reload.h"
#include "server/settings.h"

extern "C" {
#include "storage/ipc.h"
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

Keyring *session_ring = nullptr;  // allocated once, then reloaded in place
Keyring *server_ring = nullptr;
bool session_ring_valid = false;
bool server_ring_valid = false;
struct stat server_file {};           // as it was when it was read
TimestampTz server_ring_read_at = 0;  // the configuration reload after which the file was read

void (*ring_changed)() noexcept = []() noexcept {};

extern "C" void envcrypt_wipe_rings(int, Datum) {
    ForgetSessionRing();
    ForgetServerRing();
}

// Memory contexts' callbacks do not run at exit.
void WipeRingsAtExit() {
    static int registered_process = 0;
    if (registered_process != MyProcPid)
        on_proc_exit(envcrypt_wipe_rings, static_cast<Datum>(0));
    registered_process = MyProcPid;
}

Keyring *Allocated(Keyring **ring) {
    WipeRingsAtExit();
    if (*ring == nullptr)
        *ring = new (std::nothrow) Keyring;
    if (*ring == nullptr)
        RaiseStatus({Code::kNoMemory});
    return *ring;
}

bool ServerHasKeyFile() noexcept {
    return settings.master_key_file != nullptr && settings.master_key_file[0] != '\0';
}

// If not ok, it is not about the text, which the check hook took.
Status LoadSessionRing() {
    Keyring *ring = Allocated(&session_ring);
    if (session_ring_valid)
        return {};
    const Status status = ring->Load(settings.master_key);
    session_ring_valid = status.ok();
    return status;
}

[[noreturn]] void RaiseFileFault(const KeyFileResult &result) {
    const char *path = settings.master_key_file;
    switch (result.fault) {
        case KeyFileFault::kSystem:
            errno = result.system_error;
            ereport(ERROR, (errcode_for_file_access(),
                            errmsg("could not read master key file \"%s\": %m", path), HideFromLog()));
        case KeyFileFault::kNotRegular:
            ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR),
                            errmsg("master key file \"%s\" is not a regular file", path), HideFromLog()));
        case KeyFileFault::kForeignOwner:
        case KeyFileFault::kOpenToOthers:
            ereport(
                ERROR,
                (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("master key file \"%s\" is not private", path),
                 errhint("It must belong to the server's user and have mode 0600 or less."), HideFromLog()));
        case KeyFileFault::kInsideDataDirectory:
            ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR),
                            errmsg("master key file \"%s\" lies inside a data directory or tablespace", path),
                            errdetail("A backup of that directory would carry its own key."),
                            errhint("Move the file elsewhere and reload the configuration."), HideFromLog()));
        case KeyFileFault::kTooLarge:
            ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR),
                            errmsg("master key file \"%s\" is larger than %zu bytes", path, kMaxKeyFileBytes),
                            HideFromLog()));
        default:
            if (result.keyring.code == Code::kNoMemory || result.keyring.code == Code::kNoAlgorithm)
                RaiseStatus(result.keyring);
            ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR),
                            errmsg("master key file \"%s\" is not a keyring", path),
                            errdetail("%s", KeyringFault(result.keyring)), HideFromLog()));
    }
    pg_unreachable();
}

struct stat ServerFileNow() noexcept {
    struct stat file {};
    if (stat(settings.master_key_file, &file) != 0)
        file = {};
    return file;
}

// Whether the file is another one, or was written, since its keys were read.
bool ServerFileChanged() noexcept {
    const struct stat now = ServerFileNow();
    return now.st_dev != server_file.st_dev || now.st_ino != server_file.st_ino ||
           now.st_size != server_file.st_size || now.st_mtim.tv_sec != server_file.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != server_file.st_mtim.tv_nsec;
}

KeyFileResult RefreshServerRing() {
    KeyFileResult result;
    server_file = ServerFileNow();
    Keyring *ring = Allocated(&server_ring);
    const TimestampTz reload = PgReloadTime;
    result = LoadKeyFile(settings.master_key_file, *ring);
    ring_changed();  // what was opened with keys that may be gone
    server_ring_valid = result.fault == KeyFileFault::kNone;
    server_ring_read_at = reload;
    return result;
}

[[nodiscard]] bool ServerRingCurrent() noexcept {
    return server_ring_valid && server_ring_read_at == PgReloadTime;
}

}  // namespace

RingSource EffectiveRingSource() noexcept {
    if (SessionHasKey())
        return RingSource::kSession;
    return ServerHasKeyFile() ? RingSource::kServerFile : RingSource::kNone;
}

bool RingMayHaveChanged() noexcept {
    return server_ring_read_at != PgReloadTime && !SessionHasKey();
}

Keyring *MasterRing() {
    switch (EffectiveRingSource()) {
        case RingSource::kSession:
            if (const Status status = LoadSessionRing(); !status.ok())
                RaiseStatus(status);
            return session_ring;
        case RingSource::kServerFile:
            if (!ServerRingCurrent()) {
                const KeyFileResult result = RefreshServerRing();
                if (result.fault != KeyFileFault::kNone)
                    RaiseFileFault(result);
            }
            return server_ring;
        default:
            ereport(
                ERROR,
                (errcode(kErrNoMasterKey), errmsg("no master key is available"),
                 ReloadPatience() == kReloadMilliseconds
                     ? errhint("The server's configuration was changed after this session had read it. If "
                               "it is being reloaded, repeat the statement; else call pg_reload_conf().")
                     : errhint("Set envcrypt.master_key in the session, or envcrypt.master_key_file in the "
                               "server's configuration."),
                 HideFromLog()));
    }
    pg_unreachable();
}

Keyring *RingForChange() {
    const auto outdated = [] { return ServerHasKeyFile() && server_ring_valid && ServerFileChanged(); };
    const int patience = SessionHasKey() ? 0 : outdated() ? kReloadMilliseconds : ReloadPatience();
    if (patience > 0) {
        AwaitReload(patience);
        if (ServerRingCurrent() && outdated())
            ereport(ERROR,
                    (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                     errmsg("master key file \"%s\" was changed after this session had read it",
                            settings.master_key_file),
                     errdetail("Other sessions may not know the new keys yet, either."),
                     errhint("Reload the configuration with pg_reload_conf(), and repeat the statement."),
                     HideFromLog()));
    }
    return MasterRing();
}

Keyring *MasterRingIfUsable() {
    switch (EffectiveRingSource()) {
        case RingSource::kSession:
            return LoadSessionRing().ok() ? session_ring : nullptr;
        case RingSource::kServerFile:
            return ServerRingCurrent() || RefreshServerRing().fault == KeyFileFault::kNone ? server_ring
                                                                                           : nullptr;
        default:
            return nullptr;
    }
}

void ForgetSessionRing() noexcept {
    session_ring_valid = false;
    if (session_ring != nullptr)
        session_ring->Clear();
    ring_changed();
}

void ForgetServerRing() noexcept {
    server_ring_valid = false;
    if (server_ring != nullptr)
        server_ring->Clear();
    ring_changed();
}

void OnRingChange(void (*listener)() noexcept) {
    ring_changed = listener;
}

}  // namespace envcrypt
