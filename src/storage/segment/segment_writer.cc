#include "storage/segment/segment_writer.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "storage/segment/page_file.h"
#include "storage/segment/segment_format.h"
#include "storage/segment/series_table_writer.h"
#include "storage/segment/stripe_buffer.h"

namespace tideline::segment {
namespace {

// The length of the span that `type` uses.
std::size_t ChunkRows(const ColumnChunk& chunk) {
  switch (chunk.type) {
    case ColumnType::kBigint:
    case ColumnType::kTimestamp:
      return chunk.int64s.size();
    case ColumnType::kDouble:
      return chunk.doubles.size();
    case ColumnType::kBoolean:
      return chunk.booleans.size();
    case ColumnType::kVarchar:
      return chunk.strings.size();
  }
  return 0;
}

}  // namespace

class SegmentWriter::Impl {
 public:
  Impl(const SegmentWriterOptions& options, ByteSink& sink)
      : options_(options), pages_(sink, options.seal) {
    TL_CHECK(options.stripe_rows_max > 0 && options.stripe_rows_max <= kStripeRowsMax);
  }

  Status AddSeries(const SeriesDescriptor& series);
  Status AddRows(std::span<const std::int64_t> times_ns, std::span<const std::int64_t> versions,
                 std::span<const ColumnChunk> columns);
  Status AddSeriesWithRows(std::span<const SeriesDescriptor> series, std::span<const std::uint32_t> row_counts,
                           std::span<const std::int64_t> times_ns, std::span<const std::int64_t> versions,
                           std::span<const ColumnChunk> columns);
  Result<WrittenSegment> Finish();
  std::uint64_t row_count() const { return row_count_; }
  std::uint64_t bytes_written() const { return pages_.offset(); }

 private:
  /// Rows of one call. Those taken have a run and are copied into the stripe together.
  struct Feed {
    std::span<const std::int64_t> times_ns;
    std::span<const std::int64_t> versions;
    std::span<const ColumnChunk> columns;
    std::size_t copied = 0;
    std::size_t taken = 0;     ///< of the rest
    std::size_t step_max = 0;  ///< to be taken before they are copied
    bool is_done() const { return copied == times_ns.size(); }
  };
  Status BeginFeed(Feed* feed);
  Status Take(std::size_t count, Feed* feed);
  Status Copy(Feed* feed);
  bool EndsMeasure(const SeriesDescriptor& series) const {
    return series_.size() > 0 && series.measure_name != measure_name_;
  }
  Status CheckTimes(std::span<const std::int64_t> times_ns) const;
  Status CheckColumns(std::size_t row_count, std::span<const ColumnChunk> columns);
  Status BeginFile();
  Status EndStripe();
  Result<BlockInfo> WriteBlock(EncodedColumn column);
  Status WriteTail(WrittenSegment* written);

  const SegmentWriterOptions options_;
  PageWriter pages_;
  bool began_ = false;
  bool ended_ = false;
  std::uint64_t row_count_ = 0;
  std::string measure_name_;
  SeriesTableWriter series_;
  StripeBuffer stripe_;
  std::vector<SeriesRun> runs_;
  std::vector<StripeSummary> stripes_;
  absl::flat_hash_map<ColumnId, ColumnSummary> columns_;
};

Status SegmentWriter::Impl::BeginFile() {
  if (began_) return OkStatus();
  began_ = true;
  Bytes header;
  WriteHeader(options_.file_uuid, &header);
  return pages_.Append(header);
}

Status SegmentWriter::Impl::AddSeries(const SeriesDescriptor& series) {
  if (ended_) return InvalidArgument("segment: series after the end");
  TL_TRY(BeginFile());
  if (EndsMeasure(series) && stripe_.row_count() >= options_.stripe_rows_min) TL_TRY(EndStripe());
  measure_name_ = series.measure_name;
  return series_.Add(series);
}

// Of rows of the series added last.
Status SegmentWriter::Impl::CheckTimes(std::span<const std::int64_t> times_ns) const {
  if (!std::is_sorted(times_ns.begin(), times_ns.end()) ||
      (series_.last_row_count() > 0 && times_ns[0] < series_.last_time_ns())) {
    return InvalidArgument("segment: times descend within a series");
  }
  const auto offset = [this](std::int64_t time_ns) {
    return static_cast<std::uint64_t>(time_ns) -
           static_cast<std::uint64_t>(options_.window_start_ns);
  };
  const auto length = static_cast<std::uint64_t>(options_.window_length_ns);
  if (options_.window_length_ns > 0 &&
      (offset(times_ns.front()) >= length || offset(times_ns.back()) >= length)) {
    return InvalidArgument("segment: times {} to {} outside the window at {} of {} ns",
                           times_ns.front(), times_ns.back(), options_.window_start_ns,
                           options_.window_length_ns);
  }
  return OkStatus();
}

Status SegmentWriter::Impl::CheckColumns(std::size_t row_count,
                                         std::span<const ColumnChunk> columns) {
  for (const ColumnChunk& chunk : columns) {
    if (chunk.column >= kColumnIdMax) return InvalidArgument("segment: column id {}", chunk.column);
    if (ChunkRows(chunk) != row_count ||
        (!chunk.validity.empty() && chunk.validity.size() < codec::ValidityWords(row_count))) {
      return InvalidArgument("segment: column {} has {} values for {} rows", chunk.column,
                             ChunkRows(chunk), row_count);
    }
    const auto is_long = [](std::string_view text) { return text.size() > codec::kStringBytesMax; };
    if (chunk.type == ColumnType::kVarchar &&
        std::any_of(chunk.strings.begin(), chunk.strings.end(), is_long)) {
      return InvalidArgument("segment: column {} has a string above {} bytes", chunk.column,
                             codec::kStringBytesMax);
    }
    const auto [known, is_new] = columns_.try_emplace(chunk.column);
    if (is_new) {
      known->second.id = chunk.column;
      known->second.type = chunk.type;
      if (columns_.size() > kSegmentColumnsMax) {
        return InvalidArgument("segment: more than {} columns", kSegmentColumnsMax);
      }
    }
    if (known->second.type != chunk.type) {
      return InvalidArgument("segment: column {} changes its type", chunk.column);
    }
  }
  return OkStatus();
}

Status SegmentWriter::Impl::BeginFeed(Feed* feed) {
  const std::size_t row_count = feed->times_ns.size();
  if (ended_) return InvalidArgument("segment: rows after the end");
  if (feed->versions.size() != row_count) {
    return InvalidArgument("segment: {} versions for {} times", feed->versions.size(), row_count);
  }
  if (row_count > kSegmentRowsMax - row_count_) {
    return InvalidArgument("segment: more than {} rows", kSegmentRowsMax);
  }
  TL_TRY(CheckColumns(row_count, feed->columns));
  feed->step_max = stripe_.StepRows(feed->columns, 0);
  return OkStatus();
}

// The next `count` rows are of the series added last.
Status SegmentWriter::Impl::Take(std::size_t count, Feed* feed) {
  const auto times = feed->times_ns.subspan(feed->copied + feed->taken, count);
  TL_TRY(CheckTimes(times));
  const auto ordinal = static_cast<std::uint32_t>(series_.size() - 1);
  for (std::size_t left = count; left > 0;) {
    const std::size_t room = std::min(feed->step_max, options_.stripe_rows_max - stripe_.row_count()) - feed->taken;
    const std::size_t rows = std::min(left, room);
    if (runs_.empty() || runs_.back().series != ordinal) {
      runs_.push_back({ordinal, static_cast<std::uint32_t>(stripe_.row_count() + feed->taken), 0});
    }
    runs_.back().row_count += static_cast<std::uint32_t>(rows);
    feed->taken += rows;
    left -= rows;
    if (rows == room) TL_TRY(Copy(feed));
  }
  series_.AddRows(count, times.front(), times.back());
  row_count_ += count;
  return OkStatus();
}

Status SegmentWriter::Impl::Copy(Feed* feed) {
  if (feed->taken == 0) return OkStatus();
  TL_TRY(stripe_.Append(feed->times_ns.subspan(feed->copied, feed->taken),
                        feed->versions.subspan(feed->copied, feed->taken), feed->columns, feed->copied));
  feed->copied += feed->taken;
  feed->taken = 0;
  if (stripe_.row_count() == options_.stripe_rows_max || stripe_.bytes() >= kStripeBytesMax) {
    TL_TRY(EndStripe());
  }
  // A long string may end the stripe early; so rows with text are taken in small steps.
  if (!feed->is_done()) feed->step_max = stripe_.StepRows(feed->columns, feed->copied);
  return OkStatus();
}

Status SegmentWriter::Impl::AddRows(std::span<const std::int64_t> times_ns,
                                    std::span<const std::int64_t> versions,
                                    std::span<const ColumnChunk> columns) {
  if (times_ns.empty()) return OkStatus();
  if (series_.size() == 0) return InvalidArgument("segment: rows outside a series");
  Feed feed{.times_ns = times_ns, .versions = versions, .columns = columns};
  TL_TRY(BeginFeed(&feed));
  TL_TRY(Take(times_ns.size(), &feed));
  return Copy(&feed);
}

Status SegmentWriter::Impl::AddSeriesWithRows(std::span<const SeriesDescriptor> series,
                                              std::span<const std::uint32_t> row_counts,
                                              std::span<const std::int64_t> times_ns,
                                              std::span<const std::int64_t> versions,
                                              std::span<const ColumnChunk> columns) {
  const auto sum = std::accumulate(row_counts.begin(), row_counts.end(), std::uint64_t{0});
  if (row_counts.size() != series.size() || sum != times_ns.size()) {
    return InvalidArgument("segment: {} counts that make {} rows, for {} series and {} rows", row_counts.size(), sum,
                           series.size(), times_ns.size());
  }
  Feed feed{.times_ns = times_ns, .versions = versions, .columns = columns};
  TL_TRY(BeginFeed(&feed));
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (EndsMeasure(series[i])) TL_TRY(Copy(&feed));
    TL_TRY(AddSeries(series[i]));
    if (row_counts[i] > 0) TL_TRY(Take(row_counts[i], &feed));
  }
  return Copy(&feed);
}

Result<BlockInfo> SegmentWriter::Impl::WriteBlock(EncodedColumn column) {
  Bytes smaller;
  if (options_.effort == codec::Effort::kSmall &&
      codec::EncodeEntropyStage(column.block, &smaller)) {
    column.block.swap(smaller);
  }
  BlockInfo info;
  info.column = column.id;
  info.type = column.type;
  info.offset = pages_.offset();
  info.bytes = static_cast<std::uint32_t>(column.block.size());
  info.zone = std::move(column.zone);
  ColumnSummary& summary = columns_[column.id];
  summary.id = column.id;
  summary.type = column.type;
  summary.value_count += info.zone.row_count - info.zone.null_count;
  summary.block_count += 1;
  summary.encoded_bytes += info.bytes;
  TL_TRY(pages_.Append(column.block));
  return info;
}

Status SegmentWriter::Impl::EndStripe() {
  if (stripe_.row_count() == 0) return OkStatus();
  StripeSummary summary;
  summary.row_count = static_cast<std::uint32_t>(stripe_.row_count());
  summary.first_series = runs_.front().series;
  summary.series_count = runs_.back().series - runs_.front().series + 1;
  summary.time_ns_min = stripe_.time_ns_min();
  summary.time_ns_max = stripe_.time_ns_max();
  StripeDirectory directory;
  directory.runs = std::move(runs_);
  runs_.clear();
  for (const ColumnId column : stripe_.Columns()) {
    BlockInfo info = TL_TRY(WriteBlock(stripe_.Encode(column, options_.effort)));
    directory.blocks.push_back(std::move(info));
  }
  Bytes bytes;
  WriteStripeDirectory(directory, &bytes);
  summary.directory_offset = pages_.offset();
  summary.directory_bytes = static_cast<std::uint32_t>(bytes.size());
  TL_TRY(pages_.Append(bytes));
  stripes_.push_back(summary);
  stripe_.Clear();
  return OkStatus();
}

Status SegmentWriter::Impl::WriteTail(WrittenSegment* written) {
  Footer footer;
  Bytes bytes;
  std::vector<std::uint32_t> measure_ranks;
  TL_TRY(series_.Write(&bytes, &measure_ranks));
  footer.series_offset = pages_.offset();
  footer.series_bytes = bytes.size();
  TL_TRY(pages_.Append(bytes));

  SegmentSummary& summary = footer.summary;
  summary.file_uuid = options_.file_uuid;
  summary.table_id = options_.table_id;
  summary.tier = options_.tier;
  summary.window_start_ns = options_.window_start_ns;
  summary.window_length_ns = options_.window_length_ns;
  summary.through_number = options_.through_number;
  summary.row_count = row_count_;
  summary.series_count = series_.size();
  summary.stripe_count = stripes_.size();
  summary.time_ns_min = INT64_MAX;
  summary.time_ns_max = INT64_MIN;
  for (StripeSummary& stripe : stripes_) {
    summary.time_ns_min = std::min(summary.time_ns_min, stripe.time_ns_min);
    summary.time_ns_max = std::max(summary.time_ns_max, stripe.time_ns_max);
    const auto ranks = std::span(measure_ranks).subspan(stripe.first_series, stripe.series_count);
    const auto [least, most] = std::minmax_element(ranks.begin(), ranks.end());
    stripe.measure_code_min = *least;
    stripe.measure_code_max = *most;
  }
  for (const auto& [id, column] : columns_) {
    if (column.block_count > 0) summary.columns.push_back(column);
  }
  std::sort(summary.columns.begin(), summary.columns.end(),
            [](const ColumnSummary& a, const ColumnSummary& b) { return a.id < b.id; });
  footer.stripes = stripes_;

  Trailer trailer;
  trailer.footer_offset = pages_.offset();
  trailer.file_uuid = options_.file_uuid;
  bytes.clear();
  WriteFooter(footer, &bytes);
  trailer.footer_bytes = bytes.size();
  trailer.footer_crc = Crc32c(bytes);
  WriteTrailer(trailer, &bytes);
  TL_TRY(pages_.Append(bytes));
  TL_TRY(pages_.Finish());
  written->summary = std::move(summary);
  return OkStatus();
}

Result<WrittenSegment> SegmentWriter::Impl::Finish() {
  if (ended_) return InvalidArgument("segment: finished twice");
  ended_ = true;
  TL_TRY(BeginFile());
  TL_TRY(EndStripe());
  WrittenSegment written;
  TL_TRY(WriteTail(&written));
  written.file_bytes = pages_.file_bytes();
  written.file_hash = pages_.file_hash();
  return written;
}

SegmentWriter::SegmentWriter(const SegmentWriterOptions& options, ByteSink& sink)
    : impl_(std::make_unique<Impl>(options, sink)) {}
SegmentWriter::~SegmentWriter() = default;

template <typename Step>
Status SegmentWriter::Guarded(Step step) {
  if (!status_.ok()) return status_;
  status_ = step();
  return status_;
}

Status SegmentWriter::AddSeries(const SeriesDescriptor& series) {
  return Guarded([&] { return impl_->AddSeries(series); });
}
Status SegmentWriter::AddRows(std::span<const std::int64_t> times_ns,
                              std::span<const std::int64_t> versions,
                              std::span<const ColumnChunk> columns) {
  return Guarded([&] { return impl_->AddRows(times_ns, versions, columns); });
}
Status SegmentWriter::AddSeriesWithRows(std::span<const SeriesDescriptor> series,
                                        std::span<const std::uint32_t> row_counts,
                                        std::span<const std::int64_t> times_ns,
                                        std::span<const std::int64_t> versions,
                                        std::span<const ColumnChunk> columns) {
  return Guarded([&] { return impl_->AddSeriesWithRows(series, row_counts, times_ns, versions, columns); });
}
Result<WrittenSegment> SegmentWriter::Finish() {
  WrittenSegment written;
  const Status status = Guarded([&]() -> Status {
    written = TL_TRY(impl_->Finish());
    return OkStatus();
  });
  if (!status.ok()) return status;
  return written;
}
std::uint64_t SegmentWriter::row_count() const { return impl_->row_count(); }
std::uint64_t SegmentWriter::bytes_written() const { return impl_->bytes_written(); }

}  // namespace tideline::segment
