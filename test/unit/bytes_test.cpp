#include "core/bytes.h"

#include <gtest/gtest.h>

#include "test_util.h"

namespace envcrypt::test {
namespace {

TEST(BytesTest, TheMostSignificantByteComesFirst) {
    Bytes out(8);
    StoreBigEndian(std::uint64_t{0x0123456789abcdef}, out);
    EXPECT_EQ(ToHex(out), "0123456789abcdef");
    StoreBigEndian(std::uint16_t{0xfedc}, out);
    EXPECT_EQ(ToHex(out), "fedc456789abcdef");
    StoreBigEndian(std::uint32_t{0x80000001}, std::span(out).subspan(2));
    EXPECT_EQ(ToHex(out), "fedc80000001cdef");
}

TEST(BytesTest, LoadReversesStoreForEverySingleBit) {
    Bytes bytes(8);
    for (unsigned bit = 0; bit < 64; bit++) {
        const std::uint64_t value = std::uint64_t{1} << bit;
        StoreBigEndian(value, bytes);
        EXPECT_EQ(LoadBigEndian<std::uint64_t>(bytes), value);
        StoreBigEndian(static_cast<std::uint16_t>(value), bytes);
        EXPECT_EQ(LoadBigEndian<std::uint16_t>(bytes), static_cast<std::uint16_t>(value));
    }
}

}  // namespace
}  // namespace envcrypt::test
