// storage/hot/sheet.h: the rows of one measure name in an active buffer, in arrival order.
//
// Append-only columns. The table's writer stages rows beyond row_count(), then Commit gives them their
// SequenceNumber and publishes them; readers see the rows whose number their snapshot includes. A
// replaced row stays and carries the number from which on it is dead.
//
// A column holds the values of rows that have one. While no row is skipped a row finds its value by
// subtraction; at the first gap row numbers are kept beside the values, so that a thousand attributes of
// which each row has ten cost ten.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "columnar/string_ref.h"
#include "columnar/vector.h"
#include "storage/catalog/schema.h"
#include "storage/hot/stable_array.h"

namespace tideline::hot {

using catalog::ColumnId;
using catalog::MeasureType;

/// Values of one column of a sheet. Numbers are kept as their 64 bits (double: bit pattern; boolean: 0 or 1).
class SheetColumn {
 public:
  static constexpr std::uint32_t kNoValue = UINT32_MAX;

  SheetColumn(ColumnId id, MeasureType type, std::uint32_t first_row)
      : id_(id), type_(type), first_row_(first_row) {}

  ColumnId id() const { return id_; }
  MeasureType type() const { return type_; }
  bool is_text() const { return type_ == MeasureType::kVarchar; }

  // ---- writer: rows ascend ----------------------------------------------------------------------
  void AppendBits(std::uint32_t row, std::uint64_t bits) {
    const std::uint32_t at = count_.load(std::memory_order_relaxed);
    if (room_.empty()) room_ = bits_.RestOfChunk(at);
    room_[0] = bits;
    room_ = room_.subspan(1);
    Place(row, at);
  }
  void AppendText(std::uint32_t row, std::string_view text) {
    const std::uint32_t at = count_.load(std::memory_order_relaxed);
    texts_.At(at) = heap_.Add(text);
    Place(row, at);
  }

  // ---- readers: of published rows -----------------------------------------------------------------
  std::uint32_t count() const { return count_.load(std::memory_order_acquire); }
  /// Position of the row's value, or kNoValue. O(1) without gaps, else O(log).
  std::uint32_t Locate(std::uint32_t row) const;
  std::uint64_t Bits(std::uint32_t position) const { return bits_[position]; }
  /// All of them, by position; of a column of numbers.
  const RowArray<std::uint64_t>& bits() const { return bits_; }
  StringRef Text(std::uint32_t position) const { return texts_[position]; }
  /// Valid as long as the column.
  std::string_view TextView(std::uint32_t position) const { return texts_[position].view(); }
  /// Fills positions[r] for rows r < row_count (kNoValue where there is none).
  void LocateAll(std::uint32_t row_count, std::uint32_t* positions) const;
  /// True when every row of [0, row_count) has a value, at position row.
  bool IsWhole(std::uint32_t row_count) const {
    // The count first: a gap made before a value that it counts is then seen.
    const bool enough = count() >= row_count;
    return first_row_ == 0 && enough && !sparse_.load(std::memory_order_acquire);
  }
  std::size_t memory_bytes() const {
    return sizeof(*this) + bits_.memory_bytes() + texts_.memory_bytes() + rows_.memory_bytes() +
           heap_.bytes();
  }

 private:
  void Place(std::uint32_t row, std::uint32_t at) {
    if (sparse_.load(std::memory_order_relaxed) || row != first_row_ + at) PlaceSparse(row, at);
    count_.store(at + 1, std::memory_order_release);
  }
  void PlaceSparse(std::uint32_t row, std::uint32_t at);

  const ColumnId id_;
  const MeasureType type_;
  const std::uint32_t first_row_;
  std::atomic<std::uint32_t> count_{0};
  std::atomic<bool> sparse_{false};  ///< set once rows_ holds the rows of all values
  RowArray<std::uint64_t> bits_;
  std::span<std::uint64_t> room_;  ///< writer only: where the next values go
  RowArray<StringRef> texts_;
  RowArray<std::uint32_t> rows_;
  StringHeap heap_;
};

class Sheet {
 public:
  explicit Sheet(std::uint32_t measure) : measure_(measure) {}
  ~Sheet();
  Sheet(const Sheet&) = delete;
  Sheet& operator=(const Sheet&) = delete;

  /// The measure's ordinal in the schema.
  std::uint32_t measure() const { return measure_; }

  // ---- writer ---------------------------------------------------------------------------------
  /// Stages a row; its values follow through the columns.
  std::uint32_t StageRow(std::uint32_t series, std::int64_t time_ns, std::int64_t version) {
    const std::uint32_t row = staged_++;
    series_.At(row) = series;
    times_.At(row) = time_ns;
    versions_.At(row) = version;
    return row;
  }
  /// The column, made at its first use.
  SheetColumn* ColumnFor(ColumnId id, MeasureType type);
  std::uint32_t staged_rows() const { return staged_; }
  /// Gives staged rows their number and publishes them.
  void Commit(std::uint64_t number);
  /// From `number` on the row is dead.
  void MarkDead(std::uint32_t row, std::uint64_t number);
  bool IsDead(std::uint32_t row) const { return DeadFrom(row) != 0; }

  // ---- readers --------------------------------------------------------------------------------
  std::uint32_t row_count() const { return row_count_.load(std::memory_order_acquire); }
  /// Rows that a snapshot of `number` includes, dead ones among them: [0, result).
  std::uint32_t VisibleRows(std::uint64_t number) const;
  bool IsDeadAt(std::uint32_t row, std::uint64_t number) const {
    const std::uint64_t from = DeadFrom(row);
    return from != 0 && from <= number;
  }
  /// The number from which on the row is dead, 0 while it lives.
  std::uint64_t DeadFrom(std::uint32_t row) const;
  bool has_dead_rows() const { return has_dead_.load(std::memory_order_acquire); }
  std::uint32_t Series(std::uint32_t row) const { return series_[row]; }
  std::int64_t Time(std::uint32_t row) const { return times_[row]; }
  std::int64_t Version(std::uint32_t row) const { return versions_[row]; }
  /// 0 for a staged row.
  std::uint64_t Number(std::uint32_t row) const { return numbers_.GetOr(row, 0); }
  const RowArray<std::uint32_t>& series() const { return series_; }
  const RowArray<std::int64_t>& times() const { return times_; }
  const RowArray<std::int64_t>& versions() const { return versions_; }
  std::uint32_t column_count() const { return column_count_.load(std::memory_order_acquire); }
  const SheetColumn& column(std::uint32_t position) const { return *columns_[position]; }
  /// Null when the sheet has none.
  const SheetColumn* FindColumn(ColumnId id) const;
  /// Bounds of published rows' times; INT64_MAX and INT64_MIN before the first.
  std::int64_t time_min() const { return time_min_.load(std::memory_order_relaxed); }
  std::int64_t time_max() const { return time_max_.load(std::memory_order_relaxed); }
  std::size_t memory_bytes() const;

 private:
  const std::uint32_t measure_;
  std::uint32_t staged_ = 0;  ///< writer only
  std::atomic<std::uint32_t> row_count_{0};
  RowArray<std::uint32_t> series_;
  RowArray<std::int64_t> times_;
  RowArray<std::int64_t> versions_;
  RowArray<std::uint64_t> numbers_;
  RowArray<std::uint64_t> dead_from_;
  std::atomic<bool> has_dead_{false};
  std::atomic<std::int64_t> time_min_{INT64_MAX};
  std::atomic<std::int64_t> time_max_{INT64_MIN};
  StableArray<SheetColumn*, 3, 9> columns_;
  std::atomic<std::uint32_t> column_count_{0};
};

}  // namespace tideline::hot
