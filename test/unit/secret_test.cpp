#include "core/secret.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <type_traits>

#include "test_util.h"

namespace envcrypt::test {
namespace {

static_assert(!std::is_copy_constructible_v<SecretKey> && !std::is_copy_assignable_v<SecretKey>);
static_assert(!std::is_move_constructible_v<SecretKey> && !std::is_move_assignable_v<SecretKey>);

TEST(SecretTest, SecretBeginsAsZeroBytes) {
    const SecretKey key;
    EXPECT_TRUE(AllZero(key.ExposeSecret()));
}

TEST(SecretTest, WipeClearsEveryByteAndNoOther) {
    for (std::size_t size = 0; size <= 64; size++) {
        Bytes bytes(size + 2, 0xaa);
        Wipe(std::span(bytes).subspan(1, size));
        EXPECT_TRUE(AllZero(std::span(bytes).subspan(1, size)));
        EXPECT_EQ(bytes.front(), 0xaa);
        EXPECT_EQ(bytes.back(), 0xaa);
    }
    Wipe({});
}

TEST(SecretTest, DestructorClearsTheBytes) {
    // Volatile, because a compiler may otherwise assume that nobody looks at a destroyed object's memory.
    alignas(SecretKey) static unsigned char place[sizeof(SecretKey)];
    auto *key = ::new (static_cast<void *>(place)) SecretKey;
    const Bytes filled = Count(kKeyBytes, 1);
    std::copy(filled.begin(), filled.end(), key->ExposeSecret().begin());
    const volatile unsigned char *bytes = place;
    unsigned before = 0;
    for (std::size_t i = 0; i < sizeof place; i++) before += bytes[i];
    EXPECT_GT(before, 0U);
    std::destroy_at(key);
    for (std::size_t i = 0; i < sizeof place; i++) EXPECT_EQ(bytes[i], 0) << i;
}

}  // namespace
}  // namespace envcrypt::test
