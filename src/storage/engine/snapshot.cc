#include "storage/engine/snapshot.h"

#include <algorithm>

namespace tideline::engine {

Result<std::uint32_t> SlotOf(const catalog::TableSchema& schema, ColumnId column) {
  const catalog::Column* found = schema.FindColumn(column);
  if (found == nullptr || found->kind != catalog::ColumnKind::kDimension) {
    return InvalidArgument("column {} is no dimension of table {}", column.value, schema.table);
  }
  return static_cast<std::uint32_t>(found - schema.dimensions.data());
}

namespace {

// Codes of a dictionary that a predicate's test accepts, each distinct value asked once.
std::vector<std::uint32_t> TestCodes(const SeriesPredicate& predicate,
                                     const hot::Dictionary& dictionary, bool has_null) {
  std::vector<std::uint32_t> codes;
  if (has_null && predicate.test(std::nullopt)) codes.push_back(hot::kNullCode);
  const std::uint32_t count = dictionary.size();
  for (std::uint32_t code = 1; code < count; ++code) {
    if (predicate.test(dictionary.Value(code))) codes.push_back(code);
  }
  return codes;
}

}  // namespace

Result<Bitmap> SelectSeries(const SnapshotState& snapshot,
                            std::span<const SeriesPredicate> predicates) {
  const hot::SeriesIndex& index = snapshot.table->index();
  const std::uint32_t series_count = index.series_count();
  std::vector<hot::SlotFilter> filters;
  for (const SeriesPredicate& predicate : predicates) {
    hot::SlotFilter& filter = filters.emplace_back();
    const bool is_measure = predicate.column == catalog::kMeasureNameColumn;
    filter.slot = is_measure ? hot::SlotFilter::kMeasureSlot
                             : TL_TRY(SlotOf(*snapshot.schema, predicate.column));
    if (predicate.test) {
      const hot::Dictionary& values =
          is_measure ? index.measure_names() : index.values(filter.slot);
      filter.codes = TestCodes(predicate, values, !is_measure);
    } else {
      filter.codes = index.CodesOf(filter.slot, predicate.values);
      if (predicate.matches_null && !is_measure) {
        filter.codes.insert(filter.codes.begin(), hot::kNullCode);
      }
    }
  }
  return index.Select(filters, series_count);
}

std::vector<TimeRange> EffectiveTimes(const SnapshotState& snapshot,
                                      std::span<const TimeRange> times) {
  std::vector<TimeRange> sorted(times.begin(), times.end());
  if (times.empty()) sorted.push_back({});
  std::sort(sorted.begin(), sorted.end(),
            [](const TimeRange& a, const TimeRange& b) { return a.first_ns < b.first_ns; });
  std::vector<TimeRange> effective;
  for (TimeRange range : sorted) {
    range.first_ns = std::max(range.first_ns, snapshot.retention_edge_ns);
    if (range.first_ns > range.last_ns) continue;
    if (!effective.empty() && range.first_ns <= effective.back().last_ns) {
      effective.back().last_ns = std::max(effective.back().last_ns, range.last_ns);
    } else {
      effective.push_back(range);
    }
  }
  return effective;
}

const catalog::TableSchema& Snapshot::schema() const { return *state_->schema; }
catalog::TableSchemaPtr Snapshot::schema_ptr() const { return state_->schema; }
SequenceNumber Snapshot::number() const { return SequenceNumber{state_->number}; }
std::int64_t Snapshot::retention_edge_ns() const { return state_->retention_edge_ns; }

Result<std::unique_ptr<TableScan>> Snapshot::Scan(const ScanRequest& request) const {
  return PlanScan(state_, request);
}

Result<std::uint64_t> Snapshot::CountSeries(std::span<const SeriesPredicate> predicates) const {
  if (predicates.empty()) return std::uint64_t{state_->table->index().series_count()};
  return TL_TRY(SelectSeries(*state_, predicates)).count();
}

TableEstimate Snapshot::Totals() const {
  TableEstimate totals;
  totals.series = state_->table->index().series_count();
  const auto widen = [&](std::uint64_t rows, std::int64_t low, std::int64_t high) {
    if (rows == 0) return;
    totals.rows += rows;
    totals.time_ns_min = std::min(totals.time_ns_min, low);
    totals.time_ns_max = std::max(totals.time_ns_max, high);
  };
  for (const auto& buffer : state_->sources->buffers) {
    for (std::uint32_t i = 0; i < buffer->sheet_count(); ++i) {
      const hot::Sheet& sheet = buffer->sheet(i);
      widen(sheet.VisibleRows(state_->number), sheet.time_min(), sheet.time_max());
    }
  }
  for (const auto* list : {&state_->sources->runs, &state_->sources->segments}) {
    for (const auto& source : *list) {
      widen(source->row_count(), source->time_ns_min(), source->time_ns_max());
    }
  }
  totals.time_ns_min = std::max(totals.time_ns_min, state_->retention_edge_ns);
  return totals;
}

Result<TableEstimate> Snapshot::Estimate(const ScanRequest& request) const {
  TableEstimate estimate = Totals();
  const std::vector<TimeRange> times = EffectiveTimes(*state_, request.times);
  const std::uint64_t all_series = std::max<std::uint64_t>(estimate.series, 1);
  estimate.series = TL_TRY(CountSeries(request.series));
  double rows = 0;
  const auto add = [&](std::uint64_t count, std::int64_t low, std::int64_t high) {
    if (count == 0 || low > high) return;
    // The share of the source's time that is asked for, rows taken as even over it.
    const double length = static_cast<double>(high) - static_cast<double>(low) + 1;
    for (const TimeRange& range : times) {
      const std::int64_t first = std::max(low, range.first_ns);
      const std::int64_t last = std::min(high, range.last_ns);
      if (first > last) continue;
      const double part = static_cast<double>(last) - static_cast<double>(first) + 1;
      rows += static_cast<double>(count) * std::min(1.0, part / length);
    }
  };
  for (const auto& buffer : state_->sources->buffers) {
    for (std::uint32_t i = 0; i < buffer->sheet_count(); ++i) {
      const hot::Sheet& sheet = buffer->sheet(i);
      add(sheet.VisibleRows(state_->number), sheet.time_min(), sheet.time_max());
    }
  }
  for (const auto* list : {&state_->sources->runs, &state_->sources->segments}) {
    for (const auto& source : *list) {
      add(source->row_count(), source->time_ns_min(), source->time_ns_max());
    }
  }
  rows *= static_cast<double>(estimate.series) / static_cast<double>(all_series);
  estimate.rows = static_cast<std::uint64_t>(rows);
  return estimate;
}

Result<std::uint64_t> Snapshot::DistinctValues(ColumnId column) const {
  const hot::SeriesIndex& index = state_->table->index();
  if (column == catalog::kMeasureNameColumn) return std::uint64_t{index.measure_names().size() - 1};
  const std::uint32_t slot = TL_TRY(SlotOf(*state_->schema, column));
  return std::uint64_t{index.values(slot).size() - 1};
}

}  // namespace tideline::engine
