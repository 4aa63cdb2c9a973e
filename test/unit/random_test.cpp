#include "core/random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>

#include "test_util.h"

namespace envcrypt::test {
namespace {

std::string Take(RandomPool &pool, std::size_t size, int process_id) {
    std::string out(size, '\0');
    EXPECT_TRUE(pool.Take({reinterpret_cast<std::uint8_t *>(out.data()), out.size()}, process_id).ok());
    return out;
}

TEST(RandomTest, NoNonceRepeats) {
    RandomPool pool;
    std::unordered_set<std::string> seen;
    constexpr std::size_t kTakes = 200'000;
    for (std::size_t i = 0; i < kTakes; i++) seen.insert(Take(pool, i % 2 == 0 ? 12 : 24, 1).substr(0, 12));
    EXPECT_EQ(seen.size(), kTakes);
}

TEST(RandomTest, TakesLargerThanABlockAndAcrossItsEndAreWhole) {
    RandomPool pool;
    for (const std::size_t size : {1, 4095, 4096, 4097, 3, 10'000, 12}) {
        const std::string bytes = Take(pool, size, 1);
        // Sixteen zero bytes in a row would be a gap that Take left.
        EXPECT_EQ(bytes.find(std::string(16, '\0')), std::string::npos) << size;
    }
    EXPECT_EQ(Take(pool, 0, 1), "");
}

TEST(RandomTest, BytesOnceTakenAreNoLongerInThePool) {
    const auto pool = std::make_unique<RandomPool>();
    const auto holds = [&pool](std::string_view bytes) {
        const std::string_view memory(reinterpret_cast<const char *>(pool.get()), sizeof(RandomPool));
        return memory.find(bytes) != std::string_view::npos;
    };
    const std::string taken = Take(*pool, 12, 1);
    EXPECT_FALSE(holds(taken));
    // The bytes that come next are there until they are taken: the search finds what it should.
    const std::string before(reinterpret_cast<const char *>(pool.get()), sizeof(RandomPool));
    const std::string next = Take(*pool, 12, 1);
    EXPECT_NE(before.find(next), std::string::npos);
    EXPECT_FALSE(holds(next));
}

TEST(RandomTest, ACopyInAnotherProcessGetsOtherBytes) {
    RandomPool pool;
    (void)Take(pool, 12, 1);
    // fork() copies the pool byte for byte.
    alignas(RandomPool) unsigned char copy[sizeof(RandomPool)];
    std::memcpy(copy, static_cast<const void *>(&pool), sizeof copy);
    auto &child = *std::launder(reinterpret_cast<RandomPool *>(copy));
    EXPECT_NE(Take(child, 24, 2), Take(pool, 24, 1));
}

TEST(RandomTest, TheSameProcessIdReadsTheSameBlock) {
    // The counterpart of the test above: without a new process id the copy does repeat.
    RandomPool pool;
    (void)Take(pool, 12, 1);
    alignas(RandomPool) unsigned char copy[sizeof(RandomPool)];
    std::memcpy(copy, static_cast<const void *>(&pool), sizeof copy);
    auto &same = *std::launder(reinterpret_cast<RandomPool *>(copy));
    EXPECT_EQ(Take(same, 24, 1), Take(pool, 24, 1));
}

TEST(RandomTest, ForkedChildrenAndTheirParentAllDiffer) {
    RandomPool pool;
    (void)Take(pool, 12, getpid());
    std::set<std::string> seen;
    constexpr int kChildren = 8;
    for (int i = 0; i < kChildren; i++) {
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            std::array<std::uint8_t, 24> bytes{};
            const bool good = pool.Take(bytes, getpid()).ok() && write(ends[1], bytes.data(), bytes.size()) ==
                                                                     static_cast<ssize_t>(bytes.size());
            _exit(good ? 0 : 1);
        }
        close(ends[1]);
        std::string bytes(24, '\0');
        EXPECT_EQ(read(ends[0], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
        close(ends[0]);
        int status = 0;
        EXPECT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
        seen.insert(bytes);
    }
    seen.insert(Take(pool, 24, getpid()));
    EXPECT_EQ(seen.size(), kChildren + 1U);
}

TEST(RandomTest, KeysDiffer) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; i++) {
        SecretKey key;
        ASSERT_TRUE(RandomKey(key).ok());
        seen.insert(ToHex(key.ExposeSecret()));
    }
    EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace envcrypt::test
