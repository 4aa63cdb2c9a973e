// status.cpp: envcrypt_status(), a row for each thing to check, with what to do where something is
// wrong.
//
// Works with no key at all. Shows fingerprints, counts and names of roles, tables and columns, never keys or
// owners.

#include <algorithm>
#include <array>

#include "core/keyring.h"

#include "keys/key_table.h"
#include "keys/key_table_parts.h"
#include "keys/master_key_table.h"
#include "keys/master_ring.h"
#include "keys/subscribed_keys.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/fresh_scan.h"
#include "server/rights.h"
#include "server/settings.h"

extern "C" {
#include "catalog/pg_extension.h"
#include "executor/spi.h"
#include "utils/fmgroids.h"
#include "utils/tuplestore.h"
}

namespace envcrypt {
namespace {

constexpr std::size_t kMaxMastersShown = 64;

struct MasterCount {
    Fingerprint fingerprint;
    int64 data_keys;
};

struct KeyCounts {
    int64 active;
    int64 superseded;
    int64 database;
    int64 shredded;
    std::size_t masters;
    std::array<MasterCount, kMaxMastersShown> by_master;
};

struct Report {
    ReturnSetInfo *result;

    void Add(const char *check, const char *state, const char *detail, const char *advice) const {
        std::array<Datum, 4> values{};
        std::array<bool, 4> nulls{};
        const std::array<const char *, 4> texts = {check, state, detail, advice};
        for (std::size_t i = 0; i < texts.size(); i++) {
            nulls[i] = texts[i] == nullptr;
            if (!nulls[i])
                values[i] = CStringGetTextDatum(texts[i]);
        }
        tuplestore_putvalues(result->setResult, result->setDesc, values.data(), nulls.data());
    }
};

void CountMaster(KeyCounts *counts, const Fingerprint &master) {
    auto *const end = counts->by_master.begin() + counts->masters;
    auto *const found = std::find_if(counts->by_master.begin(), end,
                                     [&](const MasterCount &count) { return count.fingerprint == master; });
    if (found != end)
        found->data_keys++;
    else if (counts->masters < kMaxMastersShown)
        counts->by_master[counts->masters++] = {master, 1};
}

// Rows come in order of kind, owner and version, so an owner's last row is the active one.
KeyCounts CountKeys() {
    KeyCounts counts{};
    KeyRow previous;
    bool has_previous = false;
    ScanKeyData no_key;
    FreshScan(Objects().data_keys, Objects().data_keys_by_owner, {&no_key, std::size_t{0}},
              ForwardScanDirection, [&](TupleTableSlot *slot) {
                  CHECK_FOR_INTERRUPTS();
                  StoredKey key;
                  ReadKey(slot, &key);
                  if (key.shredded) {
                      counts.shredded++;
                      return true;
                  }
                  CountMaster(&counts, key.row.master_fingerprint);
                  if (!key.row.has_owner) {
                      counts.database++;
                  } else if (has_previous && previous.owner() == key.row.owner()) {
                      counts.superseded++;
                  } else {
                      counts.active++;
                  }
                  previous = key.row;
                  has_previous = key.row.has_owner;
                  return true;
              });
    return counts;
}

void ReportLibrary(const Report &report) {
    // In the postmaster's list, parameters are known and hidden before the first use of the library.
    const char *preloaded = GetConfigOption("shared_preload_libraries", true, false);
    const bool listed = preloaded != nullptr && strstr(preloaded, "envcrypt") != nullptr;
    report.Add(
        "library", listed ? "ok" : "advice",
        psprintf("envcrypt %s, %s", ENVCRYPT_VERSION, listed ? "preloaded" : "loaded on demand"),
        listed ? nullptr
               : "Add envcrypt to shared_preload_libraries: until a session loads the library, SHOW displays "
                 "a key that was set before.");
}

// nullptr: it is not installed.
const char *ExtensionVersion() {
    ScanKeyData name;
    ScanKeyInit(&name, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
                CStringGetDatum("envcrypt"));
    Relation extensions = table_open(ExtensionRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(extensions, ExtensionNameIndexId, true, nullptr, 1, &name);
    const char *version = nullptr;
    if (HeapTuple row = systable_getnext(scan); HeapTupleIsValid(row)) {
        bool null = false;
        const Datum value =
            heap_getattr(row, Anum_pg_extension_extversion, RelationGetDescr(extensions), &null);
        if (!null)
            version = TextDatumGetCString(value);
    }
    systable_endscan(scan);
    table_close(extensions, AccessShareLock);
    return version;
}

// Other packages, or a server that was not restarted: functions may be missing, or do what others expect.
void ReportVersion(const Report &report) {
    const char *version = ExtensionVersion();
    if (version == nullptr || strcmp(version, ENVCRYPT_VERSION) == 0)
        return;
    report.Add("extension version", "error",
               psprintf("The loaded library is %s, the extension in this database is %s.", ENVCRYPT_VERSION,
                        version),
               "Restart the server if another version was installed; then ALTER EXTENSION envcrypt UPDATE.");
}

void ReportAlgorithms(const Report &report) {
    if (const char *missing = MissingAlgorithms(); missing != nullptr)
        report.Add("OpenSSL", "error",
                   psprintf("OpenSSL provides no %s: values cannot be sealed or opened.", missing),
                   "Activate a provider that has it in OpenSSL's configuration, and restart the server.");
}

// Returns the ring if it may be used and works.
Keyring *ReportMasterKey(const Report &report) {
    const RingSource source = EffectiveRingSource();
    if (source == RingSource::kNone) {
        report.Add(
            "master key", "missing", "No master key is available; sealed values can be stored and copied.",
            "Set envcrypt.master_key in the session, or envcrypt.master_key_file in the configuration.");
        return nullptr;
    }
    const char *name = source == RingSource::kSession ? "the session" : "envcrypt.master_key_file";
    if (source == RingSource::kServerFile && !MayOpen() && !MaySeal() && !IsKeyAdministrator()) {
        report.Add("master key", "unknown", psprintf("Source: %s. This role may not use it.", name), nullptr);
        return nullptr;
    }
    Keyring *ring = MasterRingIfUsable();
    if (ring == nullptr)
        report.Add(
            "master key", "error", psprintf("Source: %s, which cannot be used.", name),
            "Open a value, or call envcrypt_rotate_master(), to see the error; check the file's place, owner "
            "and mode (0600).");
    else
        report.Add("master key", "ok",
                   psprintf("Source: %s, with %zu key(s). Primary key: %s.", name, ring->size(),
                            FingerprintHex(ring->fingerprint(0))),
                   nullptr);
    return ring;
}

void ReportRegistered(const Report &report, Keyring *ring) {
    Fingerprint current{};
    if (!FindCurrentMasterKey(&current)) {
        report.Add("registered master key", "missing", "No master key is registered for this database.",
                   "A key administrator runs SELECT envcrypt_rotate_master().");
        return;
    }
    const char *detail = psprintf("Current master key: %s.", FingerprintHex(current));
    if (ring == nullptr || ring->fingerprint(0) == current)
        report.Add("registered master key", "ok", detail, nullptr);
    else if (ring->Find(current) != nullptr)
        report.Add(
            "registered master key", "advice", detail,
            "The keyring has another primary key: SELECT envcrypt_rotate_master() makes it the current one.");
    else
        report.Add("registered master key", "error", detail,
                   "The keyring lacks it: check the key for typing errors, or add the current key to it.");
}

void ReportKeys(const Report &report, Keyring *ring) {
    const KeyCounts counts = CountKeys();
    report.Add(
        "data keys", counts.database > 0 || counts.active == 0 ? "ok" : "error",
        psprintf("Owners' active keys: %lld, older versions: %lld, database keys: %lld, shredded: %lld.",
                 static_cast<long long>(counts.active), static_cast<long long>(counts.superseded),
                 static_cast<long long>(counts.database), static_cast<long long>(counts.shredded)),
        counts.database > 0 || counts.active == 0
            ? nullptr
            : "The database key is missing: restore its row of envcrypt_data_keys from a backup.");
    for (std::size_t i = 0; i < counts.masters; i++) {
        const MasterCount &count = counts.by_master[i];
        MasterState state{};
        const bool registered = FindMasterKey(count.fingerprint, &state);
        const bool in_ring = ring == nullptr || ring->Find(count.fingerprint) != nullptr;
        const bool good = registered && MayUnwrap(state) && in_ring;
        report.Add(
            "data keys by master key", good ? "ok" : "error",
            psprintf("%lld data key(s) wrapped by %s (%s%s).", static_cast<long long>(count.data_keys),
                     FingerprintHex(count.fingerprint),
                     registered ? MasterStateName(state) : "not registered",
                     in_ring ? "" : ", not in the keyring"),
            good ? nullptr
                 : "Their values do not open: add that key to the keyring, and see envcrypt_master_keys.");
    }
}

void ReportKeyTables(const Report &report) {
    for (const Oid table : {Objects().data_keys, Objects().master_keys}) {
        const MissingPart missing = FindMissingPart(table);
        if (missing.what != nullptr)
            report.Add(
                "key tables", "error", psprintf("Table %s lacks %s.", get_rel_name(table), missing.what),
                missing.repair == nullptr
                    ? "Restore it from a backup."
                    : psprintf("As superuser: %s; until then changes of keys reach other sessions late, "
                               "and nothing keeps keys from being deleted.",
                               missing.repair));
    }
}

void ReportSubscription(const Report &report) {
    if (const char *names = KeySubscriptions(); names != nullptr)
        report.Add("key tables", "ok",
                   psprintf("Filled by the publisher of subscription %s; no key is changed here.", names),
                   nullptr);
}

// Adds a row for each row (detail) of `query`.
void ReportQuery(const Report &report, const char *check, const char *state, const char *query,
                 const char *advice) {
    SPI_connect();
    if (SPI_execute(query, true, 0) == SPI_OK_SELECT) {
        for (uint64 row = 0; row < SPI_processed; row++)
            report.Add(check, state, SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1), advice);
    }
    SPI_finish();
}

void ReportRoles(const Report &report) {
    ReportQuery(
        report, "members", "ok",
        "SELECT pg_catalog.format('%s: %s', r.rolname, coalesce(pg_catalog.string_agg("
        "pg_catalog.quote_ident(m.rolname), ', ' ORDER BY m.rolname), 'nobody'))"
        " FROM pg_catalog.pg_roles r LEFT JOIN pg_catalog.pg_auth_members a ON a.roleid = r.oid"
        " LEFT JOIN pg_catalog.pg_roles m ON m.oid = a.member"
        " WHERE r.rolname IN ('envcrypt_decrypt', 'envcrypt_encrypt', 'envcrypt_keyadmin', 'envcrypt_search')"
        " GROUP BY r.rolname ORDER BY r.rolname",
        nullptr);
    if (kCreateRoleGrantsAnyRole)
        ReportQuery(report, "CREATEROLE", "advice",
                    "SELECT pg_catalog.quote_ident(rolname) || ' may grant envcrypt''s roles to anybody.'"
                    " FROM pg_catalog.pg_roles WHERE rolcreaterole AND NOT rolsuper ORDER BY rolname",
                    "Before PostgreSQL 16, CREATEROLE can grant any role that is no superuser: count its "
                    "holders among those who may open.");
    ReportQuery(
        report, "stored key", "error",
        "SELECT pg_catalog.format('envcrypt.master_key is stored in the settings of %s.',"
        " CASE WHEN s.setrole <> 0 THEN 'role ' || coalesce(pg_catalog.pg_get_userbyid(s.setrole), '?')"
        " ELSE 'a database' END)"
        " FROM pg_catalog.pg_db_role_setting s"
        " WHERE EXISTS (SELECT FROM pg_catalog.unnest(s.setconfig) c WHERE c LIKE 'envcrypt.master\\_key=%')",
        "Everybody can read it there. RESET it, and rotate to a new master key.");
}

// What is wrong with protected columns is asked in SQL.
void ReportColumns(const Report &report) {
    const char *schema = get_namespace_name(get_rel_namespace(Objects().data_keys));
    const char *query =
        psprintf("SELECT * FROM %s()", quote_qualified_identifier(schema, "envcrypt_column_report"));
    SPI_connect();
    if (SPI_execute(query, true, 0) == SPI_OK_SELECT) {
        for (uint64 row = 0; row < SPI_processed; row++) {
            const auto value = [row](int column) {
                return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
            };
            report.Add(value(1), value(2), value(3), value(4));
        }
    }
    SPI_finish();
}

}  // namespace
}  // namespace envcrypt

using namespace envcrypt;

ENVCRYPT_FUNCTION(envcrypt_status) {
    InitMaterializedSRF(fcinfo, 0);
    const Report report{reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo)};
    ReportLibrary(report);
    ReportVersion(report);
    ReportAlgorithms(report);
    Keyring *ring = ReportMasterKey(report);
    ReportRegistered(report, ring);
    ReportKeys(report, ring);
    ReportKeyTables(report);
    ReportSubscription(report);
    ReportRoles(report);
    ReportColumns(report);
    return static_cast<Datum>(0);
}
