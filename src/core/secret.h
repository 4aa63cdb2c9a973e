// secret.h: memory for key bytes that wipes itself.
//
// A SecretBytes cannot be copied or moved: a secret has one place, and its destructor clears that place. Raw
// bytes are reached only through ExposeSecret(), so that one search finds every place that touches them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace envcrypt {

// Wipe clears `bytes` in a way that the compiler does not remove.
void Wipe(std::span<std::uint8_t> bytes) noexcept;

template <std::size_t N>
class SecretBytes {
 public:
    SecretBytes() noexcept = default;
    SecretBytes(const SecretBytes &) = delete;
    SecretBytes &operator=(const SecretBytes &) = delete;
    ~SecretBytes() { Wipe(bytes_); }

    [[nodiscard]] std::span<std::uint8_t, N> ExposeSecret() noexcept { return bytes_; }
    [[nodiscard]] std::span<const std::uint8_t, N> ExposeSecret() const noexcept { return bytes_; }

 private:
    std::array<std::uint8_t, N> bytes_{};
};

inline constexpr std::size_t kKeyBytes = 32;
using SecretKey = SecretBytes<kKeyBytes>;

}  // namespace envcrypt
