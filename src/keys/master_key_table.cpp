#include <algorithm>
#include <array>
#include <cstring>

#include "keys/key_locks.h"
#include "keys/master_key_table.h"
#include "keys/table_writer.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/fresh_scan.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

// The columns, in the order of CREATE TABLE in sql/.
enum Column : AttrNumber { kFingerprint = 1, kState, kRegisteredAt, kStateSince, kColumns = kStateSince };

constexpr std::array<const char *, 5> kStateNames = {"pending", "current", "retiring", "retired",
                                                     "compromised"};

struct RegisteredKey {
    Fingerprint fingerprint;
    MasterState state;
};

RegisteredKey ReadRow(TupleTableSlot *slot) {
    bool no_fingerprint = false;
    bool no_state = false;
    const Datum fingerprint = slot_getattr(slot, kFingerprint, &no_fingerprint);
    const Datum state = slot_getattr(slot, kState, &no_state);
    RegisteredKey row{};
    if (!no_fingerprint && !no_state) {
        const auto bytes = VarlenaBytes(PG_DETOAST_DATUM_PACKED(fingerprint));
        const auto *name =
            std::find(kStateNames.begin(), kStateNames.end(), VarlenaChars(PG_DETOAST_DATUM_PACKED(state)));
        if (bytes.size() == row.fingerprint.size() && name != kStateNames.end()) {
            std::copy(bytes.begin(), bytes.end(), row.fingerprint.begin());
            row.state = static_cast<MasterState>(name - kStateNames.begin());
            return row;
        }
    }
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("row in envcrypt_master_keys is malformed"),
                    HideFromLog()));
    pg_unreachable();
}

Datum FingerprintDatum(const Fingerprint &fingerprint) {
    auto *value = static_cast<bytea *>(palloc(VARHDRSZ + fingerprint.size()));
    SET_VARSIZE(value, VARHDRSZ + fingerprint.size());
    std::memcpy(VARDATA(value), fingerprint.data(), fingerprint.size());
    return PointerGetDatum(value);
}

// ScanMasterKeys calls `visit(slot, row)` for one registered key, or for all.
template <typename Visit>
void ScanMasterKeys(const Fingerprint *fingerprint, Visit visit) {
    ScanKeyData key;
    if (fingerprint != nullptr)
        ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_BYTEAEQ, FingerprintDatum(*fingerprint));
    FreshScan(Objects().master_keys, Objects().master_keys_by_fingerprint,
              {&key, fingerprint != nullptr ? std::size_t{1} : std::size_t{0}}, ForwardScanDirection,
              [&visit](TupleTableSlot *slot) {
                  visit(slot, ReadRow(slot));
                  return true;
              });
}

}  // namespace

const char *MasterStateName(MasterState state) noexcept {
    return kStateNames[static_cast<std::size_t>(state)];
}

bool FindMasterKey(const Fingerprint &fingerprint, MasterState *state) {
    bool found = false;
    ScanMasterKeys(&fingerprint, [&](TupleTableSlot *, const RegisteredKey &row) {
        *state = row.state;
        found = true;
    });
    return found;
}

bool FindCurrentMasterKey(Fingerprint *fingerprint) {
    int current = 0;
    ScanMasterKeys(nullptr, [&](TupleTableSlot *, const RegisteredKey &row) {
        if (row.state == MasterState::kCurrent) {
            *fingerprint = row.fingerprint;
            current++;
        }
    });
    if (current > 1)
        ereport(ERROR,
                (errcode(ERRCODE_DATA_CORRUPTED), errmsg("%d master keys are registered as current", current),
                 errhint("Keep the state \"current\" for one row of envcrypt_master_keys; give the others "
                         "the state \"retiring\"."),
                 HideFromLog()));
    return current == 1;
}

void SetMasterKeyState(const Fingerprint &fingerprint, MasterState state) {
    constexpr std::array<AttrNumber, 2> kChanged = {kState, kStateSince};
    std::array<Datum, kColumns> values{};
    const std::array<bool, kColumns> nulls{};
    std::array<bool, kColumns> replace{};
    const Datum now = TimestampTzGetDatum(GetCurrentTimestamp());
    values[kFingerprint - 1] = FingerprintDatum(fingerprint);
    values[kState - 1] = CStringGetTextDatum(MasterStateName(state));
    values[kRegisteredAt - 1] = values[kStateSince - 1] = now;
    for (const AttrNumber column : kChanged) replace[column - 1] = true;

    const Oid table = Objects().master_keys;
    bool changed = false;
    ScanMasterKeys(&fingerprint, [&](TupleTableSlot *slot, const RegisteredKey &) {
        TableWriter writer = OpenUpdater(table, kChanged);
        ChangeRow(&writer, slot, {values, nulls}, replace);
        CloseWriter(&writer);
        changed = true;
    });
    if (!changed) {
        TableWriter writer = OpenInserter(table);
        InsertRow(&writer, {values, nulls}, InvalidOid, nullptr, nullptr);
        CloseWriter(&writer);
    }
    CacheInvalidateRelcacheByRelid(table);
}

void MakeWayForCurrent(TupleTableSlot *incoming) {
    const RegisteredKey row = ReadRow(incoming);
    Fingerprint current{};
    if (row.state == MasterState::kCurrent && FindCurrentMasterKey(&current) && current != row.fingerprint) {
        LockToRegister();
        SetMasterKeyState(current, MasterState::kRetiring);
    }
}

bool MergeMasterKey(TupleTableSlot *incoming) {
    const RegisteredKey row = ReadRow(incoming);
    MasterState here{};
    const bool known = FindMasterKey(row.fingerprint, &here);
    if (known && !MayUnwrap(here) && row.state != MasterState::kCompromised)
        return true;
    MakeWayForCurrent(incoming);
    if (known && here != row.state) {
        LockToRegister();
        SetMasterKeyState(row.fingerprint, row.state);
    }
    return known;
}

}  // namespace envcrypt
