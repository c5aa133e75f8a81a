// Planning of scans; see scan.h.
#include <algorithm>

#include "storage/engine/scan_plan.h"

namespace tideline::engine {
namespace {

/// Sheets are put together into morsels of about this many rows.
constexpr std::uint64_t kBufferMorselRows = 32'768;

class PlannedScan final : public TableScan {
 public:
  explicit PlannedScan(std::shared_ptr<const ScanPlan> plan) : plan_(std::move(plan)) {}
  std::size_t morsel_count() const override { return plan_->morsels.size(); }
  std::uint64_t MorselRows(std::size_t index) const override { return plan_->morsels[index].rows; }
  Result<std::unique_ptr<MorselReader>> OpenMorsel(std::size_t index) override {
    const Morsel& morsel = plan_->morsels[index];
    if (morsel.buffer != nullptr) return OpenBufferMorsel(plan_, morsel);
    return OpenSegmentMorsel(plan_, morsel);
  }
  std::shared_ptr<const Vector> Dictionary(ColumnId column) const override {
    for (const ProjectedColumn& projected : plan_->columns) {
      if (projected.id == column) return projected.dictionary;
    }
    return nullptr;
  }
  ScanStatistics statistics() const override {
    ScanStatistics statistics = plan_->planned;
    statistics.bytes_scanned = plan_->counters.bytes_scanned.load(std::memory_order_relaxed);
    statistics.rows = plan_->counters.rows.load(std::memory_order_relaxed);
    statistics.stripes_pruned += plan_->counters.stripes_pruned.load(std::memory_order_relaxed);
    return statistics;
  }

 private:
  const std::shared_ptr<const ScanPlan> plan_;
};

Status PlanColumns(const ScanRequest& request, ScanPlan* plan) {
  const catalog::TableSchema& schema = *plan->snapshot->schema;
  const hot::SeriesIndex& index = plan->snapshot->table->index();
  for (const ColumnId id : request.columns) {
    const catalog::Column* column = schema.FindColumn(id);
    if (column == nullptr) {
      return InvalidArgument("table {} has no column {}", schema.table, id.value);
    }
    ProjectedColumn& projected = plan->columns.emplace_back();
    projected.id = id;
    projected.type = column->type;
    switch (column->kind) {
      case catalog::ColumnKind::kDimension:
        projected.kind = ProjectedColumn::Kind::kDimension;
        projected.slot = TL_TRY(SlotOf(schema, id));
        projected.dictionary = index.values(projected.slot).FlatValues();
        break;
      case catalog::ColumnKind::kMeasureName:
        projected.kind = ProjectedColumn::Kind::kMeasureName;
        projected.dictionary = index.measure_names().FlatValues();
        break;
      case catalog::ColumnKind::kTime:
        projected.kind = ProjectedColumn::Kind::kTime;
        break;
      case catalog::ColumnKind::kMeasureValue:
      case catalog::ColumnKind::kMultiAttribute:
        projected.kind = ProjectedColumn::Kind::kValue;
        break;
    }
  }
  return OkStatus();
}

bool Overlaps(std::span<const TimeRange> times, std::int64_t low, std::int64_t high) {
  return std::any_of(times.begin(), times.end(), [&](const TimeRange& range) {
    return range.first_ns <= high && range.last_ns >= low;
  });
}

void PlanBuffer(const std::shared_ptr<hot::Buffer>& buffer, ScanPlan* plan) {
  Morsel morsel{.buffer = buffer};
  for (std::uint32_t i = 0; i < buffer->sheet_count(); ++i) {
    const hot::Sheet& sheet = buffer->sheet(i);
    const std::uint32_t rows = sheet.VisibleRows(plan->snapshot->number);
    if (rows == 0 || !Overlaps(plan->times, sheet.time_min(), sheet.time_max())) continue;
    const auto has = [&](ColumnId id) { return sheet.FindColumn(id) != nullptr; };
    if (!plan->any_of.empty() && std::none_of(plan->any_of.begin(), plan->any_of.end(), has)) {
      continue;
    }
    morsel.sheets.push_back(i);
    morsel.rows += rows;
    if (morsel.rows >= kBufferMorselRows) {
      plan->morsels.push_back(std::move(morsel));
      morsel = Morsel{.buffer = buffer};
    }
  }
  if (!morsel.sheets.empty()) plan->morsels.push_back(std::move(morsel));
}

// True when some wanted series of the stripe may have rows in the times asked for.
bool StripeMatters(const ScanPlan& plan, const SegmentPlan& segment,
                   const segment::StripeSummary& stripe) {
  if (!Overlaps(plan.times, stripe.time_ns_min, stripe.time_ns_max)) return false;
  if (plan.wanted.is_all()) return true;
  auto at = std::lower_bound(segment.ordinals.begin(), segment.ordinals.end(), stripe.first_series);
  for (; at != segment.ordinals.end() && *at < stripe.first_series + stripe.series_count; ++at) {
    if (Overlaps(plan.times, segment.series->time_ns_min(*at), segment.series->time_ns_max(*at))) {
      return true;
    }
  }
  return false;
}

// Looks for few series one by one, and tests every series of the segment otherwise.
void CollectOrdinals(const SeriesSet& wanted, const segment::SeriesTable& series,
                     std::vector<std::uint32_t>* ordinals) {
  constexpr std::uint64_t kFindCost = 16;  // of one series, in tests of one
  if (!wanted.ids().empty() && wanted.count() * kFindCost < series.size()) {
    for (const std::uint32_t id : wanted.ids()) {
      const std::optional<std::uint32_t> ordinal = series.Find(id);
      if (ordinal.has_value()) ordinals->push_back(*ordinal);
    }
    std::sort(ordinals->begin(), ordinals->end());
    return;
  }
  for (std::uint32_t i = 0; i < series.size(); ++i) {
    if (wanted.Contains(series.id(i))) ordinals->push_back(i);
  }
}

Status PlanSegment(const std::shared_ptr<SegmentSource>& source, ScanPlan* plan) {
  ++plan->planned.segment_count;
  const bool in_time = Overlaps(plan->times, source->time_ns_min(), source->time_ns_max());
  if (!in_time || source->row_count() == 0 || plan->wanted.empty()) {
    ++plan->planned.segments_pruned;
    return OkStatus();
  }
  SegmentPlan segment;
  segment.source = source;
  segment.reader = TL_TRY(source->reader());
  const auto has = [&](ColumnId id) { return segment.reader->FindColumn(id.value) != nullptr; };
  if (!plan->any_of.empty() && std::none_of(plan->any_of.begin(), plan->any_of.end(), has)) {
    ++plan->planned.segments_pruned;
    return OkStatus();
  }
  segment.series = TL_TRY(segment.reader->series_table());
  if (!plan->wanted.is_all()) {
    CollectOrdinals(plan->wanted, *segment.series, &segment.ordinals);
    if (segment.ordinals.empty()) {
      ++plan->planned.segments_pruned;
      return OkStatus();
    }
  }
  segment.dead = source->deletions().At(plan->snapshot->number);
  const std::size_t index = plan->segments.size();
  const auto stripes = segment.reader->stripes();
  plan->planned.stripe_count += stripes.size();
  for (std::size_t i = 0; i < stripes.size(); ++i) {
    if (!StripeMatters(*plan, segment, stripes[i])) {
      ++plan->planned.stripes_pruned;
      continue;
    }
    plan->morsels.push_back(
        {.buffer = nullptr, .sheets = {}, .segment = index, .stripe = i, .rows = stripes[i].row_count});
  }
  plan->segments.push_back(std::move(segment));
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<TableScan>> PlanScan(std::shared_ptr<const SnapshotState> snapshot,
                                            const ScanRequest& request) {
  auto plan = std::make_shared<ScanPlan>();
  plan->snapshot = std::move(snapshot);
  plan->times = EffectiveTimes(*plan->snapshot, request.times);
  plan->hints = request.hints;
  plan->any_of = request.any_of;
  if (!request.series.empty()) {
    plan->wanted = SeriesSet(TL_TRY(SelectSeries(*plan->snapshot, request.series)));
    plan->planned.series_matched = plan->wanted.count();
  } else {
    plan->planned.series_matched = plan->snapshot->table->index().series_count();
  }
  TL_TRY(PlanColumns(request, plan.get()));
  const SourceList& sources = *plan->snapshot->sources;
  if (!plan->wanted.empty() && !plan->times.empty()) {
    for (const auto* list : {&sources.segments, &sources.runs}) {
      for (const auto& source : *list) TL_TRY(PlanSegment(source, plan.get()));
    }
    for (const auto& buffer : sources.buffers) PlanBuffer(buffer, plan.get());
  }
  return std::unique_ptr<TableScan>(std::make_unique<PlannedScan>(std::move(plan)));
}

Vector DictionaryColumn(const ScanPlan& plan, const ProjectedColumn& column,
                        std::span<const SeriesRun> runs, std::size_t row_count) {
  const hot::SeriesIndex& index = plan.snapshot->table->index();
  auto buffer = std::make_shared<Buffer>(row_count * sizeof(std::uint32_t));
  auto* codes = reinterpret_cast<std::uint32_t*>(buffer->data());
  for (const SeriesRun& run : runs) {
    const std::uint32_t code = column.kind == ProjectedColumn::Kind::kMeasureName
                                   ? index.MeasureOf(run.series) + 1
                                   : index.CodeOf(run.series, column.slot);
    std::fill_n(codes + run.first_row, run.row_count, code);
  }
  return Vector::Dictionary(column.dictionary, std::move(buffer), row_count);
}

}  // namespace tideline::engine
