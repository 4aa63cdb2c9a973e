#include "core/key_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "core/secret.h"

namespace envcrypt {
namespace {

class FileDescriptor {
 public:
    explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
    FileDescriptor(const FileDescriptor &) = delete;
    FileDescriptor &operator=(const FileDescriptor &) = delete;
    ~FileDescriptor() {
        if (fd_ >= 0)
            close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

 private:
    int fd_;
};

using Path = std::array<char, PATH_MAX>;

// A data directory has the file PG_VERSION, a tablespace a subdirectory such as PG_15_202209061.
bool HoldsDatabaseFiles(const char *directory) noexcept {
    DIR *entries = opendir(directory);
    if (entries == nullptr)
        return false;
    bool found = false;
    while (!found) {
        const dirent *entry = readdir(entries);  // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (entry == nullptr)
            break;
        const std::string_view name(entry->d_name);
        found = name == "PG_VERSION" ||
                (name.size() > 3 && name.starts_with("PG_") && name[3] >= '0' && name[3] <= '9');
    }
    closedir(entries);
    return found;
}

bool InsideDataDirectory(Path directory) noexcept {
    for (char *slash = std::strrchr(directory.data(), '/'); slash != nullptr && slash != directory.data();
         slash = std::strrchr(directory.data(), '/')) {
        *slash = '\0';
        if (HoldsDatabaseFiles(directory.data()))
            return true;
    }
    return false;
}

KeyFileResult Load(const char *path, Keyring &ring) noexcept {
    Path real{};
    if (realpath(path, real.data()) == nullptr)
        return {KeyFileFault::kSystem, errno, {}};
    if (InsideDataDirectory(real))
        return {KeyFileFault::kInsideDataDirectory, 0, {}};
    // What is opened is what was looked at: no link may take its place in between; a FIFO must not block.
    const FileDescriptor file(open(real.data(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    struct stat about {};
    if (file.get() < 0 || fstat(file.get(), &about) != 0)
        return {KeyFileFault::kSystem, errno, {}};
    if (!S_ISREG(about.st_mode))
        return {KeyFileFault::kNotRegular, 0, {}};
    if (about.st_uid != geteuid() && about.st_uid != 0)
        return {KeyFileFault::kForeignOwner, 0, {}};
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return {KeyFileFault::kOpenToOthers, 0, {}};

    SecretBytes<kMaxKeyFileBytes + 1> content;
    auto bytes = content.ExposeSecret();
    std::size_t size = 0;
    while (size < bytes.size()) {
        const ssize_t n = read(file.get(), bytes.data() + size, bytes.size() - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return {KeyFileFault::kSystem, errno, {}};
        if (n == 0)
            break;
        size += static_cast<std::size_t>(n);
    }
    if (size > kMaxKeyFileBytes)
        return {KeyFileFault::kTooLarge, 0, {}};
    const Status status = ring.Load({reinterpret_cast<const char *>(bytes.data()), size});
    return {status.ok() ? KeyFileFault::kNone : KeyFileFault::kBadKeyring, 0, status};
}

}  // namespace

KeyFileResult LoadKeyFile(const char *path, Keyring &ring) noexcept {
    ring.Clear();
    return Load(path, ring);
}

}  // namespace envcrypt
