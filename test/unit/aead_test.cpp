#include "core/aead.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

#include "memory_failure.h"
#include "test_util.h"

namespace envcrypt::test {
namespace {

struct DigestFree {
    void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
};
using Digest = std::unique_ptr<EVP_MD_CTX, DigestFree>;

Bytes NonceFor(Algorithm algorithm, unsigned first = 0) {
    return Count(NonceBytes(algorithm), first);
}

class AeadTest : public testing::TestWithParam<Algorithm> {
 protected:
    void SetUp() override { ASSERT_TRUE(aead_.SetKey(GetParam(), AsKey(Count(kKeyBytes))).ok()); }
    [[nodiscard]] Bytes Nonce(unsigned first = 0) const { return NonceFor(GetParam(), first); }

    Aead aead_;
};
INSTANTIATE_TEST_SUITE_P(Suites, AeadTest, testing::ValuesIn(kAlgorithms), [](const auto &info) {
    return info.param == Algorithm::kAes256Gcm ? "Aes256Gcm" : "Xaes256Gcm";
});

// --- published vectors ---

bool IsOurs(const Record &record) {
    return record.section.at("IVLEN") == "96" && record.section.at("TAGLEN") == "128";
}

TEST(AeadVectorTest, NistEncryptVectors) {
    constexpr std::string_view kFile = "ciphers/AES/GCM/gcmEncryptExtIV256.rsp";
    std::size_t ran = 0;
    std::size_t there = 0;
    for (const Record &record : ReadVectors(kFile, "COUNT")) {
        if (!IsOurs(record))
            continue;
        there++;
        Aead aead;
        ASSERT_TRUE(aead.SetKey(Algorithm::kAes256Gcm, AsKey(record.hex("KEY"))).ok());
        EXPECT_EQ(ToHex(Seal(aead, record.hex("IV"), record.hex("AAD"), record.hex("PT"))),
                  record.fields.at("CT") + record.fields.at("TAG"));
        ran++;
    }
    ReportVectors(kFile, ran, there);
}

TEST(AeadVectorTest, NistDecryptVectorsWithThoseThatMustFail) {
    constexpr std::string_view kFile = "ciphers/AES/GCM/gcmDecrypt256.rsp";
    std::size_t ran = 0;
    std::size_t there = 0;
    std::size_t failed = 0;
    for (const Record &record : ReadVectors(kFile, "COUNT")) {
        if (!IsOurs(record))
            continue;
        there++;
        Aead aead;
        ASSERT_TRUE(aead.SetKey(Algorithm::kAes256Gcm, AsKey(record.hex("KEY"))).ok());
        const auto [status, out] = Open(aead, record.hex("IV"), record.hex("AAD"),
                                        Hex(record.fields.at("CT") + record.fields.at("TAG")));
        if (record.fail) {
            EXPECT_EQ(status.code, Code::kAuthFailed);
            EXPECT_TRUE(AllZero(out));
            failed++;
        } else {
            EXPECT_TRUE(status.ok());
            EXPECT_EQ(ToHex(out), record.fields.at("PT"));
        }
        ran++;
    }
    ReportVectors(kFile, ran, there);
    EXPECT_GT(failed, 0U);
    EXPECT_LT(failed, ran);
}

// From the specification of XAES-256-GCM, https://c2sp.org/XAES-256-GCM.
TEST(AeadVectorTest, XaesVectorsOfTheSpecification) {
    const struct {
        std::uint8_t key_byte;
        std::string_view associated_data;
        std::string_view sealed;
    } vectors[] = {
        {0x01, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
        {0x03, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
    };
    const Bytes nonce = FromText("ABCDEFGHIJKLMNOPQRSTUVWX");
    const Bytes plaintext = FromText("XAES-256-GCM");
    for (const auto &vector : vectors) {
        Aead aead;
        ASSERT_TRUE(aead.SetKey(Algorithm::kXaes256Gcm, AsKey(Bytes(kKeyBytes, vector.key_byte))).ok());
        const Bytes associated_data = FromText(vector.associated_data);
        EXPECT_EQ(ToHex(Seal(aead, nonce, associated_data, plaintext)), vector.sealed);
        const auto [status, out] = Open(aead, nonce, associated_data, Hex(vector.sealed));
        EXPECT_TRUE(status.ok());
        EXPECT_EQ(out, plaintext);
    }
}

// One SHAKE-128 of the empty string gives key, nonce, plaintext and associated data of every iteration;
// another absorbs every result.
std::string XaesAccumulated(std::size_t iterations) {
    // OpenSSL 3.0 squeezes only once, so the whole stream is made first: at most 568 bytes an iteration, 313
    // on average. A stream that fell short would be a failed test.
    const std::size_t stream_bytes = iterations * 313 + iterations / 4 + 200'000;
    const std::unique_ptr<std::uint8_t[]> stream(new std::uint8_t[stream_bytes]);
    const Digest source(EVP_MD_CTX_new());
    if (EVP_DigestInit_ex(source.get(), EVP_shake128(), nullptr) != 1 ||
        EVP_DigestFinalXOF(source.get(), stream.get(), stream_bytes) != 1)
        return "no SHAKE-128";

    const Digest sink(EVP_MD_CTX_new());
    if (EVP_DigestInit_ex(sink.get(), EVP_shake128(), nullptr) != 1)
        return "no SHAKE-128";
    std::size_t at = 0;
    const auto take = [&](std::size_t size) {
        if (size > stream_bytes - at)
            throw std::runtime_error("the stream is too short");
        const std::span<const std::uint8_t> taken(stream.get() + at, size);
        at += size;
        return taken;
    };
    Aead aead;
    std::array<std::uint8_t, 255> opened{};
    std::array<std::uint8_t, 255 + kTagBytes> sealed{};
    for (std::size_t i = 0; i < iterations; i++) {
        const auto key = take(kKeyBytes);
        const auto nonce = take(24);
        const auto plaintext = take(take(1)[0]);
        const auto associated_data = take(take(1)[0]);
        const auto out = std::span(sealed).first(plaintext.size() + kTagBytes);
        const auto back = std::span(opened).first(plaintext.size());
        if (!aead.SetKey(Algorithm::kXaes256Gcm, std::span<const std::uint8_t, kKeyBytes>(key)).ok() ||
            !aead.Seal(nonce, associated_data, plaintext, out).ok() ||
            !aead.Open(nonce, associated_data, out, back).ok() ||
            !std::equal(back.begin(), back.end(), plaintext.begin()))
            return "iteration " + std::to_string(i) + " failed";
        EVP_DigestUpdate(sink.get(), out.data(), out.size());
    }
    Bytes sum(32);
    EVP_DigestFinalXOF(sink.get(), sum.data(), sum.size());
    return ToHex(sum);
}

TEST(AeadVectorTest, XaesTenThousandAccumulated) {
    EXPECT_EQ(XaesAccumulated(10'000), "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
}

TEST(AeadVectorTest, XaesOneMillionAccumulated) {
    EXPECT_EQ(XaesAccumulated(1'000'000), "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15");
}

// --- sealing and opening ---

TEST_P(AeadTest, OpenReversesSealAtEveryLength) {
    for (std::size_t size = 0; size <= 300; size++) {
        const Bytes plaintext = Count(size, 7);
        for (const std::size_t associated : {0, 1, 12, 32, 300}) {
            const auto [status, out] =
                Open(aead_, Nonce(), Count(associated), Seal(aead_, Nonce(), Count(associated), plaintext));
            ASSERT_TRUE(status.ok());
            ASSERT_EQ(out, plaintext);
        }
    }
}

TEST_P(AeadTest, OpenFailsIfAnyBitIsFlipped) {
    const Bytes plaintext = Count(33, 5);
    const Bytes associated_data = Count(13);
    const Bytes sealed = Seal(aead_, Nonce(), associated_data, plaintext);
    for (std::size_t bit = 0; bit < 8 * sealed.size(); bit++) {
        Bytes value = sealed;
        value[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const auto [status, out] = Open(aead_, Nonce(), associated_data, value);
        EXPECT_EQ(status.code, Code::kAuthFailed);
        EXPECT_TRUE(AllZero(out));
    }
    for (std::size_t bit = 0; bit < 8 * Nonce().size(); bit++) {
        Bytes nonce = Nonce();
        nonce[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const auto [status, out] = Open(aead_, nonce, associated_data, sealed);
        EXPECT_EQ(status.code, Code::kAuthFailed);
        EXPECT_TRUE(AllZero(out));
    }
    for (std::size_t bit = 0; bit < 8 * associated_data.size(); bit++) {
        Bytes data = associated_data;
        data[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const auto [status, out] = Open(aead_, Nonce(), data, sealed);
        EXPECT_EQ(status.code, Code::kAuthFailed);
        EXPECT_TRUE(AllZero(out));
    }
}

TEST_P(AeadTest, OpenFailsIfAnyBitOfTheKeyDiffers) {
    const Bytes sealed = Seal(aead_, Nonce(), {}, Count(20));
    for (std::size_t bit = 0; bit < 8 * kKeyBytes; bit++) {
        Bytes key = Count(kKeyBytes);
        key[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        Aead other;
        ASSERT_TRUE(other.SetKey(GetParam(), AsKey(key)).ok());
        const auto [status, out] = Open(other, Nonce(), {}, sealed);
        EXPECT_EQ(status.code, Code::kAuthFailed);
        EXPECT_TRUE(AllZero(out));
    }
}

TEST_P(AeadTest, OpenFailsIfTruncatedAtEveryLength) {
    const Bytes sealed = Seal(aead_, Nonce(), Count(4), Count(40));
    for (std::size_t size = 0; size < sealed.size(); size++) {
        const auto [status, out] =
            Open(aead_, Nonce(), Count(4), Bytes(sealed.begin(), sealed.begin() + static_cast<int>(size)));
        EXPECT_EQ(status.code, Code::kAuthFailed) << size;
        EXPECT_TRUE(AllZero(out));
    }
}

TEST_P(AeadTest, BytesDoNotMoveBetweenAssociatedDataAndCiphertext) {
    const Bytes sealed = Seal(aead_, Nonce(), Count(8), Count(8));
    Bytes longer = Count(8);
    longer.push_back(sealed[0]);
    EXPECT_EQ(Open(aead_, Nonce(), longer, Bytes(sealed.begin() + 1, sealed.end())).status.code,
              Code::kAuthFailed);
}

// --- one context for many messages ---

TEST_P(AeadTest, AfterAFailedOpenTheSameContextOpensAndSeals) {
    const Bytes plaintext = Count(50);
    const Bytes sealed = Seal(aead_, Nonce(), Count(3), plaintext);
    Bytes damaged = sealed;
    damaged[10] ^= 1U;
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ(Open(aead_, Nonce(), Count(3), damaged).status.code, Code::kAuthFailed);
        const auto [status, out] = Open(aead_, Nonce(), Count(3), sealed);
        EXPECT_TRUE(status.ok());
        EXPECT_EQ(out, plaintext);
        EXPECT_EQ(Open(aead_, Nonce(), Count(3), Bytes(3)).status.code, Code::kAuthFailed);
        EXPECT_EQ(Seal(aead_, Nonce(), Count(3), plaintext), sealed);
    }
}

TEST_P(AeadTest, AlternatingUseGivesWhatFreshContextsGive) {
    for (unsigned i = 0; i < 300; i++) {
        const Bytes plaintext = Count(i % 70, i);
        const Bytes associated_data = Count(i % 19, i);
        Aead fresh_seal;
        Aead fresh_open;
        ASSERT_TRUE(fresh_seal.SetKey(GetParam(), AsKey(Count(kKeyBytes))).ok());
        ASSERT_TRUE(fresh_open.SetKey(GetParam(), AsKey(Count(kKeyBytes))).ok());
        const Bytes expected = Seal(fresh_seal, Nonce(i), associated_data, plaintext);
        ASSERT_EQ(Seal(aead_, Nonce(i), associated_data, plaintext), expected);
        ASSERT_EQ(Open(fresh_open, Nonce(i), associated_data, expected).out, plaintext);
        const auto [status, out] = Open(aead_, Nonce(i), associated_data, expected);
        ASSERT_TRUE(status.ok());
        ASSERT_EQ(out, plaintext);
    }
}

TEST_P(AeadTest, ThePreviousMessagesTagDoesNotServeTheNext) {
    const Bytes sealed = Seal(aead_, Nonce(), Count(5), Count(24));
    // With a tag left over in the context, a message whose own tag is wrong would pass here.
    for (const std::uint8_t filler : {0x00, 0xff}) {
        ASSERT_TRUE(Open(aead_, Nonce(), Count(5), sealed).status.ok());
        Bytes no_tag = sealed;
        std::fill(no_tag.end() - kTagBytes, no_tag.end(), filler);
        const auto [status, out] = Open(aead_, Nonce(), Count(5), no_tag);
        EXPECT_EQ(status.code, Code::kAuthFailed);
        EXPECT_TRUE(AllZero(out));
    }
    // The same right after sealing, when the context has computed the right tag itself.
    ASSERT_EQ(Seal(aead_, Nonce(), Count(5), Count(24)), sealed);
    Bytes no_tag = sealed;
    std::fill(no_tag.end() - kTagBytes, no_tag.end(), std::uint8_t{0});
    EXPECT_EQ(Open(aead_, Nonce(), Count(5), no_tag).status.code, Code::kAuthFailed);
    // And another message under the tag of the one before.
    const Bytes other = Seal(aead_, Nonce(), Count(5), Count(24, 1));
    Bytes mixed(other.begin(), other.end() - kTagBytes);
    mixed.insert(mixed.end(), sealed.end() - kTagBytes, sealed.end());
    ASSERT_TRUE(Open(aead_, Nonce(), Count(5), sealed).status.ok());
    EXPECT_EQ(Open(aead_, Nonce(), Count(5), mixed).status.code, Code::kAuthFailed);
}

TEST_P(AeadTest, ANewKeyReplacesTheOldOneWhicheverAlgorithmItIsFor) {
    for (const Algorithm algorithm : {Algorithm::kXaes256Gcm, Algorithm::kAes256Gcm, GetParam()}) {
        const Bytes key = Count(kKeyBytes, 100);
        ASSERT_TRUE(aead_.SetKey(algorithm, AsKey(key)).ok());
        EXPECT_EQ(aead_.algorithm(), algorithm);
        Aead fresh;
        ASSERT_TRUE(fresh.SetKey(algorithm, AsKey(key)).ok());
        EXPECT_EQ(Seal(aead_, NonceFor(algorithm), {}, Count(9)),
                  Seal(fresh, NonceFor(algorithm), {}, Count(9)));
    }
}

// --- misuse and failure ---

TEST_P(AeadTest, NoncesOfAnotherSizeAreRefused) {
    const Bytes sealed = Seal(aead_, Nonce(), {}, Count(4));
    for (std::size_t size = 0; size <= 32; size++) {
        if (size == NonceBytes(GetParam()))
            continue;
        Bytes out(4 + kTagBytes, 0xaa);
        EXPECT_EQ(aead_.Seal(Count(size), {}, Count(4), out).code, Code::kCryptoFailure);
        EXPECT_TRUE(AllZero(out));
        EXPECT_EQ(Open(aead_, Count(size), {}, sealed).status.code, Code::kAuthFailed);
    }
}

TEST_P(AeadTest, OutputsOfAnotherSizeAreRefusedAndCleared) {
    const Bytes sealed = Seal(aead_, Nonce(), {}, Count(8));
    for (std::size_t size = 0; size <= 40; size++) {
        Bytes out(size, 0xaa);
        if (size != 8 + kTagBytes) {
            EXPECT_EQ(aead_.Seal(Nonce(), {}, Count(8), out).code, Code::kCryptoFailure);
            EXPECT_TRUE(AllZero(out));
        }
        out.assign(size, 0xaa);
        if (size != 8) {
            EXPECT_EQ(aead_.Open(Nonce(), {}, sealed, out).code, Code::kCryptoFailure);
            EXPECT_TRUE(AllZero(out));
        }
    }
}

TEST_P(AeadTest, WithoutAKeyNothingIsSealedOrOpened) {
    const Bytes sealed = Seal(aead_, Nonce(), {}, Count(8));
    aead_.ClearKey();
    Bytes out(8 + kTagBytes, 0xaa);
    EXPECT_EQ(aead_.Seal(Nonce(), {}, Count(8), out).code, Code::kCryptoFailure);
    EXPECT_TRUE(AllZero(out));
    const auto opened = Open(aead_, Nonce(), {}, sealed);
    EXPECT_EQ(opened.status.code, Code::kCryptoFailure);
    EXPECT_TRUE(AllZero(opened.out));
    ASSERT_TRUE(aead_.SetKey(GetParam(), AsKey(Count(kKeyBytes))).ok());
    EXPECT_EQ(Seal(aead_, Nonce(), {}, Count(8)), sealed);
}

TEST_P(AeadTest, FailuresLeaveNothingInOpenSslsErrorQueue) {
    ERR_clear_error();
    (void)Open(aead_, Nonce(), {}, Bytes(40));
    (void)Open(aead_, Nonce(), {}, Bytes(4));
    Bytes out(3);
    (void)aead_.Seal(Nonce(), {}, Count(8), out);
    EXPECT_EQ(ERR_peek_error(), 0UL);
}

TEST_P(AeadTest, MessagesOverTheLimitAreRefusedUnread) {
    // Spans that claim more than they have: the length alone decides.
    std::uint8_t byte = 0;
    const std::span<const std::uint8_t> huge(&byte, kMaxMessageBytes + 1);
    Bytes out(1, 0xaa);
    EXPECT_EQ(aead_.Seal(Nonce(), {}, huge, out).code, Code::kTooLong);
    EXPECT_TRUE(AllZero(out));
    EXPECT_EQ(aead_.Seal(Nonce(), huge, {}, out).code, Code::kTooLong);
    const std::span<const std::uint8_t> huge_sealed(&byte, kMaxMessageBytes + kTagBytes + 1);
    EXPECT_EQ(aead_.Open(Nonce(), {}, huge_sealed, out).code, Code::kTooLong);
    EXPECT_EQ(aead_.Open(Nonce(), huge, Bytes(kTagBytes), out).code, Code::kTooLong);
}

TEST_P(AeadTest, SealingAndOpeningAllocateNothing) {
    const Bytes nonce = Nonce();
    const Bytes plaintext = Count(500);
    Bytes sealed(plaintext.size() + kTagBytes);
    Bytes opened(plaintext.size());
    ASSERT_TRUE(aead_.Seal(nonce, plaintext, plaintext, sealed).ok());
    ASSERT_TRUE(aead_.Open(nonce, plaintext, sealed, opened).ok());
    const std::size_t before = NewCalls() + OpenSslCalls();
    bool good = true;
    for (int i = 0; i < 100; i++) {
        good = good && aead_.Seal(nonce, plaintext, plaintext, sealed).ok();
        good = good && aead_.Open(nonce, plaintext, sealed, opened).ok();
    }
    EXPECT_EQ(NewCalls() + OpenSslCalls(), before);
    EXPECT_TRUE(good);
}

TEST_P(AeadTest, SetKeyWithoutMemoryReportsItAndLaterWorks) {
    const Bytes key = Count(kKeyBytes);
    std::size_t failures = 0;
    for (std::size_t which = 0;; which++) {
        Status status;
        Aead aead;
        {
            const FailOpenSsl no_memory(which);
            status = aead.SetKey(GetParam(), AsKey(key));
        }
        ASSERT_TRUE(status.ok() || status.code == Code::kNoMemory || status.code == Code::kCryptoFailure);
        EXPECT_EQ(ERR_peek_error(), 0UL);
        if (status.ok())
            break;
        failures++;
        ASSERT_TRUE(aead.SetKey(GetParam(), AsKey(key)).ok());
        EXPECT_EQ(Seal(aead, Nonce(), {}, Count(8)), Seal(aead_, Nonce(), {}, Count(8)));
    }
    EXPECT_GT(failures, 0U);
}

}  // namespace
// Nonces that share their first half share the derived key; what one Aead keeps of it must not be seen in the
// bytes.
TEST(AeadTest, XaesGivesTheSameBytesWhetherTheDerivedKeyIsKeptOrNot) {
    Aead kept;
    ASSERT_TRUE(kept.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes))).ok());
    const Bytes plaintext = Count(33);
    const Bytes header = Count(12);
    for (const unsigned change_at : {0U, 11U, 12U, 23U, 12U, 0U, 5U, 5U}) {
        Bytes nonce = Count(24);
        nonce[change_at] ^= static_cast<std::uint8_t>(change_at + 1);
        Aead fresh;
        ASSERT_TRUE(fresh.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes))).ok());
        Bytes from_kept(plaintext.size() + kTagBytes);
        Bytes from_fresh(from_kept.size());
        ASSERT_TRUE(kept.Seal(nonce, header, plaintext, from_kept).ok());
        ASSERT_TRUE(fresh.Seal(nonce, header, plaintext, from_fresh).ok());
        EXPECT_EQ(ToHex(from_kept), ToHex(from_fresh));
        // Damage, then the same again: a failure leaves nothing behind.
        Bytes out(plaintext.size());
        Bytes damaged = from_kept;
        damaged.back() ^= 1;
        EXPECT_EQ(kept.Open(nonce, header, damaged, out).code, Code::kAuthFailed);
        EXPECT_TRUE(kept.Open(nonce, header, from_fresh, out).ok());
        EXPECT_EQ(ToHex(out), ToHex(plaintext));
        EXPECT_TRUE(fresh.Open(nonce, header, from_kept, out).ok());
    }
    // Another key in the same object: nothing of the first one's is used.
    Bytes first(plaintext.size() + kTagBytes);
    Bytes second(first.size());
    ASSERT_TRUE(kept.Seal(Count(24), header, plaintext, first).ok());
    ASSERT_TRUE(kept.SetKey(Algorithm::kXaes256Gcm, AsKey(Count(kKeyBytes, 7))).ok());
    ASSERT_TRUE(kept.Seal(Count(24), header, plaintext, second).ok());
    EXPECT_NE(ToHex(first), ToHex(second));
}

}  // namespace envcrypt::test
