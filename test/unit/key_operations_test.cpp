#include "core/key_operations.h"

#include <gtest/gtest.h>

#include <set>

#include "test_util.h"

namespace envcrypt::test {
namespace {

class KeyOperationsTest : public testing::Test {
 protected:
    void SetUp() override {
        ASSERT_TRUE(old_.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes, 1))).ok());
        ASSERT_TRUE(new_.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes, 2))).ok());
        old_fingerprint_.fill(1);
        new_fingerprint_.fill(2);
    }

    KeyRow Generate(std::string_view owner) {
        KeyRow row;
        row.key_version = 4;
        row.has_owner = !owner.empty();
        row.owner_bytes = static_cast<std::uint8_t>(owner.size());
        std::copy(owner.begin(), owner.end(), row.owner_utf8.begin());
        EXPECT_TRUE(GenerateWrappedKey(old_, old_fingerprint_, random_, 1, &row).ok());
        return row;
    }

    static std::string KeyOf(Aead &wrapping, const KeyRow &row) {
        SecretKey key;
        return UnwrapKey(wrapping, row, key).ok() ? ToHex(key.ExposeSecret()) : "refused";
    }

    Aead old_;
    Aead new_;
    Fingerprint old_fingerprint_{};
    Fingerprint new_fingerprint_{};
    RandomPool random_;
};

TEST_F(KeyOperationsTest, GeneratedKeysUnwrapAndNothingOfThemRepeats) {
    std::set<std::string> keys;
    std::set<std::uint64_t> ids;
    std::set<std::string> nonces;
    for (int i = 0; i < 1000; i++) {
        const KeyRow row = Generate("alice");
        EXPECT_EQ(row.master_fingerprint, old_fingerprint_);
        EXPECT_EQ(row.key_version, 4U);
        EXPECT_EQ(row.owner(), "alice");
        EXPECT_NE(row.key_id, 0U);
        keys.insert(KeyOf(old_, row));
        ids.insert(row.key_id);
        nonces.insert(ToHex(std::span(row.wrapped_key).subspan(1, 24)));
    }
    EXPECT_EQ(keys.size(), 1000U);
    EXPECT_FALSE(keys.contains("refused"));
    EXPECT_EQ(ids.size(), 1000U);
    EXPECT_EQ(nonces.size(), 1000U);
}

TEST_F(KeyOperationsTest, RewrappingKeepsTheKeyAndChangesOnlyItsWrapping) {
    const KeyRow before = Generate("alice");
    KeyRow after = before;
    ASSERT_TRUE(RewrapKey(old_, new_, new_fingerprint_, random_, 1, &after).ok());
    EXPECT_EQ(KeyOf(new_, after), KeyOf(old_, before));
    EXPECT_EQ(KeyOf(old_, after), "refused");
    EXPECT_EQ(after.master_fingerprint, new_fingerprint_);
    EXPECT_NE(after.wrapped_key, before.wrapped_key);
    KeyRow rest = after;
    rest.master_fingerprint = before.master_fingerprint;
    rest.wrapped_key = before.wrapped_key;
    EXPECT_EQ(rest, before);
}

TEST_F(KeyOperationsTest, RewrappingToTheSameMasterKeyDrawsANewNonce) {
    const KeyRow before = Generate("");
    KeyRow after = before;
    ASSERT_TRUE(RewrapKey(old_, old_, old_fingerprint_, random_, 1, &after).ok());
    EXPECT_NE(after.wrapped_key, before.wrapped_key);
    EXPECT_EQ(KeyOf(old_, after), KeyOf(old_, before));
}

TEST_F(KeyOperationsTest, RewrapFailsAndLeavesTheRowIfItDoesNotUnwrap) {
    const KeyRow before = Generate("alice");
    KeyRow row = before;
    EXPECT_EQ(RewrapKey(new_, old_, old_fingerprint_, random_, 1, &row).code, Code::kAuthFailed);
    EXPECT_EQ(row, before);
    row.key_version++;
    const KeyRow edited = row;
    EXPECT_EQ(RewrapKey(old_, new_, new_fingerprint_, random_, 1, &row).code, Code::kAuthFailed);
    EXPECT_EQ(row, edited);
}

TEST_F(KeyOperationsTest, ATombstoneDependsOnOwnerAndDatabaseKeyAndNotOnTheMasterKey) {
    KeyRow database_key = Generate("");
    const auto tombstone = [&](Aead &wrapping, std::string_view owner) {
        Tombstone out{};
        EXPECT_TRUE(OwnerTombstone(wrapping, database_key, owner, &out).ok());
        return ToHex(out);
    };
    const std::string alice = tombstone(old_, "alice");
    EXPECT_EQ(tombstone(old_, "alice"), alice);
    EXPECT_NE(tombstone(old_, "alicf"), alice);
    EXPECT_NE(tombstone(old_, "alice "), alice);
    ASSERT_TRUE(RewrapKey(old_, new_, new_fingerprint_, random_, 1, &database_key).ok());
    EXPECT_EQ(tombstone(new_, "alice"), alice);
    database_key = Generate("");
    EXPECT_NE(tombstone(old_, "alice"), alice);
}

TEST_F(KeyOperationsTest, NoTombstoneComesFromADatabaseKeyThatDoesNotUnwrap) {
    Tombstone out{};
    EXPECT_EQ(OwnerTombstone(new_, Generate(""), "alice", &out).code, Code::kAuthFailed);
    EXPECT_TRUE(AllZero(out));
}

}  // namespace
}  // namespace envcrypt::test
