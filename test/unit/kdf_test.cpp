#include "core/kdf.h"

#include <gtest/gtest.h>

#include "core/algorithms.h"
#include "core/self_test.h"
#include "test_util.h"

namespace envcrypt::test {
namespace {

void HkdfVectors(std::string_view file) {
    const auto records = ReadVectors(file, "COUNT");
    std::size_t ran = 0;
    for (const Record &record : records) {
        SCOPED_TRACE("COUNT = " + record.fields.at("COUNT"));
        ASSERT_EQ(record.fields.at("HASH"), "SHA-256");
        Bytes out(std::stoul(record.fields.at("L")), 0xaa);
        ASSERT_TRUE(Hkdf(record.hex("IKM"), record.hex("SALT"), record.hex("INFO"), out).ok());
        EXPECT_EQ(ToHex(out), record.fields.at("OKM"));
        ran++;
    }
    ReportVectors(file, ran, records.size());
}

TEST(KdfTest, HkdfMatchesRfc5869) {
    HkdfVectors("KDF/rfc-5869-HKDF-SHA256.txt");
}

TEST(KdfTest, HkdfMatchesTheLongGeneratedVector) {
    HkdfVectors("KDF/hkdf-generated.txt");
}

TEST(KdfTest, HmacMatchesRfc4231) {
    constexpr std::string_view kFile = "HMAC/rfc-4231-sha256.txt";
    const auto records = ReadVectors(kFile, "LEN");
    std::size_t ran = 0;
    for (const Record &record : records) {
        std::array<std::uint8_t, kHmacBytes> out{};
        ASSERT_TRUE(HmacSha256(record.hex("KEY"), record.hex("MSG"), out).ok());
        EXPECT_EQ(ToHex(out), record.fields.at("MD"));
        ran++;
    }
    ReportVectors(kFile, ran, records.size());
}

TEST(KdfTest, HmacOfTheEmptyMessageIsDefined) {
    std::array<std::uint8_t, kHmacBytes> out{};
    ASSERT_TRUE(HmacSha256(Bytes(64, 0), {}, out).ok());
    EXPECT_EQ(ToHex(out), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(KdfTest, LabelsSeparateKeysAndLongerOutputsExtendShorterOnes) {
    const Bytes key = Count(kKeyBytes);
    Bytes wrap(32);
    Bytes fingerprint(32);
    Bytes short_fingerprint(16);
    ASSERT_TRUE(DeriveKey(AsKey(key), "envcrypt v1 wrap", wrap).ok());
    ASSERT_TRUE(DeriveKey(AsKey(key), "envcrypt v1 fingerprint", fingerprint).ok());
    ASSERT_TRUE(DeriveKey(AsKey(key), "envcrypt v1 fingerprint", short_fingerprint).ok());
    EXPECT_NE(wrap, fingerprint);
    EXPECT_TRUE(std::equal(short_fingerprint.begin(), short_fingerprint.end(), fingerprint.begin()));
}

TEST(KdfTest, HkdfRefusesMoreThan255BlocksAndClearsTheOutput) {
    const Bytes key = Count(kKeyBytes);
    Bytes longest(std::size_t{255} * 32);
    EXPECT_TRUE(Hkdf(key, {}, {}, longest).ok());
    Bytes out(longest.size() + 1, 0xaa);
    EXPECT_EQ(Hkdf(key, {}, {}, out).code, Code::kCryptoFailure);
    EXPECT_TRUE(AllZero(out));
}

TEST(KdfTest, FetchingTwiceChangesNothing) {
    EXPECT_TRUE(TestAlgorithms().ok());
}

TEST(AlgorithmsTest, NoneIsMissingAndEachHasAName) {
    for (int i = 0; i < kNeeded; i++) {
        EXPECT_FALSE(IsMissing(static_cast<Needed>(i)));
        EXPECT_NE(AlgorithmName(static_cast<Needed>(i)), nullptr);
        EXPECT_EQ(Without(static_cast<Needed>(i)).code, Code::kCryptoFailure);
    }
}

}  // namespace
}  // namespace envcrypt::test
