#include "storage/engine/outcome.h"

#include <bit>

namespace tideline::engine {
namespace {

enum Part : std::uint8_t {
  kDimensionPart = 1,
  kValueColumnPart = 2,
  kMeasurePart = 3,
  kSeriesPart = 4,
  kShapePart = 5,
  kRowPart = 6,
};
constexpr std::uint8_t kPartMask = 7;
constexpr std::uint8_t kReplacesBit = 8;
constexpr std::uint8_t kSameSeriesBit = 16;
constexpr std::uint8_t kVersionBit = 32;

constexpr std::size_t kNameBytesMax = 64 * 1024;
constexpr std::size_t kTextValueBytesMax = 16 * 1024 * 1024;
constexpr std::size_t kHeadBytes = 1 + 4 * PayloadBuffer::kVarintBytesMax;

Result<MeasureType> TakeType(ByteReader* in) {
  const std::uint8_t type = TL_TRY(in->U8());
  if (type > static_cast<std::uint8_t>(MeasureType::kMulti)) {
    return DataLoss("log record: unknown measure type {}", type);
  }
  return static_cast<MeasureType>(type);
}

Result<std::uint32_t> TakeU32(ByteReader* in) {
  const std::uint64_t value = TL_TRY(in->Varint());
  if (value > UINT32_MAX) return DataLoss("log record: {} is no 32-bit number", value);
  return static_cast<std::uint32_t>(value);
}

// Reads parts one after the other; keeps what a row refers to.
class PartReader {
 public:
  PartReader(ByteReader* in, OutcomeVisitor* visitor) : in_(in), visitor_(visitor) {}

  Status ReadAll() {
    while (!in_->at_end()) {
      const std::uint8_t head = TL_TRY(in_->U8());
      switch (head & kPartMask) {
        case kDimensionPart: TL_TRY(ReadDimension()); break;
        case kValueColumnPart: TL_TRY(ReadValueColumn()); break;
        case kMeasurePart: TL_TRY(ReadMeasure()); break;
        case kSeriesPart: TL_TRY(ReadSeries()); break;
        case kShapePart: TL_TRY(ReadShape()); break;
        case kRowPart: TL_TRY(ReadRow(head)); break;
        default: return DataLoss("log record: unknown part {}", head);
      }
    }
    return OkStatus();
  }

 private:
  Status ReadDimension() {
    const ColumnId column{TL_TRY(TakeU32(in_))};
    const std::string_view name = TL_TRY(in_->LengthPrefixed(kNameBytesMax));
    return visitor_->OnDimension(column, name);
  }
  Status ReadValueColumn() {
    const ColumnId column{TL_TRY(TakeU32(in_))};
    const ColumnKind kind =
        TL_TRY(in_->U8()) == 0 ? ColumnKind::kMeasureValue : ColumnKind::kMultiAttribute;
    const MeasureType type = TL_TRY(TakeType(in_));
    if (type == MeasureType::kMulti) return DataLoss("log record: a column of type multi");
    const std::string_view name = TL_TRY(in_->LengthPrefixed(kNameBytesMax));
    return visitor_->OnValueColumn(column, kind, type, name);
  }
  Status ReadMeasure() {
    const std::uint32_t ordinal = TL_TRY(TakeU32(in_));
    const MeasureType type = TL_TRY(TakeType(in_));
    const std::string_view name = TL_TRY(in_->LengthPrefixed(kNameBytesMax));
    return visitor_->OnMeasure(ordinal, type, name);
  }
  Status ReadSeries() {
    const SeriesId series{TL_TRY(TakeU32(in_))};
    const std::uint32_t measure = TL_TRY(TakeU32(in_));
    const std::uint32_t count = TL_TRY(TakeU32(in_));
    if (count > catalog::kDimensionsMax) return DataLoss("log record: {} dimensions", count);
    parts_.resize(count);
    for (hot::KeyPart& part : parts_) {
      part.slot = TL_TRY(TakeU32(in_));
      part.value = TL_TRY(in_->LengthPrefixed(kNameBytesMax));
      part.hash = hot::Dictionary::HashOf(part.value);
    }
    return visitor_->OnSeries(series, measure, parts_);
  }
  Status ReadShape() {
    const std::uint32_t count = TL_TRY(TakeU32(in_));
    if (count > in_->remaining()) return DataLoss("log record: {} columns in a shape", count);
    shape_.resize(count);
    cells_.resize(count);
    for (ShapeColumn& column : shape_) {
      column.id = ColumnId{TL_TRY(TakeU32(in_))};
      column.type = TL_TRY(TakeType(in_));
      if (column.type == MeasureType::kMulti) return DataLoss("log record: a column of type multi");
    }
    return OkStatus();
  }
  Status ReadRow(std::uint8_t head) {
    if ((head & kSameSeriesBit) == 0) series_ = SeriesId{TL_TRY(TakeU32(in_))};
    const std::int64_t delta = TL_TRY(in_->SignedVarint());
    time_ns_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(time_ns_) +
                                         static_cast<std::uint64_t>(delta));
    std::int64_t version = 1;
    if ((head & kVersionBit) != 0) version = TL_TRY(in_->SignedVarint());
    for (std::size_t i = 0; i < shape_.size(); ++i) {
      Cell& cell = cells_[i];
      switch (shape_[i].type) {
        case MeasureType::kDouble: cell.bits = TL_TRY(in_->U64()); break;
        case MeasureType::kBoolean: cell.bits = TL_TRY(in_->U8()); break;
        case MeasureType::kVarchar: cell.text = TL_TRY(in_->LengthPrefixed(kTextValueBytesMax)); break;
        case MeasureType::kBigint:
        case MeasureType::kTimestamp:
        case MeasureType::kMulti:
          cell.bits = static_cast<std::uint64_t>(TL_TRY(in_->SignedVarint()));
          break;
      }
    }
    return visitor_->OnRow(series_, time_ns_, version, (head & kReplacesBit) != 0, shape_, cells_);
  }

  ByteReader* in_;
  OutcomeVisitor* visitor_;
  std::vector<hot::KeyPart> parts_;
  std::vector<ShapeColumn> shape_;
  std::vector<Cell> cells_;
  SeriesId series_{};
  std::int64_t time_ns_ = 0;
};

}  // namespace

void OutcomeWriter::Begin(TableId table) {
  buffer_.Clear();
  buffer_.Ensure(kHeadBytes);
  buffer_.PutVarint(table.value);
  has_shape_ = false;
  has_row_ = false;
  last_time_ns_ = 0;
}

void OutcomeWriter::Dimension(ColumnId column, std::string_view name) {
  buffer_.Ensure(kHeadBytes);
  buffer_.PutByte(kDimensionPart);
  buffer_.PutVarint(column.value);
  buffer_.PutText(name);
}

void OutcomeWriter::ValueColumn(ColumnId column, ColumnKind kind, MeasureType type,
                                std::string_view name) {
  buffer_.Ensure(kHeadBytes);
  buffer_.PutByte(kValueColumnPart);
  buffer_.PutVarint(column.value);
  buffer_.PutByte(kind == ColumnKind::kMeasureValue ? 0 : 1);
  buffer_.PutByte(static_cast<std::uint8_t>(type));
  buffer_.PutText(name);
}

void OutcomeWriter::Measure(std::uint32_t ordinal, MeasureType type, std::string_view name) {
  buffer_.Ensure(kHeadBytes);
  buffer_.PutByte(kMeasurePart);
  buffer_.PutVarint(ordinal);
  buffer_.PutByte(static_cast<std::uint8_t>(type));
  buffer_.PutText(name);
}

void OutcomeWriter::Series(SeriesId series, std::uint32_t measure,
                           std::span<const hot::KeyPart> parts) {
  buffer_.Ensure(kHeadBytes);
  buffer_.PutByte(kSeriesPart);
  buffer_.PutVarint(series.value);
  buffer_.PutVarint(measure);
  buffer_.PutVarint(parts.size());
  for (const hot::KeyPart& part : parts) {
    buffer_.Ensure(PayloadBuffer::kVarintBytesMax);
    buffer_.PutVarint(part.slot);
    buffer_.PutText(part.value);
  }
}

void OutcomeWriter::Shape(std::span<const ShapeColumn> columns) {
  if (has_shape_ && shape_.size() == columns.size()) {
    bool same = true;
    for (std::size_t i = 0; i < columns.size(); ++i) same &= shape_[i].id == columns[i].id;
    if (same) return;
  }
  shape_.assign(columns.begin(), columns.end());
  has_shape_ = true;
  buffer_.Ensure(kHeadBytes + columns.size() * (1 + PayloadBuffer::kVarintBytesMax));
  buffer_.PutByte(kShapePart);
  buffer_.PutVarint(columns.size());
  for (const ShapeColumn& column : columns) {
    buffer_.PutVarint(column.id.value);
    buffer_.PutByte(static_cast<std::uint8_t>(column.type));
  }
}

void OutcomeWriter::Row(SeriesId series, std::int64_t time_ns, std::int64_t version,
                        bool replaces) {
  const bool same_series = has_row_ && series == last_series_;
  buffer_.Ensure(kRowHeadBytesMax);
  buffer_.PutByte(static_cast<std::uint8_t>(kRowPart | (replaces ? kReplacesBit : 0) |
                                            (same_series ? kSameSeriesBit : 0) |
                                            (version != 1 ? kVersionBit : 0)));
  if (!same_series) buffer_.PutVarint(series.value);
  buffer_.PutSigned(static_cast<std::int64_t>(static_cast<std::uint64_t>(time_ns) -
                                              static_cast<std::uint64_t>(last_time_ns_)));
  if (version != 1) buffer_.PutSigned(version);
  has_row_ = true;
  last_series_ = series;
  last_time_ns_ = time_ns;
}

void OutcomeWriter::ValueOfOtherType(MeasureType type, const Cell& cell) {
  buffer_.Ensure(PayloadBuffer::kVarintBytesMax);
  switch (type) {
    case MeasureType::kDouble: buffer_.PutFixed64(cell.bits); break;
    case MeasureType::kBoolean: buffer_.PutByte(static_cast<std::uint8_t>(cell.bits)); break;
    case MeasureType::kVarchar: buffer_.PutText(cell.text); break;
    case MeasureType::kBigint:
    case MeasureType::kTimestamp:
    case MeasureType::kMulti:
      buffer_.PutSigned(static_cast<std::int64_t>(cell.bits));
      break;
  }
}

Result<TableId> WriteRecordTable(BytesView payload) {
  ByteReader in(payload);
  return TableId{TL_TRY(in.Varint())};
}

Status ReadWriteRecord(BytesView payload, OutcomeVisitor& visitor) {
  ByteReader in(payload);
  TL_TRY(in.Varint());
  return PartReader(&in, &visitor).ReadAll();
}

}  // namespace tideline::engine
