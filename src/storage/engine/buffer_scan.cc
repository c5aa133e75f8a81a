// Scanning the sheets of a buffer; see scan.h.
#include <algorithm>
#include <bit>

#include "storage/engine/scan_plan.h"
#include "storage/engine/sorted_sheet.h"

namespace tideline::engine {
namespace {

class BufferMorselReader final : public MorselReader {
 public:
  BufferMorselReader(std::shared_ptr<const ScanPlan> plan, const Morsel& morsel)
      : plan_(std::move(plan)), buffer_(morsel.buffer), sheets_(morsel.sheets) {}

  Result<bool> Next(ScanBatch* batch) override {
    while (sorted_ == nullptr || next_row_ == rows_.size()) {
      if (next_sheet_ == sheets_.size()) return false;
      OpenSheet(buffer_->sheet(sheets_[next_sheet_++]));
    }
    const std::size_t count = std::min(kBatchRowsMax, rows_.size() - next_row_);
    batch->batch.columns.clear();
    batch->batch.row_count = count;
    FillRuns(count, batch);
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
      batch->batch.columns.push_back(MakeColumn(plan_->columns[i], orders_[i], *batch, count));
    }
    next_row_ += count;
    plan_->counters.rows.fetch_add(count, std::memory_order_relaxed);
    return true;
  }

 private:
  void OpenSheet(const hot::Sheet& sheet) {
    sorted_ = std::make_unique<SortedSheet>(sheet, plan_->snapshot->number, plan_->wanted,
                                            plan_->times);
    next_row_ = 0;
    next_run_ = 0;
    run_offset_ = 0;
    rows_ = sorted_->rows();
    runs_ = sorted_->runs();
    if (!plan_->any_of.empty()) KeepRowsWithValues(sheet);
    orders_.clear();
    std::uint64_t bytes = rows_.size() * sizeof(std::int64_t);
    for (const ProjectedColumn& column : plan_->columns) {
      orders_.emplace_back();
      if (column.kind != ProjectedColumn::Kind::kValue) continue;
      const hot::SheetColumn* cells = sheet.FindColumn(column.id);
      if (cells == nullptr || rows_.empty()) continue;
      Order& order = orders_.back();
      order.cells = cells;
      order.whole = cells->IsWhole(sheet.VisibleRows(plan_->snapshot->number));
      if (!order.whole) {
        order.positions.resize(sheet.VisibleRows(plan_->snapshot->number));
        cells->LocateAll(static_cast<std::uint32_t>(order.positions.size()), order.positions.data());
      }
      bytes += rows_.size() * sizeof(std::uint64_t);
    }
    plan_->counters.bytes_scanned.fetch_add(bytes, std::memory_order_relaxed);
  }

  // Drops rows that have none of the columns asked for.
  void KeepRowsWithValues(const hot::Sheet& sheet) {
    std::vector<std::uint32_t> kept;
    std::vector<SortedSheet::Run> kept_runs;
    for (const SortedSheet::Run& run : runs_) {
      const auto first = static_cast<std::uint32_t>(kept.size());
      for (std::uint32_t i = run.first; i < run.first + run.count; ++i) {
        const bool has = std::any_of(plan_->any_of.begin(), plan_->any_of.end(), [&](ColumnId id) {
          const hot::SheetColumn* cells = sheet.FindColumn(id);
          return cells != nullptr && cells->Locate(rows_[i]) != hot::SheetColumn::kNoValue;
        });
        if (has) kept.push_back(rows_[i]);
      }
      const auto count = static_cast<std::uint32_t>(kept.size()) - first;
      if (count != 0) kept_runs.push_back({run.series, first, count});
    }
    rows_ = std::move(kept);
    runs_ = std::move(kept_runs);
  }

  void FillRuns(std::size_t count, ScanBatch* batch) {
    batch->runs.clear();
    std::uint32_t filled = 0;
    while (filled < count) {
      const SortedSheet::Run& run = runs_[next_run_];
      const std::uint32_t take =
          std::min(run.count - run_offset_, static_cast<std::uint32_t>(count) - filled);
      batch->runs.push_back({SeriesId{run.series}, filled, take});
      filled += take;
      run_offset_ += take;
      if (run_offset_ == run.count) {
        ++next_run_;
        run_offset_ = 0;
      }
    }
  }

  struct Order {
    const hot::SheetColumn* cells = nullptr;
    bool whole = false;
    std::vector<std::uint32_t> positions{};
    std::uint32_t Position(std::uint32_t row) const { return whole ? row : positions[row]; }
  };

  Vector MakeColumn(const ProjectedColumn& column, const Order& order, const ScanBatch& batch,
                    std::size_t count) const {
    switch (column.kind) {
      case ProjectedColumn::Kind::kDimension:
      case ProjectedColumn::Kind::kMeasureName:
        return DictionaryColumn(*plan_, column, batch.runs, count);
      case ProjectedColumn::Kind::kTime: {
        Vector times = Vector::Flat(Type::Timestamp(), count);
        auto* out = times.mutable_values<std::int64_t>();
        for (std::size_t i = 0; i < count; ++i) out[i] = sorted_->sheet().Time(rows_[next_row_ + i]);
        return times;
      }
      case ProjectedColumn::Kind::kValue:
        break;
    }
    if (order.cells == nullptr) return Vector::ConstantNull(column.type, count);
    Vector values = Vector::Flat(column.type, count);
    switch (column.type.physical()) {
      case PhysicalType::kDouble:
        Gather<double>(order, count, &values,
                       [](std::uint64_t bits) { return std::bit_cast<double>(bits); });
        break;
      case PhysicalType::kBool8:
        Gather<std::uint8_t>(order, count, &values,
                             [](std::uint64_t bits) { return static_cast<std::uint8_t>(bits); });
        break;
      case PhysicalType::kString: {
        auto* out = values.mutable_values<StringRef>();
        for (std::size_t i = 0; i < count; ++i) {
          const std::uint32_t position = order.Position(rows_[next_row_ + i]);
          if (position == hot::SheetColumn::kNoValue) {
            values.SetNull(i);
          } else {
            out[i] = order.cells->Text(position);
          }
        }
        values.KeepAlive(buffer_);
        break;
      }
      default:
        Gather<std::int64_t>(order, count, &values,
                             [](std::uint64_t bits) { return static_cast<std::int64_t>(bits); });
        break;
    }
    return values;
  }

  template <typename T, typename Convert>
  void Gather(const Order& order, std::size_t count, Vector* values, Convert convert) const {
    auto* out = values->mutable_values<T>();
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t position = order.Position(rows_[next_row_ + i]);
      if (position == hot::SheetColumn::kNoValue) {
        out[i] = T{};
        values->SetNull(i);
      } else {
        out[i] = convert(order.cells->Bits(position));
      }
    }
  }

  const std::shared_ptr<const ScanPlan> plan_;
  const std::shared_ptr<hot::Buffer> buffer_;
  const std::vector<std::uint32_t> sheets_;
  std::size_t next_sheet_ = 0;
  std::unique_ptr<SortedSheet> sorted_;
  std::vector<std::uint32_t> rows_;
  std::vector<SortedSheet::Run> runs_;
  std::vector<Order> orders_;
  std::size_t next_row_ = 0;
  std::size_t next_run_ = 0;
  std::uint32_t run_offset_ = 0;
};

}  // namespace

std::unique_ptr<MorselReader> OpenBufferMorsel(std::shared_ptr<const ScanPlan> plan,
                                               const Morsel& morsel) {
  return std::make_unique<BufferMorselReader>(std::move(plan), morsel);
}

}  // namespace tideline::engine
