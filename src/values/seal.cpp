#include <algorithm>
#include <array>

#include "keys/key_cache.h"
#include "keys/sealing_key.h"
#include "server/errors.h"
#include "server/log_filter.h"
#include "server/statement_state.h"
#include "values/plain_form.h"
#include "values/seal.h"
#include "values/transit.h"

extern "C" {
#include "access/detoast.h"
}

namespace envcrypt {
namespace {

using Nonce = std::array<std::uint8_t, kMaxNonceBytes>;

// Seals with a nonce of which the first `fixed` bytes are given and the rest is drawn.
Datum SealWithNonce(DataKey *key, const BaseType &type, std::span<const std::uint8_t> plain,
                    std::uint16_t context_id, Nonce *nonce, std::size_t fixed) {
    if (unlikely(IsCopyingIn()))
        NoteCopiedIn();
    SealedHeader header;
    header.algorithm = key->row.algorithm;
    header.type_tag = type.tag;
    header.context_id = context_id;
    header.key_id = key->row.key_id;
    header.type_name = type.name;
    const std::size_t maximum = MaxAllocSize - VARHDRSZ - SealedOverhead(header);
    if (plain.size() > maximum)
        RaiseTooLong(plain.size(), maximum);
    const std::size_t size = plain.size() + SealedOverhead(header);
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

void RefuseWhileAnalyzing() {
    if (unlikely(IsAnalyzing()))
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("encrypted values are not opened while ANALYZE runs"),
                 errdetail("Statistics are stored in plain sight."),
                 errhint("Drop the statistics object or expression index that opens an encrypted column."),
                 HideFromLog()));
}

// Opens into `plain`, which has the value's size.
void OpenInto(const SealedHeader &header, std::span<const std::uint8_t> sealed,
              std::span<std::uint8_t> plain) {
    DataKey *key = KeyOfValue(header.key_id);
    const Status status = OpenValue(key->aead, header, sealed, plain);
    if (unlikely(status.code == Code::kAuthFailed))
        RaiseCannotOpen("authentication failed", header.key_id);
    if (unlikely(!status.ok()))
        RaiseStatus(status);
}

void CheckType(const BaseType &type, const SealedHeader &header) {
    if (unlikely(header.type_tag != type.tag || (type.is_made() && header.type_name != type.name)))
        RaiseCannotOpen("sealed as another type", header.key_id);
}

}  // namespace

Datum SealFor(const Owner &owner, const char *what, const BaseType &type, Datum value,
              std::uint16_t context_id) {
    PlainPlace place;
    const auto plain = PlainBytes(type, value, place);
    return SealPlainFor(owner, what, type, plain, context_id);
}

Datum SealPlainFor(const Owner &owner, const char *what, const BaseType &type,
                   std::span<const std::uint8_t> plain, std::uint16_t context_id) {
    Nonce nonce;
    return SealWithNonce(KeyToSealFor(owner, what), type, plain, context_id, &nonce, 0);
}

Datum SealPlainUnder(std::uint64_t key_id, const BaseType &type, std::span<const std::uint8_t> plain,
                     std::uint16_t context_id) {
    Nonce nonce;
    return SealWithNonce(KeyOfValue(key_id), type, plain, context_id, &nonce, 0);
}

Datum SealInTransit(const BaseType &type, Datum value) {
    PlainPlace place;
    const auto plain = PlainBytes(type, value, place);
    DataKey *key = ActiveKey({});
    if (key == nullptr)
        ereport(ERROR, (errcode(kErrNoDataKey), errmsg("this database has no database key yet"),
                        errhint("A key administrator makes it, once, with SELECT envcrypt_rotate_master()."),
                        HideFromLog()));
    Nonce nonce;
    const TransitPrefix &prefix = NextTransitPrefix();
    std::ranges::copy(prefix, nonce.begin());
    const Datum sealed = SealWithNonce(key, type, plain, 0, &nonce, prefix.size());
    RememberInTransit(VarlenaBytes(DatumGetPointer(sealed)), plain);
    return sealed;
}

SealedHeader Header(const BaseType &type, const struct varlena *sealed) {
    const auto bytes = VarlenaBytes(sealed);
    SealedHeader header;
    const Status status = ParseHeader(bytes, bytes.size(), &header);
    if (unlikely(!status.ok()))
        RaiseCannotOpen(status.code == Code::kUnknownFormat ? "unknown format byte" : "malformed", 0);
    CheckType(type, header);
    return header;
}

SealedHeader HeaderOf(const BaseType &type, Datum sealed, const struct varlena **head) {
    const auto *whole = reinterpret_cast<const struct varlena *>(DatumGetPointer(sealed));
    // VARATT_IS_SHORT alone is true of what is stored out of line, too.
    if (likely(!VARATT_IS_EXTENDED(whole) || (VARATT_IS_SHORT(whole) && !VARATT_IS_EXTERNAL(whole)))) {
        *head = whole;
        return Header(type, whole);
    }
    constexpr int kEnough = kMaxHeaderBytes + kMaxNonceBytes;
    *head = reinterpret_cast<struct varlena *>(PG_DETOAST_DATUM_SLICE(sealed, 0, kEnough));
    SealedHeader header;
    const std::size_t size = toast_raw_datum_size(sealed) - VARHDRSZ;
    if (!ParseHeader(VarlenaBytes(*head), size, &header).ok())
        RaiseCannotOpen("malformed", 0);
    CheckType(type, header);
    return header;
}

Datum Open(const BaseType &type, const struct varlena *sealed) {
    return OpenWithHeader(type, Header(type, sealed), sealed);
}

Datum OpenWithHeader(const BaseType &type, const SealedHeader &header, const struct varlena *sealed) {
    RefuseWhileAnalyzing();
    RequireBase(type);
    const auto bytes = VarlenaBytes(sealed);
    PlainBuffer buffer;
    if (unlikely(!MakePlainBuffer(type, bytes.size() - SealedOverhead(header), &buffer)))
        RaiseCannotOpen("its size is not the type's", header.key_id);
    OpenInto(header, bytes, buffer.bytes());
    return ValueFromPlain(type, &buffer);
}

std::span<std::uint8_t> OpenPlain(const SealedHeader &header, const struct varlena *sealed) {
    RefuseWhileAnalyzing();
    const auto bytes = VarlenaBytes(sealed);
    const std::size_t size = bytes.size() - SealedOverhead(header);
    const std::span<std::uint8_t> plain(static_cast<std::uint8_t *>(palloc(size + 1)), size);
    OpenInto(header, bytes, plain);
    return plain;
}

Authenticity Authenticate(const SealedHeader &header, const struct varlena *sealed) {
    const auto bytes = VarlenaBytes(sealed);
    const std::size_t size = bytes.size() - SealedOverhead(header);
    auto *plain = static_cast<std::uint8_t *>(palloc(size + 1));
    DataKey *key = KeyOfValueIfUsable(header.key_id);
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
