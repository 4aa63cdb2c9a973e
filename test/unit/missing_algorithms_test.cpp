// What OpenSSL lacks, refuses or fails to do: it is named, nothing is left in the buffers, and the rest
// works.
#include "core/self_test.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

#include "core/aead.h"
#include "core/algorithms.h"
#include "core/kdf.h"
#include "core/key_operations.h"
#include "core/random.h"
#include "memory_failure.h"
#include "test_util.h"

namespace envcrypt::test {
namespace {

int random_calls_left = 0;

int GiveRandom(unsigned char *out, int size) {
    if (random_calls_left-- <= 0)
        return 0;
    std::fill_n(out, size, static_cast<unsigned char>(random_calls_left + 1));
    return 1;
}
int HaveRandom() {
    return random_calls_left > 0 ? 1 : 0;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
const RAND_METHOD kFailing = {nullptr, GiveRandom, nullptr, nullptr, GiveRandom, HaveRandom};

// While one lives, OpenSSL's generator works `calls` times and then fails.
class FailRandom {
 public:
    explicit FailRandom(int calls) {
        random_calls_left = calls;
        EXPECT_EQ(RAND_set_rand_method(&kFailing), 1);
    }
    ~FailRandom() { EXPECT_EQ(RAND_set_rand_method(nullptr), 1); }
    FailRandom(const FailRandom &) = delete;
    FailRandom &operator=(const FailRandom &) = delete;
};
#pragma GCC diagnostic pop

class MissingAlgorithmsTest : public testing::Test {
 protected:
    void TearDown() override { ASSERT_TRUE(TestAlgorithms().ok()); }

    static void ExpectNamed(const Status &status, Needed algorithm) {
        EXPECT_EQ(status.code, Code::kNoAlgorithm);
        EXPECT_EQ(status.detail, static_cast<std::int32_t>(algorithm)) << AlgorithmName(algorithm);
    }
};

TEST_F(MissingAlgorithmsTest, AGeneratorThatFailsLeavesNothingInTheBuffer) {
    RandomPool pool;
    std::array<std::uint8_t, 5000> bytes{};
    {
        const FailRandom one_block(1);
        bytes.fill(7);
        EXPECT_EQ(pool.Take(bytes, 1).code, Code::kCryptoFailure);
        EXPECT_TRUE(std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; }));
        SecretKey key;
        EXPECT_EQ(RandomKey(key).code, Code::kCryptoFailure);
    }
    EXPECT_TRUE(pool.Take(bytes, 1).ok());
}

TEST_F(MissingAlgorithmsTest, AGeneratorThatIsMissingIsNamed) {
    {
        const FailRandom none(0);
        ExpectNamed(TestAlgorithms(), Needed::kRandom);
        SecretKey key;
        ExpectNamed(RandomKey(key), Needed::kRandom);
        RandomPool pool;
        std::array<std::uint8_t, 12> nonce{};
        ExpectNamed(pool.Take(nonce, 1), Needed::kRandom);
    }
    EXPECT_TRUE(TestAlgorithms().ok());
    EXPECT_FALSE(IsMissing(Needed::kRandom));
}

TEST_F(MissingAlgorithmsTest, KeysAreNotMadeOrWrappedAgainWithoutRandomBytes) {
    Aead wrapping;
    ASSERT_TRUE(wrapping.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes, 1))).ok());
    Fingerprint fingerprint{};
    KeyRow row;
    // The key's bytes; then the id's, of a new block; the nonce comes of the same block.
    for (const int calls : {0, 1}) {
        const FailRandom failing(calls);
        RandomPool pool;
        EXPECT_EQ(GenerateWrappedKey(wrapping, fingerprint, pool, 1, &row).code, Code::kCryptoFailure)
            << calls;
    }
    RandomPool pool;
    ASSERT_TRUE(GenerateWrappedKey(wrapping, fingerprint, pool, 1, &row).ok());
    const KeyRow before = row;
    fingerprint.fill(2);
    {
        const FailRandom failing(0);
        RandomPool empty;
        EXPECT_EQ(RewrapKey(wrapping, wrapping, fingerprint, empty, 1, &row).code, Code::kCryptoFailure);
    }
    EXPECT_EQ(row.wrapped_key, before.wrapped_key);
    EXPECT_EQ(row.master_fingerprint, before.master_fingerprint);
}

TEST_F(MissingAlgorithmsTest, AMissingDigestIsNamedByWhatUsesIt) {
    std::array<std::uint8_t, kHmacBytes> out{};
    ASSERT_EQ(EVP_set_default_properties(nullptr, "provider=none"), 1);
    const Status fetched = TestAlgorithms();
    ASSERT_EQ(EVP_set_default_properties(nullptr, ""), 1);
    ExpectNamed(fetched, Needed::kSha256);
    out.fill(7);
    ExpectNamed(HmacSha256(out, out, out), Needed::kSha256);
    EXPECT_TRUE(std::ranges::all_of(out, [](std::uint8_t byte) { return byte == 0; }));
    ExpectNamed(DeriveKey(AsKey(Count(kKeyBytes, 1)), "label", out), Needed::kSha256);
}

// Running out of memory at any point of the fetching looks like one that is missing: it is named, and what
// needs it says so, until a later call finds it.
TEST_F(MissingAlgorithmsTest, WhateverIsMissingIsNamedAndTheRestWorks) {
    const Bytes key = Count(kKeyBytes, 1);
    std::array<bool, kNeeded> seen{};
    for (std::size_t which = 0;; which++) {
        ASSERT_LT(which, 1000U);
        Status status;
        {
            const FailOpenSsl failing(which);
            status = TestAlgorithms();
        }
        if (status.ok())
            break;
        ASSERT_EQ(status.code, Code::kNoAlgorithm);
        ASSERT_TRUE(IsMissing(static_cast<Needed>(status.detail)));
        for (int i = 0; i < kNeeded; i++)
            seen[static_cast<std::size_t>(i)] |= IsMissing(static_cast<Needed>(i));

        Aead aead;
        const Status gcm = aead.SetKey(Algorithm::kAes256Gcm, AsKey(key));
        if (IsMissing(Needed::kAesGcm))
            ExpectNamed(gcm, Needed::kAesGcm);
        else
            EXPECT_TRUE(gcm.ok());
        const Status xaes = aead.SetKey(Algorithm::kXaes256Gcm, AsKey(key));
        if (IsMissing(Needed::kAesGcm))
            ExpectNamed(xaes, Needed::kAesGcm);
        else if (IsMissing(Needed::kAesEcb))
            ExpectNamed(xaes, Needed::kAesEcb);
        else
            EXPECT_TRUE(xaes.ok());
        std::array<std::uint8_t, kHmacBytes> out{};
        const Status mac = HmacSha256(AsKey(key), AsKey(key), out);
        EXPECT_EQ(mac.ok(), !IsMissing(Needed::kHmac) && !IsMissing(Needed::kSha256));
        const Status derived = DeriveKey(AsKey(key), "label", out);
        EXPECT_EQ(derived.ok(), !IsMissing(Needed::kHkdf) && !IsMissing(Needed::kSha256));
    }
    EXPECT_TRUE(seen[static_cast<std::size_t>(Needed::kAesGcm)]);
    EXPECT_TRUE(seen[static_cast<std::size_t>(Needed::kAesEcb)]);
}

}  // namespace
}  // namespace envcrypt::test
