#include "storage/hot/sheet.h"

#include <algorithm>

namespace tideline::hot {

void SheetColumn::PlaceSparse(std::uint32_t row, std::uint32_t at) {
  if (!sparse_.load(std::memory_order_relaxed)) {
    for (std::uint32_t i = 0; i < at; ++i) rows_.At(i) = first_row_ + i;
    rows_.At(at) = row;
    sparse_.store(true, std::memory_order_release);
    return;
  }
  rows_.At(at) = row;
}

std::uint32_t SheetColumn::Locate(std::uint32_t row) const {
  const std::uint32_t values = count();
  if (!sparse_.load(std::memory_order_acquire)) {
    return row >= first_row_ && row - first_row_ < values ? row - first_row_ : kNoValue;
  }
  std::uint32_t low = 0;
  std::uint32_t high = values;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (rows_[middle] < row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < values && rows_[low] == row ? low : kNoValue;
}

void SheetColumn::LocateAll(std::uint32_t row_count, std::uint32_t* positions) const {
  std::fill_n(positions, row_count, kNoValue);
  const std::uint32_t values = count();
  if (!sparse_.load(std::memory_order_acquire)) {
    for (std::uint32_t i = 0; i < values && first_row_ + i < row_count; ++i) {
      positions[first_row_ + i] = i;
    }
    return;
  }
  rows_.ForPieces(0, values, [&](std::size_t first, const std::uint32_t* rows, std::size_t count) {
    for (std::size_t i = 0; i < count && rows[i] < row_count; ++i) {
      positions[rows[i]] = static_cast<std::uint32_t>(first + i);
    }
  });
}

Sheet::~Sheet() {
  for (std::uint32_t i = 0; i < column_count(); ++i) delete columns_[i];
}

SheetColumn* Sheet::ColumnFor(ColumnId id, MeasureType type) {
  const std::uint32_t count = column_count_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (columns_[i]->id() == id) return columns_[i];
  }
  // The column begins at the row being staged, or the next one.
  columns_.At(count) = new SheetColumn(id, type, staged_ == 0 ? 0 : staged_ - 1);
  column_count_.store(count + 1, std::memory_order_release);
  return columns_[count];
}

const SheetColumn* Sheet::FindColumn(ColumnId id) const {
  const std::uint32_t count = column_count();
  for (std::uint32_t i = 0; i < count; ++i) {
    if (columns_[i]->id() == id) return columns_[i];
  }
  return nullptr;
}

void Sheet::Commit(std::uint64_t number) {
  std::int64_t low = time_min_.load(std::memory_order_relaxed);
  std::int64_t high = time_max_.load(std::memory_order_relaxed);
  for (std::uint32_t row = row_count_.load(std::memory_order_relaxed); row < staged_; ++row) {
    numbers_.At(row) = number;
    low = std::min(low, times_[row]);
    high = std::max(high, times_[row]);
  }
  time_min_.store(low, std::memory_order_relaxed);
  time_max_.store(high, std::memory_order_relaxed);
  row_count_.store(staged_, std::memory_order_release);
}

std::uint32_t Sheet::VisibleRows(std::uint64_t number) const {
  std::uint32_t low = 0;
  std::uint32_t high = row_count();
  if (high == 0 || numbers_[high - 1] <= number) return high;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (numbers_[middle] <= number) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void Sheet::MarkDead(std::uint32_t row, std::uint64_t number) {
  std::atomic_ref<std::uint64_t>(dead_from_.At(row)).store(number, std::memory_order_relaxed);
  has_dead_.store(true, std::memory_order_release);
}

std::uint64_t Sheet::DeadFrom(std::uint32_t row) const {
  if (!has_dead_rows()) return 0;
  // Chunks are made on demand: a row whose chunk was never touched is alive.
  std::uint64_t from = 0;
  dead_from_.VisitIfThere(row, [&](const std::uint64_t& element) {
    from = std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(element))
               .load(std::memory_order_relaxed);
  });
  return from;
}

std::size_t Sheet::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + series_.memory_bytes() + times_.memory_bytes() +
                      versions_.memory_bytes() + numbers_.memory_bytes() +
                      dead_from_.memory_bytes() + columns_.memory_bytes();
  for (std::uint32_t i = 0; i < column_count(); ++i) bytes += columns_[i]->memory_bytes();
  return bytes;
}

}  // namespace tideline::hot
