// sql/plan/values_node.h: rows written in the statement, or known when it was bound (SHOW, DESCRIBE).
#pragma once

#include "sql/plan/plan_node.h"

namespace tideline::sql {

class ValuesNode final : public PlanNode {
 public:
  static constexpr PlanKind kKind = PlanKind::kValues;

  /// Each row has one expression per output, of the output's type. Expressions read no columns, but
  /// may be more than constants (`VALUES now()`, parameters). `SELECT 1` stands on one row of no
  /// columns.
  ValuesNode(std::vector<OutputColumn> outputs, std::vector<std::vector<ExprPtr>> rows)
      : PlanNode(kKind, {}, std::move(outputs)), rows_(std::move(rows)) {}

  const std::vector<std::vector<ExprPtr>>& rows() const { return rows_; }

  std::string Describe() const override;
  PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const override;
  PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const override;
  ColumnSet Required(const ColumnSet& wanted, std::size_t index) const override;
  PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const override;
  ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const override;
  double EstimateRows() const override;
  void AddIdentity(NodeIdentity* identity) const override;

 private:
  std::vector<std::vector<ExprPtr>> rows_;
};

}  // namespace tideline::sql
