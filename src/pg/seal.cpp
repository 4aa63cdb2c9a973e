#include <algorithm>
#include <array>

#include "pg/errors.h"
#include "pg/key_cache.h"
#include "pg/seal.h"
#include "pg/statement_state.h"

namespace envcrypt {
namespace {

using Nonce = std::array<std::uint8_t, kMaxNonceBytes>;

// Seals with a nonce of which the first `fixed` bytes are given and the rest is drawn.
Datum SealWithNonce(DataKey *key, const BaseType &type, Datum value, Nonce *nonce, std::size_t fixed) {
    const auto plain = PlainBytes(type, value);
    if (plain.size() > kMaxPlainBytes)
        RaiseTooLong(plain.size(), kMaxPlainBytes);
    SealedHeader header;
    header.algorithm = key->row.algorithm;
    header.type_tag = type.tag;
    header.key_id = key->row.key_id;
    const std::size_t size = plain.size() + SealedOverhead(header.algorithm);
    auto *sealed = static_cast<struct varlena *>(palloc(VARHDRSZ + size));
    SET_VARSIZE(sealed, VARHDRSZ + size);
    const auto used = std::span(*nonce).first(NonceBytes(header.algorithm));
    Status status = Random().Take(used.subspan(fixed), MyProcPid);
    if (status.ok())
        status = SealValue(key->aead, header, used, plain,
                           {reinterpret_cast<std::uint8_t *>(VARDATA(sealed)), size});
    if (!status.ok())
        RaiseStatus(status);
    return PointerGetDatum(sealed);
}

}  // namespace

Datum SealUnder(DataKey *key, const BaseType &type, Datum value) {
    Nonce nonce;
    return SealWithNonce(key, type, value, &nonce, 0);
}

Datum SealInTransit(const BaseType &type, Datum value) {
    DataKey *key = ActiveKey({});
    if (key == nullptr)
        ereport(ERROR, (errcode(kErrNoDataKey), errmsg("this database has no database key yet"),
                        errhint("A key administrator makes it, once, with SELECT envcrypt_rotate_master()."),
                        HideFromLog()));
    Nonce nonce;
    const auto id = RandomBackendId();
    std::copy(id.begin(), id.end(), nonce.begin());
    return SealWithNonce(key, type, value, &nonce, id.size());
}

SealedHeader Header(const BaseType &type, const struct varlena *sealed) {
    const auto bytes = VarlenaBytes(sealed);
    SealedHeader header;
    const Status status = ParseHeader(bytes, bytes.size(), &header);
    if (unlikely(!status.ok()))
        RaiseCannotOpen(status.code == Code::kUnknownFormat ? "unknown format byte" : "malformed", 0);
    if (unlikely(header.type_tag != type.tag))
        RaiseCannotOpen("sealed as another type", header.key_id);
    return header;
}

bool SealedInThisBackend(const SealedHeader &header, const struct varlena *sealed) {
    if (likely(header.algorithm != Algorithm::kXaes256Gcm))
        return false;
    const auto id = RandomBackendId();
    return std::ranges::equal(SealedNonce(header, VarlenaBytes(sealed)).first(id.size()), id);
}

Datum Open(const BaseType &type, const struct varlena *sealed) {
    return OpenWithHeader(type, Header(type, sealed), sealed);
}

Datum OpenWithHeader(const BaseType &type, const SealedHeader &header, const struct varlena *sealed) {
    if (unlikely(IsAnalyzing()))
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("encrypted values are not opened while ANALYZE runs"),
                 errdetail("Statistics are stored in plain sight."),
                 errhint("Drop the statistics object or expression index that opens an encrypted column."),
                 HideFromLog()));
    const auto bytes = VarlenaBytes(sealed);
    const std::size_t size = bytes.size() - SealedOverhead(header.algorithm);
    auto *plain = static_cast<struct varlena *>(palloc(VARHDRSZ + size));
    SET_VARSIZE(plain, VARHDRSZ + size);
    DataKey *key = KeyOfValue(header.key_id);
    const Status status =
        OpenValue(key->aead, header, bytes, {reinterpret_cast<std::uint8_t *>(VARDATA(plain)), size});
    if (unlikely(status.code == Code::kAuthFailed))
        RaiseCannotOpen("authentication failed", header.key_id);
    if (unlikely(!status.ok()))
        RaiseStatus(status);
    return ValueFromPlain(type, plain);
}

Authenticity Authenticate(const SealedHeader &header, const struct varlena *sealed) {
    const auto bytes = VarlenaBytes(sealed);
    const std::size_t size = bytes.size() - SealedOverhead(header.algorithm);
    auto *plain = static_cast<std::uint8_t *>(palloc(size + 1));
    DataKey *key = KnownKeyOfValue(header.key_id);
    if (key == nullptr) {
        pfree(plain);
        return Authenticity::kUnknown;
    }
    const Status status = OpenValue(key->aead, header, bytes, {plain, size});
    Wipe({plain, size});
    pfree(plain);
    return status.ok() ? Authenticity::kAuthentic : Authenticity::kForged;
}

}  // namespace envcrypt
