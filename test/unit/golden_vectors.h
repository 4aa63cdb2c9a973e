// golden_vectors.h: bytes that were released and must open for ever. docs/format.md, section 9, prints the
// same ones, with every value in between. Nothing here is ever changed; a new format adds to it.
#pragma once

#include <cstdint>
#include <string_view>

namespace envcrypt::test::golden {

inline constexpr std::string_view kMasterKey =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
inline constexpr std::string_view kMasterKeyBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
inline constexpr std::string_view kWrappingKey =
    "7f6b7e54e0559b04e6225a9d0aed0f22a8f76f7f031a41a1aad5e8885cb40546";
inline constexpr std::string_view kFingerprint = "2e1155b39a50f31b7f27b4be3350db5b";

struct WrappedKey {
    std::uint64_t key_id;
    std::uint8_t kind;
    std::uint8_t algorithm;
    std::uint32_t key_version;
    std::string_view owner;  // empty: none
    std::string_view data_key;
    std::string_view nonce;
    std::string_view wrapped;
};

inline constexpr WrappedKey kOwnerKey = {
    0x0123456789abcdef,
    1,
    1,
    3,
    "Zo\xc3\xab",
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
    "808182838485868788898a8b8c8d8e8f9091929394959697",
    "01808182838485868788898a8b8c8d8e8f909192939495969789af353f7d1c09e06a14834cd959b6fb"
    "958b7460b13e7902e87cfa6ef6024d56219da6fea03660988acef2b4b6925ced"};

inline constexpr WrappedKey kDatabaseKey = {
    0xfedcba9876543210,
    1,
    2,
    1,
    "",
    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
    "98999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
    "0198999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb60a0986d1d68c50decf49428ac4d858"
    "c1cb35794d540e71208cd9abbff8786b7fc8c536eb5f4fe73b8a0c87b7715dbe"};

inline constexpr WrappedKey kTokenKey = {
    0x42,
    2,
    1,
    1,
    "",
    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f",
    "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7",
    "01e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f732ed52e1a4f3fe28db4b901bcc606e7b"
    "bef968325e9905101df5a191504c195045f46ad439c2d447c6c628f9520eb764"};

inline constexpr WrappedKey kWrappedKeys[] = {kOwnerKey, kDatabaseKey, kTokenKey};

struct SealedValue {
    const WrappedKey *key;
    std::uint8_t type_tag;
    std::uint16_t context_id;
    std::string_view nonce;
    std::string_view plaintext;
    std::string_view sealed;
    std::string_view armored;  // without the prefix
};

inline constexpr SealedValue kSealedValues[] = {
    {&kOwnerKey, 1, 7, "b0b1b2b3b4b5b6b7b8b9babb", "4772c3bcc39f65",
     "210100070123456789abcdefb0b1b2b3b4b5b6b7b8b9babb7188e9fb51bcad5d62b975442a2a29627a10fa55b33a98",
     "IQEABwEjRWeJq83vsLGys7S1tre4ubq7cYjp+1G8rV1iuXVEKiopYnoQ+lWzOpg="},
    {&kOwnerKey, 2, 0, "bcbdbebfc0c1c2c3c4c5c6c7", "",
     "210200000123456789abcdefbcbdbebfc0c1c2c3c4c5c6c78761892bd0bee2df6555ec767927f47e",
     "IQIAAAEjRWeJq83vvL2+v8DBwsPExcbHh2GJK9C+4t9lVex2eSf0fg=="},
    {&kDatabaseKey, 1, 0, "c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf", "4772c3bcc39f65",
     "22010000fedcba9876543210c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfc90fe1110564a0"
     "3d948da2ced3f88e48151be7ef29aee1",
     "IgEAAP7cuph2VDIQyMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7fyQ/hEQVkoD2UjaLO0/iOSBUb5+8pruE="},
    {&kDatabaseKey, 1, 0x1ff, "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7", "",
     "220101fffedcba9876543210d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7"
     "591a569dbd76c2b3d6a43f896bdf5c8c",
     "IgEB//7cuph2VDIQ0NHS09TV1tfY2drb3N3e3+Dh4uPk5ebnWRpWnb12wrPWpD+Ja99cjA=="},
};

inline constexpr std::string_view kTombstoneOwner = "Zo\xc3\xab";
inline constexpr std::string_view kTombstoneKey =
    "ecd304a9c304de900a5b7ab822521b863d32c37b6e866b3670e216f13f83eb5f";
inline constexpr std::string_view kTombstone =
    "747788b46fb6ed4ef6cb4a4882997375669634fa0f67d233f50f942ba7fa6131";

}  // namespace envcrypt::test::golden
