#include "storage/engine/segment_source.h"

#include "base/no_wait.h"

#include <algorithm>

namespace tideline::engine {

Status ObjectRangeReader::Read(std::uint64_t offset, std::span<std::byte> out) {
  if (NoWait::active()) {
    NoWait::Refuse();
    return Unavailable("{} would have to be read", key_);
  }
  const auto read = store_.Read(key_, offset, out);
  // Whoever reads keeps the file from being removed, so one that is not there is lost.
  if (CodeOf(read.status()) == ErrorCode::kNotFound) return DataLoss("{}", MessageOf(read.status()));
  const std::size_t count = TL_TRY(read);
  if (count != out.size()) {
    return DataLoss("{} ends at {}, {} bytes from {} were wanted", key_, offset + count, out.size(),
                    offset);
  }
  return OkStatus();
}

// Of the seal, not of what is sealed: a reader must know it before it can read the file's own.
constexpr std::uint16_t kSegmentSealVersion = 1;

Result<std::unique_ptr<SegmentSeal>> SegmentSeal::Make(seal::Sealer& sealer, const Uuid& file_uuid,
                                                       const seal::KeyId& key_id) {
  auto file = TL_TRY(sealer.ForFile({.file_uuid = file_uuid,
                                     .type = seal::FileType::kSegment,
                                     .format_version = kSegmentSealVersion,
                                     .key_id = key_id}));
  if (key_id.is_nil()) return std::unique_ptr<SegmentSeal>();
  return std::unique_ptr<SegmentSeal>(new SegmentSeal(std::move(file)));
}

SegmentSource::SegmentSource(const SegmentEnvironment& environment, catalog::SegmentEntry entry,
                             Bitmap dead)
    : environment_(environment),
      entry_(std::move(entry)),
      in_memory_(entry_.key.empty()),
      deletions_(std::move(dead)) {}

Result<std::shared_ptr<SegmentSource>> SegmentSource::OfMemory(
    const SegmentEnvironment& environment, segment::WrittenSegment written, Bytes bytes) {
  catalog::SegmentEntry entry;
  entry.bytes = bytes.size();
  entry.row_count = written.summary.row_count;
  entry.series_count = written.summary.series_count;
  entry.time_ns_min = written.summary.time_ns_min;
  entry.time_ns_max = written.summary.time_ns_max;
  auto source = std::make_shared<SegmentSource>(environment, std::move(entry), Bitmap());
  const std::uint64_t file_bytes = bytes.size();
  auto reader = TL_TRY(segment::SegmentReader::Open(
      std::make_shared<segment::MemoryRangeReader>(std::move(bytes)), file_bytes,
      {.cache = environment.cache, .seal = nullptr, .series_tables = environment.series_tables}));
  MutexLock lock(source->mutex_);
  source->reader_ = std::move(reader);
  return source;
}

Result<std::shared_ptr<segment::SegmentReader>> SegmentSource::reader() const {
  {
    MutexLock lock(mutex_);
    if (reader_ != nullptr) return reader_;
  }
  // Opened outside the lock; two first callers may both open it, and one reader stays.
  std::shared_ptr<segment::SegmentReader> opened = TL_TRY(OpenReader());
  const OwedMarks debts = owed();
  if (debts.count() != 0) {
    const Status paid = PayOwedMarks(debts, opened, &deletions_);
    if (!paid.ok()) return Annotate(paid, entry_.key);
  }
  MutexLock lock(mutex_);
  owed_ = {};
  if (reader_ == nullptr) reader_ = std::move(opened);
  return reader_;
}

bool SegmentSource::IsOutOfReach(const Status& status) const {
  const ErrorCode code = CodeOf(status);
  const bool is_remote = !in_memory_ && entry_.tier == catalog::StoreTier::kMagnetic &&
                         environment_.magnetic != environment_.store;
  return is_remote && (code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded);
}

Status SegmentSource::Owe(OwedMarks more) {
  if (more.count() == 0) return OkStatus();
  MutexLock lock(mutex_);
  if (owed_.count() + more.count() > kOwedMarksMax) {
    return ResourceExhausted("{}: more than {} rows must be marked in it, and its store does not answer", entry_.key,
                             kOwedMarksMax);
  }
  reader_ = nullptr;
  owed_.keys.insert(owed_.keys.end(), more.keys.begin(), more.keys.end());
  owed_.deletes.insert(owed_.deletes.end(), more.deletes.begin(), more.deletes.end());
  return OkStatus();
}

OwedMarks SegmentSource::owed() const {
  MutexLock lock(mutex_);
  return owed_;
}

std::size_t SegmentSource::owed_count() const {
  MutexLock lock(mutex_);
  return owed_.count();
}

Result<std::shared_ptr<segment::SegmentReader>> SegmentSource::OpenReader() const {
  // A reader may outlive this source, so it takes its seal along.
  struct Sealed {
    std::unique_ptr<SegmentSeal> seal;
    std::shared_ptr<segment::SegmentReader> reader;
  };
  auto sealed = std::make_shared<Sealed>();
  auto seal = SegmentSeal::Make(*environment_.sealer, entry_.file_uuid, entry_.key_id);
  if (!seal.ok()) return Annotate(seal.status(), entry_.key);
  sealed->seal = *std::move(seal);
  auto file = std::make_shared<ObjectRangeReader>(environment_.StoreOf(entry_.tier), entry_.key);
  auto opened = segment::SegmentReader::Open(std::move(file), entry_.bytes,
                                             {.cache = environment_.cache,
                                              .seal = sealed->seal.get(),
                                              .series_tables = environment_.series_tables});
  if (!opened.ok()) return Annotate(opened.status(), entry_.key);
  if ((*opened)->summary().row_count != entry_.row_count) {
    return DataLoss("{} holds {} rows, the manifest says {}", entry_.key,
                    (*opened)->summary().row_count, entry_.row_count);
  }
  sealed->reader = *std::move(opened);
  return std::shared_ptr<segment::SegmentReader>(sealed, sealed->reader.get());
}

namespace {

/// A series with no more rows than this in one stripe is decoded alone; else the whole stripe is, for its neighbours.
constexpr std::uint64_t kProbeRowsMax = 4'096;

}  // namespace

Status KeyProbe::Load(const std::shared_ptr<segment::SegmentReader>& reader, std::size_t stripe,
                      std::uint64_t first, std::uint64_t last) {
  if (remembered_ == reader && first_row_ == first && times_.size() == last - first) return OkStatus();
  remembered_ = nullptr;
  times_.resize(last - first);
  TL_TRY(reader->ReadTimes(stripe, first - reader->stripes()[stripe].first_row, times_));
  first_row_ = first;
  remembered_ = reader;
  return OkStatus();
}

Result<std::optional<std::uint64_t>> KeyProbe::Find(const std::shared_ptr<SegmentSource>& source,
                                                    std::uint64_t series, std::int64_t time_ns) {
  const auto reader = TL_TRY(source->reader());
  return Find(reader, series, time_ns);
}

Result<std::optional<std::uint64_t>> KeyProbe::Find(const std::shared_ptr<segment::SegmentReader>& reader,
                                                    std::uint64_t series, std::int64_t time_ns) {
  const std::optional<std::uint64_t> none;
  const auto table = TL_TRY(reader->series_table());
  const std::optional<std::uint32_t> ordinal = table->Find(series);
  if (!ordinal.has_value() || time_ns < table->time_ns_min(*ordinal) ||
      time_ns > table->time_ns_max(*ordinal) || table->row_count(*ordinal) == 0) {
    return none;
  }
  const std::uint64_t first = table->first_row(*ordinal);
  const std::uint64_t last = first + table->row_count(*ordinal);
  std::size_t low = reader->FindStripe(first);
  std::size_t high = reader->FindStripe(last - 1);
  for (;;) {
    const std::size_t stripe = low + (high - low) / 2;
    // The part of the stripe that belongs to the series.
    const segment::StripeSummary& summary = reader->stripes()[stripe];
    const std::uint64_t part_first = std::max(first, summary.first_row);
    const std::uint64_t part_last = std::min(last, summary.first_row + summary.row_count);
    if (part_last - part_first <= kProbeRowsMax) {
      TL_TRY(Load(reader, stripe, part_first, part_last));
    } else {
      TL_TRY(Load(reader, stripe, summary.first_row, summary.first_row + summary.row_count));
    }
    const auto begin = times_.begin() + static_cast<std::ptrdiff_t>(part_first - first_row_);
    const auto end = times_.begin() + static_cast<std::ptrdiff_t>(part_last - first_row_);
    if (time_ns < *begin) {
      if (stripe == low) return none;
      high = stripe - 1;
      continue;
    }
    if (time_ns > *(end - 1)) {
      if (stripe == high) return none;
      low = stripe + 1;
      continue;
    }
    const auto at = std::lower_bound(begin, end, time_ns);
    if (at == end || *at != time_ns) return none;
    return std::optional<std::uint64_t>(first_row_ + static_cast<std::uint64_t>(at - times_.begin()));
  }
}

}  // namespace tideline::engine
