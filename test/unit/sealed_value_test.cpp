#include "core/sealed_value.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "test_util.h"

namespace envcrypt::test {
namespace {

class SealedValueTest : public testing::TestWithParam<Algorithm> {
 protected:
    void SetUp() override {
        ASSERT_TRUE(aead_.SetKey(GetParam(), AsKey(Count(kKeyBytes, 3))).ok());
        header_.algorithm = GetParam();
        header_.type_tag = static_cast<std::uint8_t>(TypeTag::kText);
        header_.context_id = 0x0102;
        header_.key_id = 0x1122334455667788;
    }
    [[nodiscard]] Bytes Nonce(unsigned first = 0) const { return Count(NonceBytes(GetParam()), first); }
    Bytes Sealed(std::size_t size) { return SealWhole(aead_, header_, Nonce(), Count(size, 9)); }

    // Refused by a reader that parses what it got, and by one that trusts a header it parsed before.
    void ExpectRefused(const Bytes &sealed) {
        const auto [status, out] = OpenWhole(aead_, sealed);
        ASSERT_TRUE(status.code == Code::kAuthFailed || status.code == Code::kUnknownFormat);
        ASSERT_TRUE(AllZero(out));
        Bytes trusting(
            sealed.size() < SealedOverhead(GetParam()) ? 0 : sealed.size() - SealedOverhead(GetParam()),
            0xaa);
        ASSERT_EQ(OpenValue(aead_, header_, sealed, trusting).code, Code::kAuthFailed);
        ASSERT_TRUE(AllZero(trusting));
    }

    Aead aead_;
    SealedHeader header_;
};
INSTANTIATE_TEST_SUITE_P(Suites, SealedValueTest, testing::ValuesIn(kAlgorithms), [](const auto &info) {
    return info.param == Algorithm::kAes256Gcm ? "Aes256Gcm" : "Xaes256Gcm";
});

std::vector<std::size_t> Lengths() {
    std::vector<std::size_t> lengths;
    for (std::size_t size = 0; size <= 64; size++) lengths.push_back(size);
    lengths.insert(lengths.end(), {65, 100, 127, 128, 129, 200, 255, 256});
    return lengths;
}

TEST_P(SealedValueTest, EveryLengthRoundTrips) {
    for (const std::size_t size : Lengths()) {
        const Bytes sealed = Sealed(size);
        EXPECT_EQ(sealed.size(), size + (GetParam() == Algorithm::kAes256Gcm ? 40 : 52));
        const auto [status, out] = OpenWhole(aead_, sealed);
        ASSERT_TRUE(status.ok());
        EXPECT_EQ(out, Count(size, 9));
    }
}

TEST_P(SealedValueTest, TheHeaderIsWrittenAsTheFormatSays) {
    const Bytes sealed = Sealed(5);
    EXPECT_EQ(
        ToHex(std::span(sealed).first(kHeaderBytes)),
        std::string(GetParam() == Algorithm::kAes256Gcm ? "21" : "22") + "01" + "0102" + "1122334455667788");
    EXPECT_EQ(ToHex(SealedNonce(header_, sealed)), ToHex(Nonce()));
}

TEST_P(SealedValueTest, ParseHeaderReadsWhatSealWrote) {
    for (const unsigned type_tag : {1U, 2U, 11U, 254U}) {
        for (const unsigned context_id : {0U, 1U, 0x8000U, 0xffffU}) {
            for (const std::uint64_t key_id :
                 {std::uint64_t{1}, std::uint64_t{1} << 63U, ~std::uint64_t{0}}) {
                SealedHeader header = header_;
                header.type_tag = static_cast<std::uint8_t>(type_tag);
                header.context_id = static_cast<std::uint16_t>(context_id);
                header.key_id = key_id;
                const Bytes sealed = SealWhole(aead_, header, Nonce(), {});
                SealedHeader read;
                // The first 12 bytes are enough, as when only the head of a long value was fetched.
                ASSERT_TRUE(ParseHeader(std::span(sealed).first(kHeaderBytes), sealed.size(), &read).ok());
                EXPECT_EQ(read.algorithm, header.algorithm);
                EXPECT_EQ(read.type_tag, header.type_tag);
                EXPECT_EQ(read.context_id, header.context_id);
                EXPECT_EQ(read.key_id, header.key_id);
            }
        }
    }
}

TEST_P(SealedValueTest, ATypesNameStandsBeforeTheNonceAndIsAuthenticated) {
    SealedHeader header = header_;
    header.type_tag = static_cast<std::uint8_t>(TypeTag::kNamed);
    header.type_name = "mood";
    const Bytes sealed = SealWhole(aead_, header, Nonce(), Count(3));
    ASSERT_EQ(sealed.size(), 3 + 5 + SealedOverhead(GetParam()));
    EXPECT_EQ(ToHex(std::span(sealed).subspan(1, 16)), "ff01021122334455667788046d6f6f64");
    SealedHeader read;
    ASSERT_TRUE(ParseHeader(std::span(sealed).first(17), sealed.size(), &read).ok());
    EXPECT_EQ(read.type_name, "mood");
    EXPECT_EQ(ToHex(SealedNonce(read, sealed)), ToHex(Nonce()));
    Bytes out(3, 0xaa);
    EXPECT_TRUE(OpenValue(aead_, read, sealed, out).ok());
    EXPECT_EQ(ToHex(out), ToHex(Count(3)));
    for (std::size_t at = 12; at < 17; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            Bytes changed = sealed;
            changed[at] ^= static_cast<std::uint8_t>(1U << bit);
            ASSERT_NO_FATAL_FAILURE(ExpectRefused(changed)) << at;
        }
    }
}

TEST(SealedHeaderTest, ATypesNameHasOneTo63Bytes) {
    for (unsigned size = 0; size < 256; size++) {
        Bytes sealed(400, 'n');
        sealed[0] = 0x21;
        sealed[1] = 255;
        sealed[12] = static_cast<std::uint8_t>(size);
        SealedHeader header;
        EXPECT_EQ(ParseHeader(sealed, sealed.size(), &header).ok(), size >= 1 && size <= 63) << size;
        if (size >= 1 && size <= 63) {
            EXPECT_EQ(header.type_name.size(), size);
            EXPECT_EQ(ParseHeader(std::span(sealed).first(12 + size), 400, &header).code, Code::kAuthFailed);
            EXPECT_EQ(ParseHeader(sealed, 40 + size, &header).code, Code::kAuthFailed);
            EXPECT_TRUE(ParseHeader(sealed, 41 + size, &header).ok());
        }
    }
}

TEST_P(SealedValueTest, OpenFailsIfAnyBitIsFlipped) {
    for (const std::size_t size : Lengths()) {
        const Bytes good = Sealed(size);
        for (std::size_t bit = 0; bit < 8 * good.size(); bit++) {
            Bytes sealed = good;
            sealed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            ASSERT_NO_FATAL_FAILURE(ExpectRefused(sealed)) << "length " << size << ", bit " << bit;
        }
    }
}

TEST_P(SealedValueTest, OpenFailsIfTruncatedAtEveryLength) {
    for (const std::size_t size : Lengths()) {
        const Bytes good = Sealed(size);
        for (std::size_t kept = 0; kept < good.size(); kept++)
            ASSERT_NO_FATAL_FAILURE(ExpectRefused(Bytes(good.begin(), good.begin() + static_cast<int>(kept))))
                << "length " << size << ", kept " << kept;
    }
}

TEST_P(SealedValueTest, OpenFailsIfTruncatedInFront) {
    for (const std::size_t size : Lengths()) {
        const Bytes good = Sealed(size);
        for (std::size_t cut = 1; cut <= good.size(); cut++)
            ASSERT_NO_FATAL_FAILURE(ExpectRefused(Bytes(good.begin() + static_cast<int>(cut), good.end())));
    }
}

TEST_P(SealedValueTest, OpenFailsIfExtendedByAnyByte) {
    for (const std::size_t size : Lengths()) {
        const Bytes good = Sealed(size);
        for (unsigned byte = 0; byte < 256; byte++) {
            Bytes sealed = good;
            sealed.push_back(static_cast<std::uint8_t>(byte));
            ASSERT_NO_FATAL_FAILURE(ExpectRefused(sealed)) << "length " << size << ", byte " << byte;
        }
    }
}

TEST_P(SealedValueTest, OpenFailsIfAByteIsRemovedOrRepeatedAnywhere) {
    for (const std::size_t size : {0U, 1U, 33U}) {
        const Bytes good = Sealed(size);
        for (std::size_t at = 0; at < good.size(); at++) {
            Bytes shorter = good;
            shorter.erase(shorter.begin() + static_cast<int>(at));
            // Removing one of two equal neighbours at the end of the value is still a truncation.
            ASSERT_NO_FATAL_FAILURE(ExpectRefused(shorter));
            Bytes longer = good;
            longer.insert(longer.begin() + static_cast<int>(at), good[at]);
            ASSERT_NO_FATAL_FAILURE(ExpectRefused(longer));
        }
    }
}

TEST_P(SealedValueTest, OpenFailsWithTheKeyOfAnotherAlgorithm) {
    const Algorithm other =
        GetParam() == Algorithm::kAes256Gcm ? Algorithm::kXaes256Gcm : Algorithm::kAes256Gcm;
    Aead key;
    ASSERT_TRUE(key.SetKey(other, AsKey(Count(kKeyBytes, 3))).ok());
    const auto [status, out] = OpenWhole(key, Sealed(30));
    EXPECT_EQ(status.code, Code::kAuthFailed);
    EXPECT_TRUE(AllZero(out));
}

TEST_P(SealedValueTest, SealRefusesTheKeyOfAnotherAlgorithmAndWrongSizes) {
    const auto refused = [&](const SealedHeader &header, const Bytes &nonce, std::size_t out_bytes) {
        Bytes out(out_bytes, 0xaa);
        return SealValue(aead_, header, nonce, Count(10), out).code == Code::kCryptoFailure && AllZero(out);
    };
    const std::size_t right = 10 + SealedOverhead(GetParam());
    SealedHeader other = header_;
    other.algorithm = GetParam() == Algorithm::kAes256Gcm ? Algorithm::kXaes256Gcm : Algorithm::kAes256Gcm;
    EXPECT_TRUE(refused(other, Nonce(), right));
    EXPECT_TRUE(refused(other, Count(NonceBytes(other.algorithm)), 10 + SealedOverhead(other.algorithm)));
    EXPECT_TRUE(refused(header_, Count(11), right));
    EXPECT_TRUE(refused(header_, {}, right));
    for (const std::size_t out_bytes : {std::size_t{0}, right - 1, right + 1})
        EXPECT_TRUE(refused(header_, Nonce(), out_bytes));
}

TEST(SealedHeaderTest, EveryOtherFormatByteIsUnknown) {
    for (unsigned byte = 0; byte < 256; byte++) {
        Bytes sealed(100, 1);
        sealed[0] = static_cast<std::uint8_t>(byte);
        SealedHeader header;
        const Status status = ParseHeader(sealed, sealed.size(), &header);
        if (byte == 0x21 || byte == 0x22) {
            EXPECT_TRUE(status.ok());
        } else {
            EXPECT_EQ(status.code, Code::kUnknownFormat);
            EXPECT_EQ(status.detail, static_cast<int>(byte));
        }
    }
}

TEST(SealedHeaderTest, TypeTagZeroAndKeyIdZeroAreRefused) {
    Bytes sealed = Hex("210100000000000000000001");
    sealed.resize(40);
    SealedHeader header;
    EXPECT_TRUE(ParseHeader(sealed, sealed.size(), &header).ok());
    sealed[1] = 0;
    EXPECT_EQ(ParseHeader(sealed, sealed.size(), &header).code, Code::kAuthFailed);
    sealed[1] = 1;
    sealed[11] = 0;
    EXPECT_EQ(ParseHeader(sealed, sealed.size(), &header).code, Code::kAuthFailed);
}

TEST(SealedHeaderTest, TheShortestValueHasNoPlaintext) {
    for (const Algorithm algorithm : kAlgorithms) {
        Bytes sealed(kHeaderBytes, 1);
        sealed[0] = static_cast<std::uint8_t>(0x20U | static_cast<unsigned>(algorithm));
        SealedHeader header;
        EXPECT_TRUE(ParseHeader(sealed, SealedOverhead(algorithm), &header).ok());
        EXPECT_EQ(ParseHeader(sealed, SealedOverhead(algorithm) - 1, &header).code, Code::kAuthFailed);
        for (std::size_t size = 1; size < kHeaderBytes; size++)
            EXPECT_EQ(ParseHeader(std::span(sealed).first(size), 1000, &header).code, Code::kAuthFailed);
    }
    SealedHeader header;
    EXPECT_EQ(ParseHeader({}, 0, &header).code, Code::kAuthFailed);
}

// --- a million strings that nobody sealed ---

class Strangers {
 public:
    Strangers() {
        for (std::size_t i = 0; i < keys_.size(); i++) {
            if (!keys_[i].SetKey(kAlgorithms[i], AsKey(Count(kKeyBytes, 3))).ok())
                throw std::runtime_error("SetKey failed");
        }
    }

    // Accepted opens `sealed` with whichever key its header asks for.
    bool Accepted(const Bytes &sealed) {
        SealedHeader header;
        if (!ParseHeader(sealed, sealed.size(), &header).ok())
            return false;
        parsed_++;
        Bytes out(sealed.size() - SealedOverhead(header), 0xaa);
        const Status status = OpenValue(Key(header.algorithm), header, sealed, out);
        return status.ok() || !AllZero(out);
    }

    Aead &Key(Algorithm algorithm) { return keys_[algorithm == Algorithm::kAes256Gcm ? 0 : 1]; }
    [[nodiscard]] std::size_t parsed() const { return parsed_; }

 private:
    std::array<Aead, 2> keys_;
    std::size_t parsed_ = 0;
};

TEST(SealedValueStrangersTest, AMillionRandomStringsAreRefused) {
    Strangers strangers;
    std::mt19937_64 random(20'240'101);
    for (int i = 0; i < 1'000'000; i++) {
        Bytes sealed(random() % 160);
        for (auto &byte : sealed) byte = static_cast<std::uint8_t>(random());
        // Most with a format byte of this version, or nothing behind ParseHeader would be reached.
        if (!sealed.empty() && random() % 8 != 0)
            sealed[0] = random() % 2 == 0 ? 0x21 : 0x22;
        ASSERT_FALSE(strangers.Accepted(sealed)) << ToHex(sealed);
    }
    EXPECT_GT(strangers.parsed(), 500'000U);
}

TEST(SealedValueStrangersTest, AMillionMutatedValuesAreRefused) {
    Strangers strangers;
    std::mt19937_64 random(20'240'102);
    std::vector<Bytes> values;
    for (unsigned i = 0; i < 200; i++) {
        SealedHeader header;
        header.algorithm = kAlgorithms[i % 2];
        header.type_tag = static_cast<std::uint8_t>(1 + i / 2 % 2);
        header.context_id = static_cast<std::uint16_t>(i % 3);
        header.key_id = 1 + i % 5;
        values.push_back(SealWhole(strangers.Key(header.algorithm), header,
                                   Count(NonceBytes(header.algorithm), i), Count(i % 71, i)));
    }
    const std::set<Bytes> valid(values.begin(), values.end());
    std::size_t tried = 0;
    while (tried < 1'000'000) {
        Bytes sealed = values[random() % values.size()];
        const auto place = [&] { return static_cast<std::ptrdiff_t>(random() % sealed.size()); };
        switch (random() % 6) {
            case 0:
                for (std::uint64_t n = 1 + random() % 8; n > 0; n--)
                    sealed[static_cast<std::size_t>(place())] = static_cast<std::uint8_t>(random());
                break;
            case 1:
                sealed.resize(static_cast<std::size_t>(place()));
                break;
            case 2:
                sealed.insert(sealed.begin() + place(), 1 + random() % 32,
                              static_cast<std::uint8_t>(random()));
                break;
            case 3:
                std::swap(sealed[static_cast<std::size_t>(place())],
                          sealed[static_cast<std::size_t>(place())]);
                break;
            case 4: {  // the head of one value and the tail of another
                const Bytes &other = values[random() % values.size()];
                const std::size_t at = random() % std::min(sealed.size(), other.size());
                sealed.resize(at);
                sealed.insert(sealed.end(), other.begin() + static_cast<std::ptrdiff_t>(at), other.end());
                break;
            }
            default:
                sealed.erase(sealed.begin() + place());
                break;
        }
        if (valid.contains(sealed))
            continue;
        tried++;
        ASSERT_FALSE(strangers.Accepted(sealed)) << ToHex(sealed);
    }
    EXPECT_GT(strangers.parsed(), 500'000U);
}

}  // namespace
}  // namespace envcrypt::test
