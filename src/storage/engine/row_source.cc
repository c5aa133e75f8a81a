#include "storage/engine/row_source.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tideline::engine {
namespace {

/// Rows decoded at once from a segment; four slices, so that wide sparse tables stay small.
constexpr std::size_t kWindowRows = 4096;
/// Columns of a sheet whose numbers are copied in order; of more they are picked one by one.
constexpr std::size_t kColumnsSortedMax = 32;
/// Columns of a chunk that keep their memory for the next rows.
constexpr std::size_t kColumnsKeptMax = 64;

}  // namespace

segment::ColumnType SegmentTypeOf(hot::MeasureType type) {
  switch (type) {
    case hot::MeasureType::kDouble: return segment::ColumnType::kDouble;
    case hot::MeasureType::kVarchar: return segment::ColumnType::kVarchar;
    case hot::MeasureType::kBoolean: return segment::ColumnType::kBoolean;
    case hot::MeasureType::kTimestamp: return segment::ColumnType::kTimestamp;
    case hot::MeasureType::kBigint:
    case hot::MeasureType::kMulti: return segment::ColumnType::kBigint;
  }
  return segment::ColumnType::kBigint;
}

void RowChunk::Column::Pad(std::size_t rows) {
  if (size >= rows) return;
  switch (type) {
    case segment::ColumnType::kDouble: doubles.resize(rows); break;
    case segment::ColumnType::kBoolean: booleans.resize(rows); break;
    case segment::ColumnType::kVarchar: strings.resize(rows); break;
    case segment::ColumnType::kBigint:
    case segment::ColumnType::kTimestamp: int64s.resize(rows); break;
  }
  validity.resize(codec::ValidityWords(rows), 0);
  size = rows;
}

void RowChunk::Clear() {
  times.clear();
  versions.clear();
  owners.clear();
  if (columns.size() > kColumnsKeptMax) columns.clear();
  for (Column& column : columns) {
    column.size = column.value_count = 0;
    column.int64s.clear();
    column.doubles.clear();
    column.booleans.clear();
    column.strings.clear();
    column.validity.clear();
  }
}

RowChunk::Column& RowChunk::ColumnFor(segment::ColumnId id, segment::ColumnType type) {
  for (Column& column : columns) {
    if (column.id == id) return column;
  }
  Column& column = columns.emplace_back();
  column.id = id;
  column.type = type;
  return column;
}

void RowChunk::AppendRange(const RowChunk& other, std::size_t first, std::size_t last) {
  const std::size_t base = row_count();
  const std::size_t count = last - first;
  const auto slice = [&](const auto& from, auto* to) {
    to->insert(to->end(), from.begin() + static_cast<std::ptrdiff_t>(first),
               from.begin() + static_cast<std::ptrdiff_t>(last));
  };
  slice(other.times, &times);
  slice(other.versions, &versions);
  for (const Column& from : other.columns) {
    if (from.value_count == 0) continue;
    Column& to = ColumnFor(from.id, from.type);
    to.Pad(base);
    switch (from.type) {
      case segment::ColumnType::kDouble: slice(from.doubles, &to.doubles); break;
      case segment::ColumnType::kBoolean: slice(from.booleans, &to.booleans); break;
      case segment::ColumnType::kVarchar: slice(from.strings, &to.strings); break;
      case segment::ColumnType::kBigint:
      case segment::ColumnType::kTimestamp: slice(from.int64s, &to.int64s); break;
    }
    to.size = base + count;
    to.validity.resize(codec::ValidityWords(to.size), 0);
    if (from.value_count == other.row_count()) {
      codec::MarkValid(to.validity, base, count);
      to.value_count += count;
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!from.IsValid(first + i)) continue;
      to.SetValid(base + i);
      ++to.value_count;
    }
  }
  for (const auto& owner : other.owners) {
    if (std::find(owners.begin(), owners.end(), owner) == owners.end()) owners.push_back(owner);
  }
}

void RowChunk::Finish() {
  for (Column& column : columns) column.Pad(row_count());
}

std::vector<segment::ColumnChunk> RowChunk::Views() const {
  std::vector<segment::ColumnChunk> views;
  for (const Column& column : columns) {
    if (column.value_count == 0) continue;
    segment::ColumnChunk view;
    view.column = column.id;
    view.type = column.type;
    view.int64s = column.int64s;
    view.doubles = column.doubles;
    view.booleans = column.booleans;
    view.strings = column.strings;
    if (column.value_count != row_count()) view.validity = column.validity;
    views.push_back(view);
  }
  return views;
}

namespace {

class BufferRowSource final : public RowSource {
 public:
  BufferRowSource(std::shared_ptr<hot::Buffer> buffer, std::uint64_t number, const SeriesSet& wanted,
                  std::span<const TimeRange> times, std::size_t copied_bytes_max)
      : buffer_(std::move(buffer)), copied_bytes_max_(copied_bytes_max) {
    std::uint64_t base = 0;
    for (std::uint32_t i = 0; i < buffer_->sheet_count(); ++i) {
      Part& part = parts_.emplace_back(
          SortedSheet(buffer_->sheet(i), number, wanted, times), base);
      for (const SortedSheet::Run& run : part.sorted.runs()) {
        ranges_.push_back({run.series, base + run.first, run.count});
      }
      base += part.sorted.rows().size();
    }
  }

  Status Read(std::uint64_t first, std::size_t count, RowChunk* out) override {
    const auto after =
        std::upper_bound(parts_.begin(), parts_.end(), first,
                         [](std::uint64_t row, const Part& part) { return row < part.base; });
    Part& part = *(after - 1);
    Prepare(&part);
    const hot::Sheet& sheet = part.sorted.sheet();
    const std::size_t base = out->row_count();
    const std::size_t at = first - part.base;
    out->times.resize(base + count);
    out->versions.resize(base + count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t row = part.sorted.rows()[at + i];
      out->times[base + i] = sheet.Time(row);
      out->versions[base + i] = sheet.Version(row);
    }
    for (std::size_t k = 0; k < part.columns.size(); ++k) {
      const ColumnOrder& order = part.columns[k];
      const hot::SheetColumn& from = *order.column;
      const auto column = [&]() -> RowChunk::Column& {
        RowChunk::Column& to = out->ColumnFor(from.id().value, SegmentTypeOf(from.type()));
        to.Pad(out->row_count());
        return to;
      };
      if (!part.sorted_bits[k].empty()) {
        PutSorted(std::span(part.sorted_bits[k]).subspan(at, count), base, &column());
        continue;
      }
      if (order.whole) {
        PutWhole(from, {part.sorted.rows().data() + at, count}, base, &column());
        continue;
      }
      auto place = std::lower_bound(
          order.places.begin(), order.places.end(), at,
          [](const auto& entry, std::size_t wanted) { return entry.first < wanted; });
      if (place == order.places.end() || place->first >= at + count) continue;
      RowChunk::Column& to = column();
      for (; place != order.places.end() && place->first < at + count; ++place) {
        Put(from, place->second, base + place->first - at, &to);
      }
    }
    if (out->owners.empty()) out->owners.push_back(buffer_);
    out->Finish();
    return OkStatus();
  }

  Status ForTimes(const std::function<void(std::span<const std::int64_t>)>& visit) override {
    for (const Part& part : parts_) {
      const hot::Sheet& sheet = part.sorted.sheet();
      sheet.times().ForPieces(0, sheet.row_count(),
                              [&](std::size_t, const std::int64_t* times, std::size_t count) {
                                visit({times, count});
                              });
    }
    return OkStatus();
  }

  std::size_t copied_bytes() const override { return copied_bytes_; }

 private:
  struct Part {
    Part(SortedSheet sheet, std::uint64_t first) : sorted(std::move(sheet)), base(first) {}
    SortedSheet sorted;
    std::uint64_t base;
    bool prepared = false;
    std::vector<ColumnOrder> columns{};
    /// By column: its numbers in the order of rows(), or nothing.
    std::vector<std::vector<std::uint64_t>> sorted_bits{};
  };
  void Prepare(Part* part) {
    if (part->prepared) return;
    part->prepared = true;
    const hot::Sheet& sheet = part->sorted.sheet();
    for (std::uint32_t i = 0; i < sheet.column_count(); ++i) {
      part->columns.push_back(part->sorted.OrderOf(sheet.column(i)));
    }
    SortBits(part);
  }
  // Reading series by series from rows in the order of their arrival jumps through memory, column for column. So the
  // numbers are brought into order once, each column in one pass that reads it from end to end.
  void SortBits(Part* part) {
    part->sorted_bits.resize(part->columns.size());
    const std::vector<std::uint32_t>& rows = part->sorted.rows();
    const std::uint32_t row_count = part->sorted.sheet().row_count();
    const std::size_t bytes = rows.size() * sizeof(std::uint64_t);
    if (part->columns.size() > kColumnsSortedMax || rows.size() < row_count / 2) return;
    if (bytes > copied_bytes_max_ - copied_bytes_) return;
    std::vector<std::uint32_t> places(row_count, UINT32_MAX);
    for (std::size_t i = 0; i < rows.size(); ++i) places[rows[i]] = static_cast<std::uint32_t>(i);
    for (std::size_t k = 0; k < part->columns.size(); ++k) {
      const ColumnOrder& order = part->columns[k];
      if (!order.whole || !IsNumber(order.column->type()) || bytes > copied_bytes_max_ - copied_bytes_) continue;
      copied_bytes_ += bytes;
      part->sorted_bits[k] = SortedBits(*order.column, places, rows.size());
    }
  }
  static bool IsNumber(hot::MeasureType type) {
    return type == hot::MeasureType::kDouble || type == hot::MeasureType::kBigint ||
           type == hot::MeasureType::kTimestamp;
  }
  // `places[r]`: where row r goes, UINT32_MAX for one that is left out; `size` rows go anywhere.
  static std::vector<std::uint64_t> SortedBits(const hot::SheetColumn& column, std::span<const std::uint32_t> places,
                                               std::size_t size) {
    std::vector<std::uint64_t> sorted(size);
    const std::size_t count = std::min<std::size_t>(places.size(), column.count());
    column.bits().ForPieces(0, count, [&](std::size_t first, const std::uint64_t* bits, std::size_t piece) {
      for (std::size_t i = 0; i < piece; ++i) {
        const std::uint32_t place = places[first + i];
        if (place != UINT32_MAX) sorted[place] = bits[i];
      }
    });
    return sorted;
  }
  static void PutSorted(std::span<const std::uint64_t> bits, std::size_t base, RowChunk::Column* out) {
    void* const to = out->type == segment::ColumnType::kDouble ? static_cast<void*>(out->doubles.data() + base)
                                                               : static_cast<void*>(out->int64s.data() + base);
    std::memcpy(to, bits.data(), bits.size_bytes());
    codec::MarkValid(out->validity, base, bits.size());
    out->value_count += bits.size();
  }
  // Values of rows that all have one, to `base` and behind.
  static void PutWhole(const hot::SheetColumn& from, std::span<const std::uint32_t> rows, std::size_t base,
                       RowChunk::Column* out) {
    switch (out->type) {
      case segment::ColumnType::kDouble:
        for (std::size_t i = 0; i < rows.size(); ++i) {
          out->doubles[base + i] = std::bit_cast<double>(from.Bits(rows[i]));
        }
        break;
      case segment::ColumnType::kBigint:
      case segment::ColumnType::kTimestamp:
        for (std::size_t i = 0; i < rows.size(); ++i) {
          out->int64s[base + i] = static_cast<std::int64_t>(from.Bits(rows[i]));
        }
        break;
      case segment::ColumnType::kBoolean:
      case segment::ColumnType::kVarchar:
        for (std::size_t i = 0; i < rows.size(); ++i) Put(from, rows[i], base + i, out);
        return;
    }
    codec::MarkValid(out->validity, base, rows.size());
    out->value_count += rows.size();
  }
  static void Put(const hot::SheetColumn& from, std::uint32_t position, std::size_t row,
                  RowChunk::Column* out) {
    RowChunk::Column& to = *out;
    switch (to.type) {
      case segment::ColumnType::kDouble:
        to.doubles[row] = std::bit_cast<double>(from.Bits(position));
        break;
      case segment::ColumnType::kBoolean:
        to.booleans[row] = static_cast<std::uint8_t>(from.Bits(position));
        break;
      case segment::ColumnType::kVarchar:
        // Short text lies inside the StringRef: view the array's element, not a copy.
        to.strings[row] = from.TextView(position);
        break;
      case segment::ColumnType::kBigint:
      case segment::ColumnType::kTimestamp:
        to.int64s[row] = static_cast<std::int64_t>(from.Bits(position));
        break;
    }
    to.SetValid(row);
    ++to.value_count;
  }

  std::shared_ptr<hot::Buffer> buffer_;
  const std::size_t copied_bytes_max_;
  std::size_t copied_bytes_ = 0;
  std::vector<Part> parts_;
};

// Decodes a window of rows of one stripe, all columns, and serves reads from it.
class SegmentRowSource final : public RowSource {
 public:
  SegmentRowSource(std::shared_ptr<segment::SegmentReader> reader,
                   std::shared_ptr<const segment::SeriesTable> series,
                   std::shared_ptr<const Bitmap> dead)
      : reader_(std::move(reader)), dead_(std::move(dead)) {
    for (std::size_t i = 0; i < series->size(); ++i) {
      if (series->row_count(i) == 0) continue;
      ranges_.push_back({static_cast<std::uint32_t>(series->id(i)), series->first_row(i),
                         series->row_count(i)});
    }
  }

  Status Read(std::uint64_t first, std::size_t count, RowChunk* out) override {
    const std::uint64_t end = first + count;
    while (first < end) {
      if (first < window_first_ || first >= window_first_ + window_.row_count()) {
        TL_TRY(LoadWindow(first));
      }
      const std::uint64_t stop = std::min(end, window_first_ + window_.row_count());
      // Living rows come in stretches between dead ones.
      while (first < stop) {
        const std::uint64_t dead = dead_ == nullptr ? stop : dead_->NextAtOrAbove(first, stop);
        const std::uint64_t last = std::min(dead, stop);
        if (last > first) {
          out->AppendRange(window_, first - window_first_, last - window_first_);
        }
        first = last < stop ? last + 1 : last;
      }
    }
    out->Finish();
    return OkStatus();
  }

  Status ForTimes(const std::function<void(std::span<const std::int64_t>)>& visit) override {
    std::vector<std::int64_t> times;
    for (std::size_t i = 0; i < reader_->stripe_count(); ++i) {
      times.resize(reader_->stripes()[i].row_count);
      TL_TRY(reader_->ReadTimes(i, 0, times));
      visit(times);
    }
    return OkStatus();
  }

 private:
  Status LoadWindow(std::uint64_t row) {
    const std::size_t index = reader_->FindStripe(row);
    if (index != stripe_index_) {
      blocks_.clear();
      stripe_ = TL_TRY(reader_->OpenStripe(index));
      for (const segment::BlockInfo& info : stripe_.blocks()) {
        blocks_.emplace_back(info, TL_TRY(stripe_.OpenColumn(info.column)));
      }
      stripe_index_ = index;
    }
    const std::uint64_t stripe_first = stripe_.summary().first_row;
    const std::size_t in_stripe = (row - stripe_first) / codec::kSliceValues * codec::kSliceValues;
    const std::size_t count = std::min(kWindowRows, stripe_.row_count() - in_stripe);
    window_.Clear();
    window_.times.resize(count);
    window_.versions.resize(count);
    window_first_ = stripe_first + in_stripe;
    for (const auto& [info, block] : blocks_) {
      if (info.column == segment::kTimeColumn) {
        TL_TRY(block.ReadInt64(in_stripe, window_.times));
      } else if (info.column == segment::kVersionColumn) {
        TL_TRY(block.ReadInt64(in_stripe, window_.versions));
      } else {
        TL_TRY(LoadColumn(info, block, in_stripe));
      }
    }
    return OkStatus();
  }

  Status LoadColumn(const segment::BlockInfo& info, const segment::ColumnBlock& block,
                    std::size_t first) {
    RowChunk::Column& column = window_.ColumnFor(info.column, info.type);
    column.Pad(window_.row_count());
    switch (info.type) {
      case segment::ColumnType::kDouble:
        TL_TRY(block.ReadDouble(first, column.doubles, column.validity));
        break;
      case segment::ColumnType::kBoolean:
        TL_TRY(block.ReadBool(first, column.booleans, column.validity));
        break;
      case segment::ColumnType::kVarchar:
        TL_TRY(block.ReadString(first, column.strings, column.validity));
        window_.owners.push_back(block.owner());
        break;
      case segment::ColumnType::kBigint:
      case segment::ColumnType::kTimestamp:
        TL_TRY(block.ReadInt64(first, column.int64s, column.validity));
        break;
    }
    for (const std::uint64_t word : column.validity) {
      column.value_count += static_cast<std::size_t>(std::popcount(word));
    }
    return OkStatus();
  }

  std::shared_ptr<segment::SegmentReader> reader_;
  std::shared_ptr<const Bitmap> dead_;
  std::size_t stripe_index_ = SIZE_MAX;
  segment::Stripe stripe_;
  std::vector<std::pair<segment::BlockInfo, segment::ColumnBlock>> blocks_;
  RowChunk window_;
  std::uint64_t window_first_ = 0;
};

}  // namespace

std::unique_ptr<RowSource> MakeBufferSource(std::shared_ptr<hot::Buffer> buffer, std::uint64_t number,
                                            std::size_t copied_bytes_max) {
  static constexpr TimeRange kAllTimes{};
  return std::make_unique<BufferRowSource>(std::move(buffer), number, SeriesSet::All(), std::span(&kAllTimes, 1),
                                           copied_bytes_max);
}

std::unique_ptr<RowSource> MakeBufferSource(std::shared_ptr<hot::Buffer> buffer,
                                            std::uint64_t number, const SeriesSet& wanted,
                                            std::span<const TimeRange> times) {
  return std::make_unique<BufferRowSource>(std::move(buffer), number, wanted, times, kCopiedBytesMax);
}

Result<std::unique_ptr<RowSource>> MakeSegmentSource(std::shared_ptr<SegmentSource> source,
                                                     std::uint64_t number) {
  TL_TRY(source->reader().status());  // what it owes is marked from here on
  auto dead = source->deletions().At(number);
  return MakeSegmentSource(std::move(source), std::move(dead));
}

Result<std::unique_ptr<RowSource>> MakeSegmentSource(std::shared_ptr<SegmentSource> source,
                                                     std::shared_ptr<const Bitmap> dead) {
  auto reader = TL_TRY(source->reader());
  auto series = TL_TRY(reader->series_table());
  return std::unique_ptr<RowSource>(std::make_unique<SegmentRowSource>(
      std::move(reader), std::move(series), std::move(dead)));
}

}  // namespace tideline::engine
