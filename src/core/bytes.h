// bytes.h: big-endian integers in byte strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace envcrypt {

// StoreBigEndian writes all bytes of `value`, the most significant first. `out` has room for them.
template <typename T>
constexpr void StoreBigEndian(T value, std::span<std::uint8_t> out) noexcept {
    for (std::size_t i = 0; i < sizeof(T); i++)
        out[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
}

template <typename T>
[[nodiscard]] constexpr T LoadBigEndian(std::span<const std::uint8_t> in) noexcept {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); i++) value = static_cast<T>(static_cast<T>(value << 8U) | in[i]);
    return value;
}

}  // namespace envcrypt
