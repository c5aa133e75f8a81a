// storage/segment/series_table.h: which series a segment holds, and where.
//
// One entry per series, in the segment's row order; entry `ordinal` i owns rows
// [first_row(i), first_row(i) + row_count(i)) of the segment. Measure names and the values of each
// dimension are dictionary-coded; dictionaries are sorted in byte order, so codes compare as
// values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "storage/segment/segment_types.h"

namespace tideline::segment {

/// One dimension column of the table.
struct SeriesDimension {
  ColumnId column = 0;
  /// Sorted distinct values; views live as long as the table.
  std::vector<std::string_view> values;
  /// Per series: 0 when the series lacks the dimension, else 1 + position in `values`.
  std::vector<std::uint32_t> codes;
};

/// Keeps series whose measure is one of `measure_codes` (if set) and, for each dimension named,
/// whose code is among `codes` (0 matches a series without the dimension). Codes are sorted.
struct SeriesFilter {
  struct Dimension {
    ColumnId column = 0;
    std::vector<std::uint32_t> codes;
  };
  std::optional<std::vector<std::uint32_t>> measure_codes;
  std::vector<Dimension> dimensions;
};

/// Immutable and thread-safe once read.
class SeriesTable {
 public:
  std::size_t size() const { return ids_.size(); }
  SeriesId id(std::size_t ordinal) const { return ids_[ordinal]; }
  std::uint32_t measure_code(std::size_t ordinal) const { return measure_codes_[ordinal]; }
  std::string_view measure_name(std::size_t ordinal) const {
    return measure_names_[measure_codes_[ordinal]];
  }
  std::uint64_t first_row(std::size_t ordinal) const { return first_rows_[ordinal]; }
  std::uint64_t row_count(std::size_t ordinal) const {
    return first_rows_[ordinal + 1] - first_rows_[ordinal];
  }
  /// Time of the first and last row; INT64_MAX and INT64_MIN for a series without rows.
  std::int64_t time_ns_min(std::size_t ordinal) const { return times_min_[ordinal]; }
  std::int64_t time_ns_max(std::size_t ordinal) const { return times_max_[ordinal]; }

  /// Sorted; a measure code is a position here.
  std::span<const std::string_view> measure_names() const { return measure_names_; }
  /// Ascending by column id; only dimensions that some series has.
  std::span<const SeriesDimension> dimensions() const { return dimensions_; }
  /// Null when no series has this dimension.
  const SeriesDimension* dimension(ColumnId column) const;
  /// The value of a dimension, or nothing when the series lacks it.
  std::optional<std::string_view> dimension_value(std::size_t ordinal, ColumnId column) const;

  /// Ordinal of a series.
  std::optional<std::uint32_t> Find(SeriesId id) const;
  /// Ordinal of the series that owns `row` of the segment; `row` must be below its row count.
  std::uint32_t FindRow(std::uint64_t row) const;
  std::optional<std::uint32_t> FindMeasure(std::string_view name) const;
  /// The code as in SeriesDimension::codes (never 0), or nothing.
  std::optional<std::uint32_t> FindValue(ColumnId column, std::string_view value) const;
  /// Ordinals that pass `filter`, ascending.
  std::vector<std::uint32_t> Select(const SeriesFilter& filter) const;
  /// Memory held.
  std::size_t memory_bytes() const;

 private:
  friend class SeriesTableReader;
  std::vector<SeriesId> ids_;
  std::vector<std::uint32_t> measure_codes_;
  std::vector<std::uint64_t> first_rows_;  ///< one more than series
  std::vector<std::int64_t> times_min_;
  std::vector<std::int64_t> times_max_;
  std::vector<std::string_view> measure_names_;
  std::vector<SeriesDimension> dimensions_;
  /// Ordinals by ascending id.
  std::vector<std::uint32_t> by_id_;
  /// What the views point into.
  std::vector<std::shared_ptr<const Bytes>> text_;
  std::vector<std::shared_ptr<const void>> decoded_text_;
  std::size_t decoded_text_bytes_ = 0;
};

}  // namespace tideline::segment
