#include "storage/fs/file_system.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tideline::fs {
namespace {
constexpr std::size_t kZeroStepBytes = std::size_t{1} << 20;
constexpr int kTemporaryTriesMax = 1000;

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// "<name>.<number>.tmp", as NewFile names them.
bool IsTemporaryName(std::string_view name) {
  if (!EndsWith(name, kTemporarySuffix)) return false;
  name.remove_suffix(kTemporarySuffix.size());
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) return false;
  const std::string_view number = name.substr(dot + 1);
  return std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// After a failed publish the temporary name must not stay; that it may fail too changes nothing,
// since start-up removes such names.
void RemoveQuietly(FileSystem& fs, std::string_view path) { fs.Remove(path).IgnoreError(); }
}  // namespace

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path.push_back('/');
  path.append(name);
  return path;
}

std::string DirectoryOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

Status ReadExactly(File& file, std::uint64_t offset, std::span<std::byte> out) {
  const std::size_t count = TL_TRY(file.ReadAt(offset, out));
  if (count != out.size()) {
    return DataLoss("file '{}' ends at byte {}, inside a read of {} bytes from {}", file.path(),
                    offset + count, out.size(), offset);
  }
  return OkStatus();
}

Result<Bytes> ReadWholeFile(FileSystem& fs, std::string_view path, std::uint64_t bytes_max) {
  const std::unique_ptr<File> file = TL_TRY(fs.Open(path, OpenMode::kRead));
  const std::uint64_t size = TL_TRY(file->Size());
  if (size > bytes_max) {
    return DataLoss("file '{}' has {} bytes, more than the limit of {}", path, size, bytes_max);
  }
  Bytes bytes(static_cast<std::size_t>(size));
  TL_TRY(ReadExactly(*file, 0, bytes));
  return bytes;
}

Status WriteZeros(File& file, std::uint64_t bytes) {
  // Allocating first lets the file system find one extent, and reports a full disk before any work.
  const Status allocated = file.Allocate(bytes);
  if (!allocated.ok() && CodeOf(allocated) != ErrorCode::kUnimplemented) return allocated;
  const Bytes zeros(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kZeroStepBytes)));
  for (std::uint64_t offset = 0; offset < bytes;) {
    const std::uint64_t step = std::min<std::uint64_t>(zeros.size(), bytes - offset);
    TL_TRY(file.WriteAt(offset, BytesView(zeros).first(static_cast<std::size_t>(step))));
    // Written back as it goes, so that the sync at the end does not stall the log's own syncs.
    TL_TRY(file.StartWriteback(offset, step));
    offset += step;
  }
  return file.SyncAll();
}

Status CreateDirectories(FileSystem& fs, std::string_view path) {
  const Result<FileInfo> info = fs.Stat(path);
  if (info.ok()) {
    if (info->is_directory) return OkStatus();
    return InvalidArgument("path '{}' is a file, not a directory", path);
  }
  if (CodeOf(info.status()) != ErrorCode::kNotFound) return info.status();
  const std::string parent = DirectoryOf(path);
  if (parent != path && parent != "." && parent != "/") TL_TRY(CreateDirectories(fs, parent));
  TL_TRY(IgnoreExisting(fs.CreateDirectory(path)));
  const Status synced = fs.SyncDirectory(parent);
  // Who comes next would find it there and take it for durable.
  if (!synced.ok()) static_cast<void>(fs.RemoveDirectory(path));
  return synced;
}

Result<std::size_t> RemoveTemporaryFiles(FileSystem& fs, std::string_view directory) {
  const std::vector<DirectoryEntry> entries = TL_TRY(fs.List(directory));
  std::size_t count = 0;
  for (const DirectoryEntry& entry : entries) {
    if (entry.is_directory || !IsTemporaryName(entry.name)) continue;
    TL_TRY(fs.Remove(JoinPath(directory, entry.name)));
    ++count;
  }
  if (count > 0) TL_TRY(fs.SyncDirectory(directory));
  return count;
}

NewFile::NewFile(FileSystem* fs, std::string path, std::string temporary_path,
                 std::unique_ptr<File> file)
    : fs_(fs),
      path_(std::move(path)),
      temporary_path_(std::move(temporary_path)),
      file_(std::move(file)) {}

Result<NewFile> NewFile::Create(FileSystem& fs, std::string_view path) {
  // The counter starts anew with the process, so a name left by a dead one may be in the way.
  for (int tries = 0; tries < kTemporaryTriesMax; ++tries) {
    std::string temporary =
        fmt::format("{}.{}{}", path, fs.NextTemporaryNumber(), kTemporarySuffix);
    Result<std::unique_ptr<File>> file = fs.Open(temporary, OpenMode::kCreateNew);
    if (file.ok()) {
      return NewFile(&fs, std::string(path), std::move(temporary), *std::move(file));
    }
    if (CodeOf(file.status()) != ErrorCode::kAlreadyExists) return file.status();
  }
  return ResourceExhausted("{} temporary names for '{}' are taken", kTemporaryTriesMax, path);
}

NewFile::NewFile(NewFile&& other) noexcept
    : fs_(other.fs_),
      path_(std::move(other.path_)),
      temporary_path_(std::move(other.temporary_path_)),
      file_(std::move(other.file_)),
      size_(other.size_) {
  other.temporary_path_.clear();
}

NewFile& NewFile::operator=(NewFile&& other) noexcept {
  if (this != &other) {
    Abandon();
    fs_ = other.fs_;
    path_ = std::move(other.path_);
    temporary_path_ = std::move(other.temporary_path_);
    file_ = std::move(other.file_);
    size_ = other.size_;
    other.temporary_path_.clear();
  }
  return *this;
}

NewFile::~NewFile() { Abandon(); }

void NewFile::Abandon() {
  if (temporary_path_.empty()) return;
  file_.reset();
  RemoveQuietly(*fs_, temporary_path_);
  temporary_path_.clear();
}

Status NewFile::Append(BytesView bytes) {
  TL_TRY(file_->WriteAt(size_, bytes));
  size_ += bytes.size();
  return OkStatus();
}

Status NewFile::Commit() {
  TL_CHECK(!temporary_path_.empty());
  const Status published = PublishFile(*fs_, *file_, temporary_path_, path_);
  temporary_path_.clear();
  return published;
}

Status NewFile::CommitReplacing() {
  TL_CHECK(!temporary_path_.empty());
  const Status published = ReplaceFile(*fs_, *file_, temporary_path_, path_);
  temporary_path_.clear();
  return published;
}

std::unique_ptr<File> NewFile::Detach(std::string* temporary_path) {
  TL_CHECK(!temporary_path_.empty());
  *temporary_path = std::exchange(temporary_path_, {});
  return std::move(file_);
}

Status PublishFile(FileSystem& fs, File& file, std::string_view temporary_path,
                   std::string_view path) {
  const Status synced = file.SyncAll();
  if (!synced.ok()) {
    RemoveQuietly(fs, temporary_path);
    return synced;
  }
  Status named = fs.Link(temporary_path, path);
  if (CodeOf(named) == ErrorCode::kUnimplemented) {
    named = fs.RenameNoReplace(temporary_path, path);
    if (!named.ok()) RemoveQuietly(fs, temporary_path);
  } else {
    RemoveQuietly(fs, temporary_path);
  }
  if (!named.ok()) return named;
  return fs.SyncDirectory(DirectoryOf(path));
}

Status ReplaceFile(FileSystem& fs, File& file, std::string_view temporary_path,
                   std::string_view path) {
  Status done = file.SyncAll();
  if (done.ok()) done = fs.RenameReplace(temporary_path, path);
  if (!done.ok()) {
    RemoveQuietly(fs, temporary_path);
    return done;
  }
  return fs.SyncDirectory(DirectoryOf(path));
}

Status WriteFileOnce(FileSystem& fs, std::string_view path, BytesView bytes) {
  NewFile file = TL_TRY(NewFile::Create(fs, path));
  TL_TRY(file.Append(bytes));
  return file.Commit();
}

Status WriteFileReplacing(FileSystem& fs, std::string_view path, BytesView bytes) {
  NewFile file = TL_TRY(NewFile::Create(fs, path));
  TL_TRY(file.Append(bytes));
  return file.CommitReplacing();
}

}  // namespace tideline::fs
