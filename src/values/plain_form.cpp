#include "values/plain_form.h"

#include "core/bytes.h"
#include "core/secret.h"

#include "server/errors.h"
#include "server/without_contents.h"
#include "values/container.h"
#include "values/made_type_call.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/date.h"
#include "utils/timestamp.h"
}

namespace envcrypt {
namespace {

// Binary forms of enums, jsonb and rows hold text in the *client's* encoding. WithUtf8Client runs `work`
// while that is UTF-8, so that a value's bytes depend on no connection. In a SQL_ASCII database, bytes stay
// as they are, and nothing asks whether they are UTF-8.
template <typename Work>
Datum WithUtf8Client(Work work) {
    const int client = pg_get_client_encoding();
    const int wanted = GetDatabaseEncoding() == PG_SQL_ASCII ? PG_SQL_ASCII : PG_UTF8;
    if (likely(client == wanted))
        return work();
    if (PrepareClientEncoding(wanted) < 0)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("encoding conversion between %s and UTF8 is not supported",
                               GetDatabaseEncodingName()),
                        HideFromLog()));
    volatile Datum result = 0;
    PG_TRY();
    {
        SetClientEncoding(wanted);
        result = work();
    }
    PG_FINALLY();
    { SetClientEncoding(client); }
    PG_END_TRY();
    return result;
}

std::span<const std::uint8_t> TextBytes(Datum value) {
    const auto bytes = VarlenaBytes(DatumGetPointer(value));
    if (GetDatabaseEncoding() == PG_SQL_ASCII)
        return bytes;
    const auto *stored = reinterpret_cast<const char *>(bytes.data());
    const char *utf8 = pg_server_to_any(stored, static_cast<int>(bytes.size()), PG_UTF8);
    if (utf8 == stored)
        return bytes;
    return {reinterpret_cast<const std::uint8_t *>(utf8), strlen(utf8)};
}

std::span<const std::uint8_t> IntegerBytes(const BaseType &type, Datum value, PlainPlace place) {
    const std::span<std::uint8_t> bytes(place, static_cast<std::size_t>(type.length));
    StoreBigEndian(static_cast<std::uint64_t>(value) << (64 - 8 * bytes.size()),
                   std::span(place, sizeof(std::uint64_t)));
    return bytes;
}

Datum IntegerFromBytes(const BaseType &type, std::span<const std::uint8_t> bytes) {
    std::uint64_t bits = 0;
    for (const std::uint8_t byte : bytes) bits = bits << 8U | byte;
    // As PostgreSQL extends a shorter value that is passed by value: date is signed.
    const auto value = static_cast<std::int64_t>(bits << (64 - 8 * bytes.size())) >>
                       static_cast<unsigned>(64 - 8 * bytes.size());
    bool valid = true;
    if (type.base == BOOLOID)
        valid = bits <= 1;
    else if (type.base == DATEOID)
        valid = DATE_NOT_FINITE(static_cast<DateADT>(value)) || IS_VALID_DATE(static_cast<DateADT>(value));
    else if (type.base == TIMESTAMPTZOID)
        valid = TIMESTAMP_NOT_FINITE(value) || IS_VALID_TIMESTAMP(value);
    if (unlikely(!valid))
        ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                        errmsg("invalid value for type %s", format_type_be(type.base)), HideFromLog()));
    return static_cast<Datum>(value);
}

Datum TextFromBytes(const BaseType &type, struct varlena *plain) {
    if (GetDatabaseEncoding() == PG_SQL_ASCII)
        return PointerGetDatum(plain);
    char *utf8 = VARDATA(plain);
    const int length = static_cast<int>(VARSIZE(plain) - VARHDRSZ);
    if (likely(GetDatabaseEncoding() == PG_UTF8)) {
        // Authentic, yet perhaps sealed in a SQL_ASCII database: what is not UTF-8 must not get in.
        if (likely(pg_verify_mbstr(PG_UTF8, utf8, length, true)))
            return PointerGetDatum(plain);
        ereport(ERROR,
                (errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
                 errmsg("opened value is not valid in encoding \"UTF8\""),
                 errhint("It was probably sealed in a database of encoding SQL_ASCII."), HideFromLog()));
    }
    return WithoutContents(type.base, [&] {
        char *converted = pg_any_to_server(utf8, length, PG_UTF8);
        return converted == utf8 ? PointerGetDatum(plain) : CStringGetTextDatum(converted);
    });
}

Datum ReceiveFromBytes(const BaseType &type, PlainBuffer *buffer) {
    StringInfoData message;
    message.data = reinterpret_cast<char *>(buffer->bytes().data());
    message.len = static_cast<int>(buffer->size);
    message.maxlen = message.len + 1;  // array_recv and its like put a terminator there for a moment
    message.cursor = 0;
    if (unlikely(type.is_container))
        RequireSealableStill(type);
    const Datum value = WithoutContents(
        type.base,
        [&] {
            return WithUtf8Client([&] {
                const Datum received =
                    type.is_container
                        ? OpenContainer(type, &message)
                        : CallTypeFunction(type.is_made(), type.open, [&](FmgrInfo *open) {
                              return ReceiveFunctionCall(open, &message, type.open_parameter, -1);
                          });
                if (message.cursor != message.len)
                    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                                    errmsg("incorrect binary data format")));
                return received;
            });
        },
        true);
    Wipe(buffer->bytes());
    pfree(buffer->chunk);
    return value;
}

}  // namespace

std::span<const std::uint8_t> PlainBytes(const BaseType &type, Datum value, PlainPlace place) {
    switch (type.form) {
        case PlainForm::kText:
            return TextBytes(value);
        case PlainForm::kBytes:
            return VarlenaBytes(DatumGetPointer(value));
        case PlainForm::kInteger:
            return IntegerBytes(type, value, place);
        case PlainForm::kFixed:
            return {reinterpret_cast<const std::uint8_t *>(DatumGetPointer(value)),
                    static_cast<std::size_t>(type.length)};
        case PlainForm::kBinary:
            break;
    }
    if (unlikely(type.is_container))
        RequireSealableStill(type);
    auto *send = const_cast<FmgrInfo *>(&type.send);
    return VarlenaBytes(
        DatumGetPointer(WithUtf8Client([&] { return PointerGetDatum(SendFunctionCall(send, value)); })));
}

bool MakePlainBuffer(const BaseType &type, std::size_t size, PlainBuffer *buffer) {
    *buffer = {.chunk = nullptr, .header = 0, .size = size, .place = {}};
    const bool fits = type.is_varlena() || size == static_cast<std::size_t>(type.length);
    if (type.form == PlainForm::kInteger)
        return fits;
    if (type.form == PlainForm::kFixed) {
        buffer->chunk = palloc(size + 1);
        return fits;
    }
    buffer->header = VARHDRSZ;
    buffer->chunk = palloc(VARHDRSZ + size + 1);
    SET_VARSIZE(buffer->chunk, VARHDRSZ + size);
    buffer->bytes().data()[size] = '\0';
    return true;
}

Datum ValueFromPlain(const BaseType &type, PlainBuffer *buffer) {
    switch (type.form) {
        case PlainForm::kText:
            return TextFromBytes(type, static_cast<struct varlena *>(buffer->chunk));
        case PlainForm::kBytes:
            return PointerGetDatum(buffer->chunk);
        case PlainForm::kInteger:
            return IntegerFromBytes(type, buffer->bytes());
        case PlainForm::kFixed:
            return PointerGetDatum(buffer->chunk);
        case PlainForm::kBinary:
            break;
    }
    return ReceiveFromBytes(type, buffer);
}

}  // namespace envcrypt
