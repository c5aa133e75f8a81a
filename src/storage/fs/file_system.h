// storage/fs/file_system.h: the file system as an interface, so that a test can own the disk.
//
// Everything durable in Tideline is written through this interface; PosixFileSystem is the real
// one, SimFileSystem (tests/support) the one that forgets what was not synced. What the interface
// promises is what POSIX promises and no more: data is durable after SyncData or SyncAll of its
// file, a name is durable after SyncDirectory of its directory, and nothing else orders anything.
//
// Errors keep the class of errno, because durability.md tells callers apart by it:
//   ENOSPC, EDQUOT             kResourceExhausted  throttle; heals by itself
//   EIO on read                kDataLoss           the file is named; quarantine it
//   EIO on write, sync, close  kUnavailable        never sync that file again: Linux may have
//   marked
//                                                  the lost pages clean, so a second sync lies
//   ENOENT                     kNotFound
//   EEXIST                     kAlreadyExists
//   EACCES, EPERM, EROFS       kPermissionDenied
//   EMFILE, ENFILE, ENOMEM     kResourceExhausted
//   not offered here           kUnimplemented      link without link support, and so on
//   any other                  kUnavailable
// EINTR and short transfers are continued inside and never seen outside. Messages name operation,
// path and errno.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::fs {

/// Ends every temporary name; NewFile's "<name>.<number>.tmp" are no one's and are removed at start.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

enum class OpenMode {
  kRead,       ///< existing file, read only
  kReadDisk,   ///< the same past the page cache (O_DIRECT; where refused, cached pages are dropped
               ///< first). Any offset and size may be read; sequential reads of 1 MiB are fast.
  kReadWrite,  ///< existing file
  kCreateNew,  ///< kAlreadyExists if the name is taken; read and write, mode 0600
};

/// An open file. Reads may run at once from several threads; writes and syncs need one caller at a
/// time. Dying closes it, ignoring errors: call Close where they matter.
class File {
 public:
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Reads until `out` is full or the file ends; the count read.
  virtual Result<std::size_t> ReadAt(std::uint64_t offset, std::span<std::byte> out) = 0;
  /// Writes all of `bytes`, growing the file as needed. On error an unknown part is written.
  virtual Status WriteAt(std::uint64_t offset, BytesView bytes) = 0;
  /// fdatasync: content, and the size where it grew. Durable when it returns OK, unless an earlier
  /// sync of this file failed.
  virtual Status SyncData() = 0;
  /// fsync: content and all metadata.
  virtual Status SyncAll() = 0;
  /// Starts writing a range back without waiting; a hint that promises nothing.
  virtual Status StartWriteback(std::uint64_t offset, std::uint64_t bytes) = 0;
  /// Reserves blocks for [0, bytes) and grows the file to at least that; the new part reads as
  /// zeros. Reserved is not written: the first sync of such a block still journals. See WriteZeros.
  virtual Status Allocate(std::uint64_t bytes) = 0;
  virtual Status Truncate(std::uint64_t bytes) = 0;
  virtual Result<std::uint64_t> Size() = 0;
  /// Forgets cached pages of the file (they must be synced to be forgotten).
  virtual Status DropCache() = 0;
  /// Idempotent. An error after a sync that succeeded loses nothing.
  virtual Status Close() = 0;
  virtual const std::string& path() const = 0;

 protected:
  File() = default;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  bool operator==(const DirectoryEntry&) const = default;
};

struct FileInfo {
  std::uint64_t bytes = 0;
  bool is_directory = false;
  std::uint32_t mode = 0600;  ///< permission bits
};

struct SpaceInfo {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  ///< to this process, so without the reserve for root
};

/// Held until it dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// Thread-safe. Paths are absolute or relative to the process's directory, '/' between components.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> Open(std::string_view path, OpenMode mode) = 0;
  /// A second name for a file. kAlreadyExists if `to` is taken, kUnimplemented where there are no
  /// links.
  virtual Status Link(std::string_view from, std::string_view to) = 0;
  /// kAlreadyExists if `to` is taken.
  virtual Status RenameNoReplace(std::string_view from, std::string_view to) = 0;
  /// Atomically takes the place of `to`, if there is one. Only for ReplaceFile.
  virtual Status RenameReplace(std::string_view from, std::string_view to) = 0;
  virtual Status Remove(std::string_view path) = 0;
  /// kAlreadyExists if it is there; mode 0700. The parent must exist.
  virtual Status CreateDirectory(std::string_view path) = 0;
  /// The directory must be empty.
  virtual Status RemoveDirectory(std::string_view path) = 0;
  virtual Status SyncDirectory(std::string_view path) = 0;
  /// Sorted by name, bytewise; without "." and "..".
  virtual Result<std::vector<DirectoryEntry>> List(std::string_view path) = 0;
  virtual Result<FileInfo> Stat(std::string_view path) = 0;
  virtual Result<SpaceInfo> Space(std::string_view path) = 0;
  /// flock on a file, created if absent. kAborted when someone, here or in another process, has it.
  virtual Result<std::unique_ptr<FileLock>> Lock(std::string_view path) = 0;

  /// A number that no earlier call on this object returned; makes temporary names unique.
  std::uint64_t NextTemporaryNumber() { return temporary_number_.fetch_add(1) + 1; }

 private:
  std::atomic<std::uint64_t> temporary_number_{0};
};

/// "a/b" and "c" give "a/b/c".
std::string JoinPath(std::string_view directory, std::string_view name);
/// The directory part; "." if there is none.
std::string DirectoryOf(std::string_view path);

/// Reads exactly `out.size()` bytes; kDataLoss naming the file if it ends before.
Status ReadExactly(File& file, std::uint64_t offset, std::span<std::byte> out);
/// The whole file. kDataLoss, before allocating, if it is larger than `bytes_max`.
Result<Bytes> ReadWholeFile(FileSystem& fs, std::string_view path, std::uint64_t bytes_max);
/// Fills [0, bytes) with written zeros, in steps, and syncs: later overwrites then sync without
/// touching the journal.
Status WriteZeros(File& file, std::uint64_t bytes);
/// Creates `path` and missing parents, and syncs the parent of each that it made.
Status CreateDirectories(FileSystem& fs, std::string_view path);
/// Removes what NewFile left directly in `directory`, and no other name; the count removed.
Result<std::size_t> RemoveTemporaryFiles(FileSystem& fs, std::string_view directory);

/// A file that appears under its name complete and durable, or not at all.
///
///   NewFile file = TL_TRY(NewFile::Create(fs, "/data/segments/x"));
///   TL_TRY(file.Append(bytes));
///   TL_TRY(file.Commit());          // sync, link to the final name, unlink temporary, sync
///   directory
///
/// Dying uncommitted removes the temporary file. One thread at a time.
class NewFile {
 public:
  /// Creates "<path>.<number>.tmp" beside the final path.
  static Result<NewFile> Create(FileSystem& fs, std::string_view path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&& other) noexcept;
  ~NewFile();

  Status Append(BytesView bytes);
  Status WriteAt(std::uint64_t offset, BytesView bytes) { return file_->WriteAt(offset, bytes); }
  std::uint64_t size() const { return size_; }
  File& file() { return *file_; }

  /// kAlreadyExists: the final name was taken, nothing is changed. kUnavailable after the name was
  /// made (directory sync failed): the file may or may not survive, so the caller must stop relying
  /// on this disk until a restart has looked. After any error the object is spent.
  Status Commit();
  /// The same, taking the place of what has the name.
  Status CommitReplacing();
  /// Hands over the open file and its temporary path, for a caller that gives it another name
  /// later.
  std::unique_ptr<File> Detach(std::string* temporary_path);

 private:
  NewFile(FileSystem* fs, std::string path, std::string temporary_path, std::unique_ptr<File> file);
  void Abandon();

  FileSystem* fs_;
  std::string path_;
  std::string temporary_path_;
  std::unique_ptr<File> file_;
  std::uint64_t size_ = 0;
};

/// The one function that gives a finished temporary file its name: syncs `file`, links it to
/// `path` (RENAME_NOREPLACE where links are missing), removes the temporary name, syncs the
/// directory. `file` stays open. Errors as NewFile::Commit.
Status PublishFile(FileSystem& fs, File& file, std::string_view temporary_path,
                   std::string_view path);
/// The same, taking the place of a file named `path` atomically.
Status ReplaceFile(FileSystem& fs, File& file, std::string_view temporary_path,
                   std::string_view path);

/// NewFile in one call: the file holds `bytes`, durable, or kAlreadyExists.
Status WriteFileOnce(FileSystem& fs, std::string_view path, BytesView bytes);
/// The same, replacing what was there.
Status WriteFileReplacing(FileSystem& fs, std::string_view path, BytesView bytes);

}  // namespace tideline::fs
