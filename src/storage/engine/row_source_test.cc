#include "storage/engine/row_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>

namespace tideline::engine {
namespace {

constexpr std::uint32_t kRows = 600;
constexpr std::uint32_t kDeadEvery = 10;
constexpr std::uint32_t kSeries = 7;
constexpr std::uint32_t kSheets = 2;
constexpr std::size_t kColumnBytes = (kRows - kRows / kDeadEvery) * sizeof(std::uint64_t);

// Series, time, column and bits of a value.
using Cell = std::array<std::uint64_t, 4>;

std::uint64_t BitsAt(std::uint32_t sheet, std::uint32_t row, std::uint32_t column) {
  if (column == 2) return std::bit_cast<std::uint64_t>(sheet + row / 8.0);
  return column == 5 ? row % 2 : sheet * 1'000'000 + row * 100 + column;
}

// Two sheets of rows of series in turn: three columns of numbers and one of booleans are whole, one of numbers has gaps.
std::shared_ptr<hot::Buffer> MakeBuffer(std::vector<Cell>* living) {
  auto buffer = std::make_shared<hot::Buffer>();
  for (std::uint32_t number = 0; number < kSheets; ++number) {
    hot::Sheet* const sheet = buffer->SheetFor(number);
    for (std::uint32_t i = 0; i < kRows; ++i) {
      const std::uint32_t series = number * kSeries + i % kSeries;
      const std::uint32_t row = sheet->StageRow(series, i, 1);
      buffer->NoteRow(sheet, row, series, i);
      for (const auto& [id, type] : {std::pair{2U, hot::MeasureType::kDouble}, {3U, hot::MeasureType::kBigint},
                                     {4U, hot::MeasureType::kTimestamp}, {5U, hot::MeasureType::kBoolean},
                                     {6U, hot::MeasureType::kBigint}}) {
        if (id == 6 && i % 3 != 0) continue;
        sheet->ColumnFor(catalog::ColumnId{id}, type)->AppendBits(row, BitsAt(number, i, id));
        if (i % kDeadEvery != 0) living->push_back({series, i, id, BitsAt(number, i, id)});
      }
    }
    sheet->Commit(1);
    for (std::uint32_t i = 0; i < kRows; i += kDeadEvery) sheet->MarkDead(i, 1);
  }
  std::sort(living->begin(), living->end());
  return buffer;
}

std::uint64_t BitsOf(const RowChunk::Column& column, std::size_t row) {
  switch (column.type) {
    case segment::ColumnType::kDouble: return std::bit_cast<std::uint64_t>(column.doubles[row]);
    case segment::ColumnType::kBoolean: return column.booleans[row];
    default: return static_cast<std::uint64_t>(column.int64s[row]);
  }
}

std::vector<Cell> CellsOf(RowSource& source) {
  constexpr std::uint64_t kChunkRows = 50;
  std::vector<Cell> cells;
  for (const RowSource::Range& range : source.ranges()) {
    for (std::uint64_t at = 0; at < range.count; at += kChunkRows) {
      RowChunk chunk;
      EXPECT_TRUE(source.Read(range.first + at, std::min(kChunkRows, range.count - at), &chunk).ok());
      for (const RowChunk::Column& column : chunk.columns) {
        for (std::size_t row = 0; row < chunk.row_count(); ++row) {
          if (!column.IsValid(row)) continue;
          cells.push_back(
              {range.series, static_cast<std::uint64_t>(chunk.times[row]), column.id, BitsOf(column, row)});
        }
      }
    }
  }
  std::sort(cells.begin(), cells.end());
  return cells;
}

// The same rows, whether numbers were brought into order before, some of them, or none; never more than the limit.
TEST(RowSourceTest, CopiesOfABufferStayInsideTheirLimit) {
  std::vector<Cell> living;
  const std::shared_ptr<hot::Buffer> buffer = MakeBuffer(&living);
  for (const std::size_t columns : {0U, 1U, 2U, 4U, 6U}) {
    for (const std::size_t rest : {std::size_t{0}, kColumnBytes - 1}) {
      const auto source = MakeBufferSource(buffer, 1, columns * kColumnBytes + rest);
      EXPECT_TRUE(CellsOf(*source) == living) << columns;
      EXPECT_EQ(source->copied_bytes(), columns * kColumnBytes);
    }
  }
  const auto source = MakeBufferSource(buffer, 1);
  EXPECT_EQ(source->copied_bytes(), 0U) << "nothing is copied before it is read";
  EXPECT_TRUE(CellsOf(*source) == living);
  EXPECT_EQ(source->copied_bytes(), 3 * kSheets * kColumnBytes) << "gaps and booleans are no numbers in order";
}

}  // namespace
}  // namespace tideline::engine
