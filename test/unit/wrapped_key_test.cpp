#include "core/wrapped_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "test_util.h"

namespace envcrypt::test {
namespace {

void SetOwner(KeyRow *row, std::string_view owner) {
    row->has_owner = true;
    row->owner_bytes = static_cast<std::uint8_t>(owner.size());
    row->owner_utf8 = {};
    std::copy(owner.begin(), owner.end(), row->owner_utf8.begin());
}

class WrappedKeyTest : public testing::Test {
 protected:
    void SetUp() override {
        ASSERT_TRUE(wrapping_.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes, 50))).ok());
        const Bytes bytes = Count(kKeyBytes, 100);
        std::copy(bytes.begin(), bytes.end(), key_.ExposeSecret().begin());
        row_.key_id = 77;
        row_.key_version = 5;
        SetOwner(&row_, "alice");
        row_.master_fingerprint.fill(0x11);
        ASSERT_TRUE(WrapKey(wrapping_, key_, Count(24), &row_).ok());
    }

    // Refused, and no byte of a key comes out.
    void ExpectRefused(const KeyRow &row) {
        SecretKey out;
        std::fill(out.ExposeSecret().begin(), out.ExposeSecret().end(), std::uint8_t{0xaa});
        EXPECT_EQ(UnwrapKey(wrapping_, row, out).code, Code::kAuthFailed);
        const bool untouched = std::all_of(out.ExposeSecret().begin(), out.ExposeSecret().end(),
                                           [](std::uint8_t byte) { return byte == 0xaa; });
        EXPECT_TRUE(untouched || AllZero(out.ExposeSecret()));
    }
    void ExpectUnwraps(const KeyRow &row) {
        SecretKey out;
        EXPECT_TRUE(UnwrapKey(wrapping_, row, out).ok());
        EXPECT_TRUE(std::ranges::equal(out.ExposeSecret(), key_.ExposeSecret()));
    }

    Aead wrapping_;
    SecretKey key_;
    KeyRow row_;
};

TEST_F(WrappedKeyTest, UnwrapReversesWrap) {
    ExpectUnwraps(row_);
    EXPECT_EQ(row_.wrapped_key.size(), 73U);
    EXPECT_EQ(row_.wrapped_key[0], 1);
    EXPECT_EQ(ToHex(std::span(row_.wrapped_key).subspan(1, 24)), ToHex(Count(24)));
}

TEST_F(WrappedKeyTest, EveryOwnerLengthRoundTrips) {
    for (std::size_t size = 1; size <= kMaxOwnerBytes; size++) {
        KeyRow row = row_;
        SetOwner(&row, std::string(size, 'o'));
        ASSERT_TRUE(WrapKey(wrapping_, key_, Count(24), &row).ok());
        ExpectUnwraps(row);
    }
}

TEST_F(WrappedKeyTest, UnwrapFailsIfAnyBitIsFlipped) {
    for (std::size_t bit = 0; bit < 8 * kWrappedKeyBytes; bit++) {
        KeyRow row = row_;
        row.wrapped_key[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        ExpectRefused(row);
    }
}

TEST_F(WrappedKeyTest, UnwrapFailsIfAnyBitOfAnyFieldIsFlipped) {
    const auto refused = [&](const std::function<void(KeyRow &)> &edit) {
        KeyRow row = row_;
        edit(row);
        ExpectRefused(row);
    };
    for (unsigned bit = 0; bit < 64; bit++)
        refused([bit](KeyRow &row) { row.key_id ^= std::uint64_t{1} << bit; });
    for (unsigned bit = 0; bit < 32; bit++)
        refused([bit](KeyRow &row) { row.key_version ^= std::uint32_t{1} << bit; });
    for (unsigned bit = 0; bit < 8 * kFingerprintBytes; bit++)
        refused([bit](KeyRow &row) {
            row.master_fingerprint[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        });
    for (unsigned bit = 0; bit < 8 * 5; bit++)
        refused([bit](KeyRow &row) {
            row.owner_utf8[bit / 8] = static_cast<char>(row.owner_utf8[bit / 8] ^ (1U << (bit % 8)));
        });
    for (unsigned value = 0; value < 256; value++) {
        if (value != static_cast<unsigned>(row_.kind))
            refused([value](KeyRow &row) { row.kind = static_cast<KeyKind>(value); });
        if (value != static_cast<unsigned>(row_.algorithm))
            refused([value](KeyRow &row) { row.algorithm = static_cast<Algorithm>(value); });
        if (value != row_.owner_bytes)
            refused([value](KeyRow &row) { row.owner_bytes = static_cast<std::uint8_t>(value); });
    }
    refused([](KeyRow &row) { row.has_owner = false; });
}

TEST_F(WrappedKeyTest, TwoRowsCannotExchangeAnything) {
    KeyRow other;
    other.key_id = 78;
    other.kind = KeyKind::kToken;
    other.algorithm = Algorithm::kXaes256Gcm;
    other.key_version = 6;
    SetOwner(&other, "bob");
    other.master_fingerprint.fill(0x22);
    ASSERT_TRUE(WrapKey(wrapping_, key_, Count(24, 1), &other).ok());
    ExpectUnwraps(other);
    const std::function<void(KeyRow &, const KeyRow &)> fields[] = {
        [](KeyRow &to, const KeyRow &from) { to.key_id = from.key_id; },
        [](KeyRow &to, const KeyRow &from) { to.kind = from.kind; },
        [](KeyRow &to, const KeyRow &from) { to.algorithm = from.algorithm; },
        [](KeyRow &to, const KeyRow &from) { to.key_version = from.key_version; },
        [](KeyRow &to, const KeyRow &from) { to.master_fingerprint = from.master_fingerprint; },
        [](KeyRow &to, const KeyRow &from) { SetOwner(&to, from.owner()); },
        [](KeyRow &to, const KeyRow &from) { to.wrapped_key = from.wrapped_key; },
    };
    // Any set of fields from the other row, except none and all.
    const unsigned sets = 1U << std::size(fields);
    for (unsigned set = 1; set < sets - 1; set++) {
        KeyRow row = row_;
        for (std::size_t field = 0; field < std::size(fields); field++) {
            if ((set >> field & 1U) != 0)
                fields[field](row, other);
        }
        ExpectRefused(row);
    }
}

TEST_F(WrappedKeyTest, OwnersAreBoundByLengthToo) {
    for (const std::string_view owner : {"alic", "alicea", "Alice", "alice ", ""}) {
        KeyRow row = row_;
        SetOwner(&row, owner);
        ExpectRefused(row);
    }
    KeyRow longer = row_;
    SetOwner(&longer, std::string_view("alice\0", 6));
    ExpectRefused(longer);
}

TEST_F(WrappedKeyTest, NoOwnerAndSomeOwnerDiffer) {
    KeyRow database = row_;
    database.has_owner = false;
    ASSERT_TRUE(WrapKey(wrapping_, key_, Count(24), &database).ok());
    ExpectUnwraps(database);
    KeyRow given = database;
    given.has_owner = true;
    ExpectRefused(given);
    given.owner_bytes = 0;
    ExpectRefused(given);
}

TEST_F(WrappedKeyTest, AnotherWrappingKeyDoesNotUnwrap) {
    Aead other;
    ASSERT_TRUE(other.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes, 51))).ok());
    SecretKey out;
    EXPECT_EQ(UnwrapKey(other, row_, out).code, Code::kAuthFailed);
    EXPECT_TRUE(AllZero(out.ExposeSecret()));
}

TEST_F(WrappedKeyTest, OnlyXaesWraps) {
    Aead gcm;
    ASSERT_TRUE(gcm.SetKey(Algorithm::kAes256Gcm, AsKey(Count(kKeyBytes, 50))).ok());
    SecretKey out;
    EXPECT_EQ(UnwrapKey(gcm, row_, out).code, Code::kAuthFailed);
    for (const std::size_t nonce_bytes : {12U, 24U}) {
        KeyRow row = row_;
        EXPECT_EQ(WrapKey(gcm, key_, Count(nonce_bytes), &row).code, Code::kCryptoFailure);
        EXPECT_TRUE(AllZero(row.wrapped_key));
    }
}

TEST_F(WrappedKeyTest, NoncesOfAnotherSizeAreRefused) {
    for (const std::size_t nonce_bytes : {0U, 12U, 23U, 25U, 32U}) {
        KeyRow row = row_;
        EXPECT_EQ(WrapKey(wrapping_, key_, Count(nonce_bytes), &row).code, Code::kCryptoFailure);
        EXPECT_TRUE(AllZero(row.wrapped_key));
    }
}

TEST_F(WrappedKeyTest, WrappingTwiceWithNewNoncesGivesDifferentBytes) {
    KeyRow again = row_;
    ASSERT_TRUE(WrapKey(wrapping_, key_, Count(24, 200), &again).ok());
    EXPECT_NE(again.wrapped_key, row_.wrapped_key);
    ExpectUnwraps(again);
}

TEST_F(WrappedKeyTest, RowsCompareByEveryField) {
    KeyRow same = row_;
    EXPECT_EQ(same, row_);
    same.wrapped_key[72] ^= 1U;
    EXPECT_NE(same, row_);
    EXPECT_EQ(row_.owner(), "alice");
}

}  // namespace
}  // namespace envcrypt::test
