// random.h: nonces in blocks, keys one by one.
//
// RAND_bytes costs some 700 ns a call whatever it is asked for, so nonces are cut from a block of 4 KiB. A
// block is tied to the process that filled it: a child made by fork() never repeats its parent's bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/secret.h"
#include "core/status.h"

namespace envcrypt {

class RandomPool {
 public:
    // Take fills `out` with bytes that are handed out once and then wiped from the pool. `process_id` is the
    // caller's process (the caller knows it without a system call). Returns kCryptoFailure if OpenSSL's
    // generator fails, kNoAlgorithm if there is none; `out` is then all zero.
    Status Take(std::span<std::uint8_t> out, int process_id) noexcept;

 private:
    SecretBytes<4096> block_;
    std::size_t used_ = 4096;
    int process_id_ = 0;
};

// RandomKey fills `key` from OpenSSL's generator for private values, unbuffered.
Status RandomKey(SecretKey &key) noexcept;

}  // namespace envcrypt
