#include "core/key_operations.h"

#include "core/bytes.h"

namespace envcrypt {
namespace {

constexpr std::string_view kTombstoneLabel = "envcrypt v1 tombstone";

Status WrapWithFreshNonce(Aead &wrapping, const SecretKey &key, const Fingerprint &fingerprint,
                          RandomPool &random, int process_id, KeyRow *row) noexcept {
    std::array<std::uint8_t, NonceBytes(Algorithm::kXaes256Gcm)> nonce{};
    if (const Status status = random.Take(nonce, process_id); !status.ok())
        return status;
    row->master_fingerprint = fingerprint;
    return WrapKey(wrapping, key, nonce, row);
}

}  // namespace

Status GenerateWrappedKey(Aead &wrapping, const Fingerprint &fingerprint, RandomPool &random, int process_id,
                          KeyRow *row) noexcept {
    SecretKey key;
    if (const Status status = RandomKey(key); !status.ok())
        return status;
    std::array<std::uint8_t, sizeof(row->key_id)> id{};
    do {
        if (const Status status = random.Take(id, process_id); !status.ok())
            return status;
        row->key_id = LoadBigEndian<std::uint64_t>(id);
    } while (row->key_id == 0);
    return WrapWithFreshNonce(wrapping, key, fingerprint, random, process_id, row);
}

Status RewrapKey(Aead &from, Aead &to, const Fingerprint &fingerprint, RandomPool &random, int process_id,
                 KeyRow *row) noexcept {
    return RewrapKeyAs(from, to, fingerprint, row->key_version, random, process_id, row);
}

Status RewrapKeyAs(Aead &from, Aead &to, const Fingerprint &fingerprint, std::uint32_t key_version,
                   RandomPool &random, int process_id, KeyRow *row) noexcept {
    SecretKey key;
    if (const Status status = UnwrapKey(from, *row, key); !status.ok())
        return status;
    row->key_version = key_version;
    return WrapWithFreshNonce(to, key, fingerprint, random, process_id, row);
}

Status OwnerTombstone(Aead &wrapping, const KeyRow &database_key, std::string_view owner_utf8,
                      Tombstone *out) noexcept {
    SecretKey key;
    SecretKey tombstone_key;
    Status status = UnwrapKey(wrapping, database_key, key);
    if (status.ok())
        status = DeriveKey(key.ExposeSecret(), kTombstoneLabel, tombstone_key.ExposeSecret());
    if (!status.ok())
        return status;
    return HmacSha256(tombstone_key.ExposeSecret(),
                      {reinterpret_cast<const std::uint8_t *>(owner_utf8.data()), owner_utf8.size()}, *out);
}

}  // namespace envcrypt
