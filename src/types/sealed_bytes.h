// sealed_bytes.h: comparing sealed values without opening them.
#pragma once

#include <algorithm>

#include "server/backend.h"
#include "server/statement_state.h"

namespace envcrypt {

inline int CompareBytes(std::span<const std::uint8_t> left, std::span<const std::uint8_t> right) noexcept {
    const int order = memcmp(left.data(), right.data(), std::min(left.size(), right.size()));
    if (order != 0)
        return order;
    return left.size() == right.size() ? 0 : left.size() < right.size() ? -1 : 1;
}

// ComparesBytesOnly: while ANALYZE runs, and in logical replication workers, bytes are all that is compared:
// what is opened there would end in a catalog, or needs a key that the worker has not.
inline bool ComparesBytesOnly() noexcept {
    return IsAnalyzing() || IsReplicationWorker();
}

}  // namespace envcrypt
