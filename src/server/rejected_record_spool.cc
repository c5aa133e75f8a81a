#include "server/rejected_record_spool.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/log.h"
#include "storage/catalog/sealed_object.h"

namespace tideline::server {
namespace {

constexpr std::string_view kSuffix = ".records";
constexpr std::size_t kFrameHeadBytes = 4;
constexpr std::size_t kSpoolFileBytesMax = std::size_t{256} << 20;

std::string NameOf(std::uint64_t number) { return fmt::format("{:020}{}", number, kSuffix); }

// 0 for a name that is none of ours to the letter: such files are not read, and above all not removed.
std::uint64_t NumberOf(std::string_view name) {
  std::uint64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return name == NameOf(number) ? number : 0;
}

Result<RejectedRecordEntry> DecodeEntry(BytesView plain) {
  ByteReader in(plain);
  RejectedRecordEntry entry;
  for (std::string* text : {&entry.database, &entry.table, &entry.bucket, &entry.prefix, &entry.reason, &entry.json}) {
    *text = TL_TRY(in.LengthPrefixed(kRejectedFrameBytesMax));
  }
  if (in.remaining() != 0) return DataLoss("a rejected record has {} bytes too many", in.remaining());
  return entry;
}

}  // namespace

RejectedRecordSpool::RejectedRecordSpool(Options options)
    : options_(std::move(options)), random_(Random::FromSystem()) {}

std::string RejectedRecordSpool::PathOf(std::uint64_t number) const {
  return fs::JoinPath(options_.directory, NameOf(number));
}

Result<std::uint64_t> RejectedRecordSpool::Load(const std::function<void(RejectedRecordEntry)>& each) {
  if (options_.file_system == nullptr) return std::uint64_t{0};
  TL_TRY(fs::CreateDirectories(*options_.file_system, options_.directory));
  std::vector<std::uint64_t> numbers;
  const auto entries = TL_TRY(options_.file_system->List(options_.directory));
  for (const fs::DirectoryEntry& entry : entries) {
    if (const std::uint64_t number = NumberOf(entry.name); number != 0) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  if (numbers.empty()) return std::uint64_t{0};
  {
    MutexLock lock(mutex_);
    number_ = numbers.back() + 1;
  }
  Status first = OkStatus();
  for (const std::uint64_t number : numbers) {
    const Status loaded = LoadFile(PathOf(number), each);
    if (first.ok() && !loaded.ok()) first = Annotate(loaded, PathOf(number));
  }
  TL_TRY(first);
  return numbers.back();
}

Status RejectedRecordSpool::LoadFile(const std::string& path, const std::function<void(RejectedRecordEntry)>& each) {
  const Bytes bytes = TL_TRY(fs::ReadWholeFile(*options_.file_system, path, kSpoolFileBytesMax));
  BytesView rest(bytes);
  while (rest.size() >= kFrameHeadBytes) {
    ByteReader head(rest.first(kFrameHeadBytes));
    const std::uint32_t frame_bytes = TL_TRY(head.U32());
    rest = rest.subspan(kFrameHeadBytes);
    // What the process was writing when it ended.
    if (frame_bytes == 0 || frame_bytes > rest.size()) return OkStatus();
    const auto object = TL_TRY(catalog::OpenObject(*options_.sealer, seal::FileType::kRejectedRecord,
                                                   kRejectedRecordFormat, rest.first(frame_bytes)));
    each(TL_TRY(DecodeEntry(object.plain)));
    rest = rest.subspan(frame_bytes);
  }
  return OkStatus();
}

Result<Bytes> RejectedRecordSpool::EncodeFrame(const RejectedRecordEntry& entry) {
  Bytes plain;
  ByteWriter out(&plain);
  for (const std::string* text :
       {&entry.database, &entry.table, &entry.bucket, &entry.prefix, &entry.reason, &entry.json}) {
    out.LengthPrefixed(*text);
  }
  const Bytes sealed = TL_TRY(catalog::SealObject(*options_.sealer, options_.key_scope, MakeUuid(random_),
                                                  seal::FileType::kRejectedRecord, kRejectedRecordFormat, plain));
  if (sealed.size() > kRejectedFrameBytesMax) {
    return InvalidArgument("a rejected record takes {} bytes, the limit is {}", sealed.size(), kRejectedFrameBytesMax);
  }
  Bytes frame;
  ByteWriter framed(&frame);
  framed.U32(static_cast<std::uint32_t>(sealed.size()));
  framed.Append(sealed);
  return frame;
}

Status RejectedRecordSpool::Append(std::span<const RejectedRecordEntry> entries) {
  if (options_.file_system == nullptr || entries.empty()) return OkStatus();
  MutexLock lock(mutex_);
  Bytes frames;
  // One that is too long does not take the others with it.
  Status first = OkStatus();
  for (const RejectedRecordEntry& entry : entries) {
    const Result<Bytes> frame = EncodeFrame(entry);
    if (frame.ok()) {
      frames.insert(frames.end(), frame->begin(), frame->end());
    } else if (first.ok()) {
      first = frame.status();
    }
  }
  const bool is_new = file_ == nullptr;
  if (is_new) {
    file_ = TL_TRY(options_.file_system->Open(PathOf(number_), fs::OpenMode::kCreateNew));
    offset_ = 0;
  }
  Status stored = file_->WriteAt(offset_, frames);
  if (stored.ok()) stored = file_->SyncData();
  if (stored.ok() && is_new) stored = options_.file_system->SyncDirectory(options_.directory);
  if (!stored.ok()) {
    // Never synced twice: what follows goes into another file.
    file_ = nullptr;
    ++number_;
    return stored;
  }
  offset_ += frames.size();
  return first;
}

std::uint64_t RejectedRecordSpool::Rotate() {
  MutexLock lock(mutex_);
  if (file_ == nullptr) return number_ - 1;
  file_ = nullptr;
  return number_++;
}

Status RejectedRecordSpool::Release(std::uint64_t number) {
  if (options_.file_system == nullptr || number == 0) return OkStatus();
  const auto entries = TL_TRY(options_.file_system->List(options_.directory));
  for (const fs::DirectoryEntry& entry : entries) {
    const std::uint64_t found = NumberOf(entry.name);
    if (found != 0 && found <= number) TL_TRY(options_.file_system->Remove(PathOf(found)));
  }
  return OkStatus();
}

}  // namespace tideline::server
