#include "sql/plan/free_columns.h"

#include "sql/plan/scan_node.h"

namespace tideline::sql {

void AddColumnsRead(const PlanNode& node, std::vector<ColumnRef>* out) {
  node.WithExpressions([&](const ExprPtr& expr) {
    CollectColumns(*expr, out);
    return expr;
  });
}

const std::vector<ColumnRef>& FreeColumns::Of(const PlanNodePtr& plan) {
  const auto found = known_.find(plan.get());
  if (found != known_.end()) return found->second.columns;
  std::vector<ColumnRef> read;
  AddColumnsRead(*plan, &read);
  ColumnSet made;
  for (const PlanNodePtr& child : plan->children()) {
    const std::vector<ColumnRef>& below = Of(child);
    read.insert(read.end(), below.begin(), below.end());
    for (const OutputColumn& output : child->outputs()) made.Add(output.column);
  }
  // Conditions of a scan read its own columns.
  if (plan->children().empty()) {
    for (const OutputColumn& output : plan->outputs()) made.Add(output.column);
    if (plan->kind() == PlanKind::kScan) {
      const ScanNode::Spec& spec = As<ScanNode>(*plan).spec();
      for (const OutputColumn& column : spec.residual_columns) made.Add(column.column);
      for (const SeriesPredicate& predicate : spec.series_predicates) made.Add(predicate.argument);
    }
  }
  std::erase_if(read, [&](ColumnRef column) { return made.Has(column); });
  std::sort(read.begin(), read.end());
  read.erase(std::unique(read.begin(), read.end()), read.end());
  return known_.emplace(plan.get(), Known{plan, std::move(read)}).first->second.columns;
}

}  // namespace tideline::sql
