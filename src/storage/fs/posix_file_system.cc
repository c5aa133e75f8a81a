#include "storage/fs/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace tideline::fs {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;
constexpr std::size_t kDirectAlignment = 4096;
constexpr std::size_t kDirectStepBytes = std::size_t{1} << 20;

Status ErrnoStatus(int error, std::string_view operation, std::string_view path, bool reading) {
  const std::string text =
      fmt::format("{} of '{}' failed: {} ({})", operation, path, std::strerror(error), error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ResourceExhausted("{}", text);
    case EIO:
      return reading ? DataLoss("{}", text) : Unavailable("{}", text);
    case ENOENT:
      return NotFound("{}", text);
    case EEXIST:
      return AlreadyExists("{}", text);
    case EACCES:
    case EPERM:
    case EROFS:
      return PermissionDenied("{}", text);
    case EOPNOTSUPP:
    case ENOSYS:
      return Unimplemented("{}", text);
    default:
      return Unavailable("{}", text);
  }
}
Status WriteError(std::string_view operation, std::string_view path) {
  return ErrnoStatus(errno, operation, path, false);
}
Status ReadError(std::string_view operation, std::string_view path) {
  return ErrnoStatus(errno, operation, path, true);
}

template <typename Call>
auto RetryInterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

struct FreeDeleter {
  void operator()(void* memory) const { std::free(memory); }
};

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path, bool direct)
      : descriptor_(descriptor), path_(std::move(path)), direct_(direct) {}
  ~PosixFile() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<std::byte> out) override {
    return direct_ ? ReadDirect(offset, out) : ReadPlain(offset, out);
  }

  Status WriteAt(std::uint64_t offset, BytesView bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = RetryInterrupted([&] {
        return ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      });
      if (count < 0) return WriteError("write", path_);
      if (count == 0) return Unavailable("write of '{}' makes no progress at {}", path_, offset);
      // Short: go on at the offset reached; if something is wrong the next call says what.
      offset += static_cast<std::uint64_t>(count);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return OkStatus();
  }

  // A sync that was interrupted is not known to have done anything, so EINTR is repeated; every
  // other error is final for the file.
  Status SyncData() override {
    if (RetryInterrupted([&] { return ::fdatasync(descriptor_); }) != 0) {
      return SyncError("fdatasync");
    }
    return OkStatus();
  }
  Status SyncAll() override {
    if (RetryInterrupted([&] { return ::fsync(descriptor_); }) != 0) return SyncError("fsync");
    return OkStatus();
  }

  Status StartWriteback(std::uint64_t offset, std::uint64_t bytes) override {
    const int result = ::sync_file_range(descriptor_, static_cast<off64_t>(offset),
                                         static_cast<off64_t>(bytes), SYNC_FILE_RANGE_WRITE);
    if (result != 0 && errno == EIO) return WriteError("sync_file_range", path_);
    return OkStatus();  // a hint: refusals do not matter
  }

  Status Allocate(std::uint64_t bytes) override {
    if (bytes == 0) return OkStatus();
    const int result =
        RetryInterrupted([&] { return ::fallocate(descriptor_, 0, 0, static_cast<off_t>(bytes)); });
    if (result != 0) return WriteError("fallocate", path_);
    return OkStatus();
  }
  Status Truncate(std::uint64_t bytes) override {
    const int result =
        RetryInterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(bytes)); });
    if (result != 0) return WriteError("ftruncate", path_);
    return OkStatus();
  }
  Result<std::uint64_t> Size() override {
    struct stat info = {};
    if (::fstat(descriptor_, &info) != 0) return ReadError("fstat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }
  Status DropCache() override {
    const int error = ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
    if (error != 0) return ErrnoStatus(error, "fadvise", path_, true);
    return OkStatus();
  }
  Status Close() override {
    if (descriptor_ < 0) return OkStatus();
    const int result = ::close(std::exchange(descriptor_, -1));
    // Linux frees the descriptor even on EINTR, so there is nothing to repeat.
    if (result != 0 && errno != EINTR) return SyncError("close");
    return OkStatus();
  }
  const std::string& path() const override { return path_; }

 private:
  // ENOSPC from a sync (delayed allocation) has lost pages as EIO has: it is no "wait and go on".
  Status SyncError(std::string_view operation) const {
    const Status status = WriteError(operation, path_);
    if (CodeOf(status) == ErrorCode::kResourceExhausted) {
      return Unavailable("{}", MessageOf(status));
    }
    return status;
  }

  Result<std::size_t> ReadPlain(std::uint64_t offset, std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t count = RetryInterrupted([&] {
        return ::pread(descriptor_, out.data() + done, out.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (count < 0) return ReadError("read", path_);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  Result<std::size_t> ReadDirect(std::uint64_t offset, std::span<std::byte> out) {
    const std::unique_ptr<std::byte, FreeDeleter> step(
        static_cast<std::byte*>(std::aligned_alloc(kDirectAlignment, kDirectStepBytes)));
    if (step == nullptr) return ResourceExhausted("no memory for a direct read");
    std::size_t done = 0;
    while (done < out.size()) {
      const std::uint64_t at = offset + done;
      const std::uint64_t aligned = at / kDirectAlignment * kDirectAlignment;
      const auto skip = static_cast<std::size_t>(at - aligned);
      const ssize_t count = RetryInterrupted([&] {
        return ::pread(descriptor_, step.get(), kDirectStepBytes, static_cast<off_t>(aligned));
      });
      if (count < 0) return ReadError("direct read", path_);
      if (static_cast<std::size_t>(count) <= skip) break;
      const std::size_t useful =
          std::min(static_cast<std::size_t>(count) - skip, out.size() - done);
      std::memcpy(out.data() + done, step.get() + skip, useful);
      done += useful;
    }
    return done;
  }

  int descriptor_;
  const std::string path_;
  const bool direct_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(int descriptor) : descriptor_(descriptor) {}
  ~PosixLock() override { ::close(descriptor_); }

 private:
  const int descriptor_;
};

int OpenDescriptor(const std::string& path, int flags) {
  return RetryInterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); });
}

class PosixFileSystemImpl final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(std::string_view path, OpenMode mode) override {
    const std::string name(path);
    switch (mode) {
      case OpenMode::kReadDisk: {
        const int direct = OpenDescriptor(name, O_RDONLY | O_DIRECT);
        if (direct >= 0) return std::make_unique<PosixFile>(direct, name, true);
        if (errno != EINVAL) return ReadError("open", path);
        std::unique_ptr<File> file = TL_TRY(OpenPlain(name, O_RDONLY));
        TL_TRY(file->DropCache());
        return file;
      }
      case OpenMode::kRead:
        return OpenPlain(name, O_RDONLY);
      case OpenMode::kReadWrite:
        return OpenPlain(name, O_RDWR);
      case OpenMode::kCreateNew:
        return OpenPlain(name, O_RDWR | O_CREAT | O_EXCL);
    }
    return Internal("unknown open mode {}", static_cast<int>(mode));
  }

  Status Link(std::string_view from, std::string_view to) override {
    if (::link(std::string(from).c_str(), std::string(to).c_str()) == 0) return OkStatus();
    // EPERM is what a file system without links answers; EMLINK means this file has no link to
    // spare.
    if (errno == EPERM || errno == EMLINK) {
      return Unimplemented("link to '{}' is not possible: {}", to, std::strerror(errno));
    }
    return WriteError("link to", to);
  }
  Status RenameNoReplace(std::string_view from, std::string_view to) override {
    if (::renameat2(AT_FDCWD, std::string(from).c_str(), AT_FDCWD, std::string(to).c_str(),
                    RENAME_NOREPLACE) != 0) {
      return WriteError("rename to", to);
    }
    return OkStatus();
  }
  Status RenameReplace(std::string_view from, std::string_view to) override {
    if (::rename(std::string(from).c_str(), std::string(to).c_str()) != 0) {
      return WriteError("rename to", to);
    }
    return OkStatus();
  }
  Status Remove(std::string_view path) override {
    if (::unlink(std::string(path).c_str()) != 0) return WriteError("unlink", path);
    return OkStatus();
  }
  Status CreateDirectory(std::string_view path) override {
    if (::mkdir(std::string(path).c_str(), kDirectoryMode) != 0) return WriteError("mkdir", path);
    return OkStatus();
  }
  Status RemoveDirectory(std::string_view path) override {
    if (::rmdir(std::string(path).c_str()) != 0) return WriteError("rmdir", path);
    return OkStatus();
  }
  Status SyncDirectory(std::string_view path) override {
    const int descriptor = OpenDescriptor(std::string(path), O_RDONLY | O_DIRECTORY);
    if (descriptor < 0) return WriteError("open directory", path);
    PosixFile directory(descriptor, std::string(path), false);
    return directory.SyncAll();
  }

  Result<std::vector<DirectoryEntry>> List(std::string_view path) override {
    const std::string name(path);
    DIR* directory = ::opendir(name.c_str());
    if (directory == nullptr) return ReadError("open directory", path);
    std::vector<DirectoryEntry> entries;
    Status failed = OkStatus();
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(directory);
      if (entry == nullptr) {
        if (errno != 0) failed = ReadError("list", path);
        break;
      }
      const std::string_view entry_name = entry->d_name;
      if (entry_name == "." || entry_name == "..") continue;
      bool is_directory = entry->d_type == DT_DIR;
      if (entry->d_type == DT_UNKNOWN) {
        const Result<FileInfo> info = Stat(JoinPath(path, entry_name));
        is_directory = info.ok() && info->is_directory;
      }
      entries.push_back({std::string(entry_name), is_directory});
    }
    ::closedir(directory);
    if (!failed.ok()) return failed;
    std::sort(entries.begin(), entries.end(),
              [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
    return entries;
  }

  Result<FileInfo> Stat(std::string_view path) override {
    struct stat info = {};
    if (::stat(std::string(path).c_str(), &info) != 0) return ReadError("stat", path);
    return FileInfo{static_cast<std::uint64_t>(info.st_size), S_ISDIR(info.st_mode),
                    static_cast<std::uint32_t>(info.st_mode & 07777)};
  }
  Result<SpaceInfo> Space(std::string_view path) override {
    struct statvfs info = {};
    if (::statvfs(std::string(path).c_str(), &info) != 0) return ReadError("statvfs", path);
    return SpaceInfo{std::uint64_t{info.f_blocks} * info.f_frsize,
                     std::uint64_t{info.f_bavail} * info.f_frsize};
  }
  Result<std::unique_ptr<FileLock>> Lock(std::string_view path) override {
    const int descriptor = OpenDescriptor(std::string(path), O_RDWR | O_CREAT);
    if (descriptor < 0) return WriteError("open", path);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      ::close(descriptor);
      if (error == EWOULDBLOCK) return Aborted("lock '{}' is held by another process", path);
      return ErrnoStatus(error, "lock", path, false);
    }
    return std::make_unique<PosixLock>(descriptor);
  }

 private:
  static Result<std::unique_ptr<File>> OpenPlain(const std::string& path, int flags) {
    const int descriptor = OpenDescriptor(path, flags);
    if (descriptor < 0) {
      return ErrnoStatus(errno, "open", path, (flags & O_ACCMODE) == O_RDONLY);
    }
    return std::make_unique<PosixFile>(descriptor, path, false);
  }
};

}  // namespace

FileSystem& PosixFileSystem() {
  static PosixFileSystemImpl instance;
  return instance;
}

std::uint64_t RaiseOpenFilesMax() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

}  // namespace tideline::fs
