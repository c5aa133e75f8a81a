#include "sql/optimize/push_limits.h"

#include "sql/plan/limit_node.h"
#include "sql/plan/scan_node.h"
#include "sql/plan/set_operation_node.h"
#include "sql/plan/sort_node.h"
#include "sql/plan/topn_node.h"
#include "sql/plan/values_node.h"

namespace tideline::sql {

namespace {

/// `node`, of which any `rows` rows will do.
PlanNodePtr WithHint(const PlanNodePtr& node, std::int64_t rows) {
  switch (node->kind()) {
    case PlanKind::kScan: {
      const ScanNode& scan = As<ScanNode>(*node);
      ScanNode::Spec spec = scan.spec();
      spec.limit_hint = std::min(spec.limit_hint.value_or(rows), rows);
      return std::make_shared<ScanNode>(scan.outputs(), std::move(spec));
    }
    case PlanKind::kProject:
      return node->WithChildren({WithHint(node->child(), rows)});
    case PlanKind::kSetOperation: {
      std::vector<PlanNodePtr> children;
      for (const PlanNodePtr& child : node->children()) {
        children.push_back(WithHint(std::make_shared<LimitNode>(child, rows, 0), rows));
      }
      return node->WithChildren(std::move(children));
    }
    case PlanKind::kLimit: {
      const LimitNode& limit = As<LimitNode>(*node);
      if (limit.offset() != 0 || !limit.count().has_value()) return node;
      const std::int64_t count = std::min(*limit.count(), rows);
      return std::make_shared<LimitNode>(WithHint(limit.child(), count), count, 0);
    }
    default:
      return node;
  }
}

}  // namespace

PlanNodePtr PushLimits(const PlanNodePtr& root) {
  PlanNodePtr node = root;
  if (node->kind() == PlanKind::kLimit) {
    const LimitNode& limit = As<LimitNode>(*node);
    if (limit.count().has_value()) {
      const std::int64_t count = *limit.count();
      if (count == 0) {
        return std::make_shared<ValuesNode>(node->outputs(), std::vector<std::vector<ExprPtr>>{});
      }
      const bool fits = limit.offset() <= kTopNRowsMax && count <= kTopNRowsMax - limit.offset();
      if (limit.child()->kind() == PlanKind::kSort && fits) {
        const SortNode& sort = As<SortNode>(*limit.child());
        node = std::make_shared<TopNNode>(sort.child(), sort.keys(), count, limit.offset(), false);
      } else if (count <= std::numeric_limits<std::int64_t>::max() - limit.offset()) {
        node = std::make_shared<LimitNode>(WithHint(limit.child(), count + limit.offset()), count, limit.offset());
      }
    }
  }
  if (node->children().empty()) return node;
  std::vector<PlanNodePtr> children;
  for (const PlanNodePtr& child : node->children()) children.push_back(PushLimits(child));
  return node->WithChildren(std::move(children));
}

}  // namespace tideline::sql
