#include "core/wrapped_key.h"

#include <algorithm>

#include "core/bytes.h"

namespace envcrypt {
namespace {

constexpr std::uint8_t kWrapVersion1 = 1;
constexpr std::size_t kNonceBytes = NonceBytes(Algorithm::kXaes256Gcm);

// The associated data: version (1) | key id (8) | kind (1) | algorithm (1) | key version (4) | master key
// fingerprint (16) | 1 and the owner in UTF-8, or 0 for none. Fixed sizes first, so no two rows have the
// same.
class RowContext {
 public:
    explicit RowContext(const KeyRow &row) noexcept {
        bytes_[0] = kWrapVersion1;
        const std::span<std::uint8_t> out(bytes_);
        StoreBigEndian(row.key_id, out.subspan(1));
        bytes_[9] = static_cast<std::uint8_t>(row.kind);
        bytes_[10] = static_cast<std::uint8_t>(row.algorithm);
        StoreBigEndian(row.key_version, out.subspan(11));
        std::copy(row.master_fingerprint.begin(), row.master_fingerprint.end(), bytes_.begin() + 15);
        bytes_[31] = row.has_owner ? 1 : 0;
        if (row.has_owner) {
            std::copy_n(row.owner_utf8.begin(), row.owner_bytes, bytes_.begin() + kFixedBytes);
            size_ += row.owner_bytes;
        }
    }

    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
        return std::span<const std::uint8_t>(bytes_).first(size_);
    }

 private:
    static constexpr std::size_t kFixedBytes = 32;
    std::array<std::uint8_t, kFixedBytes + kMaxOwnerBytes> bytes_{};
    std::size_t size_ = kFixedBytes;
};

}  // namespace

Status WrapKey(Aead &wrapping, const SecretKey &key, std::span<const std::uint8_t> nonce,
               KeyRow *row) noexcept {
    const std::span<std::uint8_t> out(row->wrapped_key);
    if (nonce.size() != kNonceBytes || wrapping.algorithm() != Algorithm::kXaes256Gcm) {
        Wipe(out);
        return {Code::kCryptoFailure};
    }
    const Status status =
        wrapping.Seal(nonce, RowContext(*row).bytes(), key.ExposeSecret(), out.subspan(1 + kNonceBytes));
    if (!status.ok()) {
        Wipe(out);
        return status;
    }
    out[0] = kWrapVersion1;
    std::copy(nonce.begin(), nonce.end(), out.begin() + 1);
    return {};
}

Status UnwrapKey(Aead &wrapping, const KeyRow &row, SecretKey &key) noexcept {
    const std::span<const std::uint8_t> in(row.wrapped_key);
    if (in[0] != kWrapVersion1 || wrapping.algorithm() != Algorithm::kXaes256Gcm) {
        Wipe(key.ExposeSecret());
        return {Code::kAuthFailed};
    }
    return wrapping.Open(in.subspan(1, kNonceBytes), RowContext(row).bytes(), in.subspan(1 + kNonceBytes),
                         key.ExposeSecret());
}

}  // namespace envcrypt
