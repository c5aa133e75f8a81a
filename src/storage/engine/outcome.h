// storage/engine/outcome.h: what the engine writes into the log, and how it is read back.
//
// A record of the log is the outcome of one batch or one catalog change. Replay decides nothing: rows
// say whether they replace, definitions come before their first use. A write record is a table id and a
// sequence of parts, each begun by one byte (low three bits: which part):
//
//   1 dimension   column id, name                       2 value column  column id, kind, type, name
//   3 measure     ordinal, type, name                   4 series        id, measure ordinal, n, n x (slot, value)
//   5 shape       n, n x (column id, type)              6 row           [series], time delta, [version], values
//
// Integers are varints, texts length-prefixed. A row has the columns of the last shape; bits of its first
// byte: 8 replaces a row, 16 same series as the row before, 32 version is not 1. Its time is a signed
// difference from the row before (from 0 at first). Values: double 8 bytes, bigint and timestamp
// signed varint, boolean one byte, varchar text. Layout: docs/file-format.md, "Log records".
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/catalog/schema.h"
#include "storage/engine/payload_buffer.h"
#include "storage/hot/series_index.h"

namespace tideline::engine {

using catalog::ColumnId;
using catalog::ColumnKind;
using catalog::MeasureType;
using catalog::SeriesId;
using catalog::TableId;

/// Types of log records; on disk.
enum class OutcomeType : std::uint16_t {
  kWrite = 1,
  kPutDatabase = 2,   ///< catalog::EncodeDatabase
  kDropDatabase = 3,  ///< name
  kCreateTable = 4,   ///< catalog::EncodeTable
  kDropTable = 5,     ///< table id
  kUpdateTable = 6,   ///< catalog::EncodeTable without columns and measures
  kDelete = 7,        ///< EncodeDelete (delete_rows.h)
};

/// One value as the log and the buffers hold it.
struct Cell {
  std::uint64_t bits = 0;  ///< of all but varchar; double: its bits
  std::string_view text{};
};

struct ShapeColumn {
  ColumnId id{};
  MeasureType type = MeasureType::kDouble;
};

/// Writes the parts of one write record.
class OutcomeWriter {
 public:
  /// Most bytes a row takes besides its values.
  static constexpr std::size_t kRowHeadBytesMax = 1 + 3 * PayloadBuffer::kVarintBytesMax;

  void Begin(TableId table);
  void Dimension(ColumnId column, std::string_view name);
  void ValueColumn(ColumnId column, ColumnKind kind, MeasureType type, std::string_view name);
  void Measure(std::uint32_t ordinal, MeasureType type, std::string_view name);
  void Series(SeriesId series, std::uint32_t measure, std::span<const hot::KeyPart> parts);
  /// Writes the shape unless it is the last one.
  void Shape(std::span<const ShapeColumn> columns);
  /// Begins a row; its values follow in the shape's order.
  void Row(SeriesId series, std::int64_t time_ns, std::int64_t version, bool replaces);
  void Value(MeasureType type, const Cell& cell) {
    if (type != MeasureType::kDouble) return ValueOfOtherType(type, cell);
    buffer_.Ensure(sizeof(cell.bits));
    buffer_.PutFixed64(cell.bits);
  }
  BytesView payload() const { return buffer_.view(); }

 private:
  void ValueOfOtherType(MeasureType type, const Cell& cell);

  PayloadBuffer buffer_;
  std::vector<ShapeColumn> shape_;
  bool has_shape_ = false;
  bool has_row_ = false;
  SeriesId last_series_{};
  std::int64_t last_time_ns_ = 0;
};

/// Receives the parts of one write record. An error ends the reading with that error.
class OutcomeVisitor {
 public:
  virtual ~OutcomeVisitor() = default;
  virtual Status OnDimension(ColumnId column, std::string_view name) = 0;
  virtual Status OnValueColumn(ColumnId column, ColumnKind kind, MeasureType type,
                               std::string_view name) = 0;
  virtual Status OnMeasure(std::uint32_t ordinal, MeasureType type, std::string_view name) = 0;
  virtual Status OnSeries(SeriesId series, std::uint32_t measure,
                          std::span<const hot::KeyPart> parts) = 0;
  virtual Status OnRow(SeriesId series, std::int64_t time_ns, std::int64_t version, bool replaces,
                       std::span<const ShapeColumn> columns, std::span<const Cell> cells) = 0;
};

/// The table a write record is about. kDataLoss.
Result<TableId> WriteRecordTable(BytesView payload);
/// Walks a write record. kDataLoss on malformed bytes.
Status ReadWriteRecord(BytesView payload, OutcomeVisitor& visitor);

}  // namespace tideline::engine
