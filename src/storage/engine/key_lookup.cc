#include "storage/engine/key_lookup.h"

#include <algorithm>
#include <bit>
#include <tuple>

namespace tideline::engine {
namespace {

// The value of one block at one row; false when it is NULL there.
Result<bool> ReadCell(const segment::ColumnBlock& block, segment::ColumnType type, std::size_t row,
                      StoredCell* cell) {
  std::uint64_t valid = 0;
  const std::span<std::uint64_t> validity(&valid, 1);
  switch (type) {
    case segment::ColumnType::kDouble: {
      double value = 0;
      TL_TRY(block.ReadDouble(row, {&value, 1}, validity));
      cell->bits = std::bit_cast<std::uint64_t>(value);
      break;
    }
    case segment::ColumnType::kBoolean: {
      std::uint8_t value = 0;
      TL_TRY(block.ReadBool(row, {&value, 1}, validity));
      cell->bits = value;
      break;
    }
    case segment::ColumnType::kVarchar: {
      std::string_view text;
      TL_TRY(block.ReadString(row, {&text, 1}, validity));
      cell->text = text;
      break;
    }
    case segment::ColumnType::kBigint:
    case segment::ColumnType::kTimestamp: {
      std::int64_t value = 0;
      TL_TRY(block.ReadInt64(row, {&value, 1}, validity));
      cell->bits = static_cast<std::uint64_t>(value);
      break;
    }
  }
  return (valid & 1) != 0;
}

}  // namespace

Result<StoredRow> ReadStoredRow(const std::shared_ptr<SegmentSource>& segment, std::uint64_t row,
                                std::int64_t cells_of_version, bool compares_higher) {
  StoredRow stored{.segment = segment, .row = row};
  const auto reader = TL_TRY(segment->reader());
  const segment::Stripe stripe = TL_TRY(reader->OpenStripe(reader->FindStripe(row)));
  const std::size_t at = row - stripe.summary().first_row;
  const segment::ColumnBlock versions = TL_TRY(stripe.OpenVersions());
  TL_TRY(versions.ReadInt64(at, {&stored.version, 1}));
  const bool is_higher = stored.version > cells_of_version;
  if (stored.version != cells_of_version && !(is_higher && compares_higher)) return stored;
  for (const segment::BlockInfo& info : stripe.blocks()) {
    if (info.column >= segment::kColumnIdMax) continue;
    const segment::ColumnBlock block = TL_TRY(stripe.OpenColumn(info.column));
    StoredCell cell{.column = catalog::ColumnId{info.column}};
    const bool has_value = TL_TRY(ReadCell(block, info.type, at, &cell));
    if (has_value) stored.cells.push_back(std::move(cell));
  }
  stored.has_cells = true;
  return stored;
}

Status BatchLookups::Read(KeyProbe* probe) {
  // The probe remembers one stripe: segment by segment, in the order of keys, it decodes each stripe once.
  std::sort(questions.begin(), questions.end(), [this](const Question& a, const Question& b) {
    const KeyLookup& left = keys[a.key];
    const KeyLookup& right = keys[b.key];
    return std::tie(a.place, left.series, left.time_ns) < std::tie(b.place, right.series, right.time_ns);
  });
  for (const Question& question : questions) {
    KeyLookup& key = keys[question.key];
    const auto row = TL_TRY(probe->Find(question.segment, key.series, key.time_ns));
    if (row.has_value() && !question.segment->deletions().IsMarked(static_cast<std::uint32_t>(*row))) {
      key.rows.push_back(TL_TRY(ReadStoredRow(question.segment, *row, key.version, key.compares_higher)));
    }
    key.asked.push_back(question.segment.get());
  }
  questions.clear();
  return OkStatus();
}

}  // namespace tideline::engine
