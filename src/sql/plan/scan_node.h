// sql/plan/scan_node.h: the rows of one table, cut down by everything that storage can use.
//
// A scan delivers the rows r of the table (as of the query's snapshot, within retention) for which
//
//   r.time lies in one of time_ranges()                      and
//   every one of series_predicates() holds for r             and
//   residual() is true for r                                 (if there is one)
//
// and of those any `limit_hint()` rows are enough (if there is one). Time ranges and series
// predicates are exact, not hints, save where a series predicate says otherwise: what they express
// has been taken out of the residual.
#pragma once

#include <limits>
#include <map>

#include "sql/plan/plan_node.h"
#include "storage/catalog/schema.h"

namespace tideline::sql {

/// Instants first_ns <= t <= last_ns, nanoseconds since 1970; both ends belong to it.
struct TimeRange {
  std::int64_t first_ns = std::numeric_limits<std::int64_t>::min();
  std::int64_t last_ns = std::numeric_limits<std::int64_t>::max();
  bool operator==(const TimeRange&) const = default;
};

/// A condition on one column that is a function of the series: a dimension or measure_name. Storage
/// evaluates it once per distinct value of the column (null among them), not per row.
struct SeriesPredicate {
  catalog::ColumnId column;
  std::string name;  ///< the column's, for people

  /// The column's value must be one of these: sorted by bytes, distinct. Only when `has_values`.
  bool has_values = false;
  std::vector<std::string> values;
  bool includes_null = false;  ///< null passes too; only when `has_values`

  /// Must be true of the column's value, which it reads as `argument` (a varchar); may be null.
  ExprPtr expression;
  ColumnRef argument;
  /// False: `expression` can fail on a value. A value it fails on passes, and the same condition
  /// stands in the residual as well, which fails the query only if a row gets that far.
  bool exact = true;
};

class ScanNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kScan;

  struct Spec {
    catalog::TableSchemaPtr table;
    /// outputs()[i] is storage column storage_columns[i]. May be empty: rows without columns.
    std::vector<catalog::ColumnId> storage_columns;
    /// Ascending, disjoint, not touching. The default is all of time; empty means no row at all.
    std::vector<TimeRange> time_ranges{TimeRange{}};
    /// At most one per column.
    std::vector<SeriesPredicate> series_predicates;
    /// Over residual_columns and outputs; null pointer for none. Conjuncts in order, as in FilterNode.
    ExprPtr residual;
    /// Columns that the residual reads and that outputs() lacks: decode, test, drop.
    std::vector<OutputColumn> residual_columns;
    std::vector<catalog::ColumnId> residual_storage_columns;
    /// Any so many of the matching rows will do.
    std::optional<std::int64_t> limit_hint;
    /// When either is set: rows that are not the newest (the oldest) of their series, among those
    /// described, may be left out.
    bool newest_only = false;
    bool oldest_only = false;
    /// When not 0: of times no more is asked than into which step of this length, counted from 1970, they fall;
    /// another instant of the step will do. What the residual reads is exact.
    std::int64_t time_step_ns = 0;
    /// Rows in the table as far as the catalog knows.
    double table_rows = 1e6;
    /// Rows that pass the time ranges and the lists of series values, when statistics say.
    std::optional<double> matching_rows;
    /// Distinct values of dimensions and measure_name, when statistics say.
    std::map<catalog::ColumnId, double> distinct_values;
  };

  ScanNode(std::vector<OutputColumn> outputs, Spec spec);

  const Spec& spec() const { return spec_; }
  const catalog::TableSchema& table() const { return *spec_.table; }
  /// Storage column of an output or residual column; nothing for a column of another node.
  std::optional<catalog::ColumnId> StorageColumn(ColumnRef column) const;

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  double EstimateRows() const override;
  std::optional<double> EstimatedDistinct(ColumnRef column) const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  Spec spec_;
};

/// "[2024-01-01 00:00:00.000000000, ∞)" and the like, for EXPLAIN and tests.
std::string PrintTimeRanges(const std::vector<TimeRange>& ranges);

}  // namespace tideline::sql
