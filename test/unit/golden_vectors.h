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
    std::string_view type_name = {};
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
    // Every type in both suites, and types by name.
    {&kOwnerKey, 1, 7, "01a1a2a3a4a5a6a7a8a9aaab", "4772c3bcc39f65",
     "210100070123456789abcdef01a1a2a3a4a5a6a7a8a9aaabfffadaf6d66b38eff52c50f926d49753dcb4d2dde9"
     "1bb9",
     "IQEABwEjRWeJq83vAaGio6Slpqeoqaqr//ra9tZrOO/1LFD5JtSXU9y00t3pG7k="},
    {&kDatabaseKey, 1, 0, "02a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "e697a5e69cac",
     "22010000fedcba987654321002a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7363ea6cfbde715a588"
     "0ee7c79815911b1f23b02bd3b7",
     "IgEAAP7cuph2VDIQAqGio6SlpqeoqaqrrK2ur7CxsrO0tba3Nj6mz73nFaWIDufHmBWRGx8jsCvTtw=="},
    {&kOwnerKey, 2, 7, "03a1a2a3a4a5a6a7a8a9aaab", "00ff",
     "210200070123456789abcdef03a1a2a3a4a5a6a7a8a9aaabedd5ca7fee27150b1883745de3a7abfe0a20",
     "IQIABwEjRWeJq83vA6Gio6Slpqeoqaqr7dXKf+4nFQsYg3Rd46er/gog"},
    {&kDatabaseKey, 2, 0, "04a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "5c",
     "22020000fedcba987654321004a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7ad031a79d9d50f6521"
     "052cc1547e86af0d",
     "IgIAAP7cuph2VDIQBKGio6SlpqeoqaqrrK2ur7CxsrO0tba3rQMaednVD2UhBSzBVH6Grw0="},
    {&kOwnerKey, 3, 7, "05a1a2a3a4a5a6a7a8a9aaab", "017b2261223a205b312e35302c206e756c6c5d7d",
     "210300070123456789abcdef05a1a2a3a4a5a6a7a8a9aaab1f6d3fbd8c1bc0084c95b81b5d4db9b7c1905628d4"
     "7aaa1170c3df11bb3f4040471738fe",
     "IQMABwEjRWeJq83vBaGio6SlpqeoqaqrH20/vYwbwAhMlbgbXU25t8GQVijUeqoRcMPfEbs/QEBHFzj+"},
    {&kDatabaseKey, 3, 0, "06a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "0122c3bc22",
     "22030000fedcba987654321006a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b773dbd84ad9879fc386"
     "b6d96c2020c5783c48728fe9",
     "IgMAAP7cuph2VDIQBqGio6SlpqeoqaqrrK2ur7CxsrO0tba3c9vYStmHn8OGttlsICDFeDxIco/p"},
    {&kOwnerKey, 4, 7, "07a1a2a3a4a5a6a7a8a9aaab", "ffffffffffffffff",
     "210400070123456789abcdef07a1a2a3a4a5a6a7a8a9aaab4e9e43373532cd564d1cf1fd6215aecacfb3d9cdc6"
     "2908cf",
     "IQQABwEjRWeJq83vB6Gio6SlpqeoqaqrTp5DNzUyzVZNHPH9YhWuys+z2c3GKQjP"},
    {&kDatabaseKey, 4, 0, "08a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "7fffffffffffffff",
     "22040000fedcba987654321008a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b74ebe951a063bc48b2b"
     "e2dbc144ea62ba3a21416e95e52048",
     "IgQAAP7cuph2VDIQCKGio6SlpqeoqaqrrK2ur7CxsrO0tba3Tr6VGgY7xIsr4tvBROpiujohQW6V5SBI"},
    {&kOwnerKey, 5, 7, "09a1a2a3a4a5a6a7a8a9aaab", "0003000140000004000109291a7c",
     "210500070123456789abcdef09a1a2a3a4a5a6a7a8a9aaab4c19388e1480d815bb1cc319b223cd0c1b80dc0dcb"
     "930aabd038e7875215",
     "IQUABwEjRWeJq83vCaGio6SlpqeoqaqrTBk4jhSA2BW7HMMZsiPNDBuA3A3Lkwqr0Djnh1IV"},
    {&kDatabaseKey, 5, 0, "0aa1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "00000000d0000020",
     "22050000fedcba98765432100aa1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b734c700ddfdde11ba16"
     "e9045f57d9d19f140c995c981128eb",
     "IgUAAP7cuph2VDIQCqGio6SlpqeoqaqrrK2ur7CxsrO0tba3NMcA3f3eEboW6QRfV9nRnxQMmVyYESjr"},
    {&kOwnerKey, 5, 7, "0ba1a2a3a4a5a6a7a8a9aaab", "0000000000000002",
     "210500070123456789abcdef0ba1a2a3a4a5a6a7a8a9aaab7ce94bb11755d2da8fdeda9f25888e8b49860db464"
     "68d887",
     "IQUABwEjRWeJq83vC6Gio6SlpqeoqaqrfOlLsRdV0tqP3tqfJYiOi0mGDbRkaNiH"},
    {&kDatabaseKey, 5, 0, "0ca1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "00010005000000000001",
     "22050000fedcba98765432100ca1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b78e9201e9b0fbb65af8"
     "7b3aae6a6603e46237a93a2b78dbcc1143",
     "IgUAAP7cuph2VDIQDKGio6SlpqeoqaqrrK2ur7CxsrO0tba3jpIB6bD7tlr4ezquamYD5GI3qToreNvMEUM="},
    {&kOwnerKey, 6, 7, "0da1a2a3a4a5a6a7a8a9aaab", "bfb999999999999a",
     "210600070123456789abcdef0da1a2a3a4a5a6a7a8a9aaab2961eb00cf8807f7b712c5b7aa32cbc18b92545ea6"
     "80e9a0",
     "IQYABwEjRWeJq83vDaGio6SlpqeoqaqrKWHrAM+IB/e3EsW3qjLLwYuSVF6mgOmg"},
    {&kDatabaseKey, 6, 0, "0ea1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "7ff8000000000000",
     "22060000fedcba98765432100ea1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b78f43f0e3ec7175a057"
     "8adf6a1ead000f246e462c44328207",
     "IgYAAP7cuph2VDIQDqGio6SlpqeoqaqrrK2ur7CxsrO0tba3j0Pw4+xxdaBXit9qHq0ADyRuRixEMoIH"},
    {&kOwnerKey, 6, 7, "0fa1a2a3a4a5a6a7a8a9aaab", "8000000000000000",
     "210600070123456789abcdef0fa1a2a3a4a5a6a7a8a9aaab63c3f745187477d1a226c390d525d331183d15e976"
     "e1bb0e",
     "IQYABwEjRWeJq83vD6Gio6SlpqeoqaqrY8P3RRh0d9GiJsOQ1SXTMRg9Fel24bsO"},
    {&kDatabaseKey, 6, 0, "10a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "7fefffffffffffff",
     "22060000fedcba987654321010a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b79a8f3e66d169dbeb2a"
     "2ad1ddf3f3bc8c26c23d5dcacf42c7",
     "IgYAAP7cuph2VDIQEKGio6SlpqeoqaqrrK2ur7CxsrO0tba3mo8+ZtFp2+sqKtHd8/O8jCbCPV3Kz0LH"},
    {&kOwnerKey, 7, 7, "11a1a2a3a4a5a6a7a8a9aaab", "01",
     "210700070123456789abcdef11a1a2a3a4a5a6a7a8a9aaabce02c57093a370e074391b37a0926f564b",
     "IQcABwEjRWeJq83vEaGio6SlpqeoqaqrzgLFcJOjcOB0ORs3oJJvVks="},
    {&kDatabaseKey, 7, 0, "12a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "00",
     "22070000fedcba987654321012a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b783676dc79edf2476fe"
     "2a2ed95ee9b0a7a9",
     "IgcAAP7cuph2VDIQEqGio6SlpqeoqaqrrK2ur7CxsrO0tba3g2dtx57fJHb+Ki7ZXumwp6k="},
    {&kOwnerKey, 8, 7, "13a1a2a3a4a5a6a7a8a9aaab", "ffffffff",
     "210800070123456789abcdef13a1a2a3a4a5a6a7a8a9aaab7d23fcfd708019b8f0c64a0b15fbe2efb635b6d1",
     "IQgABwEjRWeJq83vE6Gio6SlpqeoqaqrfSP8/XCAGbjwxkoLFfvi77Y1ttE="},
    {&kDatabaseKey, 8, 0, "14a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "ffda97a7",
     "22080000fedcba987654321014a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b72426dab2d4b2b38164"
     "6bf23382a8f9ed4b9546f2",
     "IggAAP7cuph2VDIQFKGio6SlpqeoqaqrrK2ur7CxsrO0tba3JCbastSys4Fka/Izgqj57UuVRvI="},
    {&kOwnerKey, 8, 7, "15a1a2a3a4a5a6a7a8a9aaab", "7fffffff",
     "210800070123456789abcdef15a1a2a3a4a5a6a7a8a9aaab30a611f793a88ebea7a7de34e773aa08529fd211",
     "IQgABwEjRWeJq83vFaGio6SlpqeoqaqrMKYR95Oojr6np94053OqCFKf0hE="},
    {&kDatabaseKey, 8, 0, "16a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "7fda970c",
     "22080000fedcba987654321016a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7651af1c5b016ff5095"
     "957287126d7a7ae4d991f8",
     "IggAAP7cuph2VDIQFqGio6SlpqeoqaqrrK2ur7CxsrO0tba3ZRrxxbAW/1CVlXKHEm16euTZkfg="},
    {&kOwnerKey, 9, 7, "17a1a2a3a4a5a6a7a8a9aaab", "000303c2ad893e40",
     "210900070123456789abcdef17a1a2a3a4a5a6a7a8a9aaabcae54d95fe419ad197d09499470b575cfa108d9085"
     "77f663",
     "IQkABwEjRWeJq83vF6Gio6SlpqeoqaqryuVNlf5BmtGX0JSZRwtXXPoQjZCFd/Zj"},
    {&kDatabaseKey, 9, 0, "18a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "fd0f7cc1411fa000",
     "22090000fedcba987654321018a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b775373a180eda595329"
     "1cf6a09e71e81bcc898ca9943aa616",
     "IgkAAP7cuph2VDIQGKGio6SlpqeoqaqrrK2ur7CxsrO0tba3dTc6GA7aWVMpHPagnnHoG8yJjKmUOqYW"},
    {&kOwnerKey, 9, 7, "19a1a2a3a4a5a6a7a8a9aaab", "7fffff5bb3b29fff",
     "210900070123456789abcdef19a1a2a3a4a5a6a7a8a9aaab4e6194437cdb9e4c1e05c8d052c9cb1affd8d57105"
     "fc9fae",
     "IQkABwEjRWeJq83vGaGio6SlpqeoqaqrTmGUQ3zbnkweBcjQUsnLGv/Y1XEF/J+u"},
    {&kDatabaseKey, 9, 0, "1aa1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "8000000000000000",
     "22090000fedcba98765432101aa1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b733f4bc6d4f4474d7c1"
     "b6f56c2369eec336273439d2df7257",
     "IgkAAP7cuph2VDIQGqGio6SlpqeoqaqrrK2ur7CxsrO0tba3M/S8bU9EdNfBtvVsI2nuwzYnNDnS33JX"},
    {&kOwnerKey, 10, 7, "1ba1a2a3a4a5a6a7a8a9aaab", "00112233445566778899aabbccddeeff",
     "210a00070123456789abcdef1ba1a2a3a4a5a6a7a8a9aaaba02f7f1d3429a4ae44fc35ff1f54b87b73012b0a3b"
     "7db884784bf5afc4dd8d36",
     "IQoABwEjRWeJq83vG6Gio6SlpqeoqaqroC9/HTQppK5E/DX/H1S4e3MBKwo7fbiEeEv1r8TdjTY="},
    {&kDatabaseKey, 10, 0, "1ca1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7",
     "ffffffffffffffffffffffffffffffff",
     "220a0000fedcba98765432101ca1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b72cb738f2663927156e"
     "3d6643b045334d09dad917ef1e6eafa2e4718ab046ea58",
     "IgoAAP7cuph2VDIQHKGio6SlpqeoqaqrrK2ur7CxsrO0tba3LLc48mY5JxVuPWZDsEUzTQna2RfvHm6vouRxirBG6l"
     "g="},
    {&kOwnerKey, 11, 7, "1da1a2a3a4a5a6a7a8a9aaab", "020800040a010203",
     "210b00070123456789abcdef1da1a2a3a4a5a6a7a8a9aaabeb1a241371c610704299fedb665403cd2f5cda3c1b"
     "a9b314",
     "IQsABwEjRWeJq83vHaGio6Slpqeoqaqr6xokE3HGEHBCmf7bZlQDzS9c2jwbqbMU"},
    {&kDatabaseKey, 11, 0, "1ea1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7",
     "0380001020010db8000000000000000000000001",
     "220b0000fedcba98765432101ea1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b76835a9d36d709ee94a"
     "377789743c9a138d2086813180f5b85114fe3d90b6520c3c83499d",
     "IgsAAP7cuph2VDIQHqGio6SlpqeoqaqrrK2ur7CxsrO0tba3aDWp021wnulKN3eJdDyaE40ghoExgPW4URT+PZC2Ug"
     "w8g0md"},
    {&kOwnerKey, 11, 7, "1fa1a2a3a4a5a6a7a8a9aaab", "0200000400000000",
     "210b00070123456789abcdef1fa1a2a3a4a5a6a7a8a9aaabf04b03f93e90150701d8f04580da00db7639950903"
     "9759e3",
     "IQsABwEjRWeJq83vH6Gio6Slpqeoqaqr8EsD+T6QFQcB2PBFgNoA23Y5lQkDl1nj"},
    {&kDatabaseKey, 11, 0, "20a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7",
     "03400010fe800000000000000000000000000001",
     "220b0000fedcba987654321020a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7c643860336fde0a317"
     "08480a67aaec2bd4d67345e8c37004c30e124f8380b911ff239e5f",
     "IgsAAP7cuph2VDIQIKGio6SlpqeoqaqrrK2ur7CxsrO0tba3xkOGAzb94KMXCEgKZ6rsK9TWc0Xow3AEww4ST4OAuR"
     "H/I55f"},
    {&kOwnerKey, 255, 7, "21a1a2a3a4a5a6a7a8a9aaab", "6861707079",
     "21ff00070123456789abcdef046d6f6f6421a1a2a3a4a5a6a7a8a9aaabdf5bcffa1483e25fe99e01ecb6e13f85"
     "aba04b24ac",
     "If8ABwEjRWeJq83vBG1vb2QhoaKjpKWmp6ipqqvfW8/6FIPiX+meAey24T+Fq6BLJKw=", "mood"},
    {&kDatabaseKey, 255, 0, "22a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7", "c2bd",
     "22ff0000fedcba9876543210076772c3b6c39f6522a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b746"
     "81ad64927688eac0abc6d88e4541fbe710",
     "Iv8AAP7cuph2VDIQB2dyw7bDn2UioaKjpKWmp6ipqqusra6vsLGys7S1trdGga1kknaI6sCrxtiORUH75xA=", "größe"},
};

inline constexpr std::string_view kTombstoneOwner = "Zo\xc3\xab";
inline constexpr std::string_view kTombstoneKey =
    "ecd304a9c304de900a5b7ab822521b863d32c37b6e866b3670e216f13f83eb5f";
inline constexpr std::string_view kTombstone =
    "747788b46fb6ed4ef6cb4a4882997375669634fa0f67d233f50f942ba7fa6131";

}  // namespace envcrypt::test::golden
