#include "core/key_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "test_util.h"

namespace envcrypt::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeyText = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

class KeyFileTest : public testing::Test {
 protected:
    void SetUp() override {
        // mkdtemp replaces the six letters.
        std::string pattern =
            (fs::temp_directory_path() / "envcrypt_key_file_").string() + std::string(6, 'X');
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { fs::remove_all(directory_); }

    static void Write(const fs::path &path, std::string_view content, mode_t mode = 0600) {
        std::ofstream(path) << content;
        ASSERT_EQ(chmod(path.c_str(), mode), 0);
    }

    // Whatever goes wrong, the ring that held a key before is empty after.
    KeyFileResult Load(const fs::path &path) {
        EXPECT_TRUE(ring_.Load(ToHex(Count(kKeyBytes, 77))).ok());
        const KeyFileResult result = LoadKeyFile(path.c_str(), ring_);
        if (result.fault != KeyFileFault::kNone) {
            EXPECT_EQ(ring_.size(), 0U);
        }
        return result;
    }

    fs::path directory_;
    Keyring ring_;
};

TEST_F(KeyFileTest, AFileOfKeysIsARing) {
    Write(directory_ / "key", std::string(kKeyText) + "\n" + ToHex(Count(kKeyBytes, 9)) + "\r\n");
    EXPECT_EQ(Load(directory_ / "key").fault, KeyFileFault::kNone);
    ASSERT_EQ(ring_.size(), 2U);
    EXPECT_EQ(ToHex(ring_.fingerprint(0)), "2e1155b39a50f31b7f27b4be3350db5b");
}

TEST_F(KeyFileTest, AMissingFileReportsErrno) {
    const KeyFileResult result = Load(directory_ / "none");
    EXPECT_EQ(result.fault, KeyFileFault::kSystem);
    EXPECT_EQ(result.system_error, ENOENT);
    EXPECT_EQ(Load("").system_error, ENOENT);
}

TEST_F(KeyFileTest, AnyRightOfGroupOrOthersIsRefused) {
    for (const mode_t mode : {0400U, 0600U, 0700U}) {
        Write(directory_ / "key", kKeyText);
        ASSERT_EQ(chmod((directory_ / "key").c_str(), mode), 0);
        EXPECT_EQ(Load(directory_ / "key").fault, KeyFileFault::kNone) << mode;
        fs::remove(directory_ / "key");
    }
    Write(directory_ / "key", kKeyText);
    for (const mode_t bit : {040U, 020U, 010U, 04U, 02U, 01U}) {
        ASSERT_EQ(chmod((directory_ / "key").c_str(), 0600 | bit), 0);
        EXPECT_EQ(Load(directory_ / "key").fault, KeyFileFault::kOpenToOthers) << bit;
    }
}

TEST_F(KeyFileTest, AFileOfAnotherUserIsRefused) {
    Write(directory_ / "key", kKeyText);
    // Only root can give a file away; for anyone else root's own files are the allowed ones.
    if (geteuid() == 0) {
        ASSERT_EQ(chown((directory_ / "key").c_str(), 65534, 65534), 0);
        EXPECT_EQ(Load(directory_ / "key").fault, KeyFileFault::kForeignOwner);
    } else {
        EXPECT_EQ(Load(directory_ / "key").fault, KeyFileFault::kNone);
    }
}

TEST_F(KeyFileTest, OnlyRegularFilesAreRead) {
    EXPECT_EQ(Load(directory_).fault, KeyFileFault::kNotRegular);
    ASSERT_EQ(mkfifo((directory_ / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(Load(directory_ / "fifo").fault, KeyFileFault::kNotRegular);  // and does not wait for a writer
    EXPECT_EQ(Load("/dev/null").fault, KeyFileFault::kNotRegular);
}

TEST_F(KeyFileTest, LinksAreFollowedToTheRealPlace) {
    fs::create_directory(directory_ / "..data");
    Write(directory_ / "..data" / "key", kKeyText);
    fs::create_symlink("..data/key", directory_ / "key");
    EXPECT_EQ(Load(directory_ / "key").fault, KeyFileFault::kNone);

    // A link outside to a file inside a data directory does not hide where the file is.
    fs::create_directory(directory_ / "pgdata");
    Write(directory_ / "pgdata" / "PG_VERSION", "15\n");
    Write(directory_ / "pgdata" / "key", kKeyText);
    fs::create_symlink("pgdata/key", directory_ / "inside");
    EXPECT_EQ(Load(directory_ / "inside").fault, KeyFileFault::kInsideDataDirectory);

    fs::create_symlink("loop", directory_ / "loop");
    EXPECT_EQ(Load(directory_ / "loop").system_error, ELOOP);
}

TEST_F(KeyFileTest, NoPlaceInADataDirectoryOrTablespaceIsAccepted) {
    fs::create_directories(directory_ / "pgdata" / "deep" / "er");
    Write(directory_ / "pgdata" / "PG_VERSION", "15\n");
    Write(directory_ / "pgdata" / "deep" / "er" / "key", kKeyText);
    EXPECT_EQ(Load(directory_ / "pgdata" / "deep" / "er" / "key").fault, KeyFileFault::kInsideDataDirectory);

    fs::create_directories(directory_ / "space" / "PG_15_202209061");
    Write(directory_ / "space" / "key", kKeyText);
    EXPECT_EQ(Load(directory_ / "space" / "key").fault, KeyFileFault::kInsideDataDirectory);

    // Beside one is fine, and so is a name that only begins alike.
    fs::create_directories(directory_ / "beside" / "PG_KEYS");
    Write(directory_ / "beside" / "key", kKeyText);
    EXPECT_EQ(Load(directory_ / "beside" / "key").fault, KeyFileFault::kNone);
}

TEST_F(KeyFileTest, BadAndEmptyContentsSayWhy) {
    Write(directory_ / "key", "");
    EXPECT_EQ(Load(directory_ / "key").keyring.code, Code::kEmptyKeyring);
    Write(directory_ / "key", std::string(kKeyText) + "\nx\n");
    const KeyFileResult result = Load(directory_ / "key");
    EXPECT_EQ(result.fault, KeyFileFault::kBadKeyring);
    EXPECT_EQ(result.keyring.code, Code::kBadKeyringEntry);
    EXPECT_EQ(result.keyring.detail, 2);
}

TEST_F(KeyFileTest, OneByteOverTheLimitIsTooLarge) {
    std::string content(kKeyText);
    content.resize(kMaxKeyFileBytes, '\n');
    Write(directory_ / "key", content);
    EXPECT_EQ(Load(directory_ / "key").fault, KeyFileFault::kNone);
    Write(directory_ / "key", content + "\n");
    EXPECT_EQ(Load(directory_ / "key").fault, KeyFileFault::kTooLarge);
}

}  // namespace
}  // namespace envcrypt::test
