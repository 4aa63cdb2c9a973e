#include "memory_failure.h"

#include <openssl/crypto.h>

#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

struct Counter {
    std::size_t calls = 0;
    std::size_t fail_from = SIZE_MAX;

    bool Allow() { return calls++ < fail_from; }
    void FailFrom(std::size_t which) { fail_from = calls + which; }
    void Stop() { fail_from = SIZE_MAX; }
};

// The tests run in one thread.
Counter new_counter;
Counter openssl_counter;

void *OpenSslMalloc(std::size_t size, const char * /*file*/, int /*line*/) {
    return openssl_counter.Allow() ? std::malloc(size) : nullptr;
}
void *OpenSslRealloc(void *old, std::size_t size, const char * /*file*/, int /*line*/) {
    return openssl_counter.Allow() ? std::realloc(old, size) : nullptr;
}
void OpenSslFree(void *memory, const char * /*file*/, int /*line*/) {
    std::free(memory);
}

}  // namespace

void *operator new(std::size_t size) {
    void *memory = new_counter.Allow() ? std::malloc(size == 0 ? 1 : size) : nullptr;
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}
void operator delete(void *memory) noexcept {
    std::free(memory);
}
void operator delete(void *memory, std::size_t /*size*/) noexcept {
    std::free(memory);
}

namespace envcrypt::test {

bool HookOpenSslMemory() {
    return CRYPTO_set_mem_functions(OpenSslMalloc, OpenSslRealloc, OpenSslFree) == 1;
}

std::size_t NewCalls() {
    return new_counter.calls;
}
std::size_t OpenSslCalls() {
    return openssl_counter.calls;
}

FailNew::FailNew(std::size_t which) {
    new_counter.FailFrom(which);
}
FailNew::~FailNew() {
    new_counter.Stop();
}

FailOpenSsl::FailOpenSsl(std::size_t which) {
    openssl_counter.FailFrom(which);
}
FailOpenSsl::~FailOpenSsl() {
    openssl_counter.Stop();
}

}  // namespace envcrypt::test
