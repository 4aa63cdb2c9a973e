#include "core/keyring.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>

#include "core/encoding.h"
#include "core/kdf.h"
#include "core/random.h"

namespace envcrypt {
namespace {

constexpr std::string_view kWrapLabel = "envcrypt v1 wrap";
constexpr std::string_view kFingerprintLabel = "envcrypt v1 fingerprint";
constexpr std::string_view kSeparators = ":\n";
constexpr std::string_view kBlanks = " \t\r";
constexpr std::size_t kHexChars = 2 * kKeyBytes;
constexpr std::size_t kBase64Chars = Base64Chars(kKeyBytes);

std::string_view Trim(std::string_view text) noexcept {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos)
        return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool ParseHex(std::string_view text, SecretKey &key) noexcept {
    std::array<char, kHexChars + 1> digits{};
    std::copy(text.begin(), text.end(), digits.begin());
    std::size_t length = 0;
    auto out = key.ExposeSecret();
    const bool good = OPENSSL_hexstr2buf_ex(out.data(), out.size(), &length, digits.data(), '\0') == 1 &&
                      length == kKeyBytes;
    Wipe({reinterpret_cast<std::uint8_t *>(digits.data()), digits.size()});
    if (!good)
        ERR_clear_error();
    return good;
}

bool ParseBase64(std::string_view text, SecretKey &key) noexcept {
    std::array<char, kBase64Chars> standard{};
    standard.fill('=');
    std::transform(text.begin(), text.end(), standard.begin(), [](char c) {
        return c == '-' ? '+' : c == '_' ? '/' : c;
    });
    SecretBytes<kBase64Chars / 4 * 3> decoded;
    const std::string_view padded(standard.data(), standard.size());
    const bool good = Base64DecodedSize(padded) == kKeyBytes && Base64Decode(padded, decoded.ExposeSecret());
    if (good)
        std::copy_n(decoded.ExposeSecret().begin(), kKeyBytes, key.ExposeSecret().begin());
    Wipe({reinterpret_cast<std::uint8_t *>(standard.data()), standard.size()});
    return good;
}

// ForEachKey calls `visit` with each key of `text` in turn and stops at the first status that is not kOk.
template <typename Visit>
Status ForEachKey(std::string_view text, Visit visit) noexcept {
    std::int32_t place = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(kSeparators), text.size());
        const std::string_view entry = Trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (entry.empty())
            continue;
        if (++place > static_cast<std::int32_t>(kMaxMasterKeys))
            return {Code::kTooManyKeys, kMaxMasterKeys};
        SecretKey key;
        if (!ParseMasterKey(entry, key))
            return {Code::kBadKeyringEntry, place};
        if (const Status status = visit(key); !status.ok())
            return status;
    }
    return place == 0 ? Status{Code::kEmptyKeyring} : Status{};
}

}  // namespace

bool ParseMasterKey(std::string_view text, SecretKey &key) noexcept {
    if (text.size() == kHexChars)
        return ParseHex(text, key);
    if (text.size() == kBase64Chars || text.size() == kBase64Chars - 1)
        return ParseBase64(text, key);
    return false;
}

Status GenerateMasterKey(std::span<char, 45> text) noexcept {
    SecretKey key;
    const Status status = RandomKey(key);
    if (status.ok())
        Base64Encode(key.ExposeSecret(), text);
    return status;
}

Status CheckKeyring(std::string_view text) noexcept {
    return ForEachKey(text, [](const SecretKey &) noexcept { return Status{}; });
}

Status Keyring::Load(std::string_view text) noexcept {
    Clear();
    const Status status = ForEachKey(text, [this](const SecretKey &key) noexcept { return Add(key); });
    if (!status.ok())
        Clear();
    return status;
}

Status Keyring::Add(const SecretKey &key) noexcept {
    MasterKey &slot = keys_[size_];
    SecretKey wrapping;
    Status status = DeriveKey(key.ExposeSecret(), kWrapLabel, wrapping.ExposeSecret());
    if (status.ok())
        status = DeriveKey(key.ExposeSecret(), kFingerprintLabel, slot.fingerprint);
    if (status.ok() && Find(slot.fingerprint) != nullptr)
        return {};
    if (status.ok())
        status = slot.wrapping.SetKey(Algorithm::kXaes256Gcm, wrapping.ExposeSecret());
    if (status.ok())
        size_++;
    return status;
}

void Keyring::Clear() noexcept {
    while (size_ > 0) keys_[--size_].wrapping.ClearKey();
}

Aead *Keyring::Find(const Fingerprint &fingerprint) noexcept {
    for (std::size_t i = 0; i < size_; i++) {
        if (keys_[i].fingerprint == fingerprint)
            return &keys_[i].wrapping;
    }
    return nullptr;
}

}  // namespace envcrypt
