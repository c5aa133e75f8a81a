#include "storage/wal/wal_writer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "compress/compress.h"
#include "storage/wal/log_file.h"
#include "storage/wal/log_format.h"

namespace tideline::wal {

/// Waiters in the order in which they came, linked through themselves.
class CompletionList {
 public:
  void Push(WalCompletion* completion, SequenceNumber number) {
    completion->next_ = nullptr;
    completion->number_ = number;
    (tail_ == nullptr ? head_ : tail_->next_) = completion;
    tail_ = completion;
  }
  void Splice(CompletionList* other) {
    if (other->head_ == nullptr) return;
    (tail_ == nullptr ? head_ : tail_->next_) = other->head_;
    tail_ = other->tail_;
    *other = CompletionList();
  }
  /// Runs and forgets all. A completion may delete itself or wait anew, so its link is read first.
  void RunAll(const Status& status) {
    WalCompletion* next = std::exchange(head_, nullptr);
    tail_ = nullptr;
    while (next != nullptr) {
      WalCompletion* completion = std::exchange(next, next->next_);
      completion->OnDurable(status, completion->number_);
    }
  }

 private:
  WalCompletion* head_ = nullptr;
  WalCompletion* tail_ = nullptr;
};

namespace {

constexpr std::size_t kCompressBytesMin = 256;
// A group's buffer above this is given back instead of being kept for the next.
constexpr std::size_t kGroupBufferKeepBytesMax = std::size_t{4} << 20;
constexpr std::size_t kSpareGroupsMax = 4;
// The end of each file is kept for the seal frame of a clean stop.
constexpr std::uint64_t kFileTailBytes = 64;
// Failures of preparing the next file, other than a full disk, before the log gives up.
constexpr int kPrepareFailuresMax = 3;
// The next file is prepared once this part of the current one is used: an idle server keeps one
// file.
constexpr std::uint64_t kPrepareAtFraction = 4;
constexpr std::int64_t kNever = INT64_MAX;

struct WalMetrics {
  Counter& groups = Metrics().MakeCounter("tideline_wal_groups_total", "Log frames written");
  Counter& records = Metrics().MakeCounter("tideline_wal_records_total", "Log records written");
  Counter& bytes = Metrics().MakeCounter("tideline_wal_bytes_total", "Log bytes written");
  LatencyHistogram& sync =
      Metrics().MakeHistogram("tideline_wal_sync_seconds", "Duration of syncing one log group");
};
WalMetrics& TheWalMetrics() {
  static WalMetrics metrics;
  return metrics;
}

/// Records that will share one frame. The buffer begins with room for the frame's header.
struct Group {
  Bytes buffer;
  SequenceNumber first_number;
  std::uint32_t record_count = 0;
  std::uint64_t charged_bytes = 0;
  CompletionList completions;

  SequenceNumber last_number() const { return {first_number.value + record_count - 1}; }
  void Clear() {
    if (buffer.capacity() > kGroupBufferKeepBytesMax) buffer = Bytes();
    buffer.resize(kFrameHeaderBytes);
    record_count = 0;
    charged_bytes = 0;
  }
};

Status CheckOptions(const WalOptions& options) {
  if (options.sealer == nullptr) return InvalidArgument("WalOptions::sealer is not set");
  if (options.file_bytes < kLogFileBytesMin || options.file_bytes > kLogFileBytesMax) {
    return InvalidArgument("file_bytes is {}, not {} to {}", options.file_bytes, kLogFileBytesMin,
                           kLogFileBytesMax);
  }
  // Half of the limit must be in files that a checkpoint can free, or ingest could stop for good.
  if (options.wal_bytes_max < 2 * options.file_bytes) {
    return InvalidArgument("wal_bytes_max is {}, less than two files of {}", options.wal_bytes_max,
                           options.file_bytes);
  }
  if (options.sync == SyncMode::kInterval && options.sync_interval_ns <= 0) {
    return InvalidArgument("sync_interval_ns is {}, not positive", options.sync_interval_ns);
  }
  return OkStatus();
}

/// A zero-filled, synced file that has no final name yet.
struct PreparedFile {
  std::unique_ptr<fs::File> file;
  std::string temporary_path;
};

Result<PreparedFile> PrepareFile(fs::FileSystem& fs, const WalOptions& options, std::uint64_t bytes) {
  fs::NewFile created = TL_TRY(fs::NewFile::Create(fs, fs::JoinPath(options.directory, "next")));
  TL_TRY(fs::WriteZeros(created.file(), bytes));
  PreparedFile prepared;
  prepared.file = created.Detach(&prepared.temporary_path);
  return prepared;
}

/// Turns a prepared file into the log file that begins with `first_number`.
Result<LogFileWriter> StartLogFile(fs::FileSystem& fs, const WalOptions& options, Random& random,
                                   SequenceNumber first_number, std::uint32_t previous_crc,
                                   PreparedFile prepared) {
  LogFileWriter writer = TL_TRY(LogFileWriter::Begin(options, MakeUuid(random), first_number,
                                                     previous_crc, std::move(prepared.file)));
  const std::string path = fs::JoinPath(options.directory, LogFileName(first_number));
  TL_TRY(fs::PublishFile(fs, writer.file(), prepared.temporary_path, path));
  writer.SetFile(TL_TRY(fs.Open(path, fs::OpenMode::kReadWrite)));
  return writer;
}

class WalWriterImpl final : public WalWriter {
 public:
  WalWriterImpl(fs::FileSystem& fs, const WalOptions& options, const WalPosition& position,
                Random random, LogFileWriter file, std::uint64_t file_bytes);
  ~WalWriterImpl() override;
  void StartThreads();

  Result<WalReservation> Reserve(std::uint64_t payload_bytes, std::uint32_t record_count) override;
  SequenceNumber Append(WalReservation& reservation, std::uint16_t type,
                        std::span<const BytesView> pieces, WalCompletion* completion) override;
  void WhenDurable(SequenceNumber number, WalCompletion* completion) override;
  SequenceNumber durable_number() const override { return {durable_.load()}; }
  SequenceNumber synced_number() const override { return {synced_.load()}; }
  SequenceNumber last_number() const override;
  std::uint64_t retained_bytes() const override;
  std::uint64_t record_bytes_max() const override {
    return group_bytes_max_ - kRecordHeaderBytesMax;
  }
  WalStats stats() const override;
  Status Truncate(SequenceNumber floor) override;
  Status Flush() override;
  using WalWriter::Stop;
  Status Stop(SequenceNumber floor) override;
  bool Drive() override;

 protected:
  void Release(std::uint64_t charged_bytes) override;

 private:
  enum class NextState { kNone, kWanted, kPreparing, kReady };

  std::uint64_t RecordCharge(std::uint64_t payload_bytes) const {
    return payload_bytes + record_overhead_;
  }
  std::uint64_t RoomBytes() const TL_REQUIRES(mutex_);
  std::uint64_t FileBytes() const;
  std::uint64_t RetainedBytes() const TL_REQUIRES(mutex_);
  Group& GroupFor(std::size_t record_bytes) TL_REQUIRES(mutex_);
  void WantNextFile() TL_REQUIRES(mutex_);
  std::int64_t NsUntilTimer() const TL_REQUIRES(mutex_);
  bool HasWork() const TL_REQUIRES(mutex_) { return !queue_.empty() || NsUntilTimer() <= 0; }

  // The commit thread (or Drive).
  void Run();
  void WaitForCompany();
  bool Step();
  void CommitGroup(std::unique_ptr<Group> group);
  Status WriteGroup(Group& group);
  std::size_t CompressGroup(const Group& group);
  Status WriteSeal();
  void GiveBackRoom();
  void LeaveFile();
  bool RunTimers();
  Status SyncFile();
  Status SwitchFile(SequenceNumber first_number);
  void NoteSwitch(SequenceNumber first_number, std::uint64_t file_bytes) TL_REQUIRES(mutex_);
  void Poison(const Status& cause);
  void FinishGroup(std::unique_ptr<Group> group, const Status& status);
  void PublishOffset();

  // The preparing thread (or Drive).
  void Prepare();

  fs::FileSystem& fs_;
  const WalOptions options_;
  std::uint64_t record_overhead_ = 0;
  std::size_t group_bytes_max_ = 0;
  std::uint64_t usable_bytes_ = 0;  // of an empty file

  // Of the commit thread alone.
  Random random_;
  LogFileWriter file_;
  Bytes scratch_;
  SequenceNumber written_;  // last number written to the file
  bool sealed_ = true;      // nothing but a seal since the last data frame

  std::atomic<std::uint64_t> durable_;
  std::atomic<std::uint64_t> synced_;

  mutable Mutex mutex_;
  CondVar work_;     // for the commit thread
  CondVar changed_;  // for Flush and Stop
  bool commit_waits_ TL_GUARDED_BY(mutex_) = false;
  std::uint64_t next_number_ TL_GUARDED_BY(mutex_);
  std::deque<std::unique_ptr<Group>> queue_ TL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Group>> spare_ TL_GUARDED_BY(mutex_);
  // Groups taken from the queue hold numbers up to here; waiters for them go to in_flight_.
  std::uint64_t taken_ TL_GUARDED_BY(mutex_);
  CompletionList in_flight_ TL_GUARDED_BY(mutex_);
  std::uint64_t outstanding_bytes_ TL_GUARDED_BY(mutex_) = 0;  // reserved or queued
  std::uint64_t offset_ TL_GUARDED_BY(mutex_);                 // of the current file
  std::uint64_t file_bytes_ TL_GUARDED_BY(mutex_);             // likewise; changed by the commit thread alone
  SequenceNumber current_first_ TL_GUARDED_BY(mutex_);
  std::vector<LogFileInfo> older_ TL_GUARDED_BY(mutex_);
  std::uint64_t older_bytes_ TL_GUARDED_BY(mutex_) = 0;
  NextState next_state_ TL_GUARDED_BY(mutex_) = NextState::kNone;
  PreparedFile next_ TL_GUARDED_BY(mutex_);
  Status prepare_status_ TL_GUARDED_BY(mutex_);
  SteadyNs prepare_failed_at_ TL_GUARDED_BY(mutex_);
  int prepare_failures_ TL_GUARDED_BY(mutex_) = 0;
  Status poison_ TL_GUARDED_BY(mutex_);
  bool has_unsynced_ TL_GUARDED_BY(mutex_) = false;
  SteadyNs last_write_ TL_GUARDED_BY(mutex_);
  SteadyNs unsynced_since_ TL_GUARDED_BY(mutex_);
  bool seal_due_ TL_GUARDED_BY(mutex_) = false;
  std::uint64_t sync_wanted_ TL_GUARDED_BY(mutex_) = 0;
  bool stopping_ TL_GUARDED_BY(mutex_) = false;
  bool end_thread_ TL_GUARDED_BY(mutex_) = false;
  bool stopped_ TL_GUARDED_BY(mutex_) = false;
  Status stop_status_ TL_GUARDED_BY(mutex_);
  WalStats stats_ TL_GUARDED_BY(mutex_);

  // Last, so that they end first.
  std::unique_ptr<ThreadPool> commit_pool_;
  std::unique_ptr<ThreadPool> prepare_pool_;
};

WalWriterImpl::WalWriterImpl(fs::FileSystem& fs, const WalOptions& options,
                             const WalPosition& position, Random random, LogFileWriter file,
                             std::uint64_t file_bytes)
    : fs_(fs),
      options_(options),
      random_(random),
      file_(std::move(file)),
      written_{position.next_number.value - 1},
      durable_(position.next_number.value - 1),
      synced_(position.next_number.value - 1),
      next_number_(position.next_number.value),
      taken_(position.next_number.value - 1),
      offset_(file_.offset()),
      file_bytes_(file_bytes),
      current_first_(file_.header().first_number),
      older_(position.older_files),
      prepare_status_(OkStatus()) {
  for (const LogFileInfo& info : older_) older_bytes_ += info.used_bytes;
  const std::size_t frame_overhead = kFrameHeaderBytes + file_.cipher_bytes() + kFrameAlignment - 1;
  // Each record may come to stand in a frame of its own, and pays for it.
  record_overhead_ = kRecordHeaderBytesMax + frame_overhead;
  usable_bytes_ = options_.file_bytes - kFileHeaderBytes - kFileTailBytes;
  group_bytes_max_ = static_cast<std::size_t>(
      std::min<std::uint64_t>(kFramePayloadBytesMax, usable_bytes_ - frame_overhead));
  TheWalMetrics();  // they are there, with 0, before anything is written
  Metrics().AddGauge(this, "tideline_wal_retained_bytes", "Log bytes that a replay would read", {},
                     [this] { return static_cast<double>(retained_bytes()); });
}

void WalWriterImpl::StartThreads() {
  if (!options_.own_threads) return;
  prepare_pool_ = std::make_unique<ThreadPool>(
      ThreadPoolOptions{.name = "wal-prepare", .thread_count = 1, .queue_max = 1});
  commit_pool_ = std::make_unique<ThreadPool>(
      ThreadPoolOptions{.name = "wal-commit", .thread_count = 1, .queue_max = 1});
  const Status started = commit_pool_->Submit([this] { Run(); });
  TL_CHECK(started.ok());
}

WalWriterImpl::~WalWriterImpl() {
  Stop().IgnoreError();
  Metrics().RemoveGauges(this);
}

// --- What callers do -----------------------------------------------------------------------------

// Invariant: everything outstanding fits the current file, or, once the next is ready, fits that
// one alone. So what was reserved never waits for a file, wherever the groups are cut.
std::uint64_t WalWriterImpl::RoomBytes() const {
  const std::uint64_t end = file_bytes_ - kFileTailBytes;
  const std::uint64_t here = end - std::min(end, offset_);
  return next_state_ == NextState::kReady ? std::max(here, usable_bytes_) : here;
}

std::uint64_t WalWriterImpl::FileBytes() const {
  const MutexLock lock(mutex_);
  return file_bytes_;
}

std::uint64_t WalWriterImpl::RetainedBytes() const { return older_bytes_ + offset_; }

Result<WalReservation> WalWriterImpl::Reserve(std::uint64_t payload_bytes,
                                              std::uint32_t record_count) {
  if (record_count == 0 || payload_bytes > record_bytes_max() * std::uint64_t{record_count}) {
    return InvalidArgument("{} log records of {} bytes together, more than {} each", record_count,
                           payload_bytes, record_bytes_max());
  }
  const std::uint64_t charge = payload_bytes + record_count * record_overhead_;
  const MutexLock lock(mutex_);
  if (!poison_.ok()) return poison_;
  if (stopping_) return Unavailable("the log is stopping");
  if (RetainedBytes() + outstanding_bytes_ + charge > options_.wal_bytes_max) {
    return ResourceExhausted(
        "the log above the floor has {} bytes, at its limit wal_bytes_max of {}",
        RetainedBytes() + outstanding_bytes_, options_.wal_bytes_max);
  }
  if (outstanding_bytes_ + charge > RoomBytes()) {
    WantNextFile();
    if (!prepare_status_.ok()) {
      return ResourceExhausted("the next log file cannot be prepared: {}",
                               MessageOf(prepare_status_));
    }
    return ResourceExhausted("the next log file is not ready: {} bytes wait, {} are free",
                             outstanding_bytes_, RoomBytes());
  }
  outstanding_bytes_ += charge;
  return MakeReservation(this, charge);
}

void WalWriterImpl::Release(std::uint64_t charged_bytes) {
  const MutexLock lock(mutex_);
  TL_CHECK(charged_bytes <= outstanding_bytes_);
  outstanding_bytes_ -= charged_bytes;
  if (stopping_) changed_.NotifyAll();
}

Group& WalWriterImpl::GroupFor(std::size_t record_bytes) {
  if (!queue_.empty()) {
    Group& last = *queue_.back();
    if (last.buffer.size() - kFrameHeaderBytes + record_bytes <= group_bytes_max_) return last;
  }
  if (spare_.empty()) {
    queue_.push_back(std::make_unique<Group>());
  } else {
    queue_.push_back(std::move(spare_.back()));
    spare_.pop_back();
  }
  Group& group = *queue_.back();
  group.Clear();
  group.first_number = SequenceNumber{next_number_};
  return group;
}

SequenceNumber WalWriterImpl::Append(WalReservation& reservation, std::uint16_t type,
                                     std::span<const BytesView> pieces, WalCompletion* completion) {
  std::size_t payload_bytes = 0;
  for (const BytesView piece : pieces) payload_bytes += piece.size();
  TL_CHECK(payload_bytes <= record_bytes_max());
  std::byte header[kRecordHeaderBytesMax];
  const std::size_t header_bytes = EncodeRecordHeader(type, payload_bytes, header);
  const std::uint64_t charge = RecordCharge(payload_bytes);
  TL_CHECK(charge <= ChargeOf(reservation));
  ChargeOf(reservation) -= charge;

  bool wake = false;
  SequenceNumber number;
  {
    const MutexLock lock(mutex_);
    Group& group = GroupFor(header_bytes + payload_bytes);
    group.buffer.insert(group.buffer.end(), header, header + header_bytes);
    for (const BytesView piece : pieces) {
      group.buffer.insert(group.buffer.end(), piece.begin(), piece.end());
    }
    number = SequenceNumber{next_number_++};
    ++group.record_count;
    group.charged_bytes += charge;
    if (completion != nullptr) group.completions.Push(completion, number);
    wake = std::exchange(commit_waits_, false);
  }
  if (wake) work_.NotifyOne();
  return number;
}

void WalWriterImpl::WhenDurable(SequenceNumber number, WalCompletion* completion) {
  Status status = OkStatus();
  {
    const MutexLock lock(mutex_);
    TL_CHECK(number.value < next_number_);
    const bool durable = number.value <= durable_.load();
    if (!durable && poison_.ok()) {
      if (number.value <= taken_) {
        in_flight_.Push(completion, number);
        return;
      }
      for (const std::unique_ptr<Group>& group : queue_) {
        if (number > group->last_number()) continue;
        group->completions.Push(completion, number);
        return;
      }
    }
    if (!durable) status = poison_;
  }
  TL_CHECK(!status.ok() || number.value <= durable_.load());
  completion->OnDurable(status, number);
}

SequenceNumber WalWriterImpl::last_number() const {
  const MutexLock lock(mutex_);
  return {next_number_ - 1};
}
std::uint64_t WalWriterImpl::retained_bytes() const {
  const MutexLock lock(mutex_);
  return RetainedBytes();
}
WalStats WalWriterImpl::stats() const {
  const MutexLock lock(mutex_);
  return stats_;
}

Status WalWriterImpl::Truncate(SequenceNumber floor) {
  std::vector<LogFileInfo> dead;
  {
    const MutexLock lock(mutex_);
    if (!poison_.ok()) return poison_;
    std::size_t count = 0;
    for (; count < older_.size(); ++count) {
      const SequenceNumber next =
          count + 1 < older_.size() ? older_[count + 1].first_number : current_first_;
      if (next.value > floor.value + 1) break;
    }
    const auto end = older_.begin() + static_cast<std::ptrdiff_t>(count);
    dead.assign(older_.begin(), end);
    older_.erase(older_.begin(), end);
  }
  // Oldest first; what recovery finds is the newest file at or below the floor, so the order in
  // which the disk forgets the names does not matter.
  Status status = OkStatus();
  std::size_t removed = 0;
  for (; removed < dead.size(); ++removed) {
    status = fs_.Remove(fs::JoinPath(options_.directory, LogFileName(dead[removed].first_number)));
    if (CodeOf(status) == ErrorCode::kNotFound) status = OkStatus();
    if (!status.ok()) break;
  }
  if (removed > 0 && status.ok()) status = fs_.SyncDirectory(options_.directory);
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < removed; ++i) older_bytes_ -= dead[i].used_bytes;
  older_.insert(older_.begin(), dead.begin() + static_cast<std::ptrdiff_t>(removed), dead.end());
  return status;
}

Status WalWriterImpl::Flush() {
  std::uint64_t target = 0;
  {
    const MutexLock lock(mutex_);
    target = next_number_ - 1;
    sync_wanted_ = std::max(sync_wanted_, target);
  }
  if (!options_.own_threads) {
    while (synced_.load() < target && Step()) {
    }
  }
  work_.NotifyOne();
  const MutexLock lock(mutex_);
  while (synced_.load() < target && poison_.ok()) changed_.Wait(mutex_);
  return synced_.load() >= target ? OkStatus() : poison_;
}

Status WalWriterImpl::Stop(SequenceNumber floor) {
  {
    const MutexLock lock(mutex_);
    if (stopped_) return stop_status_;
    stopping_ = true;
  }
  if (!options_.own_threads) {
    while (Step()) {
    }
  }
  {
    const MutexLock lock(mutex_);
    while (outstanding_bytes_ > 0) changed_.Wait(mutex_);
    end_thread_ = true;
  }
  work_.NotifyOne();
  if (prepare_pool_ != nullptr) prepare_pool_->Stop();
  if (commit_pool_ != nullptr) commit_pool_->Stop();
  Status status = OkStatus();
  PreparedFile unused;
  {
    const MutexLock lock(mutex_);
    status = poison_;
    unused = std::move(next_);
    next_state_ = NextState::kNone;
  }
  if (unused.file != nullptr) {
    unused.file.reset();
    fs_.Remove(unused.temporary_path).IgnoreError();  // removed at the next start otherwise
  }
  if (status.ok() && !sealed_) status = WriteSeal();
  if (status.ok()) GiveBackRoom();
  if (status.ok() && floor >= written_) LeaveFile();
  const MutexLock lock(mutex_);
  stopped_ = true;
  stop_status_ = status;
  return status;
}

// What is free in the last file is not read at the next start, which would take longer than all else it does. The
// frames are synced: whatever the disk makes of this, they stay.
void WalWriterImpl::GiveBackRoom() {
  const Status cut = file_.file().Truncate(file_.offset());
  const Status synced = cut.ok() ? file_.file().SyncAll() : cut;
  if (!synced.ok()) TL_LOG_WARNING("the room in the last log file is not given back: {}", MessageOf(synced));
}

// The next start reads from the file that begins behind the floor: one without a frame. The file left stays for an
// older manifest, whose floor is lower.
void WalWriterImpl::LeaveFile() {
  const SequenceNumber first_number{written_.value + 1};
  if (file_.header().first_number == first_number) return;
  const auto begin = [&]() -> Result<LogFileWriter> {
    PreparedFile prepared = TL_TRY(PrepareFile(fs_, options_, kFileHeaderBytes));
    return StartLogFile(fs_, options_, random_, first_number, file_.previous_crc(), std::move(prepared));
  };
  Result<LogFileWriter> next = begin();
  if (!next.ok()) {
    TL_LOG_WARNING("the next start will read the last log file again: {}", MessageOf(next.status()));
    return;
  }
  file_ = *std::move(next);
  const MutexLock lock(mutex_);
  NoteSwitch(first_number, kFileHeaderBytes);
}

bool WalWriterImpl::Drive() {
  TL_CHECK(!options_.own_threads);
  bool prepare = false;
  {
    const MutexLock lock(mutex_);
    prepare = next_state_ == NextState::kWanted;
    if (prepare) next_state_ = NextState::kPreparing;
  }
  if (prepare) {
    Prepare();
    return true;
  }
  return Step();
}

// --- The commit thread ---------------------------------------------------------------------------

std::int64_t WalWriterImpl::NsUntilTimer() const {
  if (!poison_.ok()) return kNever;
  if (has_unsynced_ && sync_wanted_ > synced_.load() && queue_.empty()) return 0;
  const std::int64_t now = options_.clock->SteadyNow().value;
  std::int64_t due = kNever;
  if (has_unsynced_) due = unsynced_since_.value + options_.sync_interval_ns;
  if (seal_due_ && queue_.empty()) due = std::min(due, last_write_.value + options_.seal_idle_ns);
  return due == kNever ? kNever : due - now;
}

void WalWriterImpl::Run() {
  for (;;) {
    {
      const MutexLock lock(mutex_);
      while (!HasWork()) {
        if (end_thread_) return;
        commit_waits_ = true;
        const std::int64_t ns = NsUntilTimer();
        if (ns == kNever) {
          work_.Wait(mutex_);
        } else if (ns > 0) {
          work_.WaitFor(mutex_, ns);
        }
        commit_waits_ = false;
      }
    }
    if (options_.commit_delay_ns > 0) WaitForCompany();
    Step();
  }
}

void WalWriterImpl::WaitForCompany() {
  const std::int64_t end = options_.clock->SteadyNow().value + options_.commit_delay_ns;
  const MutexLock lock(mutex_);
  for (;;) {
    const std::int64_t left = end - options_.clock->SteadyNow().value;
    if (left <= 0 || stopping_ || queue_.empty()) return;
    work_.WaitFor(mutex_, left);
  }
}

bool WalWriterImpl::Step() {
  std::unique_ptr<Group> group;
  {
    const MutexLock lock(mutex_);
    if (!queue_.empty()) {
      group = std::move(queue_.front());
      queue_.pop_front();
      taken_ = group->last_number().value;
    }
  }
  if (group == nullptr) return RunTimers();
  CommitGroup(std::move(group));
  return true;
}

void WalWriterImpl::CommitGroup(std::unique_ptr<Group> group) {
  Status status = OkStatus();
  {
    const MutexLock lock(mutex_);
    status = poison_;
  }
  if (status.ok()) {
    status = WriteGroup(*group);
    if (!status.ok()) {
      Poison(status);
      const MutexLock lock(mutex_);
      status = poison_;
    }
  }
  FinishGroup(std::move(group), status);
}

// Leaves the compressed payload in scratch_, with room for a frame around it. 0: it does not pay.
std::size_t WalWriterImpl::CompressGroup(const Group& group) {
  const BytesView raw = BytesView(group.buffer).subspan(kFrameHeaderBytes);
  if (!options_.compress || raw.size() < kCompressBytesMin) return 0;
  constexpr std::size_t kSizeBytes = sizeof(std::uint32_t);
  // Room for seven eighths: what saves less is stored as it is.
  const std::size_t room = raw.size() / 8 * 7;
  const std::size_t frame_bytes = file_.FrameBytesOf(kSizeBytes + room);
  // Never shrunk step by step: growing again would fill it with zeros each time.
  if (scratch_.size() > kGroupBufferKeepBytesMax && frame_bytes <= kGroupBufferKeepBytesMax) {
    scratch_ = Bytes();
  }
  if (scratch_.size() < frame_bytes) scratch_.resize(frame_bytes);
  const std::size_t used =
      compress::CompressInto({.method = compress::Method::kLz4}, raw,
                             std::span(scratch_).subspan(kFrameHeaderBytes + kSizeBytes, room));
  if (used == 0) return 0;
  const auto raw_bytes = static_cast<std::uint32_t>(raw.size());
  std::memcpy(scratch_.data() + kFrameHeaderBytes, &raw_bytes, kSizeBytes);
  return kSizeBytes + used;
}

// One frame, one write, one sync.
Status WalWriterImpl::WriteGroup(Group& group) {
  FrameHeader header;
  header.type = FrameType::kData;
  header.first_number = group.first_number;
  header.record_count = group.record_count;
  header.durable_number = synced_number();
  const std::size_t raw_bytes = group.buffer.size() - kFrameHeaderBytes;
  std::size_t plain_bytes = CompressGroup(group);
  const bool compressed = plain_bytes > 0;
  Bytes& frame = compressed ? scratch_ : group.buffer;
  if (compressed) {
    header.flags = kFrameLz4;
  } else {
    plain_bytes = raw_bytes;
    frame.resize(file_.FrameBytesOf(raw_bytes));
  }
  const std::size_t frame_bytes = file_.FrameBytesOf(plain_bytes);
  // A file without records is never left: the next one would have its name.
  const bool is_first = group.first_number == file_.header().first_number;
  if (!is_first && file_.offset() + frame_bytes > FileBytes() - kFileTailBytes) {
    TL_TRY(SwitchFile(group.first_number));
    header.durable_number = synced_number();
  }
  TL_TRY(file_.WriteFrame(header, std::span(frame).first(frame_bytes), plain_bytes));
  written_ = group.last_number();
  sealed_ = false;
  WalMetrics& metrics = TheWalMetrics();
  metrics.groups.Add();
  metrics.records.Add(group.record_count);
  metrics.bytes.Add(frame_bytes);
  {
    const MutexLock lock(mutex_);
    ++stats_.group_count;
    stats_.record_count += group.record_count;
    stats_.frame_bytes += frame_bytes;
    stats_.payload_bytes += raw_bytes;
    const auto size_class = static_cast<std::size_t>(std::bit_width(group.record_count) - 1);
    ++stats_.groups_by_records[std::min(size_class, stats_.groups_by_records.size() - 1)];
    last_write_ = options_.clock->SteadyNow();
    seal_due_ = true;
    if (options_.sync == SyncMode::kInterval && !has_unsynced_) {
      has_unsynced_ = true;
      unsynced_since_ = last_write_;
    }
  }
  return options_.sync == SyncMode::kFull ? SyncFile() : OkStatus();
}

Status WalWriterImpl::SyncFile() {
  const SteadyNs begin = options_.clock->SteadyNow();
  TL_TRY(file_.file().SyncData());
  TheWalMetrics().sync.Record(options_.clock->SteadyNow().value - begin.value);
  synced_.store(written_.value);
  const MutexLock lock(mutex_);
  has_unsynced_ = false;
  ++stats_.sync_count;
  return OkStatus();
}

void WalWriterImpl::PublishOffset() {
  const std::uint64_t offset = file_.offset();
  const MutexLock lock(mutex_);
  offset_ = offset;
  if (offset > file_bytes_ / kPrepareAtFraction && next_state_ == NextState::kNone) {
    WantNextFile();
  }
}

void WalWriterImpl::FinishGroup(std::unique_ptr<Group> group, const Status& status) {
  const SequenceNumber last = group->last_number();
  if (status.ok()) PublishOffset();
  CompletionList waiting;
  {
    const MutexLock lock(mutex_);
    TL_CHECK(group->charged_bytes <= outstanding_bytes_);
    outstanding_bytes_ -= group->charged_bytes;
    if (status.ok()) durable_.store(last.value);
    waiting.Splice(&group->completions);
    waiting.Splice(&in_flight_);
    if (spare_.size() < kSpareGroupsMax) spare_.push_back(std::move(group));
  }
  changed_.NotifyAll();
  if (status.ok() && options_.listener != nullptr) options_.listener->OnGroupDurable(last);
  waiting.RunAll(status);
}

void WalWriterImpl::Poison(const Status& cause) {
  TL_LOG_ERROR("the log failed and takes nothing more: {}", MessageOf(cause));
  const Status poison = Unavailable("the log failed: {}", MessageOf(cause));
  {
    const MutexLock lock(mutex_);
    if (!poison_.ok()) return;
    poison_ = poison;
    has_unsynced_ = false;
    seal_due_ = false;
  }
  changed_.NotifyAll();
  if (options_.listener != nullptr) options_.listener->OnWalFailed(poison);
}

bool WalWriterImpl::RunTimers() {
  bool sync = false;
  bool seal = false;
  {
    const MutexLock lock(mutex_);
    if (NsUntilTimer() > 0) return false;
    sync = has_unsynced_;
    // The idle seal may not take the room that someone has reserved.
    seal = !sync && seal_due_;
    if (seal) seal_due_ = false;
    if (seal && RoomBytes() < outstanding_bytes_ + FrameBytes(0)) return true;
    if (seal) offset_ += FrameBytes(0);  // at once, or a reservation could count on it
  }
  const Status status = sync ? SyncFile() : seal ? WriteSeal() : OkStatus();
  if (!status.ok()) Poison(status);
  changed_.NotifyAll();
  return true;
}

// An empty frame whose durable_number covers the last data frame: rot there will not pass for a
// torn tail. The frames before it are synced first, for a seal promises them.
Status WalWriterImpl::WriteSeal() {
  if (synced_number() < written_) TL_TRY(SyncFile());
  if (file_.offset() + FrameBytes(0) > FileBytes()) return OkStatus();
  FrameHeader header;
  header.type = FrameType::kSeal;
  header.first_number = SequenceNumber{written_.value + 1};
  header.durable_number = written_;
  std::array<std::byte, FrameBytes(0)> frame;
  TL_TRY(file_.WriteFrame(header, frame, 0));
  TL_TRY(SyncFile());
  sealed_ = true;
  PublishOffset();
  return OkStatus();
}

Status WalWriterImpl::SwitchFile(SequenceNumber first_number) {
  // The next file's header says that everything before it is durable.
  if (synced_number() < written_) TL_TRY(SyncFile());
  PreparedFile prepared;
  {
    const MutexLock lock(mutex_);
    TL_CHECK(next_state_ == NextState::kReady);
    prepared = std::move(next_);
    next_state_ = NextState::kNone;
    NoteSwitch(first_number, options_.file_bytes);
  }
  file_ = TL_TRY(StartLogFile(fs_, options_, random_, first_number, file_.previous_crc(),
                              std::move(prepared)));
  return OkStatus();
}

void WalWriterImpl::NoteSwitch(SequenceNumber first_number, std::uint64_t file_bytes) {
  older_.push_back({current_first_, offset_});
  older_bytes_ += offset_;
  current_first_ = first_number;
  offset_ = kFileHeaderBytes;
  file_bytes_ = file_bytes;
}

// --- Preparing the next file ---------------------------------------------------------------------

void WalWriterImpl::WantNextFile() {
  if (next_state_ != NextState::kNone || stopping_ || !poison_.ok()) return;
  if (!prepare_status_.ok() &&
      options_.clock->SteadyNow().value < prepare_failed_at_.value + options_.prepare_retry_ns) {
    return;
  }
  if (!options_.own_threads) {
    next_state_ = NextState::kWanted;
    return;
  }
  const Status submitted = prepare_pool_->Submit([this] { Prepare(); });
  if (submitted.ok()) next_state_ = NextState::kPreparing;
}

void WalWriterImpl::Prepare() {
  Result<PreparedFile> prepared = PrepareFile(fs_, options_, options_.file_bytes);
  bool give_up = false;
  {
    const MutexLock lock(mutex_);
    prepare_status_ = prepared.status();
    if (prepared.ok()) {
      next_ = *std::move(prepared);
      next_state_ = NextState::kReady;
      prepare_failures_ = 0;
      return;
    }
    next_state_ = NextState::kNone;
    prepare_failed_at_ = options_.clock->SteadyNow();
    if (CodeOf(prepare_status_) != ErrorCode::kResourceExhausted) {
      give_up = ++prepare_failures_ >= kPrepareFailuresMax;
    }
  }
  TL_LOG_WARNING("cannot prepare the next log file: {}", MessageOf(prepared.status()));
  // No frame is lost, but a disk that fails three new files in a row will not hold a log.
  if (give_up) Poison(prepared.status());
  work_.NotifyOne();
}

}  // namespace

WalReservation::WalReservation(WalReservation&& other) noexcept
    : writer_(std::exchange(other.writer_, nullptr)),
      charged_bytes_(std::exchange(other.charged_bytes_, 0)) {}

WalReservation& WalReservation::operator=(WalReservation&& other) noexcept {
  std::swap(writer_, other.writer_);
  std::swap(charged_bytes_, other.charged_bytes_);
  return *this;
}

WalReservation::~WalReservation() {
  if (writer_ != nullptr && charged_bytes_ > 0) writer_->Release(charged_bytes_);
}

Result<std::unique_ptr<WalWriter>> WalWriter::Open(fs::FileSystem& fs, const WalOptions& options,
                                                   const WalPosition& position) {
  TL_TRY(CheckOptions(options));
  Random random = options.uuid_seed != 0 ? Random(options.uuid_seed + 1) : Random::FromSystem();
  std::optional<LogFileWriter> file;
  std::uint64_t file_bytes = position.file_bytes;
  if (position.has_file) {
    const std::string path =
        fs::JoinPath(options.directory, LogFileName(position.file_first_number));
    std::unique_ptr<fs::File> opened = TL_TRY(fs.Open(path, fs::OpenMode::kReadWrite));
    const LogFileHeader header{.database_uuid = options.database_uuid,
                               .file_uuid = position.file_uuid,
                               .first_number = position.file_first_number,
                               .key_id = position.key_id};
    file = TL_TRY(LogFileWriter::Resume(options, header, position.offset, position.previous_crc,
                                        std::move(opened)));
  } else {
    TL_TRY(fs::CreateDirectories(fs, options.directory));
    file_bytes = StartFileBytes(options, kFileHeaderBytes);
    PreparedFile prepared = TL_TRY(PrepareFile(fs, options, file_bytes));
    file = TL_TRY(StartLogFile(fs, options, random, position.next_number, 0, std::move(prepared)));
  }
  if (options.sync == SyncMode::kInterval) {
    TL_LOG_WARNING(
        "log syncs every {} ms: writes acknowledged within that time before a machine "
        "failure can be lost",
        options.sync_interval_ns / kNsPerMs);
  }
  auto writer = std::make_unique<WalWriterImpl>(fs, options, position, random, *std::move(file), file_bytes);
  writer->StartThreads();
  return writer;
}

}  // namespace tideline::wal
