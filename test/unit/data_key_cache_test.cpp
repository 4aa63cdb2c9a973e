#include "core/data_key_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "memory_failure.h"
#include "test_util.h"

namespace envcrypt::test {
namespace {

class DataKeyCacheTest : public testing::Test {
 protected:
    void SetUp() override {
        ASSERT_TRUE(wrapping_.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes, 50))).ok());
        ASSERT_TRUE(other_wrapping_.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes, 51))).ok());
    }

    // The data key of a row begins with the row's key id.
    static Bytes KeyOf(std::uint64_t key_id) {
        Bytes key = Count(kKeyBytes);
        key[0] = static_cast<std::uint8_t>(key_id);
        key[1] = static_cast<std::uint8_t>(key_id >> 8U);
        return key;
    }

    KeyRow Row(std::uint64_t key_id, std::string_view owner, std::uint32_t version = 1) {
        KeyRow row;
        row.key_id = key_id;
        row.key_version = version;
        row.has_owner = !owner.empty();
        row.owner_bytes = static_cast<std::uint8_t>(owner.size());
        std::copy(owner.begin(), owner.end(), row.owner_utf8.begin());
        SecretKey key;
        const Bytes bytes = KeyOf(key_id);
        std::copy(bytes.begin(), bytes.end(), key.ExposeSecret().begin());
        EXPECT_TRUE(WrapKey(wrapping_, key, Count(24, next_nonce_++), &row).ok());
        return row;
    }

    DataKey *Put(DataKeyCache &cache, const KeyRow &row, bool active = false, bool uncommitted = false) {
        DataKey *key = nullptr;
        EXPECT_TRUE(cache.Put(row, wrapping_, active, uncommitted, &key).ok());
        EXPECT_NE(key, nullptr);
        return key;
    }

    // Works tells whether an entry seals as the key of `key_id` does.
    static bool Works(DataKey *entry, std::uint64_t key_id) {
        if (entry == nullptr || entry->row.key_id != key_id)
            return false;
        Aead direct;
        return direct.SetKey(entry->row.algorithm, AsKey(KeyOf(key_id))).ok() &&
               Seal(entry->aead, Count(NonceBytes(entry->row.algorithm)), {}, Count(5)) ==
                   Seal(direct, Count(NonceBytes(entry->row.algorithm)), {}, Count(5));
    }

    Aead wrapping_;
    Aead other_wrapping_;
    unsigned next_nonce_ = 0;
};

TEST_F(DataKeyCacheTest, AnEmptyCacheKnowsNothing) {
    DataKeyCache cache(4);
    EXPECT_EQ(cache.Find(1), nullptr);
    EXPECT_EQ(cache.FindActive("alice"), nullptr);
    EXPECT_EQ(cache.FindActive(""), nullptr);
    cache.Clear();
    cache.DropUncommitted();
    cache.CommitUncommitted();
    cache.MarkStale();
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(DataKeyCacheTest, WhatWasPutIsFoundAndSeals) {
    DataKeyCache cache(4);
    EXPECT_TRUE(Works(Put(cache, Row(1, "alice"), true), 1));
    EXPECT_TRUE(Works(Put(cache, Row(2, "bob"), true), 2));
    EXPECT_TRUE(Works(Put(cache, Row(3, ""), true), 3));
    EXPECT_TRUE(Works(cache.Find(1), 1));
    EXPECT_TRUE(Works(cache.Find(2), 2));
    EXPECT_TRUE(Works(cache.FindActive("alice"), 1));
    EXPECT_TRUE(Works(cache.FindActive("bob"), 2));
    EXPECT_TRUE(Works(cache.FindActive(""), 3));
    EXPECT_EQ(cache.FindActive("carol"), nullptr);
    EXPECT_EQ(cache.Find(4), nullptr);
    EXPECT_EQ(cache.size(), 3U);
}

TEST_F(DataKeyCacheTest, AKeyPutAsInactiveSealsForNobody) {
    DataKeyCache cache(4);
    Put(cache, Row(1, "alice"));
    EXPECT_EQ(cache.FindActive("alice"), nullptr);
    EXPECT_TRUE(Works(cache.Find(1), 1));
}

TEST_F(DataKeyCacheTest, AnXaesKeyWorksToo) {
    DataKeyCache cache(4);
    KeyRow row = Row(1, "");
    row.algorithm = Algorithm::kXaes256Gcm;
    SecretKey key;
    const Bytes bytes = KeyOf(1);
    std::copy(bytes.begin(), bytes.end(), key.ExposeSecret().begin());
    ASSERT_TRUE(WrapKey(wrapping_, key, Count(24), &row).ok());
    EXPECT_TRUE(Works(Put(cache, row, true), 1));
    EXPECT_EQ(cache.FindActive("")->aead.algorithm(), Algorithm::kXaes256Gcm);
}

TEST_F(DataKeyCacheTest, WhatWasNotUsedSinceTheLastEvictionGoesFirst) {
    DataKeyCache cache(3);
    Put(cache, Row(1, "a"), true);
    Put(cache, Row(2, "b"), true);
    Put(cache, Row(3, "c"), true);
    // All were just added, so the oldest goes.
    Put(cache, Row(4, "d"), true);
    EXPECT_EQ(cache.size(), 3U);
    EXPECT_EQ(cache.Find(1), nullptr);
    EXPECT_EQ(cache.FindActive("a"), nullptr);
    // Of the others, 2 and 4 are used since, 3 is not, though it is younger than 2.
    EXPECT_TRUE(Works(cache.Find(2), 2));
    EXPECT_NE(cache.FindActive("d"), nullptr);
    Put(cache, Row(5, "e"), true);
    EXPECT_EQ(cache.Find(3), nullptr);
    EXPECT_TRUE(Works(cache.Find(2), 2));
    EXPECT_TRUE(Works(cache.Find(4), 4));
    EXPECT_TRUE(Works(cache.Find(5), 5));
}

TEST_F(DataKeyCacheTest, KeysWhoseIdsFallOnTheSamePlaceAreToldApart) {
    DataKeyCache cache(8);
    constexpr std::uint64_t kApart = std::uint64_t{1} << 32U;
    for (std::uint64_t i = 0; i < 4; i++) Put(cache, Row(7 + i * kApart, "owner " + std::to_string(i)), true);
    for (int round = 0; round < 3; round++) {
        for (std::uint64_t i = 0; i < 4; i++) EXPECT_TRUE(Works(cache.Find(7 + i * kApart), 7 + i * kApart));
    }
    cache.MarkStale();
    for (std::uint64_t i = 0; i < 4; i++) EXPECT_EQ(cache.Find(7 + i * kApart), nullptr);
}

TEST_F(DataKeyCacheTest, ManyKeysNeverExceedTheCapacity) {
    DataKeyCache cache(10);
    for (std::uint64_t id = 1; id <= 500; id++) {
        EXPECT_TRUE(Works(Put(cache, Row(id, "owner " + std::to_string(id)), true), id));
        ASSERT_EQ(cache.size(), std::min<std::uint64_t>(id, 10));
    }
    for (std::uint64_t id = 1; id <= 500; id++) EXPECT_EQ(cache.Find(id) != nullptr, id > 490) << id;
}

TEST_F(DataKeyCacheTest, ASmallerCapacityDropsTheOldestAtOnce) {
    DataKeyCache cache(5);
    for (std::uint64_t id = 1; id <= 5; id++)
        Put(cache, Row(id, std::string(1, static_cast<char>('a' + id))), true);
    cache.SetCapacity(2);
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_EQ(cache.Find(3), nullptr);
    EXPECT_NE(cache.Find(4), nullptr);
    EXPECT_NE(cache.Find(5), nullptr);
    // The entry in use is never dropped under its user.
    cache.SetCapacity(0);
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_TRUE(Works(Put(cache, Row(6, "z"), true), 6));
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_TRUE(Works(cache.FindActive("z"), 6));
}

TEST_F(DataKeyCacheTest, StaleEntriesAreUnusableUntilConfirmed) {
    DataKeyCache cache(4);
    const KeyRow alice = Row(1, "alice");
    const KeyRow bob = Row(2, "bob");
    DataKey *before = Put(cache, alice, true);
    Put(cache, bob, true);
    cache.MarkStale();
    EXPECT_EQ(cache.Find(1), nullptr);
    EXPECT_EQ(cache.Find(2), nullptr);
    EXPECT_EQ(cache.FindActive("alice"), nullptr);
    EXPECT_EQ(cache.size(), 2U);

    // The same row: the opened context stays.
    DataKey *confirmed = nullptr;
    const std::size_t allocations = OpenSslCalls();
    EXPECT_TRUE(cache.Put(alice, other_wrapping_, true, false, &confirmed).ok());
    EXPECT_EQ(OpenSslCalls(), allocations);
    EXPECT_EQ(confirmed, before);
    EXPECT_TRUE(Works(cache.Find(1), 1));
    EXPECT_TRUE(Works(cache.FindActive("alice"), 1));
    EXPECT_EQ(cache.Find(2), nullptr);
    EXPECT_EQ(cache.FindActive("bob"), nullptr);
}

TEST_F(DataKeyCacheTest, AConfirmedKeyIsActiveOnlyIfThatWasConfirmedToo) {
    DataKeyCache cache(4);
    const KeyRow row = Row(1, "alice");
    Put(cache, row, true);
    cache.MarkStale();
    Put(cache, row, false);
    EXPECT_TRUE(Works(cache.Find(1), 1));
    EXPECT_EQ(cache.FindActive("alice"), nullptr);
    Put(cache, row, true);
    EXPECT_TRUE(Works(cache.FindActive("alice"), 1));
}

TEST_F(DataKeyCacheTest, AReplacedRowReplacesItsEntry) {
    DataKeyCache cache(4);
    Put(cache, Row(1, "alice"), true);
    // The same id, but another owner, version and wrapped key.
    EXPECT_TRUE(Works(Put(cache, Row(1, "bob", 2), true), 1));
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_EQ(cache.FindActive("alice"), nullptr);
    EXPECT_TRUE(Works(cache.FindActive("bob"), 1));
    EXPECT_EQ(cache.Find(1)->row.key_version, 2U);
}

TEST_F(DataKeyCacheTest, ANewVersionTakesOverAndTheOldOneStillOpens) {
    DataKeyCache cache(4);
    Put(cache, Row(1, "alice", 1), true);
    Put(cache, Row(2, "alice", 2), true);
    EXPECT_TRUE(Works(cache.FindActive("alice"), 2));
    EXPECT_TRUE(Works(cache.Find(1), 1));
    EXPECT_TRUE(Works(cache.FindActive("alice"), 2));
    // The old one's end does not take the new one's place away.
    cache.SetCapacity(2);
    EXPECT_TRUE(Works(cache.Find(2), 2));
    Put(cache, Row(3, "bob"), true);
    EXPECT_EQ(cache.Find(1), nullptr);
    EXPECT_TRUE(Works(cache.FindActive("alice"), 2));
}

TEST_F(DataKeyCacheTest, ActiveSwitchesBackAndForth) {
    DataKeyCache cache(4);
    const KeyRow first = Row(1, "alice", 1);
    const KeyRow second = Row(2, "alice", 2);
    for (int i = 0; i < 5; i++) {
        Put(cache, first, true);
        EXPECT_TRUE(Works(cache.FindActive("alice"), 1));
        Put(cache, second, true);
        EXPECT_TRUE(Works(cache.FindActive("alice"), 2));
    }
    EXPECT_EQ(cache.size(), 2U);
}

TEST_F(DataKeyCacheTest, RowsOfARolledBackTransactionAreForgotten) {
    DataKeyCache cache(8);
    Put(cache, Row(1, "alice"), true);
    Put(cache, Row(2, "bob"), true, true);
    Put(cache, Row(3, "carol"), true);
    Put(cache, Row(4, "dave"), true, true);
    cache.DropUncommitted();
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_EQ(cache.Find(2), nullptr);
    EXPECT_EQ(cache.FindActive("bob"), nullptr);
    EXPECT_EQ(cache.Find(4), nullptr);
    EXPECT_TRUE(Works(cache.FindActive("alice"), 1));
    EXPECT_TRUE(Works(cache.FindActive("carol"), 3));
    cache.DropUncommitted();
    EXPECT_EQ(cache.size(), 2U);
}

TEST_F(DataKeyCacheTest, RowsOfACommittedTransactionStay) {
    DataKeyCache cache(8);
    Put(cache, Row(1, "alice"), true, true);
    Put(cache, Row(2, "bob"), true, true);
    cache.CommitUncommitted();
    cache.DropUncommitted();
    EXPECT_TRUE(Works(cache.FindActive("alice"), 1));
    EXPECT_TRUE(Works(cache.FindActive("bob"), 2));
    Put(cache, Row(3, "carol"), true, true);
    cache.DropUncommitted();
    EXPECT_EQ(cache.size(), 2U);
}

TEST_F(DataKeyCacheTest, EvictedAndReplacedUncommittedEntriesAreCountedOut) {
    DataKeyCache cache(2);
    Put(cache, Row(1, "a"), true, true);
    Put(cache, Row(2, "b"), true);
    Put(cache, Row(3, "c"), true);  // 1 went
    cache.DropUncommitted();
    EXPECT_EQ(cache.size(), 2U);
    Put(cache, Row(3, "c2"), true, true);  // replaces a committed entry
    cache.DropUncommitted();
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_TRUE(Works(cache.FindActive("b"), 2));
    Put(cache, Row(4, "d"), true, true);
    cache.Clear();
    Put(cache, Row(5, "e"), true);
    cache.DropUncommitted();
    EXPECT_TRUE(Works(cache.FindActive("e"), 5));
}

TEST_F(DataKeyCacheTest, ConfirmingDoesNotMakeAnUncommittedRowCommitted) {
    DataKeyCache cache(4);
    const KeyRow row = Row(1, "alice");
    Put(cache, row, true, true);
    cache.MarkStale();
    Put(cache, row, true, true);
    cache.DropUncommitted();
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(DataKeyCacheTest, AWrongWrappingKeyLeavesNothing) {
    DataKeyCache cache(4);
    DataKey *key = nullptr;
    EXPECT_EQ(cache.Put(Row(1, "alice"), other_wrapping_, true, true, &key).code, Code::kAuthFailed);
    EXPECT_EQ(key, nullptr);
    EXPECT_EQ(cache.size(), 0U);
    EXPECT_EQ(cache.Find(1), nullptr);
    EXPECT_EQ(cache.FindActive("alice"), nullptr);
    cache.DropUncommitted();

    // A good entry whose row was edited is gone, too: the row is what counts.
    KeyRow row = Row(1, "alice");
    Put(cache, row, true);
    row.key_version = 9;
    EXPECT_EQ(cache.Put(row, wrapping_, true, false, &key).code, Code::kAuthFailed);
    EXPECT_EQ(cache.size(), 0U);
    EXPECT_EQ(cache.Find(1), nullptr);
    EXPECT_EQ(cache.FindActive("alice"), nullptr);
}

TEST_F(DataKeyCacheTest, AFailedPutLeavesOtherKeysAlone) {
    DataKeyCache cache(1);
    Put(cache, Row(1, "alice"), true);
    DataKey *key = nullptr;
    EXPECT_EQ(cache.Put(Row(2, "alice", 2), other_wrapping_, true, false, &key).code, Code::kAuthFailed);
    EXPECT_TRUE(Works(cache.FindActive("alice"), 1));
}

TEST_F(DataKeyCacheTest, GenerationChangesWhenKeysAreTakenAway) {
    DataKeyCache cache(4);
    std::uint64_t last = cache.generation();
    const auto changed = [&] { return std::exchange(last, cache.generation()) != last; };
    const KeyRow row = Row(1, "alice");
    Put(cache, row, true);
    (void)cache.Find(1);
    cache.CommitUncommitted();
    cache.DropUncommitted();
    EXPECT_FALSE(changed());
    cache.MarkStale();
    EXPECT_TRUE(changed());
    Put(cache, row, true);
    EXPECT_FALSE(changed());
    Put(cache, Row(2, "bob"), true, true);
    EXPECT_FALSE(changed());
    cache.DropUncommitted();
    EXPECT_TRUE(changed());
    cache.Clear();
    EXPECT_TRUE(changed());
}

TEST_F(DataKeyCacheTest, OwnersAreFoundByTheCachesOwnBytes) {
    DataKeyCache cache(4);
    {
        // Neither the row nor the owner's text outlives the call.
        const auto row = std::make_unique<KeyRow>(Row(1, "alice"));
        Put(cache, *row, true);
    }
    {
        const auto owner = std::make_unique<std::string>("alice");
        EXPECT_TRUE(Works(cache.FindActive(*owner), 1));
    }
    // Each step below moves or frees an entry whose owner is a key of the cache's table.
    Put(cache, Row(2, "alice", 2), true);
    Put(cache, Row(1, "bob"), true);
    Put(cache, Row(3, "alice", 3), true);
    cache.SetCapacity(2);
    EXPECT_TRUE(Works(cache.FindActive("alice"), 3));
    EXPECT_TRUE(Works(cache.FindActive("bob"), 1));
    Put(cache, Row(4, "alice", 4), true, true);
    cache.DropUncommitted();
    EXPECT_EQ(cache.FindActive("alice"), nullptr);
    cache.Clear();
    EXPECT_EQ(cache.FindActive("bob"), nullptr);
}

TEST_F(DataKeyCacheTest, OwnersThatShareAPrefixOrHoldZeroBytesDiffer) {
    DataKeyCache cache(8);
    const std::string zero("a\0b", 3);
    Put(cache, Row(1, "a"), true);
    Put(cache, Row(2, "ab"), true);
    Put(cache, Row(3, zero), true);
    Put(cache, Row(4, std::string(kMaxOwnerBytes, 'x')), true);
    EXPECT_TRUE(Works(cache.FindActive("a"), 1));
    EXPECT_TRUE(Works(cache.FindActive("ab"), 2));
    EXPECT_TRUE(Works(cache.FindActive(zero), 3));
    EXPECT_TRUE(Works(cache.FindActive(std::string(kMaxOwnerBytes, 'x')), 4));
    EXPECT_EQ(cache.FindActive(std::string(kMaxOwnerBytes + 1, 'x')), nullptr);
}

TEST_F(DataKeyCacheTest, WithoutMemoryPutSaysSoAndTheCacheStaysUsable) {
    const KeyRow alice = Row(1, "alice");
    const KeyRow bob = Row(2, "bob");
    const auto run = [&](auto &&fail_from) {
        std::size_t failures = 0;
        for (std::size_t which = 0;; which++) {
            DataKeyCache cache(4);
            Put(cache, alice, true);
            DataKey *key = nullptr;
            Status status;
            {
                const auto no_memory = fail_from(which);
                status = cache.Put(bob, wrapping_, true, true, &key);
            }
            if (status.ok())
                return failures;
            failures++;
            EXPECT_TRUE(status.code == Code::kNoMemory || status.code == Code::kCryptoFailure);
            EXPECT_EQ(cache.Find(2), nullptr);
            EXPECT_EQ(cache.FindActive("bob"), nullptr);
            cache.DropUncommitted();
            Put(cache, alice, true);
            Put(cache, bob, true);
            EXPECT_TRUE(Works(cache.FindActive("alice"), 1));
            EXPECT_TRUE(Works(cache.FindActive("bob"), 2));
            EXPECT_EQ(cache.size(), 2U);
        }
    };
    EXPECT_GT(run([](std::size_t which) { return FailNew(which); }), 0U);
    EXPECT_GT(run([](std::size_t which) { return FailOpenSsl(which); }), 0U);
}

}  // namespace
}  // namespace envcrypt::test
