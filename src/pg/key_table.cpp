#include <algorithm>
#include <array>
#include <cstring>

#include "pg/errors.h"
#include "pg/extension_objects.h"
#include "pg/fresh_scan.h"
#include "pg/key_table.h"

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

void InsertKey(const KeyRow &row, const Owner &owner) {
    Values values{};
    Flags nulls{};
    nulls[kTombstone - 1] = nulls[kShreddedAt - 1] = true;
    nulls[kOwner - 1] = !row.has_owner;
    values[kKeyId - 1] = Int64GetDatum(static_cast<int64>(row.key_id));
    values[kKind - 1] = TextDatum(row.kind == KeyKind::kToken ? "token" : kKindData);
    if (row.has_owner)
        values[kOwner - 1] = TextDatum(owner.stored);
    values[kKeyVersion - 1] = Int32GetDatum(static_cast<int32>(row.key_version));
    values[kAlgorithm - 1] =
        TextDatum(row.algorithm == Algorithm::kAes256Gcm ? "aes-256-gcm" : "xaes-256-gcm");
    values[kMasterFingerprint - 1] = ByteaDatum(row.master_fingerprint);
    values[kWrappedKey - 1] = ByteaDatum(row.wrapped_key);
    values[kCreatedAt - 1] = TimestampTzGetDatum(GetCurrentTimestamp());

    Relation table = table_open(Objects().data_keys, RowExclusiveLock);
    HeapTuple tuple = heap_form_tuple(RelationGetDescr(table), values.data(), nulls.data());
    CatalogTupleInsert(table, tuple);
    heap_freetuple(tuple);
    table_close(table, NoLock);
    CommandCounterIncrement();
}

KeyTableWriter OpenKeyTableForUpdate() {
    KeyTableWriter writer;
    writer.table = table_open(Objects().data_keys, RowExclusiveLock);
    writer.indexes = CatalogOpenIndexes(writer.table);
    return writer;
}

void CloseKeyTable(KeyTableWriter *writer) {
    CatalogCloseIndexes(writer->indexes);
    table_close(writer->table, NoLock);
}

namespace {

void Update(KeyTableWriter *writer, TupleTableSlot *slot, const Values &values, const Flags &nulls,
            const Flags &replace) {
    bool should_free = false;
    HeapTuple old = ExecFetchSlotHeapTuple(slot, false, &should_free);
    HeapTuple changed =
        heap_modify_tuple(old, RelationGetDescr(writer->table), const_cast<Datum *>(values.data()),
                          const_cast<bool *>(nulls.data()), const_cast<bool *>(replace.data()));
    CatalogTupleUpdateWithInfo(writer->table, &slot->tts_tid, changed, writer->indexes);
    heap_freetuple(changed);
    if (should_free)
        heap_freetuple(old);
}

}  // namespace

void ReplaceWrapping(KeyTableWriter *writer, TupleTableSlot *slot, const KeyRow &row) {
    Values values{};
    Flags replace{};
    values[kMasterFingerprint - 1] = ByteaDatum(row.master_fingerprint);
    values[kWrappedKey - 1] = ByteaDatum(row.wrapped_key);
    replace[kMasterFingerprint - 1] = replace[kWrappedKey - 1] = true;
    Update(writer, slot, values, {}, replace);
}

int BuryKeys(const Owner &owner, const Tombstone &tombstone,
             void (*buried)(std::uint64_t, std::uint32_t, void *), void *context) {
    Values values{};
    Flags nulls{};
    Flags replace{};
    for (const AttrNumber column : {kOwner, kMasterFingerprint, kWrappedKey})
        nulls[column - 1] = replace[column - 1] = true;
    for (const AttrNumber column : {kKind, kTombstone, kShreddedAt}) replace[column - 1] = true;
    values[kKind - 1] = TextDatum(kKindShredded);
    values[kTombstone - 1] = ByteaDatum(tombstone);
    values[kShreddedAt - 1] = TimestampTzGetDatum(GetCurrentTimestamp());

    int count = 0;
    KeyTableWriter writer = OpenKeyTableForUpdate();
    auto keys = OwnerKeys(owner);
    FreshScan(Objects().data_keys, Objects().data_keys_by_owner, keys, ForwardScanDirection,
              [&](TupleTableSlot *slot) {
                  StoredKey key;
                  ReadKey(slot, &key);
                  Update(&writer, slot, values, nulls, replace);
                  buried(key.row.key_id, key.row.key_version, context);
                  count++;
                  return true;
              });
    CloseKeyTable(&writer);
    CommandCounterIncrement();
    return count;
}

}  // namespace envcrypt
