#include "exec/scan/engine_scan.h"

#include <algorithm>
#include <map>

namespace tideline::exec {
namespace {

using catalog::ColumnId;

/// A limit this small is met by one worker before a second has started.
constexpr std::int64_t kOneWorkerLimitMax = 10'000;

// The residual of a scan, and where its columns lie in what the engine shows of a row.
struct Residual {
  sql::ExprPtr predicate;  // null pointer: none
  ColumnPositions columns;
  const EvalContext* context = nullptr;
};

class EngineScan final : public ScanSource {
 public:
  EngineScan(std::unique_ptr<engine::TableScan> scan, Residual residual, std::size_t workers_max)
      : scan_(std::move(scan)), residual_(std::move(residual)), workers_max_(workers_max) {
    for (std::size_t i = 0; i < scan_->morsel_count(); ++i) {
      rows_ += static_cast<double>(scan_->MorselRows(i));
    }
  }
  Result<std::unique_ptr<SourceReader>> NewReader() override;
  std::size_t workers_max() const override {
    return std::clamp<std::size_t>(scan_->morsel_count(), 1, workers_max_);
  }
  double EstimatedRows() const override { return rows_; }
  double progress() const override {
    const std::size_t count = scan_->morsel_count();
    return count == 0 ? 1.0
                      : std::min(1.0, static_cast<double>(done_.load()) / static_cast<double>(count));
  }
  ScanFigures figures() const override {
    const engine::ScanStatistics statistics = scan_->statistics();
    return {statistics.bytes_scanned, statistics.rows,
            fmt::format("series: {}, segments: {} of {}, stripes: {} of {}, bytes: {}",
                        statistics.series_matched,
                        statistics.segment_count - statistics.segments_pruned,
                        statistics.segment_count,
                        statistics.stripe_count - statistics.stripes_pruned, statistics.stripe_count,
                        statistics.bytes_scanned)};
  }

  void Offer(std::shared_ptr<const SummaryOffer> offer) override { offer_ = std::move(offer); }

  const std::unique_ptr<engine::TableScan> scan_;
  std::shared_ptr<const SummaryOffer> offer_;  // null: none
  const Residual residual_;
  const std::size_t workers_max_;
  double rows_ = 0;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> done_{0};
};

class ResidualFilter final : public engine::RowFilter {
 public:
  explicit ResidualFilter(Evaluator predicate) : predicate_(std::move(predicate)) {}
  Status Select(const Batch& batch, std::vector<std::uint32_t>* passed) override {
    return predicate_.Select(batch, Selection::All(batch.row_count), passed);
  }

 private:
  Evaluator predicate_;
};

class EngineScanReader final : public SourceReader {
 public:
  explicit EngineScanReader(EngineScan* scan) : scan_(scan) {}
  Status Prepare() {
    const Residual& residual = scan_->residual_;
    if (residual.predicate == nullptr) return OkStatus();
    Evaluator predicate =
        TL_TRY(Evaluator::Make(*residual.predicate, residual.columns, *residual.context));
    filter_ = std::make_unique<ResidualFilter>(std::move(predicate));
    return OkStatus();
  }
  Result<bool> Next(Batch* batch) override {
    for (;;) {
      if (morsel_ == nullptr) {
        const std::size_t index = scan_->next_.fetch_add(1);
        if (index >= scan_->scan_->morsel_count()) return false;
        const SummaryOffer* offer = scan_->offer_.get();
        const bool summarize = offer != nullptr && offer->open.load(std::memory_order_relaxed);
        morsel_ = TL_TRY(scan_->scan_->OpenMorsel(
            index, {.filter = filter_.get(), .summarized = summarize ? &offer->summarized : nullptr}));
      }
      rows_.batch.summaries = nullptr;
      const bool more = TL_TRY(morsel_->Next(&rows_));
      if (more) {
        std::swap(*batch, rows_.batch);
        return true;
      }
      morsel_.reset();
      scan_->done_.fetch_add(1);
    }
  }

 private:
  EngineScan* const scan_;
  std::unique_ptr<ResidualFilter> filter_;
  std::unique_ptr<engine::MorselReader> morsel_;
  engine::ScanBatch rows_;
};

Result<std::unique_ptr<SourceReader>> EngineScan::NewReader() {
  auto reader = std::make_unique<EngineScanReader>(this);
  TL_TRY(reader->Prepare());
  return std::unique_ptr<SourceReader>(std::move(reader));
}

class EmptyScan final : public ScanSource {
 public:
  Result<std::unique_ptr<SourceReader>> NewReader() override {
    class Reader final : public SourceReader {
      Result<bool> Next(Batch*) override { return false; }
    };
    return std::unique_ptr<SourceReader>(std::make_unique<Reader>());
  }
  ScanFigures figures() const override { return {}; }
};

// A predicate over one varchar, asked value by value.
std::function<bool(std::optional<std::string_view>)> TestOf(std::shared_ptr<Evaluator> evaluator) {
  return [evaluator](std::optional<std::string_view> value) {
    Batch batch;
    batch.row_count = 1;
    batch.columns.push_back(
        value.has_value()
            ? Vector::Constant(Type::Varchar(), Value::Varchar(std::string(*value)), 1)
            : Vector::ConstantNull(Type::Varchar(), 1));
    std::vector<std::uint32_t> passed;
    // A value that it fails on passes: the residual asks again, row by row.
    if (!evaluator->Select(batch, Selection::All(1), &passed).ok()) return true;
    return !passed.empty();
  };
}

Status AddSeriesPredicates(const sql::ScanNode::Spec& spec, const EvalContext& context,
                           engine::ScanRequest* request) {
  for (const sql::SeriesPredicate& predicate : spec.series_predicates) {
    if (predicate.has_values) {
      engine::SeriesPredicate by_value;
      by_value.column = predicate.column;
      by_value.values = predicate.values;
      by_value.matches_null = predicate.includes_null;
      request->series.push_back(std::move(by_value));
    }
    if (predicate.expression == nullptr) continue;
    ColumnPositions columns;
    columns.Set(predicate.argument, 0);
    Evaluator evaluator = TL_TRY(Evaluator::Make(*predicate.expression, columns, context));
    engine::SeriesPredicate by_test;
    by_test.column = predicate.column;
    by_test.test = TestOf(std::make_shared<Evaluator>(std::move(evaluator)));
    request->series.push_back(std::move(by_test));
  }
  return OkStatus();
}

std::optional<engine::ZoneHint::Op> OpOf(std::string_view function, bool swapped) {
  using Op = engine::ZoneHint::Op;
  if (function == "$equal") return Op::kEqual;
  if (function == "$less") return swapped ? Op::kGreater : Op::kLess;
  if (function == "$less_equal") return swapped ? Op::kGreaterOrEqual : Op::kLessOrEqual;
  if (function == "$greater") return swapped ? Op::kLess : Op::kGreater;
  if (function == "$greater_equal") return swapped ? Op::kLessOrEqual : Op::kGreaterOrEqual;
  return std::nullopt;
}

bool IsValueColumn(const catalog::TableSchema& table, ColumnId id) {
  return std::any_of(table.values.begin(), table.values.end(),
                     [&](const catalog::Column& column) { return column.id == id; });
}

// `value > 10`: blocks whose bounds exclude it need not be read.
void AddHint(const sql::ScanNode& node, const sql::Expr& conjunct, engine::ScanRequest* request) {
  if (conjunct.kind != sql::ExprKind::kCall || conjunct.children.size() != 2) return;
  const bool swapped = conjunct.children[0]->kind == sql::ExprKind::kConstant;
  const sql::Expr& column = *conjunct.children[swapped ? 1 : 0];
  const sql::Expr& constant = *conjunct.children[swapped ? 0 : 1];
  if (column.kind != sql::ExprKind::kColumn || constant.kind != sql::ExprKind::kConstant) return;
  if (constant.constant.is_null() || column.type.id() != constant.constant.type().id()) return;
  const std::optional<engine::ZoneHint::Op> op = OpOf(conjunct.scalar->name, swapped);
  const std::optional<ColumnId> id = node.StorageColumn(column.column);
  if (!op.has_value() || !id.has_value() || !IsValueColumn(node.table(), *id)) return;
  request->hints.push_back({*id, *op, constant.constant});
}

// Asks for the columns that the residual reads. One that reads no column is tried on the times.
Result<Residual> PlanResidual(const sql::ScanNode& node, const EvalContext& context,
                              engine::ScanRequest* request) {
  Residual residual;
  residual.predicate = node.spec().residual;
  residual.context = &context;
  if (residual.predicate == nullptr) return residual;
  std::vector<sql::ColumnRef> columns;
  sql::CollectColumns(*residual.predicate, &columns);
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  for (const sql::ColumnRef column : columns) {
    const std::optional<ColumnId> id = node.StorageColumn(column);
    if (!id.has_value()) return Internal("a condition of a scan reads a column of another node");
    residual.columns.Set(column, request->filter_columns.size());
    request->filter_columns.push_back(*id);
  }
  if (columns.empty()) request->filter_columns.push_back(catalog::kTimeColumn);
  return residual;
}

// Empty where time is not bound.
std::vector<engine::TimeRange> TimesOf(const sql::ScanNode::Spec& spec) {
  std::vector<engine::TimeRange> times;
  if (spec.time_ranges.size() == 1 && spec.time_ranges[0] == sql::TimeRange()) return times;
  for (const sql::TimeRange& range : spec.time_ranges) times.push_back({range.first_ns, range.last_ns});
  return times;
}

class EngineScanProvider final : public ScanProvider {
 public:
  explicit EngineScanProvider(engine::Engine* engine) : engine_(engine) {}

  Result<std::shared_ptr<ScanSource>> OpenScan(const sql::ScanNode& node,
                                               const EvalContext& context) override {
    const sql::ScanNode::Spec& spec = node.spec();
    if (spec.time_ranges.empty()) return std::shared_ptr<ScanSource>(std::make_shared<EmptyScan>());
    engine::ScanRequest request;
    request.columns = spec.storage_columns;
    const Residual residual = TL_TRY(PlanResidual(node, context, &request));
    request.times = TimesOf(spec);
    request.newest_only = spec.newest_only;
    request.oldest_only = spec.oldest_only;
    request.time_step_ns = spec.time_step_ns;
    TL_TRY(AddSeriesPredicates(spec, context, &request));
    if (spec.residual != nullptr) {
      if (spec.residual->kind == sql::ExprKind::kAnd) {
        for (const sql::ExprPtr& part : spec.residual->children) AddHint(node, *part, &request);
      } else {
        AddHint(node, *spec.residual, &request);
      }
    }
    const engine::Snapshot* snapshot = TL_TRY(SnapshotOf(*spec.table));
    std::unique_ptr<engine::TableScan> scan = TL_TRY(snapshot->Scan(request));
    const bool one = spec.limit_hint.has_value() && *spec.limit_hint <= kOneWorkerLimitMax;
    return std::shared_ptr<ScanSource>(std::make_shared<EngineScan>(std::move(scan), residual, one ? 1 : 1024));
  }

  bool applies_residuals() const override { return true; }

  Result<std::optional<TimeBounds>> BoundsOf(const sql::ScanNode& node) override {
    const engine::Snapshot* snapshot = TL_TRY(SnapshotOf(node.table()));
    const engine::TableEstimate totals = snapshot->Totals();
    if (totals.rows == 0 || totals.time_ns_min > totals.time_ns_max) return std::optional<TimeBounds>();
    return std::optional<TimeBounds>(TimeBounds{static_cast<double>(totals.rows), totals.time_ns_min,
                                                totals.time_ns_max});
  }

  Result<RowDeletion> DeleteRows(const sql::ScanNode& node, const EvalContext& context,
                                 bool dry_run) override {
    const sql::ScanNode::Spec& spec = node.spec();
    if (spec.time_ranges.empty()) return RowDeletion{};
    engine::ScanRequest scan;
    TL_TRY(AddSeriesPredicates(spec, context, &scan));
    const engine::DeleteRequest request{.database = spec.table->database,
                                        .table = spec.table->table,
                                        .times = TimesOf(spec),
                                        .series = std::move(scan.series),
                                        .dry_run = dry_run};
    const engine::DeleteResult deleted = TL_TRY(engine_->DeleteRows(request));
    RowDeletion result{.rows = deleted.rows, .undo_until_ns = deleted.undo_until_ns};
    if (!deleted.delete_id.is_nil()) result.delete_id = FormatUuid(deleted.delete_id);
    return result;
  }

 private:
  // One view of each table for the whole query.
  Result<const engine::Snapshot*> SnapshotOf(const catalog::TableSchema& table) {
    auto found = snapshots_.find(table.id);
    if (found == snapshots_.end()) {
      engine::Snapshot snapshot = TL_TRY(engine_->OpenSnapshot(table.id));
      found = snapshots_.emplace(table.id, std::move(snapshot)).first;
    }
    return &found->second;
  }

  engine::Engine* const engine_;
  std::map<catalog::TableId, engine::Snapshot> snapshots_;
};

}  // namespace

std::unique_ptr<ScanProvider> NewEngineScanProvider(engine::Engine* engine) {
  return std::make_unique<EngineScanProvider>(engine);
}

}  // namespace tideline::exec
