#include "storage/segment/segment_reader.h"

#include <algorithm>

#include "base/check.h"
#include "storage/codec/entropy_stage.h"
#include "storage/codec/text_cache.h"
#include "storage/segment/page_file.h"
#include "storage/segment/segment_format.h"
#include "storage/segment/series_table_writer.h"

namespace tideline::segment {
namespace {

// Read at once when a file is opened; most footers lie in it.
constexpr std::uint64_t kTailBytes = 65'536;

template <typename T>
void FillNull(std::span<T> out, std::span<std::uint64_t> validity) {
  std::fill(out.begin(), out.end(), T{});
  if (!validity.empty()) std::fill_n(validity.begin(), codec::ValidityWords(out.size()), 0);
}

}  // namespace

Status ColumnBlock::ReadInt64(std::size_t first_row, std::span<std::int64_t> out,
                              std::span<std::uint64_t> validity) const {
  if (present()) return view_.ReadInt64(first_row, out, validity);
  FillNull(out, validity);
  return OkStatus();
}

Status ColumnBlock::ReadDouble(std::size_t first_row, std::span<double> out,
                               std::span<std::uint64_t> validity) const {
  if (present()) return view_.ReadDouble(first_row, out, validity);
  FillNull(out, validity);
  return OkStatus();
}

Status ColumnBlock::ReadBool(std::size_t first_row, std::span<std::uint8_t> out,
                             std::span<std::uint64_t> validity) const {
  if (present()) return view_.ReadBool(first_row, out, validity);
  FillNull(out, validity);
  return OkStatus();
}

Status ColumnBlock::ReadString(std::size_t first_row, std::span<std::string_view> out,
                               std::span<std::uint64_t> validity) const {
  if (present()) return view_.ReadString(first_row, out, validity);
  FillNull(out, validity);
  return OkStatus();
}

Result<std::vector<std::string_view>> ColumnBlock::ReadDictionary() const {
  if (!present()) return InvalidArgument("segment: no dictionary in an absent column");
  return view_.ReadDictionary();
}

Status ColumnBlock::ReadCodes(std::size_t first_row, std::span<std::uint32_t> out,
                              std::span<std::uint64_t> validity) const {
  if (!present()) return InvalidArgument("segment: no dictionary in an absent column");
  return view_.ReadCodes(first_row, out, validity);
}

std::shared_ptr<const void> ColumnBlock::owner() const {
  if (view_.text() == nullptr) return bytes_;
  // Coded text lies apart from the block's bytes.
  return std::make_shared<const std::pair<std::shared_ptr<const Bytes>,
                                          std::shared_ptr<codec::TextCache>>>(bytes_, view_.text());
}

std::span<const SeriesRun> Stripe::series_runs() const { return directory_->runs; }
std::span<const BlockInfo> Stripe::blocks() const { return directory_->blocks; }

const BlockInfo* Stripe::Find(ColumnId column) const {
  const std::vector<BlockInfo>& blocks = directory_->blocks;
  const auto at =
      std::lower_bound(blocks.begin(), blocks.end(), column,
                       [](const BlockInfo& each, ColumnId wanted) { return each.column < wanted; });
  return at == blocks.end() || at->column != column ? nullptr : &*at;
}

Result<ColumnBlock> Stripe::OpenColumn(ColumnId column) const {
  ColumnBlock block;
  block.row_count_ = row_count();
  const BlockInfo* info = Find(column);
  if (info == nullptr) return block;
  block.bytes_ = TL_TRY(reader_->ReadBlock(*info));
  block.view_ = TL_TRY(codec::BlockView::Parse(*block.bytes_));
  if (block.view_.kind() != PhysicalKindOf(info->type) || block.view_.row_count() != row_count() ||
      block.view_.null_count() != info->zone.null_count) {
    return DataLoss("segment: block of column {} at {} is not what the stripe says", column,
                    info->offset);
  }
  return block;
}

SegmentReader::SegmentReader() = default;
SegmentReader::~SegmentReader() = default;

Result<std::shared_ptr<SegmentReader>> SegmentReader::Open(std::shared_ptr<RangeReader> file,
                                                           std::uint64_t file_bytes,
                                                           const SegmentReaderOptions& options) {
  auto reader = std::shared_ptr<SegmentReader>(new SegmentReader());
  reader->cache_ = options.cache;
  reader->series_tables_ = options.series_tables;
  reader->pages_ = TL_TRY(PageReader::Open(std::move(file), file_bytes, options.seal));
  const PageReader& pages = *reader->pages_;
  if (pages.size() < kHeaderBytes + kTrailerBytes) {
    return DataLoss("segment: {} bytes are too few", file_bytes);
  }
  const std::uint64_t tail_offset = pages.size() - std::min(pages.size(), kTailBytes);
  Bytes tail(static_cast<std::size_t>(pages.size() - tail_offset));
  TL_TRY(pages.Read(tail_offset, tail));
  const Trailer trailer = TL_TRY(ReadTrailer(BytesView(tail).last(kTrailerBytes), pages.size()));
  Bytes whole;
  BytesView bytes;
  if (trailer.footer_offset >= tail_offset) {
    bytes = BytesView(tail).subspan(static_cast<std::size_t>(trailer.footer_offset - tail_offset),
                                    static_cast<std::size_t>(trailer.footer_bytes));
  } else {
    whole.resize(static_cast<std::size_t>(trailer.footer_bytes));
    TL_TRY(pages.Read(trailer.footer_offset, whole));
    bytes = whole;
  }
  if (Crc32c(bytes) != trailer.footer_crc) return DataLoss("segment: bad checksum of the footer");
  Footer footer = TL_TRY(ReadFooter(bytes, trailer.footer_offset));
  if (footer.summary.file_uuid != trailer.file_uuid) {
    return DataLoss("segment: footer and trailer name different files");
  }
  reader->summary_ = std::move(footer.summary);
  reader->stripes_ = std::move(footer.stripes);
  reader->series_offset_ = footer.series_offset;
  reader->series_bytes_ = footer.series_bytes;
  return reader;
}

const ColumnSummary* SegmentReader::FindColumn(ColumnId column) const {
  const auto at =
      std::lower_bound(summary_.columns.begin(), summary_.columns.end(), column,
                       [](const ColumnSummary& each, ColumnId wanted) { return each.id < wanted; });
  return at == summary_.columns.end() || at->id != column ? nullptr : &*at;
}

std::size_t SegmentReader::FindStripe(std::uint64_t row) const {
  TL_CHECK(row < summary_.row_count);
  const auto after = std::upper_bound(
      stripes_.begin(), stripes_.end(), row,
      [](std::uint64_t wanted, const StripeSummary& each) { return wanted < each.first_row; });
  return static_cast<std::size_t>(after - stripes_.begin() - 1);
}

Result<std::shared_ptr<const Bytes>> SegmentReader::ReadPiece(std::uint64_t offset,
                                                              std::uint64_t bytes) const {
  const BlockKey key{summary_.file_uuid, offset};
  if (cache_ != nullptr) {
    std::shared_ptr<const Bytes> cached = cache_->Get(key);
    if (cached != nullptr && cached->size() == bytes) return cached;
  }
  auto piece = std::make_shared<Bytes>(static_cast<std::size_t>(bytes));
  TL_TRY(pages_->Read(offset, *piece));
  if (cache_ != nullptr) cache_->Put(key, piece);
  return std::shared_ptr<const Bytes>(std::move(piece));
}

Result<std::shared_ptr<const Bytes>> SegmentReader::ReadBlock(const BlockInfo& info) const {
  const BlockKey key{summary_.file_uuid, info.offset};
  if (cache_ != nullptr) {
    std::shared_ptr<const Bytes> cached = cache_->Get(key);
    if (cached != nullptr) return cached;
  }
  auto block = std::make_shared<Bytes>(static_cast<std::size_t>(info.bytes));
  TL_TRY(pages_->Read(info.offset, *block));
  if (codec::HasEntropyStage(*block)) *block = TL_TRY(codec::DecodeEntropyStage(*block));
  if (cache_ != nullptr) cache_->Put(key, block);
  return std::shared_ptr<const Bytes>(std::move(block));
}

Result<std::shared_ptr<const StripeDirectory>> SegmentReader::ReadDirectory(
    const StripeSummary& stripe) const {
  // Reading it anew for every query would cost more than what short queries do besides.
  const BlockKey key{summary_.file_uuid, stripe.directory_offset};
  if (cache_ != nullptr) {
    std::shared_ptr<const void> parsed = cache_->GetParsed(key);
    if (parsed != nullptr) return std::static_pointer_cast<const StripeDirectory>(std::move(parsed));
  }
  const std::shared_ptr<const Bytes> bytes = TL_TRY(ReadPiece(stripe.directory_offset, stripe.directory_bytes));
  StripeDirectory read = TL_TRY(ReadStripeDirectory(*bytes, stripe, stripe.directory_offset));
  auto directory = std::make_shared<const StripeDirectory>(std::move(read));
  if (cache_ != nullptr) {
    std::size_t cost = sizeof(StripeDirectory) + directory->runs.capacity() * sizeof(SeriesRun) +
                       directory->blocks.capacity() * sizeof(BlockInfo);
    for (const BlockInfo& block : directory->blocks) {
      cost += block.zone.min_string.capacity() + block.zone.max_string.capacity();
    }
    cache_->PutParsed(key, directory, cost);
  }
  return directory;
}

Result<Stripe> SegmentReader::OpenStripe(std::size_t index) const {
  TL_CHECK(index < stripes_.size());
  Stripe stripe;
  stripe.summary_ = stripes_[index];
  stripe.directory_ = TL_TRY(ReadDirectory(stripe.summary_));
  stripe.reader_ = shared_from_this();
  const BlockInfo* times = stripe.Find(kTimeColumn);
  const BlockInfo* versions = stripe.Find(kVersionColumn);
  if (times == nullptr || versions == nullptr || times->type != ColumnType::kTimestamp ||
      versions->type != ColumnType::kBigint || times->zone.null_count != 0 ||
      versions->zone.null_count != 0) {
    return DataLoss("stripe {}: a system column is missing", index);
  }
  return stripe;
}

Result<std::shared_ptr<const SeriesTable>> SegmentReader::series_table(bool may_be_refused) const {
  const BlockKey key{summary_.file_uuid, series_offset_};
  if (cache_ != nullptr) {
    std::shared_ptr<const void> parsed = cache_->GetParsed(key);
    if (parsed != nullptr) return std::static_pointer_cast<const SeriesTable>(std::move(parsed));
  }
  {
    MutexLock lock(series_mutex_);
    if (series_ != nullptr) return series_;
    std::shared_ptr<const SeriesTable> in_use = series_in_use_.lock();
    if (in_use != nullptr) return in_use;
  }
  // Read outside the lock; two first callers may both read.
  std::shared_ptr<const SeriesTable> table = TL_TRY(ReadSeriesTable(may_be_refused));
  if (cache_ != nullptr) cache_->PutParsed(key, table, table->memory_bytes());
  MutexLock lock(series_mutex_);
  series_in_use_ = table;
  if (cache_ == nullptr) series_ = table;
  return table;
}

Result<std::shared_ptr<const SeriesTable>> SegmentReader::ReadSeriesTable(bool may_be_refused) const {
  struct Counted {
    explicit Counted(MemoryBudget* budget) : reservation(budget) {}
    MemoryReservation reservation;
    std::shared_ptr<const SeriesTable> table;
  };
  std::shared_ptr<Counted> counted;
  // What only the cache holds gives way.
  const auto reserve = [&](std::size_t bytes) -> Status {
    if (counted == nullptr) return OkStatus();
    const Status reserved = counted->reservation.Resize(bytes);
    if (reserved.ok() || cache_ == nullptr) return reserved;
    cache_->Shed(bytes);
    const Status again = counted->reservation.Resize(bytes);
    return may_be_refused ? again : OkStatus();
  };
  if (series_tables_ != nullptr) counted = std::make_shared<Counted>(series_tables_);
  TL_TRY(reserve(static_cast<std::size_t>(series_bytes_)));
  auto bytes = std::make_shared<Bytes>(static_cast<std::size_t>(series_bytes_));
  TL_TRY(pages_->Read(series_offset_, *bytes));
  std::shared_ptr<const SeriesTable> table = TL_TRY(SeriesTableReader::Read(bytes, summary_));
  if (counted == nullptr) return table;
  TL_TRY(reserve(table->memory_bytes()));
  counted->table = std::move(table);
  return std::shared_ptr<const SeriesTable>(counted, counted->table.get());
}

void SegmentReader::DropSeriesTable() const {
  MutexLock lock(series_mutex_);
  series_ = nullptr;
}

Status SegmentReader::ReadTimes(std::size_t stripe, std::size_t first_row,
                                std::span<std::int64_t> out) const {
  const Stripe opened = TL_TRY(OpenStripe(stripe));
  const ColumnBlock times = TL_TRY(opened.OpenTimes());
  return times.ReadInt64(first_row, out);
}

Result<Hash128> SegmentReader::Scrub() const { return pages_->Scrub(); }

}  // namespace tideline::segment
