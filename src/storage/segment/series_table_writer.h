// storage/segment/series_table_writer.h: collects the series of a segment and stores them; the
// reverse of it. See series_table.h for what the table holds.
//
//   series_count (varint) | measure names | dimension_count (varint)
//   | per dimension: column id (u32), values | columns of the table, 32,768 series at a time
//
// Lists of text are string blocks, columns int64 blocks (codec/block.h), each after its length
// (varint): id, measure code, row count, first time, last time minus first, one code per dimension.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/segment/segment_writer.h"
#include "storage/segment/series_table.h"

namespace tideline::segment {

/// Distinct strings with codes in order of appearance, which Sort replaces by ranks.
class NameCollector {
 public:
  std::uint32_t CodeOf(std::string_view name);
  /// The same by the caller's number of the name (DimensionValue::key); the name is not copied.
  std::uint32_t CodeOfKey(std::uint32_t key, std::string_view name);
  std::size_t size() const { return names_.size(); }
  bool has_keys() const { return !codes_by_key_.empty(); }
  /// Sorted names; `ranks` gets the rank of each code.
  std::vector<std::string_view> Sort(std::vector<std::uint32_t>* ranks) const;

 private:
  struct Hasher {
    std::size_t operator()(std::string_view text) const { return Hash64(text); }
  };
  std::vector<std::string_view> names_;
  std::deque<std::string> copies_;  ///< of those without keys
  absl::flat_hash_map<std::string_view, std::uint32_t, Hasher> codes_;
  absl::flat_hash_map<std::uint32_t, std::uint32_t> codes_by_key_;
};

/// Not thread-safe.
class SeriesTableWriter {
 public:
  /// kInvalidArgument as SegmentWriter::AddSeries says.
  Status Add(const SeriesDescriptor& series);
  /// To the series added last.
  void AddRows(std::uint64_t row_count, std::int64_t first_time_ns, std::int64_t last_time_ns);
  std::size_t size() const { return ids_.size(); }
  std::uint64_t last_row_count() const { return row_counts_.back(); }
  std::int64_t last_time_ns() const { return times_max_.back(); }

  /// Appends the table. `measure_ranks` gets the final measure code of each series.
  /// kInvalidArgument when an id came twice.
  Status Write(Bytes* out, std::vector<std::uint32_t>* measure_ranks) const;

 private:
  struct Dimension {
    NameCollector values;
    /// Code + 1 per series, 0 without one; ends at the last series that has it.
    std::vector<std::uint32_t> codes;
  };

  std::vector<SeriesId> ids_;
  std::vector<std::uint32_t> measure_codes_;
  std::vector<std::uint64_t> row_counts_;
  std::vector<std::int64_t> times_min_;
  std::vector<std::int64_t> times_max_;
  NameCollector measures_;
  absl::flat_hash_map<ColumnId, std::unique_ptr<Dimension>> dimensions_;
};

/// Parses what SeriesTableWriter wrote.
class SeriesTableReader {
 public:
  /// Keeps `bytes`. kDataLoss unless they are a table of the series and rows that `summary` says.
  static Result<std::shared_ptr<const SeriesTable>> Read(std::shared_ptr<const Bytes> bytes,
                                                         const SegmentSummary& summary);
};

}  // namespace tideline::segment
