// settings.h: envcrypt's configuration parameters (docs/reference.md lists them for users).
#pragma once

#include "core/aead.h"

#include "pg/backend.h"

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

void DefineSettings();

}  // namespace envcrypt
