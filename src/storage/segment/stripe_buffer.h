// storage/segment/stripe_buffer.h: the rows of the stripe being written, column by column.
//
// A column exists from its first value in the stripe on and holds only values that are not NULL,
// with a validity bit per row; a table of 1,024 attributes costs what its rows hold.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "storage/segment/segment_types.h"
#include "storage/segment/segment_writer.h"

namespace tideline::segment {

/// One finished block of the stripe.
struct EncodedColumn {
  ColumnId id = 0;
  ColumnType type = ColumnType::kBigint;
  ZoneMap zone;
  Bytes block;
};

/// Not thread-safe.
class StripeBuffer {
 public:
  StripeBuffer();
  ~StripeBuffer();
  StripeBuffer(const StripeBuffer&) = delete;
  StripeBuffer& operator=(const StripeBuffer&) = delete;

  std::size_t row_count() const { return times_.size(); }
  /// Of the values held.
  std::size_t bytes() const { return bytes_; }
  std::int64_t time_ns_min() const;
  std::int64_t time_ns_max() const;

  /// How many rows from `first` on may be appended before bytes() should be looked at again: all of
  /// them, or few when strings are long.
  std::size_t StepRows(std::span<const ColumnChunk> columns, std::size_t first) const;
  /// Rows [first, first + times_ns.size()) of `columns`, which the writer has checked.
  /// kInvalidArgument for a column that occurs twice.
  Status Append(std::span<const std::int64_t> times_ns, std::span<const std::int64_t> versions,
                std::span<const ColumnChunk> columns, std::size_t first);

  /// Those with a value, ascending; the system columns come last.
  std::vector<ColumnId> Columns() const;
  EncodedColumn Encode(ColumnId column, codec::Effort effort) const;
  void Clear();

 private:
  struct Column;
  void AppendColumn(const ColumnChunk& chunk, std::size_t first, std::size_t count, Column* column);

  std::vector<std::int64_t> times_;
  std::vector<std::int64_t> versions_;
  absl::flat_hash_map<ColumnId, std::unique_ptr<Column>> columns_;
  std::size_t bytes_ = 0;
};

}  // namespace tideline::segment
