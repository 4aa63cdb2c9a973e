// memory_failure.h: counts and refuses allocations, C++'s and OpenSSL's, so that tests see what running out
// of memory does.
#pragma once

#include <cstddef>

namespace envcrypt::test {

// HookOpenSslMemory must run before OpenSSL's first allocation. False if it came too late.
bool HookOpenSslMemory();

// Allocations of this process so far.
[[nodiscard]] std::size_t NewCalls();
[[nodiscard]] std::size_t OpenSslCalls();

// While one lives, the allocation number `which` from now on (0 is the next one) fails, and all after it.
class FailNew {
 public:
    explicit FailNew(std::size_t which);
    ~FailNew();
    FailNew(const FailNew &) = delete;
    FailNew &operator=(const FailNew &) = delete;
};

class FailOpenSsl {
 public:
    explicit FailOpenSsl(std::size_t which);
    ~FailOpenSsl();
    FailOpenSsl(const FailOpenSsl &) = delete;
    FailOpenSsl &operator=(const FailOpenSsl &) = delete;
};

}  // namespace envcrypt::test
