// storage/segment/segment_types.h: the words shared by the segment writer and reader.
//
// A segment is an immutable columnar file of sorted rows of one table and one time window. Rows are
// sorted by (value of the customer-defined partition key, measure name, dimensions in the order the
// table first saw them, time), NULL first. It is cut into stripes of at most 32,768 rows, a stripe
// into one block per column that has a value there.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "storage/codec/block.h"

namespace tideline::segment {

/// Dense within a table and lane, never used again.
using SeriesId = std::uint64_t;
/// Belongs to the table, is never reused and has one type.
using ColumnId = std::uint32_t;
using TableId = std::uint64_t;
using SequenceNumber = std::uint64_t;
using FileUuid = std::array<std::uint8_t, 16>;

/// Ids of the system columns every row has; a table's own columns stay below kColumnIdMax.
inline constexpr ColumnId kColumnIdMax = 0xffff'fff0;
inline constexpr ColumnId kTimeColumn = 0xffff'fffe;
inline constexpr ColumnId kVersionColumn = 0xffff'ffff;

/// 1: as first released. 2: double codec alp_rd, string codec fsst, entropy stage. All are read; 2 is
/// written.
inline constexpr std::uint32_t kFormatVersion = 2;
/// Most rows in a stripe.
inline constexpr std::size_t kStripeRowsMax = codec::kBlockRowsMax;
/// A stripe ends where a measure name ends once it holds this many rows, so that columns of other
/// measures have no block there.
inline constexpr std::size_t kStripeRowsMin = 4096;
/// A stripe also ends once its buffered values take this many bytes.
inline constexpr std::size_t kStripeBytesMax = std::size_t{16} << 20;
/// Most columns (dimension columns included) one segment may name.
inline constexpr std::size_t kSegmentColumnsMax = 65'536;
/// Most rows and most series of one segment.
inline constexpr std::uint64_t kSegmentRowsMax = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kSegmentSeriesMax = std::uint64_t{1} << 24;
/// Longest measure name or dimension value.
inline constexpr std::size_t kNameBytesMax = 65'536;

/// What a column holds. Numbers are on disk: never reuse one. A timestamp is int64 nanoseconds
/// since the Unix epoch.
enum class ColumnType : std::uint8_t {
  kBigint = 1,
  kDouble = 2,
  kBoolean = 3,
  kVarchar = 4,
  kTimestamp = 5,
};
codec::PhysicalKind PhysicalKindOf(ColumnType type);

/// Which store a segment belongs to. Numbers are on disk.
enum class Tier : std::uint8_t { kMemory = 1, kMagnetic = 2 };

/// What is known of a block's values without reading it; NULLs are left out of everything but
/// null_count.
struct ZoneMap {
  std::uint32_t row_count = 0;
  std::uint32_t null_count = 0;
  /// False when no value can be bounded (only NaN).
  bool has_bounds = false;
  /// Doubles: at least one NaN, which min, max and sum leave out.
  bool has_nan = false;
  /// Bigint and boolean: sum_int64 overflowed and means nothing. Doubles: the sum is not finite.
  bool sum_overflowed = false;
  /// Varchar: bounds are cut to kZoneStringBytes; max is then a strict upper bound.
  bool max_is_cut = false;
  /// Bigint, timestamp, boolean (0 or 1).
  std::int64_t min_int64 = 0;
  std::int64_t max_int64 = 0;
  std::int64_t sum_int64 = 0;
  /// Doubles; -0.0 and 0.0 are equal here. The sum is compensated (Neumaier), not exact.
  double min_double = 0;
  double max_double = 0;
  double sum_double = 0;
  /// Varchar, byte order. `min_string` is a lower bound; when max_is_cut, every value is below
  /// `max_string` or starts with it.
  std::string min_string;
  std::string max_string;

  bool operator==(const ZoneMap&) const = default;
};
inline constexpr std::size_t kZoneStringBytes = 32;

/// One column of a segment, whatever the stripes.
struct ColumnSummary {
  ColumnId id = 0;
  ColumnType type = ColumnType::kBigint;
  std::uint64_t value_count = 0;  ///< rows that are not NULL
  std::uint64_t block_count = 0;
  std::uint64_t encoded_bytes = 0;

  bool operator==(const ColumnSummary&) const = default;
};

/// What a segment says of itself; the manifest keeps a part of it.
struct SegmentSummary {
  std::uint32_t format_version = kFormatVersion;
  FileUuid file_uuid{};
  TableId table_id = 0;
  Tier tier = Tier::kMemory;
  std::int64_t window_start_ns = 0;
  std::int64_t window_length_ns = 0;
  /// Everything of the table in this window up to here and covered by the flush is in files.
  SequenceNumber through_number = 0;
  std::uint64_t row_count = 0;
  std::uint64_t series_count = 0;
  std::uint64_t stripe_count = 0;
  std::int64_t time_ns_min = 0;        ///< INT64_MAX when empty
  std::int64_t time_ns_max = 0;        ///< INT64_MIN when empty
  std::vector<ColumnSummary> columns;  ///< by id, system columns last

  bool operator==(const SegmentSummary&) const = default;
};

/// What the writer reports to the manifest.
struct WrittenSegment {
  SegmentSummary summary;
  std::uint64_t file_bytes = 0;
  /// XXH3-128 of every byte of the file as stored.
  Hash128 file_hash;
};

}  // namespace tideline::segment
