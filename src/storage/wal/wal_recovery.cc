#include "storage/wal/wal_recovery.h"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "storage/wal/log_file.h"
#include "storage/wal/log_format.h"

namespace tideline::wal {
namespace {

constexpr std::string_view kQuarantineDirectory = "quarantine";

/// One frame that stays, in the order of numbers: read from the image, or made for a gap.
struct KeptFrame {
  FrameHeader header;
  BytesView plain;  // decrypted, still compressed
};

/// Reads log files in order, each while the one before it is replayed. One thread calls it.
class ImageReader {
 public:
  /// Without `thread` files are read when they are asked for.
  ImageReader(fs::FileSystem& fs, const WalOptions& options, std::vector<std::string> paths, bool thread)
      : fs_(fs), options_(options), paths_(std::move(paths)) {
    if (!thread || paths_.size() < 2) return;
    pool_ = std::make_unique<ThreadPool>(
        ThreadPoolOptions{.name = "wal-read", .thread_count = 1, .queue_max = 1});
  }

  /// The next file.
  Result<LogFileImage> Next() {
    if (pool_ == nullptr) return Load(next_++);
    if (next_ == 0) Start();
    Result<LogFileImage> image = reading_.get();
    if (next_ < paths_.size()) Start();
    return image;
  }

 private:
  Result<LogFileImage> Load(std::size_t index) const {
    return LogFileImage::Load(fs_, options_, paths_[index]);
  }
  void Start() {
    auto read = std::make_shared<std::promise<Result<LogFileImage>>>();
    reading_ = read->get_future();
    const Status started = pool_->Submit([this, read, index = next_++] { read->set_value(Load(index)); });
    TL_CHECK(started.ok());
  }

  fs::FileSystem& fs_;
  const WalOptions& options_;
  const std::vector<std::string> paths_;
  std::size_t next_ = 0;
  std::future<Result<LogFileImage>> reading_;
  std::unique_ptr<ThreadPool> pool_;  // last, so that it ends first
};

class Recovery {
 public:
  Recovery(fs::FileSystem& fs, const WalOptions& options, SequenceNumber floor,
           const RecoverOptions& recover, const RecordVisitor& visit)
      : fs_(fs),
        options_(options),
        floor_(floor),
        recover_(recover),
        visit_(visit),
        random_(options.uuid_seed != 0 ? Random(options.uuid_seed ^ floor.value)
                                       : Random::FromSystem()) {}

  Result<WalRecovery> Run();

 private:
  Status ListFiles();
  Status ReplayFile(std::size_t index);
  Status ReplayFrame(LogFileImage& image, const LogFileImage::Frame& frame);
  Status CheckLink(const LogFileImage& image);
  // The frame at `offset` if it continues the chain.
  std::optional<LogFileImage::Frame> NextFrame(LogFileImage& image, std::uint64_t offset) const;
  // True if something behind `offset` in the last file says that what stood at `offset` was synced.
  // `*promised_number` gets the highest number so promised.
  bool WasPromised(const LogFileImage& image, std::uint64_t offset,
                   SequenceNumber* promised_number) const;
  Status EndOfLastFile(LogFileImage& image, std::uint64_t* offset, bool* again);
  // Reports damage: an error, or in quarantine OK, and the numbers in between become a gap.
  Status Damage(std::uint64_t offset, std::string_view what);
  void AddGap(SequenceNumber last_number);
  std::optional<LogFileImage::Frame> FindFrame(LogFileImage& image, std::uint64_t offset) const;

  Result<LogFileWriter> NewLogFile(SequenceNumber first_number, std::uint32_t previous_crc,
                                   std::uint64_t zeros, std::string* temporary_path);
  Status CopyFrames(LogFileWriter& writer);
  std::uint64_t KeptBytes() const;
  Status Quarantine(const std::string& name);
  Status RewriteMiddle(std::size_t index);
  Status WriteGapFile(SequenceNumber last_number);
  Status FinishLast(std::size_t index);
  std::string PathOf(std::size_t index) const {
    return fs::JoinPath(options_.directory, LogFileName(files_[index]));
  }
  void TakePosition(const LogFileWriter& writer);

  fs::FileSystem& fs_;
  const WalOptions& options_;
  const SequenceNumber floor_;
  const RecoverOptions recover_;
  const RecordVisitor& visit_;
  Random random_;

  std::vector<SequenceNumber> files_;
  std::size_t start_ = 0;
  std::optional<ImageReader> reader_;
  std::size_t index_ = 0;              // of the file being replayed
  std::optional<LogFileImage> image_;  // of that file
  std::vector<KeptFrame> kept_;        // of that file
  std::uint32_t file_previous_crc_ = 0;
  SequenceNumber expected_{1};
  // The header CRC that the next frame or file must name. Unknown behind damage.
  std::optional<std::uint32_t> chain_;
  bool rewriting_ = false;  // damage was met: this and all later files are written anew
  Bytes scratch_;
  WalRecovery result_;
};

Status Recovery::ListFiles() {
  TL_TRY(fs::CreateDirectories(fs_, options_.directory));
  TL_TRY(fs::RemoveTemporaryFiles(fs_, options_.directory));
  const std::vector<fs::DirectoryEntry> entries = TL_TRY(fs_.List(options_.directory));
  for (const fs::DirectoryEntry& entry : entries) {
    const std::optional<SequenceNumber> number = ParseLogFileName(entry.name);
    if (number.has_value() && !entry.is_directory) {
      files_.push_back(*number);
    } else if (entry.name != kQuarantineDirectory) {
      TL_LOG_WARNING("log directory '{}' has a foreign entry '{}'", options_.directory, entry.name);
    }
  }
  // Twenty digits: the order of names is the order of numbers.
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].value <= floor_.value + 1) start_ = i;
  }
  return OkStatus();
}

Result<WalRecovery> Recovery::Run() {
  TL_TRY(ListFiles());
  expected_ = SequenceNumber{floor_.value + 1};
  if (files_.empty()) {
    if (floor_.value > 0) {
      index_ = 0;
      TL_TRY(Damage(0, fmt::format("no log file is there, but the floor is {}", floor_.value)));
    }
    result_.position.next_number = expected_;
    return std::move(result_);
  }
  for (std::size_t i = 0; i < start_; ++i) {
    const fs::FileInfo info = TL_TRY(fs_.Stat(PathOf(i)));
    result_.position.older_files.push_back({files_[i], info.bytes});
  }
  if (files_[start_] > expected_) {
    TL_TRY(Damage(0, "the log file before it is missing"));
    TL_TRY(WriteGapFile(SequenceNumber{files_[start_].value - 1}));
  } else {
    expected_ = files_[start_];
  }
  std::vector<std::string> paths;
  for (std::size_t i = start_; i < files_.size(); ++i) paths.push_back(PathOf(i));
  reader_.emplace(fs_, options_, std::move(paths), options_.own_threads);
  for (index_ = start_; index_ < files_.size(); ++index_) TL_TRY(ReplayFile(index_));
  result_.position.next_number = expected_;
  return std::move(result_);
}

Status Recovery::Damage(std::uint64_t offset, std::string_view what) {
  const std::string name = files_.empty() ? options_.directory : PathOf(index_);
  if (!recover_.quarantine) {
    return DataLoss("log is damaged before a number known durable: '{}' at byte {}, number {}: {}",
                    name, offset, expected_.value, what);
  }
  TL_LOG_ERROR("log is damaged, going on in quarantine: '{}' at byte {}, number {}: {}", name,
               offset, expected_.value, what);
  chain_.reset();
  if (!files_.empty() && index_ >= start_) rewriting_ = true;
  return OkStatus();
}

void Recovery::AddGap(SequenceNumber last_number) {
  if (last_number < expected_) return;
  if (last_number > floor_) {
    result_.gaps.push_back({std::max(expected_, SequenceNumber{floor_.value + 1}), last_number,
                            LogFileName(files_[index_])});
  }
  while (expected_ <= last_number) {
    FrameHeader header;
    header.type = FrameType::kGap;
    header.first_number = expected_;
    header.durable_number = SequenceNumber{expected_.value - 1};
    header.record_count = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(last_number.value - expected_.value + 1, UINT32_MAX));
    kept_.push_back({header, {}});
    expected_.value += header.record_count;
  }
}

std::optional<LogFileImage::Frame> Recovery::NextFrame(LogFileImage& image,
                                                       std::uint64_t offset) const {
  std::optional<LogFileImage::Frame> frame = image.FrameAt(offset);
  if (!frame.has_value() || frame->header.first_number != expected_ ||
      frame->header.previous_crc != chain_) {
    return std::nullopt;
  }
  return frame;
}

// In quarantine only: the next frame that can be used, wherever it stands.
std::optional<LogFileImage::Frame> Recovery::FindFrame(LogFileImage& image,
                                                       std::uint64_t offset) const {
  for (std::uint64_t at = image.SkipZeros(offset); at < image.size();
       at = image.SkipZeros(at + kFrameAlignment)) {
    std::optional<LogFileImage::Frame> frame = image.FrameAt(at);
    if (frame.has_value() && frame->header.first_number >= expected_) return frame;
  }
  return std::nullopt;
}

// An empty frame (a seal) is synced before anything follows it, so a frame behind the bad one that
// begins with the number expected here proves the bad one to be such a frame.
bool Recovery::WasPromised(const LogFileImage& image, std::uint64_t offset,
                           SequenceNumber* promised_number) const {
  bool promised = false;
  for (std::uint64_t at = image.SkipZeros(offset); at < image.size();
       at = image.SkipZeros(at + kFrameAlignment)) {
    const std::optional<FrameHeader> header = image.HeaderAt(at);
    if (!header.has_value()) continue;
    const bool behind = at > offset;
    if (header->durable_number >= expected_ || (behind && header->first_number == expected_)) {
      promised = true;
      *promised_number = std::max(*promised_number, header->durable_number);
    }
  }
  return promised;
}

Status Recovery::ReplayFrame(LogFileImage& image, const LogFileImage::Frame& frame) {
  const FrameHeader& header = frame.header;
  chain_ = header.header_crc;
  if (header.type == FrameType::kGap) {
    AddGap(SequenceNumber{header.first_number.value + header.record_count - 1});
    return OkStatus();
  }
  const BytesView plain = TL_TRY(image.Decrypt(frame));
  if (header.type == FrameType::kData) {
    const BytesView records = TL_TRY(UnpackPayload(header, plain, &scratch_));
    TL_TRY(VisitRecords(header, records, floor_, [this](auto number, auto type, auto payload) {
      ++result_.record_count;
      return visit_(number, type, payload);
    }));
    kept_.push_back({header, plain});
  }
  expected_.value += header.record_count;
  return OkStatus();
}

// What ties a file to the one before it.
Status Recovery::CheckLink(const LogFileImage& image) {
  const LogFileHeader& header = image.header();
  const SequenceNumber named = files_[index_];
  if (header.first_number != named) {
    return DataLoss("log file '{}' holds numbers from {}", PathOf(index_),
                    header.first_number.value);
  }
  // Where the file before was just written anew, this one will be too.
  if (index_ > start_ && !rewriting_ && header.previous_crc != chain_) {
    TL_TRY(Damage(0, "it does not continue the file before it"));
  }
  chain_ = image.header_crc();
  return OkStatus();
}

// The last file ends at `*offset`, unless what follows shows that more was promised. `*again`: in
// quarantine a later frame was found, at `*offset`.
Status Recovery::EndOfLastFile(LogFileImage& image, std::uint64_t* offset, bool* again) {
  *again = false;
  SequenceNumber promised;
  if (!WasPromised(image, *offset, &promised)) {
    result_.torn_bytes = image.LastUsed(*offset) - *offset;
    return OkStatus();
  }
  TL_TRY(Damage(*offset, "a later frame says it was synced"));
  const std::optional<LogFileImage::Frame> frame = FindFrame(image, *offset + kFrameAlignment);
  if (!frame.has_value()) {
    AddGap(promised);
    return OkStatus();
  }
  AddGap(SequenceNumber{frame->header.first_number.value - 1});
  chain_ = frame->header.previous_crc;
  *offset = frame->offset;
  *again = true;
  return OkStatus();
}

Status Recovery::ReplayFile(std::size_t index) {
  const bool is_last = index + 1 == files_.size();
  kept_.clear();
  file_previous_crc_ = chain_.value_or(0);
  Result<LogFileImage> image = reader_->Next();
  if (!image.ok()) {
    if (CodeOf(image.status()) != ErrorCode::kDataLoss) return image.status();
    TL_TRY(Damage(0, MessageOf(image.status())));
    // Without its uuid no frame can be told from garbage. At least its first number is lost.
    AddGap(is_last ? files_[index] : SequenceNumber{files_[index + 1].value - 1});
    return is_last ? FinishLast(index) : RewriteMiddle(index);
  }
  image_ = std::move(*image);
  if (index == start_ && !rewriting_) file_previous_crc_ = image_->header().previous_crc;
  TL_TRY(CheckLink(*image_));
  result_.bytes_read += image_->size();
  std::uint64_t offset = kFileHeaderBytes;
  for (;;) {
    std::optional<LogFileImage::Frame> frame = NextFrame(*image_, offset);
    while (frame.has_value()) {
      TL_TRY(ReplayFrame(*image_, *frame));
      offset = frame->end();
      frame = NextFrame(*image_, offset);
    }
    bool again = false;
    if (is_last) {
      TL_TRY(EndOfLastFile(*image_, &offset, &again));
    } else if (expected_ != files_[index + 1]) {
      // The next file was made only after everything before it had been synced.
      TL_TRY(Damage(offset, "the next log file shows it was synced"));
      const auto found = FindFrame(*image_, offset + kFrameAlignment);
      again = found.has_value() && found->header.first_number < files_[index + 1];
      AddGap(SequenceNumber{(again ? found->header.first_number : files_[index + 1]).value - 1});
      if (again) {
        chain_ = found->header.previous_crc;
        offset = found->offset;
      }
    }
    if (!again) break;
  }
  if (is_last) return FinishLast(index);
  result_.position.older_files.push_back({files_[index], offset});
  return rewriting_ ? RewriteMiddle(index) : OkStatus();
}

Result<LogFileWriter> Recovery::NewLogFile(SequenceNumber first_number, std::uint32_t previous_crc,
                                           std::uint64_t zeros, std::string* temporary_path) {
  fs::NewFile created =
      TL_TRY(fs::NewFile::Create(fs_, fs::JoinPath(options_.directory, LogFileName(first_number))));
  if (zeros > 0) TL_TRY(fs::WriteZeros(created.file(), zeros));
  std::unique_ptr<fs::File> file = created.Detach(temporary_path);
  return LogFileWriter::Begin(options_, MakeUuid(random_), first_number, previous_crc,
                              std::move(file));
}

// Of a file of the kept frames and their seal.
std::uint64_t Recovery::KeptBytes() const {
  std::uint64_t bytes = kFileHeaderBytes + FrameBytes(0);
  for (const KeptFrame& kept : kept_) bytes += FrameBytes(kept.header.payload_bytes);
  return bytes;
}

Status Recovery::CopyFrames(LogFileWriter& writer) {
  Bytes frame;
  for (const KeptFrame& kept : kept_) {
    frame.resize(writer.FrameBytesOf(kept.plain.size()));
    std::copy(kept.plain.begin(), kept.plain.end(), frame.begin() + kFrameHeaderBytes);
    TL_TRY(writer.WriteFrame(kept.header, frame, kept.plain.size()));
  }
  if (kept_.empty()) return OkStatus();
  // Everything copied is synced before the file gets its name, and the seal says so: rot of the
  // last frame will not pass for a torn tail.
  FrameHeader seal;
  seal.type = FrameType::kSeal;
  seal.first_number = expected_;
  seal.durable_number = SequenceNumber{expected_.value - 1};
  frame.resize(writer.FrameBytesOf(0));
  return writer.WriteFrame(seal, frame, 0);
}

Status Recovery::Quarantine(const std::string& name) {
  const std::string directory = fs::JoinPath(options_.directory, kQuarantineDirectory);
  TL_TRY(fs::CreateDirectories(fs_, directory));
  // A first try that was cut short has kept the original already.
  TL_TRY(IgnoreExisting(
      fs_.Link(fs::JoinPath(options_.directory, name), fs::JoinPath(directory, name))));
  return fs_.SyncDirectory(directory);
}

Status Recovery::RewriteMiddle(std::size_t index) {
  const std::string name = LogFileName(files_[index]);
  TL_TRY(Quarantine(name));
  std::string temporary;
  LogFileWriter writer =
      TL_TRY(NewLogFile(files_[index], file_previous_crc_, /*zeros=*/0, &temporary));
  TL_TRY(CopyFrames(writer));
  TL_TRY(fs::ReplaceFile(fs_, writer.file(), temporary, PathOf(index)));
  chain_ = writer.previous_crc();
  return OkStatus();
}

// Stands for log files that are missing altogether.
Status Recovery::WriteGapFile(SequenceNumber last_number) {
  const SequenceNumber first = expected_;
  AddGap(last_number);
  std::string temporary;
  LogFileWriter writer = TL_TRY(NewLogFile(first, 0, /*zeros=*/0, &temporary));
  TL_TRY(CopyFrames(writer));
  TL_TRY(fs::PublishFile(fs_, writer.file(), temporary,
                         fs::JoinPath(options_.directory, LogFileName(first))));
  result_.position.older_files.push_back({first, writer.offset()});
  chain_ = writer.previous_crc();
  return OkStatus();
}

// Nothing is ever appended behind a torn tail, and no nonce is used twice: the log goes on in a new
// file. It takes the place of the last one with a copy of its frames, or, where the floor has
// passed them all, follows it.
Status Recovery::FinishLast(std::size_t index) {
  const SequenceNumber old_first = files_[index];
  if (rewriting_) TL_TRY(Quarantine(LogFileName(old_first)));
  // In interval mode files can hold more than the log: numbers never go back below the floor.
  const SequenceNumber above_floor{floor_.value + 1};
  if (rewriting_) AddGap(floor_);
  const bool follows = !rewriting_ && expected_ <= above_floor && old_first < above_floor;
  const SequenceNumber first = follows ? above_floor : old_first;
  const std::uint32_t previous = follows ? chain_.value_or(0) : file_previous_crc_;
  std::string temporary;
  const std::uint64_t bytes = StartFileBytes(options_, follows ? kFileHeaderBytes : KeptBytes());
  LogFileWriter writer = TL_TRY(NewLogFile(first, previous, bytes, &temporary));
  if (follows) {
    expected_ = above_floor;
    result_.position.older_files.push_back({old_first, image_->size()});
    TL_TRY(fs::PublishFile(fs_, writer.file(), temporary,
                           fs::JoinPath(options_.directory, LogFileName(first))));
  } else {
    TL_TRY(CopyFrames(writer));
    TL_TRY(fs::ReplaceFile(fs_, writer.file(), temporary, PathOf(index)));
  }
  TakePosition(writer);
  result_.position.file_bytes = bytes;
  return OkStatus();
}

void Recovery::TakePosition(const LogFileWriter& writer) {
  WalPosition& position = result_.position;
  position.has_file = true;
  position.file_first_number = writer.header().first_number;
  position.file_uuid = writer.header().file_uuid;
  position.key_id = writer.header().key_id;
  position.offset = writer.offset();
  position.previous_crc = writer.previous_crc();
}

}  // namespace

Result<WalRecovery> RecoverWal(fs::FileSystem& fs, const WalOptions& options, SequenceNumber floor,
                               const RecoverOptions& recover, const RecordVisitor& visit) {
  if (options.sealer == nullptr) return InvalidArgument("WalOptions::sealer is not set");
  return Recovery(fs, options, floor, recover, visit).Run();
}

}  // namespace tideline::wal
