// Planning of scans; see scan.h.
#include <algorithm>

#include "base/check.h"
#include "storage/engine/scan_plan.h"

namespace tideline::engine {
namespace {

/// Sheets are put together into morsels of about this many rows.
constexpr std::uint64_t kBufferMorselRows = 32'768;

/// What reading an end of a series costs, in rows read one after the other.
constexpr double kEndRows = 8;

class PlannedScan final : public TableScan {
 public:
  explicit PlannedScan(std::shared_ptr<const ScanPlan> plan) : plan_(std::move(plan)) {}
  std::size_t morsel_count() const override { return plan_->morsels.size(); }
  std::uint64_t MorselRows(std::size_t index) const override { return plan_->morsels[index].rows; }
  Result<std::unique_ptr<MorselReader>> OpenMorsel(std::size_t index, const MorselOptions& options) override {
    TL_CHECK((options.filter != nullptr) == !plan_->filter_columns.empty());
    const Morsel& morsel = plan_->morsels[index];
    if (morsel.buffer != nullptr) return OpenBufferMorsel(plan_, morsel, options.filter);
    return OpenSegmentMorsel(plan_, morsel, options);
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

Status PlanColumns(std::span<const ColumnId> columns, ScanPlan* plan,
                   std::vector<ProjectedColumn>* planned) {
  const catalog::TableSchema& schema = *plan->snapshot->schema;
  const hot::SeriesIndex& index = plan->snapshot->table->index();
  for (const ColumnId id : columns) {
    const catalog::Column* column = schema.FindColumn(id);
    if (column == nullptr) {
      return InvalidArgument("table {} has no column {}", schema.table, id.value);
    }
    ProjectedColumn& projected = planned->emplace_back();
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

void PlanBuffer(const std::shared_ptr<hot::Buffer>& buffer, ScanPlan* plan) {
  Morsel morsel{.buffer = buffer};
  for (std::uint32_t i = 0; i < buffer->sheet_count(); ++i) {
    const hot::Sheet& sheet = buffer->sheet(i);
    const std::uint32_t rows = sheet.VisibleRows(plan->snapshot->number);
    if (rows == 0 || !OverlapsTimes(plan->times, sheet.time_min(), sheet.time_max())) continue;
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

// The share of [low, high] that lies in the times asked for, rows taken as even over it.
double ShareInTimes(std::span<const TimeRange> times, std::int64_t low, std::int64_t high) {
  const double length = static_cast<double>(high) - static_cast<double>(low) + 1;
  double inside = 0;
  for (const TimeRange& range : times) {
    if (range.first_ns > high || range.last_ns < low) continue;
    inside += static_cast<double>(std::min(high, range.last_ns)) -
              static_cast<double>(std::max(low, range.first_ns)) + 1;
  }
  return std::min(1.0, inside / length);
}

// About how many rows of a stripe are asked for; 0 when there can be none.
std::uint64_t RowsWanted(const ScanPlan& plan, const SegmentPlan& segment,
                         const segment::StripeSummary& stripe) {
  if (!OverlapsTimes(plan.times, stripe.time_ns_min, stripe.time_ns_max)) return 0;
  double rows = 0;
  if (plan.wanted.is_all() && !segment.chosen) {
    rows = stripe.row_count * ShareInTimes(plan.times, stripe.time_ns_min, stripe.time_ns_max);
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rows));
  }
  bool any = false;
  auto at = std::lower_bound(segment.ordinals.begin(), segment.ordinals.end(), stripe.first_series);
  for (; at != segment.ordinals.end() && *at < stripe.first_series + stripe.series_count; ++at) {
    const std::int64_t low = segment.series->time_ns_min(*at);
    const std::int64_t high = segment.series->time_ns_max(*at);
    if (!OverlapsTimes(plan.times, low, high)) continue;
    any = true;
    const auto count = static_cast<double>(segment.series->row_count(*at));
    // Where the ends of series are known, no other row is read, but more than one is decoded.
    rows += segment.chosen ? std::min(count, kEndRows) : count * ShareInTimes(plan.times, low, high);
  }
  if (!any) return 0;
  return std::max<std::uint64_t>(1, std::min<std::uint64_t>(static_cast<std::uint64_t>(rows), stripe.row_count));
}

Status PlanSegment(const std::shared_ptr<SegmentSource>& source, ScanPlan* plan) {
  std::optional<SegmentPlan> segment = TL_TRY(OpenSegmentPlan(source, plan));
  if (!segment.has_value()) return OkStatus();
  if (!plan->wanted.is_all()) {
    segment->ordinals = OrdinalsOf(plan->wanted, *segment->series);
    if (segment->ordinals.empty()) {
      ++plan->planned.segments_pruned;
      return OkStatus();
    }
  }
  AddSegmentMorsels(*std::move(segment), plan);
  return OkStatus();
}

}  // namespace

bool OverlapsTimes(std::span<const TimeRange> times, std::int64_t low, std::int64_t high) {
  return std::any_of(times.begin(), times.end(), [&](const TimeRange& range) {
    return range.first_ns <= high && range.last_ns >= low;
  });
}

// Looks for few series one by one, and tests every series of the segment otherwise.
std::vector<std::uint32_t> OrdinalsOf(const SeriesSet& wanted, const segment::SeriesTable& series) {
  constexpr std::uint64_t kFindCost = 16;  // of one series, in tests of one
  std::vector<std::uint32_t> ordinals;
  if (!wanted.ids().empty() && wanted.count() * kFindCost < series.size()) {
    for (const std::uint32_t id : wanted.ids()) {
      const std::optional<std::uint32_t> ordinal = series.Find(id);
      if (ordinal.has_value()) ordinals.push_back(*ordinal);
    }
    std::sort(ordinals.begin(), ordinals.end());
    return ordinals;
  }
  for (std::uint32_t i = 0; i < series.size(); ++i) {
    if (wanted.Contains(series.id(i))) ordinals.push_back(i);
  }
  return ordinals;
}

Result<std::optional<SegmentPlan>> OpenSegmentPlan(const std::shared_ptr<SegmentSource>& source,
                                                   ScanPlan* plan) {
  ++plan->planned.segment_count;
  const bool in_time = OverlapsTimes(plan->times, source->time_ns_min(), source->time_ns_max());
  if (!in_time || source->row_count() == 0 || plan->wanted.empty()) {
    ++plan->planned.segments_pruned;
    return std::optional<SegmentPlan>();
  }
  SegmentPlan segment;
  segment.source = source;
  auto reader = source->reader();
  if (CodeOf(reader.status()) == ErrorCode::kNotFound) {
    // The snapshot keeps its files, so one that is not there is lost.
    return DataLoss("{}", MessageOf(reader.status()));
  }
  segment.reader = TL_TRY(std::move(reader));
  const auto has = [&](ColumnId id) { return segment.reader->FindColumn(id.value) != nullptr; };
  if (!plan->any_of.empty() && std::none_of(plan->any_of.begin(), plan->any_of.end(), has)) {
    ++plan->planned.segments_pruned;
    return std::optional<SegmentPlan>();
  }
  segment.series = TL_TRY(segment.reader->series_table(/*may_be_refused=*/true));
  segment.dead = source->deletions().At(plan->snapshot->number);
  return std::optional<SegmentPlan>(std::move(segment));
}

void AddSegmentMorsels(SegmentPlan segment, ScanPlan* plan) {
  const std::size_t index = plan->segments.size();
  const auto stripes = segment.reader->stripes();
  plan->planned.stripe_count += stripes.size();
  for (std::size_t i = 0; i < stripes.size(); ++i) {
    const std::uint64_t rows = RowsWanted(*plan, segment, stripes[i]);
    if (rows == 0) {
      ++plan->planned.stripes_pruned;
      continue;
    }
    plan->morsels.push_back({.buffer = nullptr, .sheets = {}, .segment = index, .stripe = i, .rows = rows});
  }
  plan->segments.push_back(std::move(segment));
}

Result<std::unique_ptr<TableScan>> PlanScan(std::shared_ptr<const SnapshotState> snapshot,
                                            const ScanRequest& request) {
  auto plan = std::make_shared<ScanPlan>();
  plan->snapshot = std::move(snapshot);
  plan->times = EffectiveTimes(*plan->snapshot, request.times);
  plan->hints = request.hints;
  plan->any_of = request.any_of;
  plan->newest_only = request.newest_only;
  plan->oldest_only = request.oldest_only;
  plan->time_step_ns = request.time_step_ns;
  if (!request.series.empty()) {
    plan->wanted = SeriesSet(TL_TRY(SelectSeries(*plan->snapshot, request.series)));
    plan->planned.series_matched = plan->wanted.count();
  } else {
    plan->planned.series_matched = plan->snapshot->table->index().series_count();
  }
  if (request.time_step_ns < 0) return InvalidArgument("a step of time is negative: {}", request.time_step_ns);
  if (!request.filter_columns.empty() && plan->only_ends()) {
    return InvalidArgument("a scan of the ends of series takes no filter");
  }
  TL_TRY(PlanColumns(request.columns, plan.get(), &plan->columns));
  TL_TRY(PlanColumns(request.filter_columns, plan.get(), &plan->filter_columns));
  const auto is_measure_name = [](const ProjectedColumn& column) {
    return column.kind == ProjectedColumn::Kind::kMeasureName;
  };
  plan->splits_at_measures = std::any_of(plan->columns.begin(), plan->columns.end(), is_measure_name) ||
                             std::any_of(plan->filter_columns.begin(), plan->filter_columns.end(), is_measure_name);
  const SourceList& sources = *plan->snapshot->sources;
  if (!plan->wanted.empty() && !plan->times.empty()) {
    // Which rows of a series `any_of` leaves is not known from its table.
    if (plan->only_ends() && plan->any_of.empty()) {
      std::vector<std::shared_ptr<SegmentSource>> all(sources.segments.begin(), sources.segments.end());
      all.insert(all.end(), sources.runs.begin(), sources.runs.end());
      TL_TRY(PlanEnds(all, plan.get()));
    } else {
      for (const auto* list : {&sources.segments, &sources.runs}) {
        for (const auto& source : *list) TL_TRY(PlanSegment(source, plan.get()));
      }
    }
    for (const auto& buffer : sources.buffers) PlanBuffer(buffer, plan.get());
  }
  return std::unique_ptr<TableScan>(std::make_unique<PlannedScan>(std::move(plan)));
}

bool ScanPlan::MeasureDiffers(std::uint64_t a, std::uint64_t b) const {
  const hot::SeriesIndex& index = snapshot->table->index();
  return index.MeasureOf(SeriesId{static_cast<std::uint32_t>(a)}) !=
         index.MeasureOf(SeriesId{static_cast<std::uint32_t>(b)});
}

void KeepRuns(std::span<const std::uint32_t> passed, std::vector<SeriesRun>* runs) {
  std::size_t kept = 0;
  std::size_t at = 0;
  for (const SeriesRun run : *runs) {
    const std::size_t first = at;
    const auto end = std::lower_bound(passed.begin() + static_cast<std::ptrdiff_t>(at), passed.end(),
                                      run.first_row + run.row_count);
    at = static_cast<std::size_t>(end - passed.begin());
    if (at == first) continue;
    (*runs)[kept++] = {run.series, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(at - first)};
  }
  runs->resize(kept);
}

Vector DictionaryColumn(const ScanPlan& plan, const ProjectedColumn& column,
                        std::span<const SeriesRun> runs, std::size_t row_count) {
  const hot::SeriesIndex& index = plan.snapshot->table->index();
  const auto code_of = [&](const SeriesRun& run) {
    return column.kind == ProjectedColumn::Kind::kMeasureName ? index.MeasureOf(run.series) + 1
                                                              : index.CodeOf(run.series, column.slot);
  };
  // Mostly a batch has one measure name, and often one series: what depends on it alone is then computed
  // once a batch.
  if (!runs.empty()) {
    const std::uint32_t first = code_of(runs[0]);
    if (std::all_of(runs.begin(), runs.end(), [&](const SeriesRun& run) { return code_of(run) == first; })) {
      return Vector::ConstantOf(*column.dictionary, first, row_count);
    }
  }
  auto buffer = std::make_shared<Buffer>(row_count * sizeof(std::uint32_t));
  auto* codes = reinterpret_cast<std::uint32_t*>(buffer->data());
  for (const SeriesRun& run : runs) std::fill_n(codes + run.first_row, run.row_count, code_of(run));
  return Vector::Dictionary(column.dictionary, std::move(buffer), row_count);
}

}  // namespace tideline::engine
