#include <algorithm>
#include <array>
#include <cstring>

#include "keys/key_table.h"
#include "server/errors.h"
#include "server/extension_objects.h"
#include "server/fresh_scan.h"

extern "C" {
#include "catalog/pg_collation.h"
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

// The columns, in the order of CREATE TABLE in sql/.
enum Column : AttrNumber {
    kKeyId = 1,
    kKind,
    kOwner,
    kKeyVersion,
    kAlgorithm,
    kMasterFingerprint,
    kWrappedKey,
    kTombstone,
    kCreatedAt,
    kShreddedAt,
    kColumns = kShreddedAt
};

constexpr const char *kKindData = "data";
constexpr const char *kKindShredded = "shredded";

using Values = std::array<Datum, kColumns>;
using Flags = std::array<bool, kColumns>;

// One error for every damage, of a key's row as of a value; the log tells more.
[[noreturn]] void RaiseBadRow(std::uint64_t key_id) {
    RaiseCannotOpen("the data key's row in envcrypt_data_keys is malformed", key_id);
}

Datum Column(TupleTableSlot *slot, AttrNumber column, std::uint64_t key_id) {
    bool isnull = false;
    const Datum value = slot_getattr(slot, column, &isnull);
    if (isnull)
        RaiseBadRow(key_id);
    return value;
}

template <std::size_t N>
void ReadBytes(TupleTableSlot *slot, AttrNumber column, std::uint64_t key_id,
               std::array<std::uint8_t, N> *out) {
    const auto bytes = VarlenaBytes(PG_DETOAST_DATUM_PACKED(Column(slot, column, key_id)));
    if (bytes.size() != N)
        RaiseBadRow(key_id);
    std::copy(bytes.begin(), bytes.end(), out->begin());
}

std::string_view ReadText(TupleTableSlot *slot, AttrNumber column, std::uint64_t key_id) {
    return VarlenaChars(PG_DETOAST_DATUM_PACKED(Column(slot, column, key_id)));
}

template <std::size_t N>
Datum ByteaDatum(const std::array<std::uint8_t, N> &bytes) {
    auto *value = static_cast<bytea *>(palloc(VARHDRSZ + N));
    SET_VARSIZE(value, VARHDRSZ + N);
    std::memcpy(VARDATA(value), bytes.data(), N);
    return PointerGetDatum(value);
}

Datum TextDatum(std::string_view text) {
    return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

void TextKey(ScanKeyData *key, AttrNumber index_column, std::string_view text) {
    ScanKeyEntryInitialize(key, 0, index_column, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ,
                           TextDatum(text));
}

// LockRow locks the newest version of the row at `place` as for DELETE, waits for whoever has it, and stores
// it in `row`. False where it is gone.
bool LockRow(Relation table, ItemPointerData place, TupleTableSlot *row) {
    TM_FailureData failure;
    const TM_Result result =
        table_tuple_lock(table, &place, InvalidSnapshot, row, GetCurrentCommandId(true), LockTupleExclusive,
                         LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
    if (result != TM_Ok && result != TM_Deleted)
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("the row of a key was changed at the same time"), HideFromLog()));
    return result == TM_Ok;
}

// IsKeyOf: the row is a data key of `owner`.
bool IsKeyOf(TupleTableSlot *row, const Owner &owner) {
    StoredKey key;
    ReadKey(row, &key);
    return !key.shredded && key.row.kind == KeyKind::kData &&
           (key.row.has_owner ? key.row.owner() == owner.utf8 : owner.is_database());
}

bool FindFirst(Oid index, std::span<ScanKeyData> keys, ScanDirection direction, StoredKey *found) {
    bool hit = false;
    FreshScan(Objects().data_keys, index, keys, direction, [&hit, found](TupleTableSlot *slot) {
        ReadKey(slot, found);
        hit = true;
        return false;
    });
    return hit;
}

}  // namespace

std::array<ScanKeyData, 2> OwnerKeys(const Owner &owner) {
    std::array<ScanKeyData, 2> keys;
    TextKey(&keys[0], 1, kKindData);
    if (owner.is_database())
        ScanKeyEntryInitialize(&keys[1], SK_ISNULL | SK_SEARCHNULL, 2, InvalidStrategy, InvalidOid,
                               InvalidOid, InvalidOid, static_cast<Datum>(0));
    else
        TextKey(&keys[1], 2, owner.stored);
    return keys;
}

void ReadKey(TupleTableSlot *slot, StoredKey *key) {
    *key = StoredKey{};
    KeyRow &row = key->row;
    row.key_id = static_cast<std::uint64_t>(DatumGetInt64(Column(slot, kKeyId, 0)));
    row.key_version = static_cast<std::uint32_t>(DatumGetInt32(Column(slot, kKeyVersion, row.key_id)));
    if (row.key_id == 0 || row.key_version == 0 || row.key_version > PG_INT32_MAX)
        RaiseBadRow(row.key_id);
    key->ours = WrittenByUs(slot);
    key->place = slot->tts_tid;
    const std::string_view kind = ReadText(slot, kKind, row.key_id);
    if (kind == kKindShredded) {
        key->shredded = true;
        return;
    }
    if (kind == kKindData)
        row.kind = KeyKind::kData;
    else if (kind == "token")
        row.kind = KeyKind::kToken;
    else
        RaiseBadRow(row.key_id);

    const std::string_view algorithm = ReadText(slot, kAlgorithm, row.key_id);
    if (algorithm == "aes-256-gcm")
        row.algorithm = Algorithm::kAes256Gcm;
    else if (algorithm == "xaes-256-gcm")
        row.algorithm = Algorithm::kXaes256Gcm;
    else
        RaiseBadRow(row.key_id);
    ReadBytes(slot, kMasterFingerprint, row.key_id, &row.master_fingerprint);
    ReadBytes(slot, kWrappedKey, row.key_id, &row.wrapped_key);

    if (!slot_attisnull(slot, kOwner)) {
        const Owner owner = OwnerFromStored(ReadText(slot, kOwner, row.key_id));
        if (owner.utf8.empty() || owner.utf8.size() > kMaxOwnerBytes)
            RaiseBadRow(row.key_id);
        row.has_owner = true;
        row.owner_bytes = static_cast<std::uint8_t>(owner.utf8.size());
        std::copy(owner.utf8.begin(), owner.utf8.end(), row.owner_utf8.begin());
    }
}

bool ReadIdentity(TupleTableSlot *slot, KeyIdentity *key) {
    *key = KeyIdentity{};
    if (slot_attisnull(slot, kKeyId) || slot_attisnull(slot, kKind) || slot_attisnull(slot, kKeyVersion))
        return false;
    key->key_id = static_cast<std::uint64_t>(DatumGetInt64(Column(slot, kKeyId, 0)));
    key->key_version = static_cast<std::uint32_t>(DatumGetInt32(Column(slot, kKeyVersion, key->key_id)));
    const std::string_view kind = ReadText(slot, kKind, key->key_id);
    key->is_data = kind == kKindData;
    key->shredded = kind == kKindShredded;
    if (!slot_attisnull(slot, kOwner))
        key->owner = OwnerFromStored(ReadText(slot, kOwner, key->key_id));
    return true;
}

bool FindKey(std::uint64_t key_id, StoredKey *found) {
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(static_cast<int64>(key_id)));
    return FindFirst(Objects().data_keys_by_id, {&key, 1}, ForwardScanDirection, found);
}

bool FindActiveKey(const Owner &owner, StoredKey *found) {
    auto keys = OwnerKeys(owner);
    return FindFirst(Objects().data_keys_by_owner, keys, BackwardScanDirection, found);
}

int FindFirstDatabaseKeys(std::span<StoredKey> found) {
    auto keys = OwnerKeys({});
    std::size_t count = 0;
    FreshScan(Objects().data_keys, Objects().data_keys_by_owner, keys, ForwardScanDirection,
              [&](TupleTableSlot *slot) {
                  StoredKey key;
                  ReadKey(slot, &key);
                  if (key.row.key_version > 1 || count == found.size())
                      return false;
                  found[count++] = key;
                  return true;
              });
    return static_cast<int>(count);
}

bool FindOwnersKey(const Owner &owner, std::uint32_t key_version, StoredKey *found) {
    const auto owned = OwnerKeys(owner);
    std::array<ScanKeyData, 3> keys = {owned[0], owned[1]};
    ScanKeyInit(&keys[2], 3, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(static_cast<int32>(key_version)));
    return FindFirst(Objects().data_keys_by_owner, keys, ForwardScanDirection, found);
}

bool AnyKey() {
    bool any = false;
    ScanKeyData no_key;
    FreshScan(Objects().data_keys, Objects().data_keys_by_owner, {&no_key, std::size_t{0}},
              ForwardScanDirection, [&any](TupleTableSlot *) {
                  any = true;
                  return false;
              });
    return any;
}

std::uint32_t HighestTombstoneVersion(const Tombstone &tombstone) {
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_BYTEAEQ, ByteaDatum(tombstone));
    std::uint32_t highest = 0;
    FreshScan(Objects().data_keys, Objects().data_keys_by_tombstone, {&key, 1}, ForwardScanDirection,
              [&highest](TupleTableSlot *slot) {
                  StoredKey buried;
                  ReadKey(slot, &buried);
                  highest = std::max(highest, buried.row.key_version);
                  return true;
              });
    return highest;
}

bool AnyTombstone() {
    ScanKeyData key;
    TextKey(&key, 1, kKindShredded);
    StoredKey found;
    return FindFirst(Objects().data_keys_by_owner, {&key, 1}, ForwardScanDirection, &found);
}

namespace {

void NewRow(const KeyRow &row, const Owner &owner, Values *values, Flags *nulls) {
    (*nulls)[kTombstone - 1] = (*nulls)[kShreddedAt - 1] = true;
    (*nulls)[kOwner - 1] = !row.has_owner;
    (*values)[kKeyId - 1] = Int64GetDatum(static_cast<int64>(row.key_id));
    (*values)[kKind - 1] = TextDatum(row.kind == KeyKind::kToken ? "token" : kKindData);
    if (row.has_owner)
        (*values)[kOwner - 1] = TextDatum(owner.stored);
    (*values)[kKeyVersion - 1] = Int32GetDatum(static_cast<int32>(row.key_version));
    (*values)[kAlgorithm - 1] =
        TextDatum(row.algorithm == Algorithm::kAes256Gcm ? "aes-256-gcm" : "xaes-256-gcm");
    (*values)[kMasterFingerprint - 1] = ByteaDatum(row.master_fingerprint);
    (*values)[kWrappedKey - 1] = ByteaDatum(row.wrapped_key);
    (*values)[kCreatedAt - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
}

}  // namespace

bool InsertKey(const KeyRow &row, const Owner &owner, bool (*confirm)(void *), void *context) {
    Values values{};
    Flags nulls{};
    NewRow(row, owner, &values, &nulls);
    TableWriter writer = OpenInserter(Objects().data_keys);
    const bool inserted = InsertRow(&writer, {values, nulls}, Objects().data_keys_by_owner, confirm, context);
    CloseWriter(&writer);
    return inserted;
}

TableWriter OpenToRewrap() {
    constexpr std::array<AttrNumber, 2> kChanged = {kMasterFingerprint, kWrappedKey};
    return OpenUpdater(Objects().data_keys, kChanged);
}

void ReplaceWrapping(TableWriter *writer, TupleTableSlot *slot, const KeyRow &row) {
    Values values{};
    Flags replace{};
    values[kMasterFingerprint - 1] = ByteaDatum(row.master_fingerprint);
    values[kWrappedKey - 1] = ByteaDatum(row.wrapped_key);
    replace[kMasterFingerprint - 1] = replace[kWrappedKey - 1] = true;
    ChangeRow(writer, slot, {values, Flags{}}, replace);
}

void ReplaceKey(const StoredKey &stored, TupleTableSlot *by) {
    constexpr std::array<AttrNumber, 8> kChanged = {
        kKind, kOwner, kKeyVersion, kAlgorithm, kMasterFingerprint, kWrappedKey, kTombstone, kShreddedAt};
    Values values{};
    Flags nulls{};
    Flags replace{};
    for (const AttrNumber column : kChanged) {
        values[column - 1] = slot_getattr(by, column, &nulls[column - 1]);
        replace[column - 1] = true;
    }
    TableWriter writer = OpenUpdater(Objects().data_keys, kChanged);
    TupleTableSlot *row = table_slot_create(writer.table, nullptr);
    if (LockRow(writer.table, stored.place, row))
        ChangeRow(&writer, row, {values, nulls}, replace);
    ExecDropSingleTupleTableSlot(row);
    CloseWriter(&writer);
}

int BuryKeys(const Owner &owner, const Tombstone &tombstone,
             void (*buried)(std::uint64_t, std::uint32_t, void *), void *context) {
    constexpr std::array<AttrNumber, 6> kChanged = {kKind,       kOwner,     kMasterFingerprint,
                                                    kWrappedKey, kTombstone, kShreddedAt};
    Values values{};
    Flags nulls{};
    Flags replace{};
    for (const AttrNumber column : {kOwner, kMasterFingerprint, kWrappedKey}) nulls[column - 1] = true;
    for (const AttrNumber column : kChanged) replace[column - 1] = true;
    values[kKind - 1] = TextDatum(kKindShredded);
    values[kTombstone - 1] = ByteaDatum(tombstone);
    values[kShreddedAt - 1] = TimestampTzGetDatum(GetCurrentTimestamp());

    // Until a fresh look finds none: a version that was made while we waited for a row goes, too.
    int count = 0;
    StoredKey key;
    TableWriter writer = OpenUpdater(Objects().data_keys, kChanged);
    TupleTableSlot *row = table_slot_create(writer.table, nullptr);
    auto keys = OwnerKeys(owner);
    while (FindFirst(Objects().data_keys_by_owner, keys, ForwardScanDirection, &key)) {
        CHECK_FOR_INTERRUPTS();
        if (!LockRow(writer.table, key.place, row) || !IsKeyOf(row, owner))
            continue;
        ReadKey(row, &key);
        ChangeRow(&writer, row, {values, nulls}, replace);
        buried(key.row.key_id, key.row.key_version, context);
        count++;
        CommandCounterIncrement();
    }
    ExecDropSingleTupleTableSlot(row);
    CloseWriter(&writer);
    return count;
}

}  // namespace envcrypt
