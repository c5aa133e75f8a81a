#include "storage/segment/stripe_buffer.h"

#include <algorithm>

#include "base/check.h"
#include "storage/segment/zone_map.h"

namespace tideline::segment {
namespace {

// Strings this long on a row make the buffer be looked at row by row.
constexpr std::size_t kLongStringBytes = 4096;
constexpr std::size_t kStepRowsOfLongStrings = 64;

bool IsRowValid(std::span<const std::uint64_t> validity, std::size_t row) {
  return validity.empty() || (validity[row / 64] >> (row % 64) & 1) != 0;
}

}  // namespace

struct StripeBuffer::Column {
  ColumnType type = ColumnType::kBigint;
  std::vector<std::int64_t> int64s;
  std::vector<double> doubles;
  std::vector<std::uint8_t> booleans;
  std::vector<std::size_t> text_ends;
  Bytes text;
  /// Ends with the last row that was appended with this column.
  std::vector<std::uint64_t> validity;
  std::size_t rows_seen = 0;
  std::size_t value_count = 0;

  void MarkValid(std::size_t first, std::size_t count) {
    if (count == 0) return;
    validity.resize(std::max(validity.size(), codec::ValidityWords(first + count)));
    value_count += count;
    codec::MarkValid(validity, first, count);
  }
};

StripeBuffer::StripeBuffer() = default;
StripeBuffer::~StripeBuffer() = default;

std::int64_t StripeBuffer::time_ns_min() const {
  return *std::min_element(times_.begin(), times_.end());
}
std::int64_t StripeBuffer::time_ns_max() const {
  return *std::max_element(times_.begin(), times_.end());
}

std::size_t StripeBuffer::StepRows(std::span<const ColumnChunk> columns, std::size_t first) const {
  std::size_t step = kStripeRowsMax;
  for (const ColumnChunk& chunk : columns) {
    if (chunk.type != ColumnType::kVarchar) continue;
    const auto rest = chunk.strings.subspan(first, std::min(step, chunk.strings.size() - first));
    const auto is_long = [](std::string_view text) { return text.size() > kLongStringBytes; };
    if (std::any_of(rest.begin(), rest.end(), is_long)) step = kStepRowsOfLongStrings;
  }
  return step;
}

Status StripeBuffer::Append(std::span<const std::int64_t> times_ns,
                            std::span<const std::int64_t> versions,
                            std::span<const ColumnChunk> columns, std::size_t first) {
  for (const ColumnChunk& chunk : columns) {
    std::unique_ptr<Column>& column = columns_[chunk.column];
    if (column == nullptr) {
      column = std::make_unique<Column>();
      column->type = chunk.type;
    }
    if (column->rows_seen > row_count()) {
      return InvalidArgument("segment: column {} twice in one call", chunk.column);
    }
    AppendColumn(chunk, first, times_ns.size(), column.get());
    column->rows_seen = row_count() + times_ns.size();
  }
  times_.insert(times_.end(), times_ns.begin(), times_ns.end());
  versions_.insert(versions_.end(), versions.begin(), versions.end());
  bytes_ += times_ns.size() * 16;
  return OkStatus();
}

void StripeBuffer::AppendColumn(const ColumnChunk& chunk, std::size_t first, std::size_t count,
                                Column* column) {
  const auto copy = [&](const auto& from, auto* to) {
    const auto rows = from.subspan(first, count);
    to->insert(to->end(), rows.begin(), rows.end());
    column->MarkValid(row_count(), count);
    bytes_ += count * sizeof(from[0]);
  };
  // Rows without NULLs are the rule, and numbers are then copied as they lie.
  if (chunk.validity.empty() && PhysicalKindOf(chunk.type) == codec::PhysicalKind::kDouble) {
    return copy(chunk.doubles, &column->doubles);
  }
  if (chunk.validity.empty() && PhysicalKindOf(chunk.type) == codec::PhysicalKind::kInt64) {
    return copy(chunk.int64s, &column->int64s);
  }
  for (std::size_t i = first; i < first + count; ++i) {
    if (!IsRowValid(chunk.validity, i)) continue;
    column->MarkValid(row_count() + i - first, 1);
    bytes_ += 8;
    switch (chunk.type) {
      case ColumnType::kBigint:
      case ColumnType::kTimestamp:
        column->int64s.push_back(chunk.int64s[i]);
        break;
      case ColumnType::kDouble:
        column->doubles.push_back(chunk.doubles[i]);
        break;
      case ColumnType::kBoolean:
        column->booleans.push_back(chunk.booleans[i] != 0 ? 1 : 0);
        break;
      case ColumnType::kVarchar: {
        const BytesView text = AsBytes(chunk.strings[i]);
        column->text.insert(column->text.end(), text.begin(), text.end());
        column->text_ends.push_back(column->text.size());
        bytes_ += text.size();
        break;
      }
    }
  }
}

std::vector<ColumnId> StripeBuffer::Columns() const {
  std::vector<ColumnId> ids;
  for (const auto& [id, column] : columns_) {
    if (column->value_count > 0) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  ids.push_back(kTimeColumn);
  ids.push_back(kVersionColumn);
  return ids;
}

EncodedColumn StripeBuffer::Encode(ColumnId id, codec::Effort effort) const {
  EncodedColumn out;
  out.id = id;
  if (id == kTimeColumn || id == kVersionColumn) {
    const std::vector<std::int64_t>& values = id == kTimeColumn ? times_ : versions_;
    out.type = id == kTimeColumn ? ColumnType::kTimestamp : ColumnType::kBigint;
    out.zone = ZoneOfInt64s(values, row_count());
    codec::EncodeInt64Block(values, {}, row_count(), &out.block, effort);
    return out;
  }
  const Column& column = *columns_.at(id);
  out.type = column.type;
  std::vector<std::uint64_t> validity;
  if (column.value_count < row_count()) {
    validity = column.validity;
    validity.resize(codec::ValidityWords(row_count()));
  }
  switch (column.type) {
    case ColumnType::kBigint:
    case ColumnType::kTimestamp:
      out.zone = ZoneOfInt64s(column.int64s, row_count());
      codec::EncodeInt64Block(column.int64s, validity, row_count(), &out.block, effort);
      break;
    case ColumnType::kDouble:
      out.zone = ZoneOfDoubles(column.doubles, row_count());
      codec::EncodeDoubleBlock(column.doubles, validity, row_count(), &out.block, effort);
      break;
    case ColumnType::kBoolean:
      out.zone = ZoneOfBools(column.booleans, row_count());
      codec::EncodeBoolBlock(column.booleans, validity, row_count(), &out.block);
      break;
    case ColumnType::kVarchar: {
      std::vector<std::string_view> views;
      views.reserve(column.text_ends.size());
      std::size_t start = 0;
      for (const std::size_t end : column.text_ends) {
        views.push_back(AsText(BytesView(column.text).subspan(start, end - start)));
        start = end;
      }
      out.zone = ZoneOfStrings(views, row_count());
      codec::EncodeStringBlock(views, validity, row_count(), &out.block);
      break;
    }
  }
  return out;
}

void StripeBuffer::Clear() {
  times_.clear();
  versions_.clear();
  columns_.clear();
  bytes_ = 0;
}

}  // namespace tideline::segment
