// plain_form.h: between a base type's value and the bytes that are sealed (docs/format.md, section 2.6).
#pragma once

#include "server/backend.h"
#include "values/base_type.h"

namespace envcrypt {

// PlainBytes returns the plaintext form of a base type's value, which is not toasted: aliases it, or `place`,
// or a palloc'd copy.
using PlainPlace = std::uint8_t[sizeof(Datum)];
std::span<const std::uint8_t> PlainBytes(const BaseType &type, Datum value, PlainPlace place);

// A buffer for the plaintext form of `size` bytes that becomes a value of the base type.
struct PlainBuffer {
    void *chunk;  // palloc'd, or nullptr: the bytes are in `place`
    std::size_t header;
    std::size_t size;
    PlainPlace place;

    [[nodiscard]] std::span<std::uint8_t> bytes() noexcept {
        return {chunk != nullptr ? static_cast<std::uint8_t *>(chunk) + header : place, size};
    }
};

// MakePlainBuffer allocates it; false if no value of the type has that size.
bool MakePlainBuffer(const BaseType &type, std::size_t size, PlainBuffer *buffer);

// ValueFromPlain turns the opened bytes in `buffer` into a value of the base type and consumes the buffer.
// Errors do not quote the value.
Datum ValueFromPlain(const BaseType &type, PlainBuffer *buffer);

}  // namespace envcrypt
