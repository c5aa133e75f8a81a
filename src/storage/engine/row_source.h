// storage/engine/row_source.h: rows of a buffer or segment by series, for flushes and merges.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "storage/engine/segment_source.h"
#include "storage/engine/sorted_sheet.h"
#include "storage/hot/buffer.h"
#include "storage/segment/segment_writer.h"

namespace tideline::engine {

/// Some rows of one series, column by column.
class RowChunk {
 public:
  struct Column {
    segment::ColumnId id = 0;
    segment::ColumnType type = segment::ColumnType::kBigint;
    std::size_t size = 0;  ///< rows so far; the rest are NULL
    std::size_t value_count = 0;
    std::vector<std::int64_t> int64s{};
    std::vector<double> doubles{};
    std::vector<std::uint8_t> booleans{};
    std::vector<std::string_view> strings{};
    std::vector<std::uint64_t> validity{};

    void Pad(std::size_t rows);
    void SetValid(std::size_t row) { validity[row / 64] |= std::uint64_t{1} << (row % 64); }
    bool IsValid(std::size_t row) const { return ((validity[row / 64] >> (row % 64)) & 1) != 0; }
  };

  void Clear();
  std::size_t row_count() const { return times.size(); }
  /// The column, made at its first use.
  Column& ColumnFor(segment::ColumnId id, segment::ColumnType type);
  /// Appends rows [first, last) of `other`.
  void AppendRange(const RowChunk& other, std::size_t first, std::size_t last);
  /// Makes all columns as long as the rows are.
  void Finish();
  /// Views for SegmentWriter::AddRows; of columns that have a value. Valid until the chunk changes.
  std::vector<segment::ColumnChunk> Views() const;

  std::vector<std::int64_t> times{};
  std::vector<std::int64_t> versions{};
  std::vector<Column> columns{};
  std::vector<std::shared_ptr<const void>> owners{};  ///< keep strings alive
};

/// Rows sorted by series and time, dead ones left out.
class RowSource {
 public:
  struct Range {
    std::uint32_t series = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };
  virtual ~RowSource() = default;
  /// One per series, in no particular order.
  const std::vector<Range>& ranges() const { return ranges_; }
  /// Appends what is alive of rows [first, first + count), all of one range, to `out`.
  virtual Status Read(std::uint64_t first, std::size_t count, RowChunk* out) = 0;
  /// Calls `visit` with times of all rows, dead ones perhaps among them.
  virtual Status ForTimes(const std::function<void(std::span<const std::int64_t>)>& visit) = 0;
  /// Bytes of the copies that it holds by now beside what it reads from.
  virtual std::size_t copied_bytes() const { return 0; }

 protected:
  std::vector<Range> ranges_;
};

/// Numbers of a buffer that are copied into the order of its rows; what is beyond is read where it lies.
inline constexpr std::size_t kCopiedBytesMax = std::size_t{128} << 20;

/// Rows of a closed buffer alive at `number`.
std::unique_ptr<RowSource> MakeBufferSource(std::shared_ptr<hot::Buffer> buffer, std::uint64_t number,
                                            std::size_t copied_bytes_max = kCopiedBytesMax);
/// Those of them that belong to a series of `wanted` and lie in one of `times` (ascending, disjoint).
std::unique_ptr<RowSource> MakeBufferSource(std::shared_ptr<hot::Buffer> buffer,
                                            std::uint64_t number, const SeriesSet& wanted,
                                            std::span<const TimeRange> times);
/// Rows of a segment but those of `dead` (null: all).
Result<std::unique_ptr<RowSource>> MakeSegmentSource(std::shared_ptr<SegmentSource> source,
                                                     std::shared_ptr<const Bitmap> dead);
/// Rows of a segment alive at `number`.
Result<std::unique_ptr<RowSource>> MakeSegmentSource(std::shared_ptr<SegmentSource> source,
                                                     std::uint64_t number);

segment::ColumnType SegmentTypeOf(hot::MeasureType type);

}  // namespace tideline::engine
