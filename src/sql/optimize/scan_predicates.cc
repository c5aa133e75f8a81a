#include "sql/optimize/scan_predicates.h"

#include <algorithm>
#include <optional>

#include "sql/plan/may_fail.h"
#include "sql/optimize/time_set.h"

namespace tideline::sql {

namespace {

struct ValueSet {
  std::vector<std::string> values;  ///< sorted, distinct
  bool includes_null = false;
};

void AddValue(const Expr& constant, ValueSet* set) {
  if (constant.constant.is_null()) return;  // = NULL is never true
  const std::string& text = constant.constant.text();
  const auto at = std::lower_bound(set->values.begin(), set->values.end(), text);
  if (at == set->values.end() || *at != text) set->values.insert(at, text);
}

bool IsTextConstant(const Expr& expr) {
  return expr.kind == ExprKind::kConstant && (expr.type.is(TypeId::kVarchar) || expr.constant.is_null());
}

bool IsColumn(const Expr& expr, ColumnRef column) {
  return expr.kind == ExprKind::kColumn && expr.column == column;
}

/// The values of `column` for which `condition` is true, if it is a plain list of them.
std::optional<ValueSet> ValuesPassing(const Expr& condition, ColumnRef column) {
  switch (condition.kind) {
    case ExprKind::kCall: {
      if (condition.scalar->name != "$equal") return std::nullopt;
      const Expr& a = *condition.children[0];
      const Expr& b = *condition.children[1];
      ValueSet set;
      if (IsColumn(a, column) && IsTextConstant(b)) {
        AddValue(b, &set);
      } else if (IsColumn(b, column) && IsTextConstant(a)) {
        AddValue(a, &set);
      } else {
        return std::nullopt;
      }
      return set;
    }
    case ExprKind::kIn: {
      if (!IsColumn(*condition.children[0], column)) return std::nullopt;
      ValueSet set;
      for (std::size_t i = 1; i < condition.children.size(); ++i) {
        if (!IsTextConstant(*condition.children[i])) return std::nullopt;
        if (!condition.children[i]->constant.is_null()) set.values.push_back(condition.children[i]->constant.text());
      }
      std::sort(set.values.begin(), set.values.end());
      set.values.erase(std::unique(set.values.begin(), set.values.end()), set.values.end());
      return set;
    }
    case ExprKind::kIsNull:
      if (!IsColumn(*condition.children[0], column)) return std::nullopt;
      return ValueSet{{}, true};
    case ExprKind::kOr: {
      ValueSet all;
      for (const ExprPtr& child : condition.children) {
        std::optional<ValueSet> one = ValuesPassing(*child, column);
        if (!one.has_value()) return std::nullopt;
        ValueSet both;
        std::set_union(all.values.begin(), all.values.end(), one->values.begin(), one->values.end(),
                       std::back_inserter(both.values));
        both.includes_null = all.includes_null || one->includes_null;
        all = std::move(both);
      }
      return all;
    }
    default:
      return std::nullopt;
  }
}

class PredicateSplitter {
 public:
  PredicateSplitter(const ScanNode& scan, const EvaluateOptions& options)
      : scan_(scan), spec_(scan.spec()), options_(options) {
    AppendConjuncts(spec_.residual, &residual_);
    for (std::size_t i = 0; i < scan.outputs().size(); ++i) {
      if (spec_.storage_columns[i] == catalog::kTimeColumn) time_ = scan.outputs()[i].column;
    }
  }

  void Add(const ExprPtr& conjunct) {
    if (!HasVolatileCall(*conjunct)) {
      if (AddTime(*conjunct)) return;
      if (AddSeries(conjunct)) return;
    }
    residual_.push_back(conjunct);
  }

  PlanNodePtr Finish() {
    spec_.residual = MakeAnd(std::move(residual_));
    return std::make_shared<ScanNode>(scan_.outputs(), std::move(spec_));
  }

 private:
  /// True when the time ranges now say all that `conjunct` says.
  bool AddTime(const Expr& conjunct) {
    if (!time_.has_value()) return false;
    const TimeSet set = TimesPassing(conjunct, *time_, options_);
    spec_.time_ranges = IntersectRanges(spec_.time_ranges, set.ranges);
    return set.exact;
  }

  /// The one column that `conjunct` reads, if it is a function of the series.
  std::optional<std::size_t> SeriesColumnOf(const Expr& conjunct) const {
    std::vector<ColumnRef> read;
    CollectColumns(conjunct, &read);
    if (read.empty() || std::any_of(read.begin(), read.end(), [&](ColumnRef c) { return c != read.front(); })) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < scan_.outputs().size(); ++i) {
      if (scan_.outputs()[i].column != read.front()) continue;
      const catalog::Column* column = scan_.table().FindColumn(spec_.storage_columns[i]);
      const bool of_series = column != nullptr && (column->kind == catalog::ColumnKind::kDimension ||
                                                   column->kind == catalog::ColumnKind::kMeasureName);
      return of_series ? std::optional(i) : std::nullopt;
    }
    return std::nullopt;
  }

  bool AddSeries(const ExprPtr& conjunct) {
    const std::optional<std::size_t> index = SeriesColumnOf(*conjunct);
    if (!index.has_value() || HasParameter(*conjunct)) return false;
    const OutputColumn& output = scan_.outputs()[*index];
    SeriesPredicate& predicate = PredicateOn(spec_.storage_columns[*index], output);
    if (const std::optional<ValueSet> set = ValuesPassing(*conjunct, output.column)) {
      Restrict(*set, &predicate);
      return true;
    }
    // One expression that may fail makes the whole inexact, so it goes by itself or not at all.
    const bool fails = MayFail(*conjunct);
    if (fails && predicate.expression != nullptr) return false;
    if (!predicate.exact) return false;
    std::vector<ExprPtr> parts;
    AppendConjuncts(predicate.expression, &parts);
    parts.push_back(conjunct);
    predicate.expression = MakeAnd(std::move(parts));
    predicate.argument = output.column;
    predicate.exact = !fails;
    return predicate.exact;
  }

  SeriesPredicate& PredicateOn(catalog::ColumnId column, const OutputColumn& output) {
    for (SeriesPredicate& predicate : spec_.series_predicates) {
      if (predicate.column == column) return predicate;
    }
    SeriesPredicate predicate;
    predicate.column = column;
    predicate.name = output.name;
    predicate.argument = output.column;
    return spec_.series_predicates.emplace_back(std::move(predicate));
  }

  static void Restrict(const ValueSet& set, SeriesPredicate* predicate) {
    if (!predicate->has_values) {
      predicate->has_values = true;
      predicate->values = set.values;
      predicate->includes_null = set.includes_null;
      return;
    }
    std::vector<std::string> both;
    std::set_intersection(predicate->values.begin(), predicate->values.end(), set.values.begin(), set.values.end(),
                          std::back_inserter(both));
    predicate->values = std::move(both);
    predicate->includes_null = predicate->includes_null && set.includes_null;
  }

  static bool HasParameter(const Expr& expr) {
    return expr.kind == ExprKind::kParameter || expr.kind == ExprKind::kSubquery ||
           std::any_of(expr.children.begin(), expr.children.end(),
                       [](const ExprPtr& child) { return HasParameter(*child); });
  }

  const ScanNode& scan_;
  ScanNode::Spec spec_;
  const EvaluateOptions& options_;
  std::optional<ColumnRef> time_;
  std::vector<ExprPtr> residual_;
};

}  // namespace

PlanNodePtr AddPredicates(const ScanNode& scan, const std::vector<ExprPtr>& conjuncts,
                          const EvaluateOptions& options) {
  PredicateSplitter splitter(scan, options);
  for (const ExprPtr& conjunct : conjuncts) splitter.Add(conjunct);
  return splitter.Finish();
}

}  // namespace tideline::sql
