// Scanning the sheets of a buffer; see scan.h.
#include <algorithm>
#include <bit>

#include "storage/engine/scan_plan.h"
#include "storage/engine/sorted_sheet.h"

namespace tideline::engine {
namespace {

class BufferMorselReader final : public MorselReader {
 public:
  BufferMorselReader(std::shared_ptr<const ScanPlan> plan, const Morsel& morsel, RowFilter* filter)
      : plan_(std::move(plan)), buffer_(morsel.buffer), sheets_(morsel.sheets), filter_(filter) {}

  Result<bool> Next(ScanBatch* batch) override {
    for (;;) {
      while (sorted_ == nullptr || next_row_ == rows_.size()) {
        if (next_sheet_ == sheets_.size()) return false;
        OpenSheet(buffer_->sheet(sheets_[next_sheet_++]));
      }
      const std::size_t count = std::min(kBatchRowsMax, rows_.size() - next_row_);
      FillRuns(count, batch);
      taken_.assign(rows_.begin() + static_cast<std::ptrdiff_t>(next_row_),
                    rows_.begin() + static_cast<std::ptrdiff_t>(next_row_ + count));
      next_row_ += count;
      plan_->counters.rows.fetch_add(count, std::memory_order_relaxed);
      if (filter_ != nullptr) TL_TRY(FilterRows(batch));
      if (taken_.empty()) continue;
      MakeColumns(plan_->columns, orders_, *batch, &batch->batch);
      return true;
    }
  }

 private:
  void OpenSheet(const hot::Sheet& sheet) {
    const bool newest_only = plan_->newest_only && !plan_->oldest_only && plan_->any_of.empty();
    sorted_ = std::make_unique<SortedSheet>(sheet, plan_->snapshot->number, plan_->wanted,
                                            plan_->times, newest_only);
    next_row_ = 0;
    next_run_ = 0;
    run_offset_ = 0;
    rows_ = sorted_->rows();
    runs_ = sorted_->runs();
    if (!plan_->any_of.empty()) KeepRowsWithValues(sheet);
    if (plan_->only_ends()) KeepEnds();
    std::uint64_t bytes = rows_.size() * sizeof(std::int64_t);
    OrderColumns(sheet, plan_->columns, &orders_, &bytes);
    OrderColumns(sheet, plan_->filter_columns, &filter_orders_, &bytes);
    plan_->counters.bytes_scanned.fetch_add(bytes, std::memory_order_relaxed);
  }

  struct Order {
    const hot::SheetColumn* cells = nullptr;
    bool whole = false;
    std::vector<std::uint32_t> positions{};
    std::uint32_t Position(std::uint32_t row) const { return whole ? row : positions[row]; }
  };

  void OrderColumns(const hot::Sheet& sheet, const std::vector<ProjectedColumn>& columns,
                    std::vector<Order>* orders, std::uint64_t* bytes) {
    orders->clear();
    for (const ProjectedColumn& column : columns) {
      orders->emplace_back();
      if (column.kind != ProjectedColumn::Kind::kValue) continue;
      const hot::SheetColumn* cells = sheet.FindColumn(column.id);
      if (cells == nullptr || rows_.empty()) continue;
      Order& order = orders->back();
      order.cells = cells;
      order.whole = cells->IsWhole(sheet.VisibleRows(plan_->snapshot->number));
      if (!order.whole) {
        order.positions.resize(sheet.VisibleRows(plan_->snapshot->number));
        cells->LocateAll(static_cast<std::uint32_t>(order.positions.size()), order.positions.data());
      }
      *bytes += rows_.size() * sizeof(std::uint64_t);
    }
  }

  // Leaves of the rows taken those that pass.
  Status FilterRows(ScanBatch* batch) {
    Batch looked_at;
    MakeColumns(plan_->filter_columns, filter_orders_, *batch, &looked_at);
    passed_.clear();
    TL_TRY(filter_->Select(looked_at, &passed_));
    for (std::size_t i = 0; i < passed_.size(); ++i) taken_[i] = taken_[passed_[i]];
    taken_.resize(passed_.size());
    KeepRuns(passed_, &batch->runs);
    return OkStatus();
  }

  void MakeColumns(const std::vector<ProjectedColumn>& columns, const std::vector<Order>& orders,
                   const ScanBatch& rows, Batch* batch) const {
    std::vector<Vector> made;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      made.push_back(MakeColumn(columns[i], orders[i], rows, taken_.size()));
    }
    batch->columns = std::move(made);
    batch->row_count = taken_.size();
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

  // Leaves of each run, which is one series in the order of time, the rows at the ends.
  void KeepEnds() {
    std::vector<std::uint32_t> kept;
    for (SortedSheet::Run& run : runs_) {
      const std::uint32_t last = run.first + run.count - 1;
      const auto first = static_cast<std::uint32_t>(kept.size());
      if (plan_->oldest_only) kept.push_back(rows_[run.first]);
      if (plan_->newest_only && !(plan_->oldest_only && run.count == 1)) kept.push_back(rows_[last]);
      run = {run.series, first, static_cast<std::uint32_t>(kept.size()) - first};
    }
    rows_ = std::move(kept);
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

  Vector MakeColumn(const ProjectedColumn& column, const Order& order, const ScanBatch& batch,
                    std::size_t count) const {
    switch (column.kind) {
      case ProjectedColumn::Kind::kDimension:
      case ProjectedColumn::Kind::kMeasureName:
        return DictionaryColumn(*plan_, column, batch.runs, count);
      case ProjectedColumn::Kind::kTime: {
        Vector times = Vector::Flat(Type::Timestamp(), count);
        auto* out = times.mutable_values<std::int64_t>();
        for (std::size_t i = 0; i < count; ++i) out[i] = sorted_->sheet().Time(taken_[i]);
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
          const std::uint32_t position = order.Position(taken_[i]);
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
      const std::uint32_t position = order.Position(taken_[i]);
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
  RowFilter* const filter_;
  std::size_t next_sheet_ = 0;
  std::unique_ptr<SortedSheet> sorted_;
  std::vector<std::uint32_t> rows_;
  std::vector<SortedSheet::Run> runs_;
  std::vector<Order> orders_;
  std::vector<Order> filter_orders_;
  std::vector<std::uint32_t> taken_;  // rows of the sheet in the batch being made
  std::vector<std::uint32_t> passed_;
  std::size_t next_row_ = 0;
  std::size_t next_run_ = 0;
  std::uint32_t run_offset_ = 0;
};

}  // namespace

std::unique_ptr<MorselReader> OpenBufferMorsel(std::shared_ptr<const ScanPlan> plan,
                                               const Morsel& morsel, RowFilter* filter) {
  return std::make_unique<BufferMorselReader>(std::move(plan), morsel, filter);
}

}  // namespace tideline::engine
