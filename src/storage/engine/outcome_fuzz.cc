// Log records and series files of arbitrary bytes: an error or a value, never a crash.
#include "storage/engine/outcome.h"
#include "storage/engine/series_file.h"

namespace {
using namespace tideline;

class Nothing final : public engine::OutcomeVisitor {
 public:
  Status OnDimension(catalog::ColumnId, std::string_view) override { return OkStatus(); }
  Status OnValueColumn(catalog::ColumnId, catalog::ColumnKind, catalog::MeasureType,
                       std::string_view) override {
    return OkStatus();
  }
  Status OnMeasure(std::uint32_t, catalog::MeasureType, std::string_view) override {
    return OkStatus();
  }
  Status OnSeries(catalog::SeriesId, std::uint32_t, std::span<const hot::KeyPart>) override {
    return OkStatus();
  }
  Status OnRow(catalog::SeriesId, std::int64_t, std::int64_t, bool,
               std::span<const engine::ShapeColumn>, std::span<const engine::Cell> cells) override {
    for (const engine::Cell& cell : cells) total_ += cell.bits + cell.text.size();
    return OkStatus();
  }
  std::uint64_t total_ = 0;
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const std::byte*>(data), size);
  Nothing visitor;
  (void)engine::WriteRecordTable(bytes);
  (void)engine::ReadWriteRecord(bytes, visitor);
  hot::SeriesIndex index;
  index.AddSlot(0);
  index.AddMeasure(0, "cpu");
  engine::SeriesProgress progress;
  (void)engine::LoadSeriesFile(bytes, &index, &progress);
  return 0;
}
