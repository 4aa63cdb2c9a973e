// The format's promise: what was released opens for ever, byte for byte.
#include <gtest/gtest.h>

#include "core/encoding.h"
#include "core/kdf.h"
#include "core/key_operations.h"
#include "core/keyring.h"
#include "core/sealed_value.h"
#include "core/wrapped_key.h"
#include "golden_vectors.h"
#include "test_util.h"

namespace envcrypt::test {
namespace {

KeyRow RowOf(const golden::WrappedKey &vector) {
    KeyRow row;
    row.key_id = vector.key_id;
    row.kind = static_cast<KeyKind>(vector.kind);
    row.algorithm = static_cast<Algorithm>(vector.algorithm);
    row.key_version = vector.key_version;
    row.has_owner = !vector.owner.empty();
    row.owner_bytes = static_cast<std::uint8_t>(vector.owner.size());
    std::copy(vector.owner.begin(), vector.owner.end(), row.owner_utf8.begin());
    const Bytes fingerprint = Hex(golden::kFingerprint);
    std::copy(fingerprint.begin(), fingerprint.end(), row.master_fingerprint.begin());
    const Bytes wrapped = Hex(vector.wrapped);
    EXPECT_EQ(wrapped.size(), row.wrapped_key.size());
    std::copy(wrapped.begin(), wrapped.end(), row.wrapped_key.begin());
    return row;
}

TEST(GoldenTest, TheMasterKeyGivesItsFingerprintAndWrappingKey) {
    const Bytes master = Hex(golden::kMasterKey);
    Bytes wrapping(kKeyBytes);
    ASSERT_TRUE(DeriveKey(AsKey(master), "envcrypt v1 wrap", wrapping).ok());
    EXPECT_EQ(ToHex(wrapping), golden::kWrappingKey);
    for (const std::string_view text : {golden::kMasterKey, golden::kMasterKeyBase64}) {
        Keyring ring;
        ASSERT_TRUE(ring.Load(text).ok());
        EXPECT_EQ(ToHex(ring.fingerprint(0)), golden::kFingerprint);
    }
}

TEST(GoldenTest, WrappedKeysUnwrapForEver) {
    Keyring ring;
    ASSERT_TRUE(ring.Load(golden::kMasterKeyBase64).ok());
    for (const auto &vector : golden::kWrappedKeys) {
        const KeyRow row = RowOf(vector);
        Aead *wrapping = ring.Find(row.master_fingerprint);
        ASSERT_NE(wrapping, nullptr);
        SecretKey key;
        ASSERT_TRUE(UnwrapKey(*wrapping, row, key).ok());
        EXPECT_EQ(ToHex(key.ExposeSecret()), vector.data_key);
    }
}

TEST(GoldenTest, WrappingWithTheSameNonceGivesTheSameBytes) {
    Keyring ring;
    ASSERT_TRUE(ring.Load(golden::kMasterKeyBase64).ok());
    for (const auto &vector : golden::kWrappedKeys) {
        KeyRow row = RowOf(vector);
        row.wrapped_key.fill(0);
        const Bytes bytes = Hex(vector.data_key);
        SecretKey key;
        std::copy(bytes.begin(), bytes.end(), key.ExposeSecret().begin());
        ASSERT_TRUE(WrapKey(*ring.Find(row.master_fingerprint), key, Hex(vector.nonce), &row).ok());
        EXPECT_EQ(ToHex(row.wrapped_key), vector.wrapped);
    }
}

TEST(GoldenTest, SealedValuesOpenForEver) {
    for (const auto &vector : golden::kSealedValues) {
        const Bytes sealed = Hex(vector.sealed);
        SealedHeader header;
        ASSERT_TRUE(ParseHeader(sealed, sealed.size(), &header).ok());
        EXPECT_EQ(static_cast<std::uint8_t>(header.algorithm), vector.key->algorithm);
        EXPECT_EQ(header.type_tag, vector.type_tag);
        EXPECT_EQ(header.type_name, vector.type_name);
        EXPECT_EQ(header.context_id, vector.context_id);
        EXPECT_EQ(header.key_id, vector.key->key_id);
        EXPECT_EQ(ToHex(SealedNonce(header, sealed)), vector.nonce);
        Aead aead;
        ASSERT_TRUE(aead.SetKey(header.algorithm, AsKey(Hex(vector.key->data_key))).ok());
        const auto [status, out] = OpenWhole(aead, sealed);
        EXPECT_TRUE(status.ok());
        EXPECT_EQ(ToHex(out), vector.plaintext);
    }
}

TEST(GoldenTest, SealingWithTheSameNonceGivesTheSameBytes) {
    for (const auto &vector : golden::kSealedValues) {
        SealedHeader header;
        header.algorithm = static_cast<Algorithm>(vector.key->algorithm);
        header.type_tag = vector.type_tag;
        header.type_name = vector.type_name;
        header.context_id = vector.context_id;
        header.key_id = vector.key->key_id;
        Aead aead;
        ASSERT_TRUE(aead.SetKey(header.algorithm, AsKey(Hex(vector.key->data_key))).ok());
        EXPECT_EQ(ToHex(SealWhole(aead, header, Hex(vector.nonce), Hex(vector.plaintext))), vector.sealed);
    }
}

TEST(GoldenTest, ArmoredTextIsBase64OfTheSealedValue) {
    for (const auto &vector : golden::kSealedValues) {
        const Bytes sealed = Hex(vector.sealed);
        std::string text(Base64Chars(sealed.size()) + 1, 'x');
        Base64Encode(sealed, text);
        text.pop_back();
        EXPECT_EQ(text, vector.armored);
        Bytes out(text.size() / 4 * 3);
        ASSERT_TRUE(Base64Decode(vector.armored, out));
        out.resize(Base64DecodedSize(vector.armored));
        EXPECT_EQ(out, sealed);
    }
}

TEST(GoldenTest, TheTombstoneOfAnOwnerIsFixed) {
    Bytes key(kKeyBytes);
    ASSERT_TRUE(DeriveKey(AsKey(Hex(golden::kDatabaseKey.data_key)), "envcrypt v1 tombstone", key).ok());
    EXPECT_EQ(ToHex(key), golden::kTombstoneKey);
    std::array<std::uint8_t, kHmacBytes> tombstone{};
    ASSERT_TRUE(HmacSha256(key, FromText(golden::kTombstoneOwner), tombstone).ok());
    EXPECT_EQ(ToHex(tombstone), golden::kTombstone);

    Keyring ring;
    ASSERT_TRUE(ring.Load(golden::kMasterKeyBase64).ok());
    const KeyRow row = RowOf(golden::kDatabaseKey);
    Tombstone made{};
    ASSERT_TRUE(OwnerTombstone(*ring.Find(row.master_fingerprint), row, golden::kTombstoneOwner, &made).ok());
    EXPECT_EQ(made, tombstone);
}

}  // namespace
}  // namespace envcrypt::test
