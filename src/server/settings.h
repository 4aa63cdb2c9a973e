// settings.h: envcrypt's configuration parameters (docs/reference.md lists them for users).
#pragma once

#include "core/aead.h"

#include "server/backend.h"

namespace envcrypt {

enum class Io : int { kAuto, kPlaintext, kCiphertext };
enum class AutoCreate : int { kOn, kManaged, kOff };

struct Settings {
    char *master_key;       // the session's keyring, as it was typed; '' when unset
    char *master_key_file;  // the server's
    int io;
    int auto_create_owners;
    int data_key_algorithm;
    int cache_size;
    bool allow_data_loss;
};

extern Settings settings;

// SessionHasKey: the session itself supplied a keyring (right or wrong), which then is the only one that
// counts.
[[nodiscard]] bool SessionHasKey() noexcept;

// What hears of a parameter's new value. They run inside PostgreSQL's assign hooks, so none may fail.
struct SettingHandlers {
    void (*session_ring_changed)() noexcept;
    void (*server_ring_changed)() noexcept;
    void (*cache_size_changed)(int entries) noexcept;
};

void DefineSettings(const SettingHandlers &handlers);

}  // namespace envcrypt
