// test_util.h: what the unit tests share: bytes, hex, and the published vector files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/aead.h"
#include "core/sealed_value.h"

namespace envcrypt::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes Hex(std::string_view digits) {
    const auto value = [](char c) -> unsigned {
        if (c >= '0' && c <= '9')
            return static_cast<unsigned>(c - '0');
        if (c >= 'a' && c <= 'f')
            return static_cast<unsigned>(c - 'a' + 10);
        throw std::invalid_argument("not a hex digit");
    };
    if (digits.size() % 2 != 0)
        throw std::invalid_argument("odd number of hex digits");
    Bytes out;
    out.reserve(digits.size() / 2);
    for (std::size_t i = 0; i < digits.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(value(digits[i]) << 4U | value(digits[i + 1])));
    return out;
}

inline std::string ToHex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const std::uint8_t byte : bytes) {
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 15U];
    }
    return out;
}

inline Bytes FromText(std::string_view text) {
    return {text.begin(), text.end()};
}

inline bool AllZero(std::span<const std::uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

inline std::span<const std::uint8_t, kKeyBytes> AsKey(const Bytes &bytes) {
    if (bytes.size() != kKeyBytes)
        throw std::invalid_argument("a key has 32 bytes");
    return std::span<const std::uint8_t, kKeyBytes>(bytes.data(), kKeyBytes);
}

// Count returns `size` bytes: first, first + 1, ...
inline Bytes Count(std::size_t size, unsigned first = 0) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; i++) out[i] = static_cast<std::uint8_t>(first + i);
    return out;
}

constexpr Algorithm kAlgorithms[] = {Algorithm::kAes256Gcm, Algorithm::kXaes256Gcm};

// Seal and open with the sizes worked out; Open's output is exact in size, so that a sanitizer sees an
// overrun, and full of 0xaa before.
inline Bytes Seal(Aead &aead, const Bytes &nonce, const Bytes &associated_data, const Bytes &plaintext) {
    Bytes out(plaintext.size() + kTagBytes, 0xaa);
    if (!aead.Seal(nonce, associated_data, plaintext, out).ok())
        throw std::runtime_error("Seal failed");
    return out;
}

struct Opened {
    Status status;
    Bytes out;
};

inline Opened Open(Aead &aead, const Bytes &nonce, const Bytes &associated_data, const Bytes &sealed) {
    Opened result{{}, Bytes(sealed.size() < kTagBytes ? 0 : sealed.size() - kTagBytes, 0xaa)};
    result.status = aead.Open(nonce, associated_data, sealed, result.out);
    return result;
}

inline Bytes SealWhole(Aead &aead, const SealedHeader &header, const Bytes &nonce, const Bytes &plaintext) {
    Bytes out(plaintext.size() + SealedOverhead(header), 0xaa);
    if (!SealValue(aead, header, nonce, plaintext, out).ok())
        throw std::runtime_error("SealValue failed");
    return out;
}

// OpenWhole is what a reader does: parse, then open with the key that the header asks for (here there is only
// one).
inline Opened OpenWhole(Aead &aead, const Bytes &sealed) {
    SealedHeader header;
    Opened result{ParseHeader(sealed, sealed.size(), &header), {}};
    if (!result.status.ok())
        return result;
    result.out.assign(sealed.size() - SealedOverhead(header), 0xaa);
    result.status = OpenValue(aead, header, sealed, result.out);
    return result;
}

// A record of a vector file: its "name = value" lines, names in upper case, and the "[name = value]" lines
// that stand before it.
struct Record {
    std::map<std::string, std::string> section;
    std::map<std::string, std::string> fields;
    bool fail = false;

    [[nodiscard]] Bytes hex(const std::string &name) const { return Hex(fields.at(name)); }
};

inline std::string VectorPath(std::string_view file) {
    const char *root = std::getenv("CRYPTOGRAPHY_VECTORS");
    return std::string(root != nullptr ? root : "/usr/lib/python3/dist-packages/cryptography_vectors") + "/" +
           std::string(file);
}

// ReadVectors returns the records of a file in NIST's format, each beginning with a line named `first`. A
// file that is not there is a failed test, not a skipped one.
inline std::vector<Record> ReadVectors(std::string_view file, std::string_view first) {
    const std::string path = VectorPath(file);
    std::ifstream in(path);
    EXPECT_TRUE(in.is_open()) << path << " is missing: install python3-cryptography-vectors, or set "
                              << "CRYPTOGRAPHY_VECTORS to the folder that holds its files";
    const auto trim = [](std::string text) {
        while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
        while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.erase(0, 1);
        return text;
    };
    std::vector<Record> records;
    std::map<std::string, std::string> section;
    for (std::string line; std::getline(in, line);) {
        line = trim(line);
        const bool heading = line.starts_with('[') && line.ends_with(']');
        if (heading)
            line = line.substr(1, line.size() - 2);
        if (line.starts_with('#'))
            continue;
        if (line == "FAIL" && !records.empty())
            records.back().fail = true;
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos)
            continue;
        std::string name = trim(line.substr(0, equals));
        const std::string value = trim(line.substr(equals + 1));
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        if (heading) {
            section[name] = value;
            continue;
        }
        if (name == first)
            records.push_back({section, {}, false});
        if (!records.empty())
            records.back().fields[name] = value;
    }
    return records;
}

inline void ReportVectors(std::string_view file, std::size_t ran, std::size_t there) {
    EXPECT_GT(ran, 0U) << file << " holds no vector that this test can run";
    EXPECT_EQ(ran, there);
    std::cout << file << ": " << ran << " of " << there << " vectors\n";
}

}  // namespace envcrypt::test
