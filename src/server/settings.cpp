#include <climits>

#include "server/errors.h"
#include "core/keyring.h"
#include "server/settings.h"

namespace envcrypt {

Settings settings;

namespace {

SettingHandlers handlers;

constexpr config_enum_entry kIoOptions[] = {{"auto", static_cast<int>(Io::kAuto), false},
                                            {"plaintext", static_cast<int>(Io::kPlaintext), false},
                                            {"ciphertext", static_cast<int>(Io::kCiphertext), false},
                                            {nullptr, 0, false}};
constexpr config_enum_entry kAutoCreateOptions[] = {
    {"on", static_cast<int>(AutoCreate::kOn), false},
    {"managed", static_cast<int>(AutoCreate::kManaged), false},
    {"off", static_cast<int>(AutoCreate::kOff), false},
    {nullptr, 0, false}};
constexpr config_enum_entry kAlgorithmOptions[] = {
    {"aes-256-gcm", static_cast<int>(Algorithm::kAes256Gcm), false},
    {"xaes-256-gcm", static_cast<int>(Algorithm::kXaes256Gcm), false},
    {nullptr, 0, false}};

extern "C" {

// Refuses every place from which the key could be read again: catalogs, whose contents all may read, and
// files, which a reload logs and a base backup carries. Says so without the value, which PostgreSQL would
// print.
bool envcrypt_check_master_key(char **value, void **, GucSource source) {
    if (*value == nullptr || **value == '\0')
        return true;
    const bool session = source == PGC_S_CLIENT || source == PGC_S_INTERACTIVE || source == PGC_S_SESSION;
    if (!session) {
        GUC_check_errcode(ERRCODE_CANT_CHANGE_RUNTIME_PARAM);
        GUC_check_errmsg("parameter \"envcrypt.master_key\" can be set only in a session");
        GUC_check_errdetail("A key kept in a catalog or a configuration file can be read there.");
        GUC_check_errhint("For a key of the whole server, set envcrypt.master_key_file.");
        return false;
    }
    const Status status = CheckKeyring(*value);
    if (status.ok())
        return true;
    // Raised here where that is possible, because the error that PostgreSQL makes puts the statement into the
    // server log, with the keys of the ring that have no typing error.
    if (source == PGC_S_SESSION && IsTransactionState())
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("invalid keyring in parameter \"envcrypt.master_key\""),
                        errdetail("%s", KeyringFault(status)), HideFromLog()));
    GUC_check_errcode(ERRCODE_INVALID_PARAMETER_VALUE);
    GUC_check_errmsg("invalid keyring in parameter \"envcrypt.master_key\"");
    GUC_check_errdetail("%s", KeyringFault(status));
    return false;
}

void envcrypt_assign_master_key(const char *, void *) {
    handlers.session_ring_changed();
}

const char *envcrypt_show_master_key() {
    return settings.master_key != nullptr && settings.master_key[0] != '\0' ? "********" : "";
}

void envcrypt_assign_master_key_file(const char *, void *) {
    handlers.server_ring_changed();
}

void envcrypt_assign_cache_size(int entries, void *) {
    handlers.cache_size_changed(entries);
}

// Where it were on for ever, it would protect from nothing.
bool envcrypt_check_allow_data_loss(bool *value, void **, GucSource source) {
    if (!*value || source == PGC_S_CLIENT || source == PGC_S_INTERACTIVE || source == PGC_S_SESSION)
        return true;
    GUC_check_errcode(ERRCODE_CANT_CHANGE_RUNTIME_PARAM);
    GUC_check_errmsg("parameter \"envcrypt.allow_data_loss\" can be turned on only in a session");
    return false;
}

}  // extern "C"

}  // namespace

bool SessionHasKey() noexcept {
    return settings.master_key != nullptr && settings.master_key[0] != '\0';
}

void DefineSettings(const SettingHandlers &given) {
    handlers = given;
    DefineCustomStringVariable(
        "envcrypt.master_key",
        "The session's keyring: master keys separated by colons, the first one primary.",
        "Each is 32 bytes in base64 or 64 hexadecimal digits. It is never shown and wins over the server's.",
        &settings.master_key, "", PGC_USERSET,
        GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE | GUC_DISALLOW_IN_AUTO_FILE,
        envcrypt_check_master_key, envcrypt_assign_master_key, envcrypt_show_master_key);
    DefineCustomStringVariable(
        "envcrypt.master_key_file",
        "A file with the server's master keys, one a line, the first one primary.",
        "It must belong to the server's user, have mode 0600, and lie outside data directories.",
        &settings.master_key_file, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, nullptr,
        envcrypt_assign_master_key_file, nullptr);
    DefineCustomEnumVariable(
        "envcrypt.io",
        "What encrypted types read and write: plaintext, ciphertext, or what the role may see.", nullptr,
        &settings.io, static_cast<int>(Io::kAuto), kIoOptions, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomEnumVariable(
        "envcrypt.auto_create_owners", "Whether sealing for an unknown owner makes a data key.",
        "\"managed\" makes one only for owners in a table named to envcrypt_manage_owners.",
        &settings.auto_create_owners, static_cast<int>(AutoCreate::kOn), kAutoCreateOptions, PGC_SUSET, 0,
        nullptr, nullptr, nullptr);
    DefineCustomEnumVariable("envcrypt.data_key_algorithm", "The algorithm of data keys made for owners.",
                             "\"xaes-256-gcm\" is for owners with billions of values.",
                             &settings.data_key_algorithm, static_cast<int>(Algorithm::kAes256Gcm),
                             kAlgorithmOptions, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("envcrypt.cache_size", "How many opened data keys a backend keeps.",
                            "Each takes about 2 kB.", &settings.cache_size, 4096, 16, 1000000, PGC_USERSET, 0,
                            nullptr, envcrypt_assign_cache_size, nullptr);
    DefineCustomBoolVariable(
        "envcrypt.allow_data_loss",
        "Whether keys and encrypted columns may be destroyed with something else.",
        "Only in a session, for what is done there on purpose.", &settings.allow_data_loss, false, PGC_SUSET,
        GUC_DISALLOW_IN_FILE | GUC_DISALLOW_IN_AUTO_FILE, envcrypt_check_allow_data_loss, nullptr, nullptr);
    MarkGUCPrefixReserved("envcrypt");
}

}  // namespace envcrypt
