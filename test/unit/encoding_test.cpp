#include "core/encoding.h"

#include <gtest/gtest.h>

#include <random>

#include "test_util.h"

namespace envcrypt::test {
namespace {

std::string Encode(std::span<const std::uint8_t> in) {
    std::string out(Base64Chars(in.size()) + 1, 'x');
    Base64Encode(in, out);
    EXPECT_EQ(out.back(), '\0');
    out.pop_back();
    return out;
}

// Decode gives OpenSSL exactly the room that the header asks for.
bool Decode(std::string_view text, Bytes *out) {
    Bytes room(text.size() / 4 * 3, 0xaa);
    const bool good = Base64Decode(text, room);
    if (good)
        room.resize(Base64DecodedSize(text));
    *out = room;
    return good;
}

bool Refused(std::string_view text) {
    Bytes out;
    return !Decode(text, &out);
}

TEST(EncodingTest, MatchesTheVectorsOfRfc4648) {
    const std::pair<std::string_view, std::string_view> vectors[] = {
        {"f", "Zg=="},        {"fo", "Zm8="},        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
    };
    for (const auto &[plain, text] : vectors) {
        EXPECT_EQ(Encode(FromText(plain)), text);
        Bytes out;
        EXPECT_TRUE(Decode(text, &out));
        EXPECT_EQ(out, FromText(plain));
    }
    EXPECT_EQ(Encode({}), "");
}

TEST(EncodingTest, EveryLengthRoundTrips) {
    std::mt19937_64 random(1);
    // 768 bytes is the piece in which the decoder checks; go over several.
    for (std::size_t size = 1; size <= 2400; size++) {
        Bytes in(size);
        for (auto &byte : in) byte = static_cast<std::uint8_t>(random());
        const std::string text = Encode(in);
        EXPECT_EQ(text.size(), Base64Chars(size));
        EXPECT_EQ(Base64DecodedSize(text), size);
        Bytes out;
        ASSERT_TRUE(Decode(text, &out)) << size;
        EXPECT_EQ(out, in);
    }
}

TEST(EncodingTest, DecodedSizeIsZeroForLengthsThatNobodyWrites) {
    for (const std::string_view text : {"", "A", "AA", "AAA", "AAAAA", "=", "=="})
        EXPECT_EQ(Base64DecodedSize(text), 0U) << text;
    EXPECT_EQ(Base64DecodedSize("AAAA"), 3U);
    EXPECT_EQ(Base64DecodedSize("AAA="), 2U);
    EXPECT_EQ(Base64DecodedSize("AA=="), 1U);
}

TEST(EncodingTest, DecodeRefusesEveryCharacterOutsideTheAlphabet) {
    const std::string good = Encode(Count(48));
    for (std::size_t at = 0; at < good.size(); at++) {
        for (int c = 0; c < 256; c++) {
            const bool in_alphabet = (std::isalnum(c) != 0 && c < 128) || c == '+' || c == '/';
            std::string text = good;
            text[at] = static_cast<char>(c);
            // '=' in the last place makes another, shorter text, which is canonical only if its spare bits
            // are 0.
            if (in_alphabet || (c == '=' && at + 1 == good.size()))
                continue;
            EXPECT_TRUE(Refused(text)) << at << " " << c;
        }
    }
}

TEST(EncodingTest, DecodeRefusesWhiteSpaceAnywhere) {
    const std::string good = Encode(Count(30));
    for (std::size_t at = 0; at <= good.size(); at++) {
        for (const std::string_view blank : {" ", "\n", "\r\n", "\t", "    ", "\n\n\n\n"}) {
            std::string text = good;
            text.insert(at, blank);
            EXPECT_TRUE(Refused(text)) << at;
        }
    }
}

TEST(EncodingTest, DecodeRefusesNonCanonicalEndings) {
    // The spare bits of the last character are zero in what Encode writes.
    for (const std::string_view text : {"Zh==", "Zv==", "Z/==", "Zm9=", "Zm+=", "Zm9vYh=="})
        EXPECT_TRUE(Refused(text)) << text;
}

TEST(EncodingTest, DecodeRefusesWrongPadding) {
    for (const std::string_view text :
         {"Zg", "Zg=", "Zg===", "Zg======", "Zm8", "Zm8==", "Zm9v=", "Zm9v====", "====", "A===", "=AAA",
          "A=AA", "AA=A", "Zg==Zg==", "Zm8=Zm9v", "-_-_", "Zm9v-", "Zm9v\n"})
        EXPECT_TRUE(Refused(text)) << text;
}

TEST(EncodingTest, DecodeRefusesTooLittleRoomWithoutTouchingMore) {
    const std::string text = Encode(Count(9));
    Bytes room(8, 0xaa);
    EXPECT_FALSE(Base64Decode(text, room));
}

TEST(EncodingTest, AFailedDecodeLeavesNoPlainBytes) {
    const std::string good = Encode(Count(900, 1));
    for (std::size_t at = 0; at < good.size(); at += 7) {
        std::string text = good;
        text[at] = '!';
        Bytes out;
        ASSERT_FALSE(Decode(text, &out));
        EXPECT_TRUE(AllZero(out)) << at;
    }
}

TEST(EncodingTest, WhatDecodesEncodesToTheSameText) {
    std::mt19937_64 random(2);
    constexpr std::string_view kCharacters = "AZaz09+/=-_ \n\0";
    std::size_t decoded = 0;
    for (int i = 0; i < 300'000; i++) {
        std::string text(4 * (1 + random() % 3), 'A');
        for (auto &c : text) c = kCharacters[random() % kCharacters.size()];
        Bytes out;
        if (Decode(text, &out)) {
            decoded++;
            ASSERT_EQ(Encode(out), text);
        }
    }
    EXPECT_GT(decoded, 1000U);
}

}  // namespace
}  // namespace envcrypt::test
