#include "core/keyring.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <set>

#include "core/encoding.h"
#include "core/wrapped_key.h"
#include "memory_failure.h"
#include "test_util.h"

namespace envcrypt::test {
namespace {

// A key whose base64 has all of '+', '/' and padding.
constexpr std::string_view kHexKey = "fbefbeffefbefbefbeffefbe00112233445566778899aabbccddeeff0fedcbaf";

std::string Base64(std::span<const std::uint8_t> bytes) {
    std::string out(Base64Chars(bytes.size()) + 1, '\0');
    Base64Encode(bytes, out);
    out.pop_back();
    return out;
}

std::string UrlSafe(std::string text) {
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

std::string Upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

// A different key for each number.
std::string KeyText(unsigned number) {
    Bytes key = Count(kKeyBytes);
    key[0] = static_cast<std::uint8_t>(number);
    key[1] = static_cast<std::uint8_t>(number >> 8U);
    return Base64(key);
}

Status Load(std::string_view text, std::size_t *size = nullptr) {
    Keyring ring;
    const Status status = ring.Load(text);
    if (size != nullptr)
        *size = ring.size();
    if (!status.ok()) {
        EXPECT_EQ(ring.size(), 0U);
    }
    // CheckKeyring promises the same statuses.
    EXPECT_EQ(CheckKeyring(text).code, status.code);
    EXPECT_EQ(CheckKeyring(text).detail, status.detail);
    return status;
}

std::string ParsedHex(std::string_view text) {
    SecretKey key;
    return ParseMasterKey(text, key) ? ToHex(key.ExposeSecret()) : "refused";
}

TEST(MasterKeyTest, EveryAcceptedFormGivesTheSameBytes) {
    const std::string standard = Base64(Hex(kHexKey));
    ASSERT_EQ(standard.size(), 44U);
    ASSERT_TRUE(standard.find('+') != std::string::npos && standard.find('/') != std::string::npos);
    const std::string unpadded = standard.substr(0, 43);
    for (const std::string &text :
         {standard, unpadded, UrlSafe(standard), UrlSafe(unpadded), std::string(kHexKey), Upper(kHexKey)})
        EXPECT_EQ(ParsedHex(text), kHexKey) << text;
    // Digits of mixed case, and both alphabets in one text.
    std::string mixed_hex(kHexKey);
    mixed_hex[0] = 'F';
    EXPECT_EQ(ParsedHex(mixed_hex), kHexKey);
    std::string mixed = standard;
    mixed[mixed.find('+')] = '-';
    EXPECT_EQ(ParsedHex(mixed), kHexKey);
}

TEST(MasterKeyTest, OtherLengthsAreRefused) {
    for (std::size_t size = 0; size <= 130; size++) {
        if (size == 43 || size == 64)
            continue;
        EXPECT_EQ(ParsedHex(std::string(size, 'A')), "refused") << size;
    }
    for (std::size_t bytes = 0; bytes <= 48; bytes++) {
        if (bytes != kKeyBytes) {
            EXPECT_EQ(ParsedHex(Base64(Count(bytes))), "refused") << bytes;
        }
    }
}

TEST(MasterKeyTest, NonCanonicalBase64IsRefused) {
    // The last character of 43 carries four bits of the key and two that must be zero.
    const std::string good = KeyText(1);
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t last = kAlphabet.find(good[42]);
    ASSERT_EQ(last % 4, 0U);
    for (std::size_t spare = 1; spare < 4; spare++) {
        std::string text = good;
        text[42] = kAlphabet[last + spare];
        EXPECT_EQ(ParsedHex(text), "refused");
        EXPECT_EQ(ParsedHex(text.substr(0, 43)), "refused");
    }
}

TEST(MasterKeyTest, EveryForeignCharacterIsRefused) {
    for (const std::string &good : {KeyText(1), KeyText(1).substr(0, 43)}) {
        for (std::size_t at = 0; at < good.size(); at++) {
            for (const char c : {' ', '\n', '\0', '=', '!', '.', '~', '\x80', '\xff'}) {
                if (good[at] == c)
                    continue;
                std::string text = good;
                text[at] = c;
                EXPECT_EQ(ParsedHex(text), "refused") << at << " " << static_cast<int>(c);
            }
        }
    }
    for (std::size_t at = 0; at < kHexKey.size(); at++) {
        for (const char c : {' ', '\n', '\0', 'g', 'G', ':', '-', 'x', '\xff'}) {
            std::string text(kHexKey);
            text[at] = c;
            EXPECT_EQ(ParsedHex(text), "refused") << at;
        }
    }
    EXPECT_EQ(ParsedHex(" " + KeyText(1).substr(0, 43)), "refused");
    EXPECT_EQ(ParsedHex("0x" + std::string(kHexKey.substr(2))), "refused");
}

TEST(MasterKeyTest, GeneratedKeysAreAcceptedAndDiffer) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; i++) {
        std::array<char, 45> text{};
        ASSERT_TRUE(GenerateMasterKey(text).ok());
        EXPECT_EQ(text.back(), '\0');
        const std::string hex = ParsedHex({text.data(), 44});
        EXPECT_EQ(hex.size(), 64U);
        seen.insert(hex);
    }
    EXPECT_EQ(seen.size(), 100U);
}

TEST(KeyringTest, FingerprintIsTheGoldenValue) {
    Keyring ring;
    ASSERT_TRUE(ring.Load("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").ok());
    ASSERT_EQ(ring.size(), 1U);
    EXPECT_EQ(ToHex(ring.fingerprint(0)), "2e1155b39a50f31b7f27b4be3350db5b");
}

TEST(KeyringTest, ColonsAndLinesSeparateAndOrderStays) {
    Keyring expected;
    ASSERT_TRUE(expected.Load(KeyText(1) + ":" + KeyText(2) + ":" + KeyText(3)).ok());
    ASSERT_EQ(expected.size(), 3U);
    for (std::string_view separator :
         {"\n", "\r\n", "\n\n", "::", " : ", "\t\n\t", "\n:\n", " \r\n \r\n", "\r\n\r\n\r\n"}) {
        for (std::string_view edge : {"", "\n", " ", ":", "\r\n", "\n \n:\t"}) {
            std::string text(edge);
            text.append(KeyText(1)).append(separator).append(UrlSafe(KeyText(2))).append(separator);
            text.append(KeyText(3)).append(edge);
            Keyring ring;
            ASSERT_TRUE(ring.Load(text).ok()) << text;
            ASSERT_TRUE(CheckKeyring(text).ok());
            ASSERT_EQ(ring.size(), 3U);
            for (std::size_t i = 0; i < 3; i++) EXPECT_EQ(ring.fingerprint(i), expected.fingerprint(i));
        }
    }
}

TEST(KeyringTest, ARepeatedKeyCountsOnceInWhateverForm) {
    std::size_t size = 0;
    const std::string hex = ToHex(Count(kKeyBytes));
    ASSERT_TRUE(
        Load(Base64(Count(kKeyBytes)) + ":" + hex + "\n" + Upper(hex) + ":" + KeyText(9), &size).ok());
    EXPECT_EQ(size, 2U);
}

TEST(KeyringTest, AnEmptyRingSaysSo) {
    for (const std::string_view text : {"", ":", "\n", " ", "\r\n", ":::", " \t\r\n : \n"})
        EXPECT_EQ(Load(text).code, Code::kEmptyKeyring) << text;
}

TEST(KeyringTest, ABadEntryIsNamedByItsPlace) {
    const auto place = [](std::string_view text) {
        const Status status = Load(text);
        EXPECT_EQ(status.code, Code::kBadKeyringEntry);
        return status.detail;
    };
    EXPECT_EQ(place("x"), 1);
    EXPECT_EQ(place("x:y"), 1);
    EXPECT_EQ(place(KeyText(1) + ":x"), 2);
    EXPECT_EQ(place(KeyText(1) + "\n" + KeyText(2) + "\nx\n" + KeyText(3)), 3);
    // Blank entries are not counted, repeated keys are.
    EXPECT_EQ(place("\n\n" + KeyText(1) + "\n\n\nx"), 2);
    EXPECT_EQ(place(KeyText(1) + ":" + KeyText(1) + ":x"), 3);
    // Characters that only look like white space or separators.
    EXPECT_EQ(place(KeyText(1) + ";" + KeyText(2)), 1);
    EXPECT_EQ(place(KeyText(1) + "\v"), 1);
    EXPECT_EQ(place(KeyText(1) + " " + KeyText(2)), 1);
    EXPECT_EQ(place("# comment\n" + KeyText(1)), 1);
    EXPECT_EQ(place("\xef\xbb\xbf" + KeyText(1)), 1);
}

TEST(KeyringTest, AsManyKeysAsTheLimitAndNoMore) {
    std::string text;
    for (unsigned i = 0; i < kMaxMasterKeys; i++) text += KeyText(i) + "\n";
    std::size_t size = 0;
    ASSERT_TRUE(Load(text, &size).ok());
    EXPECT_EQ(size, kMaxMasterKeys);
    const Status status = Load(text + KeyText(1000), &size);
    EXPECT_EQ(status.code, Code::kTooManyKeys);
    EXPECT_EQ(status.detail, 32);
    EXPECT_EQ(size, 0U);
}

TEST(KeyringTest, FindGivesTheKeyThatWraps) {
    Keyring ring;
    ASSERT_TRUE(ring.Load(KeyText(1) + ":" + KeyText(2)).ok());
    Keyring second;
    ASSERT_TRUE(second.Load(KeyText(2)).ok());
    EXPECT_EQ(ring.fingerprint(1), second.fingerprint(0));
    EXPECT_NE(ring.fingerprint(0), ring.fingerprint(1));

    SecretKey key;
    key.ExposeSecret()[0] = 1;
    KeyRow row;
    row.key_id = 1;
    row.master_fingerprint = second.fingerprint(0);
    ASSERT_NE(second.Find(row.master_fingerprint), nullptr);
    ASSERT_TRUE(WrapKey(*second.Find(row.master_fingerprint), key, Count(24), &row).ok());
    SecretKey out;
    ASSERT_NE(ring.Find(row.master_fingerprint), nullptr);
    EXPECT_TRUE(UnwrapKey(*ring.Find(row.master_fingerprint), row, out).ok());
    EXPECT_EQ(UnwrapKey(*ring.Find(ring.fingerprint(0)), row, out).code, Code::kAuthFailed);
    EXPECT_EQ(ring.Find(Fingerprint{}), nullptr);
}

TEST(KeyringTest, ANewRingReplacesTheOldOneEvenIfItIsBad) {
    Keyring ring;
    ASSERT_TRUE(ring.Load(KeyText(1) + ":" + KeyText(2)).ok());
    const Fingerprint first = ring.fingerprint(0);
    const Fingerprint second = ring.fingerprint(1);
    ASSERT_TRUE(ring.Load(KeyText(2)).ok());
    EXPECT_EQ(ring.size(), 1U);
    EXPECT_EQ(ring.Find(first), nullptr);
    EXPECT_NE(ring.Find(second), nullptr);
    EXPECT_FALSE(ring.Load(KeyText(2) + ":x").ok());
    EXPECT_EQ(ring.size(), 0U);
    EXPECT_EQ(ring.Find(second), nullptr);
}

TEST(KeyringTest, ClearForgetsEveryKey) {
    Keyring ring;
    ASSERT_TRUE(ring.Load(KeyText(1) + ":" + KeyText(2)).ok());
    const Fingerprint first = ring.fingerprint(0);
    ring.Clear();
    EXPECT_EQ(ring.size(), 0U);
    EXPECT_EQ(ring.Find(first), nullptr);
    ring.Clear();
    ASSERT_TRUE(ring.Load(KeyText(1)).ok());
    EXPECT_NE(ring.Find(first), nullptr);
}

TEST(KeyringTest, FailuresLeaveNothingInOpenSslsErrorQueue) {
    ERR_clear_error();
    for (const std::size_t size : {1, 43, 44, 64}) (void)Load(std::string(size, '!'));
    EXPECT_EQ(ERR_peek_error(), 0UL);
}

TEST(KeyringTest, LoadWithoutMemoryLeavesAnEmptyRing) {
    const std::string text = KeyText(1) + ":" + KeyText(2);
    Keyring ring;
    std::size_t failures = 0;
    for (std::size_t which = 0;; which++) {
        Status status;
        {
            const FailOpenSsl no_memory(which);
            status = ring.Load(text);
        }
        if (status.ok())
            break;
        failures++;
        ASSERT_TRUE(status.code == Code::kNoMemory || status.code == Code::kCryptoFailure ||
                    status.code == Code::kBadKeyringEntry);
        ASSERT_EQ(ring.size(), 0U);
    }
    EXPECT_GT(failures, 0U);
    EXPECT_EQ(ring.size(), 2U);
}

}  // namespace
}  // namespace envcrypt::test
