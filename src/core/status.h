// status.h: how src/core reports success and failure.
//
// A Status is plain data: it may live in frames that PostgreSQL leaves by longjmp. It never carries secret
// bytes.
#pragma once

#include "core/platform.h"  // first: its message before those of what it breaks

#include <cstdint>
#include <type_traits>

namespace envcrypt {

enum class Code : std::uint8_t {
    kOk,
    kAuthFailed,       // damaged, truncated, wrong key, wrong context: indistinguishable on purpose
    kUnknownFormat,    // a format byte that this version does not know; detail is the byte
    kBadKeyringEntry,  // detail is the entry's place in the keyring, counted from 1
    kTooManyKeys,      // detail is the limit
    kEmptyKeyring,
    kTooLong,
    kNoMaster,  // the keyring lacks the master key that wrapped this data key
    kNoMemory,
    kNoAlgorithm,    // OpenSSL lacks one; detail is its number in Needed (algorithms.h)
    kCryptoFailure,  // OpenSSL refused an operation that cannot fail on valid input
};

struct [[nodiscard]] Status {
    Code code = Code::kOk;
    std::int32_t detail = 0;

    [[nodiscard]] constexpr bool ok() const noexcept { return code == Code::kOk; }
};

static_assert(std::is_trivially_destructible_v<Status> && std::is_trivially_copyable_v<Status>);

}  // namespace envcrypt
