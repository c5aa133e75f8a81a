#include "exec/top_window.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "exec/evaluator/evaluator.h"
#include "sql/plan/aggregate_node.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/project_node.h"
#include "sql/plan/scan_node.h"
#include "sql/plan/topn_node.h"

namespace tideline::exec {
namespace {

using sql::PlanKind;
using sql::PlanNode;

/// Rows of a result that is kept until it is proven.
constexpr std::int64_t kRowsMax = 10'000;
/// How much longer each further window is.
constexpr std::int64_t kGrowth = 8;
/// A window of this share of all time or more is not worth another try.
constexpr std::int64_t kShareMin = 4;

// True when `expr` never falls as the scan's time grows, and is never null.
bool RisesWithTime(const sql::Expr& expr, const sql::ScanNode& scan) {
  if (expr.kind == sql::ExprKind::kColumn) {
    return scan.StorageColumn(expr.column) == catalog::kTimeColumn;
  }
  if (expr.kind != sql::ExprKind::kCall || expr.children.empty()) return false;
  // date_trunc(unit, x) has its time last; every other function that keeps the order has it first.
  const bool truncates = expr.scalar->name == "date_trunc";
  if (!truncates && expr.scalar->order != functions::OrderPolicy::kPreservesFirst) return false;
  const std::size_t rising = truncates ? expr.children.size() - 1 : 0;
  for (std::size_t i = 0; i < expr.children.size(); ++i) {
    const sql::Expr& child = *expr.children[i];
    if (i == rising ? !RisesWithTime(child, scan)
                    : child.kind != sql::ExprKind::kConstant || child.constant.is_null()) {
      return false;
    }
  }
  return true;
}

// The plan below a TopN, and its leading key in terms of the scan.
struct Traced {
  const sql::ScanNode* scan = nullptr;
  sql::ExprPtr key;
  bool grouped = false;
};

std::optional<Traced> TraceKey(const PlanNode& top) {
  const sql::SortKey& leading = sql::As<sql::TopNNode>(top).keys().front();
  Traced traced;
  for (const sql::OutputColumn& output : top.child()->outputs()) {
    if (output.column == leading.column) {
      traced.key = sql::MakeColumn(output.column, output.type, output.name);
    }
  }
  if (traced.key == nullptr) return std::nullopt;
  for (const PlanNode* node = top.child().get();; node = node->child().get()) {
    switch (node->kind()) {
      case PlanKind::kProject:
        traced.key = sql::As<sql::ProjectNode>(*node).Inline(traced.key);
        break;
      case PlanKind::kFilter:
        break;
      case PlanKind::kAggregate: {
        // A group lies inside the window or outside of it, whole, if the key is a function of a
        // grouping key; it must be one itself here.
        if (traced.grouped || traced.key->kind != sql::ExprKind::kColumn) return std::nullopt;
        const auto& keys = sql::As<sql::AggregateNode>(*node).keys();
        const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& key) {
          return key.output.column == traced.key->column;
        });
        if (found == keys.end()) return std::nullopt;
        traced.key = found->expr;
        traced.grouped = true;
        break;
      }
      case PlanKind::kScan:
        traced.scan = &sql::As<sql::ScanNode>(*node);
        if (!RisesWithTime(*traced.key, *traced.scan)) return std::nullopt;
        return traced;
      default:
        return std::nullopt;
    }
  }
}

// The same chain of nodes over the scan cut to `ranges`.
sql::PlanNodePtr WithRanges(const PlanNode& node, const std::vector<sql::TimeRange>& ranges) {
  if (node.kind() == PlanKind::kScan) {
    const auto& scan = sql::As<sql::ScanNode>(node);
    sql::ScanNode::Spec spec = scan.spec();
    spec.time_ranges = ranges;
    return std::make_shared<sql::ScanNode>(scan.outputs(), std::move(spec));
  }
  return node.WithChildren({WithRanges(*node.child(), ranges)});
}

std::int64_t SaturatingSubtract(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (!__builtin_sub_overflow(a, b, &result)) return result;
  return b > 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

class TopWindow final : public QueryExecution {
 public:
  TopWindow(sql::PlanNodePtr root, sql::PlanNodePtr top, Traced traced, const ExecutionContext& context,
            PlanRunner run)
      : root_(std::move(root)), top_(std::move(top)), traced_(std::move(traced)), run_(std::move(run)) {
    eval_.now = context.now;
    eval_.compat_profile = context.compat_profile;
    eval_.memory = context.memory;
    eval_.random_seed = context.random_seed;
    const auto& node = sql::As<sql::TopNNode>(*top_);
    descending_ = node.keys().front().descending;
    wanted_ = node.count();
    skipped_ = node.offset();
  }

  // False when one window would do no good.
  Result<bool> Prepare(const TimeBounds& bounds, double rows_min) {
    if (!traced_.key->type.is(TypeId::kTimestamp)) return false;
    const std::vector<sql::TimeRange>& ranges = traced_.scan->spec().time_ranges;
    low_ = std::max(bounds.time_ns_min, ranges.front().first_ns);
    high_ = std::min(bounds.time_ns_max, ranges.back().last_ns);
    if (low_ >= high_ || bounds.rows < rows_min) return false;
    for (const sql::OutputColumn& output : traced_.scan->outputs()) AddTimeColumn(output);
    for (const sql::OutputColumn& output : traced_.scan->spec().residual_columns) AddTimeColumn(output);
    Evaluator key = TL_TRY(Evaluator::Make(*traced_.key, time_position_, eval_));
    key_.emplace(std::move(key));
    const std::optional<std::int64_t> length = TL_TRY(FirstLength(bounds));
    if (!length.has_value()) return false;
    length_ = *length;
    TL_TRY(PrepareProjects());
    return TL_TRY(StartAttempt());
  }

  Result<bool> NextUntil(Batch* batch, SteadyNs until) override {
    while (!proven_) {
      if (inner_ == nullptr) TL_TRY(StartAttempt());
      Batch rows;
      const bool more = TL_TRY(inner_->NextUntil(&rows, until));
      if (more && rows.row_count == 0) {
        *batch = {};
        return true;
      }
      if (more) {
        row_count_ += rows.row_count;
        kept_.push_back(std::move(rows));
        // The last attempt is right whatever it answers, however much that is.
        if (!whole_) continue;
        break;
      }
      if (whole_ || TL_TRY(IsProven())) {
        proven_ = true;
        break;
      }
      Retire();
    }
    if (next_ < kept_.size()) {
      const std::size_t at = next_++;
      TL_TRY(Project(kept_[at], batch));
      kept_[at] = {};
      return true;
    }
    if (proven_) return false;
    return Stream(batch, until);
  }

  QueryStatistics statistics() const override {
    QueryStatistics statistics = inner_ == nullptr ? QueryStatistics() : inner_->statistics();
    statistics.bytes_scanned += earlier_.bytes_scanned;
    statistics.rows_scanned += earlier_.rows_scanned;
    if (!proven_ && !whole_) statistics.progress_percentage = 0;
    return statistics;
  }

  void RunOn() override {
    if (inner_ != nullptr) inner_->RunOn();
  }

  OperatorReport Report() const override {
    OperatorReport below = inner_ == nullptr ? OperatorReport() : inner_->Report();
    below.adaptations.push_back(
        {"read windows of time",
         fmt::format("{} of them, the last one {}", attempts_,
                     whole_ ? std::string("all of time") : sql::PrintTimeRanges(ranges_))});
    // What lies above the top-n is done here, row by row, and not measured.
    std::vector<const PlanNode*> above;
    for (const PlanNode* node = root_.get(); node != top_.get(); node = node->child().get()) above.push_back(node);
    for (auto node = above.rbegin(); node != above.rend(); ++node) {
      OperatorReport report;
      report.name = (*node)->Describe();
      report.node = *node;
      report.rows_in = report.rows_out = below.rows_out;
      report.children.push_back(std::move(below));
      below = std::move(report);
    }
    return below;
  }

 private:
  void AddTimeColumn(const sql::OutputColumn& output) {
    if (traced_.scan->StorageColumn(output.column) == catalog::kTimeColumn) {
      time_position_.Set(output.column, 0);
    }
  }

  // The key of one moment.
  Result<Value> KeyAt(std::int64_t time_ns) {
    Batch batch;
    batch.row_count = 1;
    batch.columns.push_back(Vector::Constant(Type::Timestamp(), Value::Timestamp(time_ns), 1));
    Vector result;
    TL_TRY(key_->Evaluate(batch, Selection::All(1), &result));
    return result.GetValue(0);
  }

  // A length that holds the rows asked for if they are spread evenly.
  Result<std::optional<std::int64_t>> FirstLength(const TimeBounds& bounds) {
    const auto span = static_cast<double>(high_) - static_cast<double>(low_);
    const double rows = static_cast<double>(wanted_ + skipped_);
    double length = span * rows / bounds.rows * 2;
    if (traced_.grouped) {
      // The bin's width, from the first key that differs.
      const Value edge = TL_TRY(KeyAt(descending_ ? high_ : low_));
      if (edge.is_null()) return std::optional<std::int64_t>();
      double width = span;
      for (std::int64_t step = kNsPerMs; static_cast<double>(step) < span / kShareMin; step *= 2) {
        const Value other = TL_TRY(KeyAt(descending_ ? high_ - step : low_ + step));
        if (other.integer() == edge.integer()) continue;
        width = std::abs(static_cast<double>(edge.integer()) - static_cast<double>(other.integer()));
        break;
      }
      length = width * rows;
    }
    if (!(length < span / kShareMin)) return std::optional<std::int64_t>();
    return std::optional<std::int64_t>(std::max(static_cast<std::int64_t>(length), kNsPerMs));
  }

  // Runs the window of length_, or everything once windows stop being short. False: everything at the
  // first try, so that the plain way is as good.
  Result<bool> StartAttempt() {
    const double span = static_cast<double>(high_) - static_cast<double>(low_);
    whole_ = static_cast<double>(length_) * kShareMin >= span;
    if (whole_ && attempts_ == 0) return false;
    ranges_ = traced_.scan->spec().time_ranges;
    if (!whole_) CutRanges();
    ++attempts_;
    inner_ = TL_TRY(run_(WithRanges(*top_, ranges_)));
    return true;
  }

  void CutRanges() {
    edge_ = descending_ ? SaturatingSubtract(high_, length_) : SaturatingSubtract(low_, -length_);
    std::vector<sql::TimeRange> cut;
    for (sql::TimeRange range : ranges_) {
      if (descending_) {
        range.first_ns = std::max(range.first_ns, edge_);
      } else {
        range.last_ns = std::min(range.last_ns, edge_);
      }
      if (range.first_ns <= range.last_ns) cut.push_back(range);
    }
    ranges_ = std::move(cut);
  }

  // Whether the kept rows are the answer over all of time.
  Result<bool> IsProven() {
    if (row_count_ < static_cast<std::uint64_t>(wanted_) || wanted_ == 0) return false;
    const Value outside = TL_TRY(KeyAt(descending_ ? edge_ - 1 : edge_ + 1));
    const Batch& last = kept_.back();
    for (std::size_t i = 0; i < top_->outputs().size(); ++i) {
      if (top_->outputs()[i].column != sql::As<sql::TopNNode>(*top_).keys().front().column) continue;
      const Value inside = last.columns[i].GetValue(last.row_count - 1);
      if (inside.is_null() || outside.is_null()) return false;
      return descending_ ? inside.integer() > outside.integer() : inside.integer() < outside.integer();
    }
    return false;
  }

  void Retire() {
    const QueryStatistics statistics = inner_->statistics();
    earlier_.bytes_scanned += statistics.bytes_scanned;
    earlier_.rows_scanned += statistics.rows_scanned;
    inner_.reset();
    kept_.clear();
    row_count_ = 0;
    length_ = length_ > std::numeric_limits<std::int64_t>::max() / kGrowth
                  ? std::numeric_limits<std::int64_t>::max()
                  : length_ * kGrowth;
  }

  // Rows of the last attempt, as they come.
  Result<bool> Stream(Batch* batch, SteadyNs until) {
    Batch rows;
    const bool more = TL_TRY(inner_->NextUntil(&rows, until));
    if (!more) {
      proven_ = true;
      return false;
    }
    if (rows.row_count == 0) {
      *batch = {};
      return true;
    }
    TL_TRY(Project(rows, batch));
    return true;
  }

  // What stands above the TopN, lowest first.
  Status PrepareProjects() {
    std::vector<const sql::ProjectNode*> nodes;
    for (const PlanNode* node = root_.get(); node != top_.get(); node = node->child().get()) {
      nodes.push_back(&sql::As<sql::ProjectNode>(*node));
    }
    std::reverse(nodes.begin(), nodes.end());
    for (const sql::ProjectNode* node : nodes) {
      ColumnPositions positions;
      const auto& columns = node->child()->outputs();
      for (std::size_t i = 0; i < columns.size(); ++i) positions.Set(columns[i].column, i);
      std::vector<Evaluator>& items = projects_.emplace_back();
      for (const sql::ProjectNode::Item& item : node->items()) {
        Evaluator evaluator = TL_TRY(Evaluator::Make(*item.expr, positions, eval_));
        items.push_back(std::move(evaluator));
      }
    }
    return OkStatus();
  }

  Status Project(const Batch& rows, Batch* batch) {
    *batch = rows;
    for (std::vector<Evaluator>& items : projects_) {
      Batch projected;
      projected.row_count = batch->row_count;
      for (Evaluator& item : items) {
        Vector column;
        TL_TRY(item.Evaluate(*batch, Selection::All(batch->row_count), &column));
        projected.columns.push_back(std::move(column));
      }
      *batch = std::move(projected);
    }
    return OkStatus();
  }

  const sql::PlanNodePtr root_;
  const sql::PlanNodePtr top_;
  const Traced traced_;
  const PlanRunner run_;
  EvalContext eval_;
  bool descending_ = false;
  std::int64_t wanted_ = 0;
  std::int64_t skipped_ = 0;
  std::int64_t low_ = 0;
  std::int64_t high_ = 0;
  ColumnPositions time_position_;
  std::optional<Evaluator> key_;
  std::vector<std::vector<Evaluator>> projects_;

  std::int64_t length_ = 0;   // of the window
  std::int64_t edge_ = 0;     // where it ends, towards the rest of time
  std::vector<sql::TimeRange> ranges_;
  bool whole_ = false;        // the attempt is over all of time
  std::size_t attempts_ = 0;
  std::unique_ptr<QueryExecution> inner_;
  QueryStatistics earlier_;
  std::vector<Batch> kept_;
  std::uint64_t row_count_ = 0;
  bool proven_ = false;
  std::size_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<QueryExecution>> MakeTopWindow(const sql::PlanNodePtr& root,
                                                      const ExecutionContext& context,
                                                      const PlanRunner& run) {
  std::unique_ptr<QueryExecution> none;
  if (context.scans == nullptr) return none;
  sql::PlanNodePtr top = root;
  while (top->kind() == PlanKind::kProject) top = top->child();
  if (top->kind() != PlanKind::kTopN) return none;
  const auto& node = sql::As<sql::TopNNode>(*top);
  if (node.count() < 1 || node.count() + node.offset() > kRowsMax || node.keys().empty()) return none;
  std::optional<Traced> traced = TraceKey(*top);
  if (!traced.has_value() || traced->scan->spec().time_ranges.empty()) return none;
  const std::optional<TimeBounds> bounds = TL_TRY(context.scans->BoundsOf(*traced->scan));
  if (!bounds.has_value()) return none;
  auto window = std::make_unique<TopWindow>(root, std::move(top), *std::move(traced), context, run);
  const bool pays = TL_TRY(window->Prepare(*bounds, context.window_rows_min));
  if (!pays) return none;
  return std::unique_ptr<QueryExecution>(std::move(window));
}

}  // namespace tideline::exec
