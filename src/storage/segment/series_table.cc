#include "storage/segment/series_table.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "storage/codec/wrapping.h"
#include "storage/segment/series_table_writer.h"

namespace tideline::segment {
namespace {

constexpr std::uint64_t kCodeMax = std::numeric_limits<std::uint32_t>::max();

std::optional<std::uint32_t> RankOf(std::span<const std::string_view> sorted,
                                    std::string_view value) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), value);
  if (at == sorted.end() || *at != value) return std::nullopt;
  return static_cast<std::uint32_t>(at - sorted.begin());
}

Result<codec::BlockView> TakeBlock(ByteReader* reader, codec::PhysicalKind kind,
                                   std::size_t row_count) {
  const std::uint64_t bytes = TL_TRY(reader->Varint());
  if (bytes > reader->remaining()) return DataLoss("series table: block of {} bytes", bytes);
  const BytesView block = TL_TRY(reader->Take(static_cast<std::size_t>(bytes)));
  const codec::BlockView view = TL_TRY(codec::BlockView::Parse(block));
  if (view.kind() != kind || view.row_count() != row_count || view.null_count() != 0) {
    return DataLoss("series table: block does not hold {} values", row_count);
  }
  return view;
}

// Names point into the reader's bytes, or into what is appended to `*decoded`.
Status TakeNames(ByteReader* reader, std::uint64_t count_max, std::vector<std::string_view>* names,
                 std::vector<std::shared_ptr<const void>>* decoded) {
  const std::uint64_t count = TL_TRY(reader->Varint());
  if (count > count_max) return DataLoss("series table: {} names of {} series", count, count_max);
  while (names->size() < count) {
    const std::size_t first = names->size();
    const std::size_t part =
        std::min<std::size_t>(codec::kBlockRowsMax, static_cast<std::size_t>(count) - first);
    const codec::BlockView view = TL_TRY(TakeBlock(reader, codec::PhysicalKind::kString, part));
    names->resize(first + part);
    TL_TRY(view.ReadString(0, std::span(*names).subspan(first), {}));
    if (view.text() != nullptr) decoded->push_back(view.text());
  }
  const auto unsorted = std::adjacent_find(names->begin(), names->end(), std::greater_equal<>());
  if (unsorted != names->end()) return DataLoss("series table: names are not sorted");
  return OkStatus();
}

// Appends one column of `count` series, of values up to `value_max`.
template <typename T>
Status TakeColumn(ByteReader* reader, std::size_t count, std::uint64_t value_max,
                  std::vector<T>* out) {
  const codec::BlockView view = TL_TRY(TakeBlock(reader, codec::PhysicalKind::kInt64, count));
  std::vector<std::int64_t> values(count);
  TL_TRY(view.ReadInt64(0, values, {}));
  for (const std::int64_t value : values) {
    if (static_cast<std::uint64_t>(value) > value_max) {
      return DataLoss("series table: {} where at most {} may be", value, value_max);
    }
    out->push_back(static_cast<T>(value));
  }
  return OkStatus();
}

}  // namespace

const SeriesDimension* SeriesTable::dimension(ColumnId column) const {
  const auto at = std::lower_bound(
      dimensions_.begin(), dimensions_.end(), column,
      [](const SeriesDimension& each, ColumnId wanted) { return each.column < wanted; });
  return at == dimensions_.end() || at->column != column ? nullptr : &*at;
}

std::optional<std::string_view> SeriesTable::dimension_value(std::size_t ordinal,
                                                             ColumnId column) const {
  const SeriesDimension* found = dimension(column);
  if (found == nullptr || found->codes[ordinal] == 0) return std::nullopt;
  return found->values[found->codes[ordinal] - 1];
}

std::optional<std::uint32_t> SeriesTable::Find(SeriesId id) const {
  const auto at = std::lower_bound(
      by_id_.begin(), by_id_.end(), id,
      [this](std::uint32_t ordinal, SeriesId wanted) { return ids_[ordinal] < wanted; });
  if (at == by_id_.end() || ids_[*at] != id) return std::nullopt;
  return *at;
}

std::uint32_t SeriesTable::FindRow(std::uint64_t row) const {
  TL_CHECK(row < first_rows_.back());
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), row);
  return static_cast<std::uint32_t>(after - first_rows_.begin() - 1);
}

std::optional<std::uint32_t> SeriesTable::FindMeasure(std::string_view name) const {
  return RankOf(measure_names_, name);
}

std::optional<std::uint32_t> SeriesTable::FindValue(ColumnId column, std::string_view value) const {
  const SeriesDimension* found = dimension(column);
  if (found == nullptr) return std::nullopt;
  const std::optional<std::uint32_t> rank = RankOf(found->values, value);
  return rank.has_value() ? std::optional(*rank + 1) : std::nullopt;
}

std::vector<std::uint32_t> SeriesTable::Select(const SeriesFilter& filter) const {
  std::vector<std::uint32_t> selected(size());
  std::iota(selected.begin(), selected.end(), 0U);
  const auto keep = [&selected](std::span<const std::uint32_t> allowed, auto code_of) {
    std::erase_if(selected, [&](std::uint32_t ordinal) {
      return !std::binary_search(allowed.begin(), allowed.end(), code_of(ordinal));
    });
  };
  if (filter.measure_codes.has_value()) {
    keep(*filter.measure_codes, [this](std::uint32_t ordinal) { return measure_codes_[ordinal]; });
  }
  for (const SeriesFilter::Dimension& wanted : filter.dimensions) {
    const SeriesDimension* found = dimension(wanted.column);
    keep(wanted.codes,
         [found](std::uint32_t ordinal) { return found == nullptr ? 0U : found->codes[ordinal]; });
  }
  return selected;
}

std::size_t SeriesTable::memory_bytes() const {
  std::size_t bytes = ids_.capacity() * sizeof(SeriesId) + first_rows_.capacity() * 8 +
                      (measure_codes_.capacity() + by_id_.capacity()) * 4 +
                      (times_min_.capacity() + times_max_.capacity()) * 8 +
                      measure_names_.capacity() * sizeof(std::string_view);
  for (const SeriesDimension& each : dimensions_) {
    bytes += each.values.capacity() * sizeof(std::string_view) + each.codes.capacity() * 4;
  }
  for (const auto& text : text_) bytes += text->size();
  return bytes + decoded_text_bytes_;
}

Result<std::shared_ptr<const SeriesTable>> SeriesTableReader::Read(
    std::shared_ptr<const Bytes> bytes, const SegmentSummary& summary) {
  auto table = std::make_shared<SeriesTable>();
  ByteReader reader(*bytes);
  const std::uint64_t series_count = TL_TRY(reader.Varint());
  if (series_count != summary.series_count) {
    return DataLoss("series table: {} series, the footer says {}", series_count,
                    summary.series_count);
  }
  TL_TRY(TakeNames(&reader, series_count, &table->measure_names_, &table->decoded_text_));
  const std::uint64_t dimension_count = TL_TRY(reader.Varint());
  if (dimension_count > kSegmentColumnsMax) {
    return DataLoss("series table: {} dimensions", dimension_count);
  }
  for (std::uint64_t i = 0; i < dimension_count; ++i) {
    SeriesDimension dimension;
    dimension.column = TL_TRY(reader.U32());
    TL_TRY(TakeNames(&reader, series_count, &dimension.values, &table->decoded_text_));
    if (i > 0 && table->dimensions_.back().column >= dimension.column) {
      return DataLoss("series table: dimension {} out of order", dimension.column);
    }
    table->dimensions_.push_back(std::move(dimension));
  }

  std::vector<std::uint64_t> row_counts;
  std::vector<std::uint64_t> durations;
  for (std::size_t first = 0; first < series_count; first += codec::kBlockRowsMax) {
    const std::size_t count =
        std::min<std::size_t>(codec::kBlockRowsMax, static_cast<std::size_t>(series_count) - first);
    // With no names no code is allowed, and TakeColumn must refuse even 0.
    if (table->measure_names_.empty()) return DataLoss("series table: no measure names");
    TL_TRY(TakeColumn(&reader, count, UINT64_MAX, &table->ids_));
    TL_TRY(TakeColumn(&reader, count, std::min(kCodeMax, table->measure_names_.size() - 1),
                      &table->measure_codes_));
    TL_TRY(TakeColumn(&reader, count, summary.row_count, &row_counts));
    TL_TRY(TakeColumn(&reader, count, UINT64_MAX, &table->times_min_));
    TL_TRY(TakeColumn(&reader, count, UINT64_MAX, &durations));
    for (SeriesDimension& dimension : table->dimensions_) {
      TL_TRY(TakeColumn(&reader, count, std::min(kCodeMax, dimension.values.size()),
                        &dimension.codes));
    }
  }
  if (!reader.at_end()) return DataLoss("series table: {} bytes too many", reader.remaining());

  std::uint64_t row = 0;
  for (std::size_t i = 0; i < row_counts.size(); ++i) {
    table->first_rows_.push_back(row);
    row += row_counts[i];
    table->times_max_.push_back(
        codec::Signed(codec::Unsigned(table->times_min_[i]) + durations[i]));
    if (row > summary.row_count) break;
  }
  if (row != summary.row_count) {
    return DataLoss("series table: {} rows, the footer says {}", row, summary.row_count);
  }
  table->first_rows_.push_back(row);
  table->by_id_.resize(table->ids_.size());
  std::iota(table->by_id_.begin(), table->by_id_.end(), 0U);
  std::sort(table->by_id_.begin(), table->by_id_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return table->ids_[a] < table->ids_[b]; });
  for (std::size_t i = 1; i < table->by_id_.size(); ++i) {
    if (table->ids_[table->by_id_[i - 1]] == table->ids_[table->by_id_[i]]) {
      return DataLoss("series table: series {} twice", table->ids_[table->by_id_[i]]);
    }
  }
  // Where names were decoded, all of their text is taken to be: an upper bound.
  if (!table->decoded_text_.empty()) {
    const auto add = [&table](std::span<const std::string_view> names) {
      for (const std::string_view name : names) table->decoded_text_bytes_ += name.size();
    };
    add(table->measure_names_);
    for (const SeriesDimension& dimension : table->dimensions_) add(dimension.values);
  }
  table->text_.push_back(std::move(bytes));
  return std::shared_ptr<const SeriesTable>(std::move(table));
}

}  // namespace tideline::segment
