#include "sql/optimize/push_limits.h"

#include "sql/plan/join_node.h"
#include "sql/plan/limit_node.h"
#include "sql/plan/project_node.h"
#include "sql/plan/scan_node.h"
#include "sql/plan/set_operation_node.h"
#include "sql/plan/sort_node.h"
#include "sql/plan/topn_node.h"
#include "sql/plan/values_node.h"

namespace tideline::sql {

namespace {

/// Whether each left row comes out of the join at least once, whatever is on the right.
bool KeepsLeftRows(const JoinNode& join) { return join.preserves_left() && join.spec().kind != JoinKind::kFull; }

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
    case PlanKind::kJoin: {
      if (!KeepsLeftRows(As<JoinNode>(*node))) return node;
      PlanNodePtr left = WithHint(std::make_shared<LimitNode>(node->children()[0], rows, 0), rows);
      return node->WithChildren({std::move(left), node->children()[1]});
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

/// `keys` in terms of the columns below a projection; nothing if one is computed there.
std::optional<std::vector<SortKey>> KeysBelow(const ProjectNode& project, const std::vector<SortKey>& keys) {
  std::vector<SortKey> out;
  for (const SortKey& key : keys) {
    for (const ProjectNode::Item& item : project.items()) {
      if (item.output.column != key.column) continue;
      if (item.expr->kind != ExprKind::kColumn) return std::nullopt;
      out.push_back({item.expr->column, key.descending, key.nulls_first});
      break;
    }
  }
  return out.size() == keys.size() ? std::optional(std::move(out)) : std::nullopt;
}

/// `node` without rows that are not among the first `rows` by `keys`, as far as it can be told below it.
PlanNodePtr WithFirst(const PlanNodePtr& node, const std::vector<SortKey>& keys, std::int64_t rows) {
  const auto first = [&](const PlanNodePtr& child, const std::vector<SortKey>& by) -> PlanNodePtr {
    return std::make_shared<TopNNode>(WithFirst(child, by, rows), by, rows, 0, false);
  };
  switch (node->kind()) {
    case PlanKind::kProject: {
      const std::optional<std::vector<SortKey>> below = KeysBelow(As<ProjectNode>(*node), keys);
      return below.has_value() ? node->WithChildren({WithFirst(node->child(), *below, rows)}) : node;
    }
    case PlanKind::kSetOperation: {
      const SetOperationNode& all = As<SetOperationNode>(*node);
      std::vector<PlanNodePtr> children;
      for (std::size_t i = 0; i < all.children().size(); ++i) {
        std::vector<SortKey> by = keys;
        for (SortKey& key : by) {
          for (std::size_t k = 0; k < all.outputs().size(); ++k) {
            if (all.outputs()[k].column != key.column) continue;
            key.column = all.inputs()[i][k];
            break;
          }
        }
        children.push_back(first(all.children()[i], by));
      }
      return node->WithChildren(std::move(children));
    }
    case PlanKind::kJoin: {
      const ColumnSet left = node->children()[0]->OutputSet();
      for (const SortKey& key : keys) {
        if (!left.Has(key.column)) return node;
      }
      if (!KeepsLeftRows(As<JoinNode>(*node))) return node;
      return node->WithChildren({first(node->children()[0], keys), node->children()[1]});
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
        PlanNodePtr rows = WithFirst(sort.child(), sort.keys(), count + limit.offset());
        node = std::make_shared<TopNNode>(std::move(rows), sort.keys(), count, limit.offset(), false);
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
