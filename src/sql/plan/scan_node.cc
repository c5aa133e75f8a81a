#include "sql/plan/scan_node.h"

#include <fmt/format.h>

#include <algorithm>

#include "columnar/text_format.h"

namespace tideline::sql {

namespace {

/// Guesses of what one condition lets through.
constexpr double kTimeSelectivity = 0.1;
constexpr double kSeriesSelectivity = 0.1;
constexpr double kResidualSelectivity = 0.25;

std::string PrintSeriesPredicate(const SeriesPredicate& predicate) {
  std::string out;
  if (predicate.has_values) {
    out = fmt::format("{} in {{{}", predicate.name, fmt::join(predicate.values, ", "));
    if (predicate.includes_null) out += predicate.values.empty() ? "NULL" : ", NULL";
    out += '}';
  }
  if (predicate.expression != nullptr) {
    if (!out.empty()) out += " and ";
    out += PrintExpr(*predicate.expression);
    if (!predicate.exact) out += '?';
  }
  return out;
}

}  // namespace

std::string PrintTimeRanges(const std::vector<TimeRange>& ranges) {
  if (ranges.empty()) return "none";
  std::string out;
  for (const TimeRange& range : ranges) {
    if (!out.empty()) out += ", ";
    if (range.first_ns == std::numeric_limits<std::int64_t>::min()) {
      out += "(-inf";
    } else {
      out += '[';
      AppendTimestamp(range.first_ns, &out);
    }
    out += ", ";
    if (range.last_ns == std::numeric_limits<std::int64_t>::max()) {
      out += "inf)";
    } else {
      AppendTimestamp(range.last_ns, &out);
      out += ']';
    }
  }
  return out;
}

ScanNode::ScanNode(std::vector<OutputColumn> outputs, Spec spec)
    : PlanNode(kKind, {}, std::move(outputs)), spec_(std::move(spec)) {
  TL_CHECK(this->outputs().size() == spec_.storage_columns.size());
  TL_CHECK(spec_.residual_columns.size() == spec_.residual_storage_columns.size());
}

std::optional<catalog::ColumnId> ScanNode::StorageColumn(ColumnRef column) const {
  for (std::size_t i = 0; i < outputs().size(); ++i) {
    if (outputs()[i].column == column) return spec_.storage_columns[i];
  }
  for (std::size_t i = 0; i < spec_.residual_columns.size(); ++i) {
    if (spec_.residual_columns[i].column == column) return spec_.residual_storage_columns[i];
  }
  return std::nullopt;
}

std::string ScanNode::Describe() const {
  std::string out = fmt::format("Scan {}.{} [", table().database, table().table);
  for (std::size_t i = 0; i < outputs().size(); ++i) {
    if (i > 0) out += ", ";
    out += outputs()[i].name;
  }
  out += ']';
  if (spec_.time_ranges != std::vector<TimeRange>{TimeRange{}}) {
    out += fmt::format(" time {}", PrintTimeRanges(spec_.time_ranges));
  }
  for (std::size_t i = 0; i < spec_.series_predicates.size(); ++i) {
    out += i == 0 ? " series " : ", ";
    out += PrintSeriesPredicate(spec_.series_predicates[i]);
  }
  if (spec_.residual != nullptr) out += fmt::format(" where {}", PrintExpr(*spec_.residual));
  if (spec_.limit_hint.has_value()) out += fmt::format(" any {}", *spec_.limit_hint);
  if (spec_.newest_only) out += spec_.oldest_only ? " ends of each series" : " newest of each series";
  if (spec_.oldest_only && !spec_.newest_only) out += " oldest of each series";
  if (spec_.time_step_ns != 0) {
    out += fmt::format(" times in steps of {}", PrintExpr(*MakeConstant(Value::DayToSecond(spec_.time_step_ns))));
  }
  return out;
}

PlanNodePtr ScanNode::WithChildren(std::vector<PlanNodePtr> /*children*/) const {
  return std::make_shared<ScanNode>(outputs(), spec_);
}

PlanNodePtr ScanNode::WithExpressions(const ExprRewrite& rewrite) const {
  Spec spec = spec_;
  if (spec.residual != nullptr) spec.residual = rewrite(spec.residual);
  for (SeriesPredicate& predicate : spec.series_predicates) {
    if (predicate.expression != nullptr) predicate.expression = rewrite(predicate.expression);
  }
  return std::make_shared<ScanNode>(outputs(), std::move(spec));
}

ColumnSet ScanNode::Required(const ColumnSet& /*wanted*/, std::size_t /*index*/) const { return {}; }

PlanNodePtr ScanNode::Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> /*children*/) const {
  ColumnSet residual_reads;
  if (spec_.residual != nullptr) residual_reads.AddColumnsOf(*spec_.residual);
  Spec spec = spec_;
  spec.storage_columns.clear();
  spec.residual_columns.clear();
  spec.residual_storage_columns.clear();
  std::vector<OutputColumn> kept;
  const auto place = [&](const OutputColumn& column, catalog::ColumnId id, bool is_output) {
    if (is_output && wanted.Has(column.column)) {
      kept.push_back(column);
      spec.storage_columns.push_back(id);
    } else if (residual_reads.Has(column.column)) {
      spec.residual_columns.push_back(column);
      spec.residual_storage_columns.push_back(id);
    }
  };
  for (std::size_t i = 0; i < outputs().size(); ++i) place(outputs()[i], spec_.storage_columns[i], true);
  for (std::size_t i = 0; i < spec_.residual_columns.size(); ++i) {
    place(spec_.residual_columns[i], spec_.residual_storage_columns[i], false);
  }
  return std::make_shared<ScanNode>(std::move(kept), std::move(spec));
}

ExprPtr ScanNode::PassDown(const ExprPtr& /*predicate*/, std::size_t /*index*/) const { return nullptr; }

double ScanNode::EstimateRows() const {
  double rows = spec_.table_rows;
  if (spec_.time_ranges.empty()) return 0;
  if (spec_.matching_rows.has_value()) {
    rows = *spec_.matching_rows;
    for (const SeriesPredicate& predicate : spec_.series_predicates) {
      if (predicate.expression != nullptr) rows *= kSeriesSelectivity;
    }
  } else {
    if (spec_.time_ranges != std::vector<TimeRange>{TimeRange{}}) rows *= kTimeSelectivity;
    for (std::size_t i = 0; i < spec_.series_predicates.size(); ++i) rows *= kSeriesSelectivity;
  }
  if (spec_.residual != nullptr) rows *= kResidualSelectivity;
  if (spec_.limit_hint.has_value()) rows = std::min(rows, static_cast<double>(*spec_.limit_hint));
  return rows;
}

std::optional<double> ScanNode::EstimatedDistinct(ColumnRef column) const {
  const std::optional<catalog::ColumnId> id = StorageColumn(column);
  if (!id.has_value()) return std::nullopt;
  const auto found = spec_.distinct_values.find(*id);
  if (found == spec_.distinct_values.end()) return std::nullopt;
  double distinct = found->second;
  for (const SeriesPredicate& predicate : spec_.series_predicates) {
    if (predicate.column != *id || !predicate.has_values) continue;
    distinct = std::min(distinct, static_cast<double>(predicate.values.size()) + (predicate.includes_null ? 1 : 0));
  }
  return std::max(1.0, std::min(distinct, EstimatedRows()));
}

void ScanNode::AddIdentity(NodeIdentity* identity) const {
  identity->Add(spec_.table->database);
  identity->Add(spec_.table->table);
  for (const catalog::ColumnId column : spec_.storage_columns) identity->Add(std::uint64_t{column.value});
  for (const TimeRange& range : spec_.time_ranges) {
    identity->Add(static_cast<std::uint64_t>(range.first_ns));
    identity->Add(static_cast<std::uint64_t>(range.last_ns));
  }
  for (const SeriesPredicate& predicate : spec_.series_predicates) {
    identity->Add(std::uint64_t{predicate.column.value});
    identity->Add(std::uint64_t{predicate.has_values} + 2 * std::uint64_t{predicate.includes_null});
    identity->Add(std::uint64_t{predicate.values.size()});
    for (const std::string& value : predicate.values) identity->Add(value);
    identity->Add(predicate.expression);
    identity->Add(predicate.argument);
  }
  identity->Add(spec_.residual);
  for (const OutputColumn& column : spec_.residual_columns) identity->Add(column.column);
  identity->Add(static_cast<std::uint64_t>(spec_.limit_hint.value_or(-1)));
}

}  // namespace tideline::sql
