#include "storage/engine/delete_rows.h"

#include <algorithm>

#include "storage/engine/sorted_sheet.h"

namespace tideline::engine {
namespace {

// Reads times of rows [first, last) of a segment, stripe by stripe; the stripe read last is kept.
class TimeReader {
 public:
  explicit TimeReader(const segment::SegmentReader& reader) : reader_(reader) {}

  /// Calls visit(row, times) for each piece.
  template <typename F>
  Status ForRows(std::uint64_t first, std::uint64_t last, F&& visit) {
    while (first < last) {
      const std::size_t stripe = reader_.FindStripe(first);
      const std::uint64_t stripe_first = reader_.stripes()[stripe].first_row;
      if (stripe != stripe_) {
        stripe_ = SIZE_MAX;
        times_.resize(reader_.stripes()[stripe].row_count);
        TL_TRY(reader_.ReadTimes(stripe, 0, times_));
        stripe_ = stripe;
      }
      const std::uint64_t end = std::min<std::uint64_t>(last, stripe_first + times_.size());
      visit(first, std::span(times_).subspan(first - stripe_first, end - first));
      first = end;
    }
    return OkStatus();
  }

 private:
  const segment::SegmentReader& reader_;
  std::size_t stripe_ = SIZE_MAX;
  std::vector<std::int64_t> times_;
};

bool Overlaps(std::span<const TimeRange> times, std::int64_t low, std::int64_t high) {
  return std::any_of(times.begin(), times.end(), [&](const TimeRange& range) {
    return range.first_ns <= high && range.last_ns >= low;
  });
}

Result<Bitmap> FindInSegment(const SegmentSource& source, const DeleteOutcome& outcome) {
  const auto reader = TL_TRY(source.reader());
  Bitmap rows = TL_TRY(FindRowsOfDelete(*reader, outcome));
  const auto dead = source.deletions().At(UINT64_MAX);
  if (dead != nullptr) rows.Subtract(*dead);
  return rows;
}

}  // namespace

Result<Bitmap> FindRowsOfDelete(const segment::SegmentReader& reader, const DeleteOutcome& outcome) {
  Bitmap rows;
  const SeriesSet wanted(outcome.series);
  const std::span<const TimeRange> times(outcome.times);
  const auto series = TL_TRY(reader.series_table());
  TimeReader time_reader(reader);
  for (std::size_t i = 0; i < series->size(); ++i) {
    const std::uint64_t first = series->first_row(i);
    const std::uint64_t last = first + series->row_count(i);
    if (first == last || !wanted.Contains(series->id(i))) continue;
    const std::int64_t low = series->time_ns_min(i);
    const std::int64_t high = series->time_ns_max(i);
    if (!Overlaps(times, low, high)) continue;
    const bool whole = std::any_of(times.begin(), times.end(), [&](const TimeRange& range) {
      return range.first_ns <= low && range.last_ns >= high;
    });
    if (whole) {
      rows.AddRange(first, last);
      continue;
    }
    // Times ascend within a series, so each range is a stretch of a piece.
    TL_TRY(time_reader.ForRows(first, last, [&](std::uint64_t row, std::span<const std::int64_t> piece) {
      for (const TimeRange& range : times) {
        const auto begin = std::lower_bound(piece.begin(), piece.end(), range.first_ns);
        const auto end = std::upper_bound(begin, piece.end(), range.last_ns);
        rows.AddRange(row + static_cast<std::uint64_t>(begin - piece.begin()),
                      row + static_cast<std::uint64_t>(end - piece.begin()));
      }
    }));
  }
  return rows;
}

void EncodeDelete(const DeleteOutcome& outcome, Bytes* bytes) {
  ByteWriter out(bytes);
  out.Varint(outcome.table.value);
  out.Append(BytesView(outcome.delete_id.bytes));
  out.U64(outcome.through.value);
  out.Varint(outcome.times.size());
  for (const TimeRange& range : outcome.times) {
    out.I64(range.first_ns);
    out.I64(range.last_ns);
  }
  outcome.series.EncodeTo(bytes);
}

Result<DeleteOutcome> DecodeDelete(BytesView payload) {
  ByteReader in(payload);
  DeleteOutcome outcome;
  outcome.table = catalog::TableId{TL_TRY(in.Varint())};
  const BytesView uuid = TL_TRY(in.Take(outcome.delete_id.bytes.size()));
  std::copy(uuid.begin(), uuid.end(), outcome.delete_id.bytes.begin());
  outcome.through = SequenceNumber{TL_TRY(in.U64())};
  const std::uint64_t count = TL_TRY(in.Varint());
  if (count > kDeleteRangesMax) return DataLoss("log: a delete of {} time ranges", count);
  for (std::uint64_t i = 0; i < count; ++i) {
    TimeRange range;
    range.first_ns = TL_TRY(in.I64());
    range.last_ns = TL_TRY(in.I64());
    const bool ordered = range.first_ns <= range.last_ns &&
                         (i == 0 || outcome.times.back().last_ns < range.first_ns);
    if (!ordered) return DataLoss("log: the time ranges of a delete are out of order");
    outcome.times.push_back(range);
  }
  const BytesView series = TL_TRY(in.Take(in.remaining()));
  outcome.series = TL_TRY(Bitmap::Decode(series));
  return outcome;
}

Result<DeletedRows> FindRowsToDelete(const SourceList& sources, const DeleteOutcome& outcome,
                                     std::vector<std::shared_ptr<SegmentSource>>* out_of_reach) {
  DeletedRows found;
  const SeriesSet wanted(outcome.series);
  for (const auto& buffer : sources.buffers) {
    for (std::uint32_t i = 0; i < buffer->sheet_count(); ++i) {
      hot::Sheet& sheet = buffer->writable_sheet(i);
      const std::uint32_t count = sheet.VisibleRows(outcome.through.value);
      for (std::uint32_t row = 0; row < count; ++row) {
        if (!wanted.Contains(sheet.Series(row)) || !InRanges(outcome.times, sheet.Time(row))) continue;
        if (!sheet.IsDead(row)) found.in_buffers.push_back({&sheet, row});
      }
    }
  }
  for (const auto* list : {&sources.runs, &sources.segments}) {
    for (const auto& segment : *list) {
      if (!Overlaps(outcome.times, segment->time_ns_min(), segment->time_ns_max())) continue;
      // A store that did not answer once is asked no more.
      const bool is_out = out_of_reach != nullptr && !out_of_reach->empty() &&
                          segment->IsOutOfReach(Unavailable("asked before"));
      Result<Bitmap> found_here = is_out ? Unavailable("asked before") : FindInSegment(*segment, outcome);
      if (out_of_reach != nullptr && segment->IsOutOfReach(found_here.status())) {
        out_of_reach->push_back(segment);
        continue;
      }
      Bitmap rows = TL_TRY(std::move(found_here));
      if (!rows.empty()) found.in_segments.emplace_back(segment, std::move(rows));
    }
  }
  return found;
}

}  // namespace tideline::engine
