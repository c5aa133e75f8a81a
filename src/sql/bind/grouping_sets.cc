#include "sql/bind/grouping_sets.h"

#include <algorithm>

#include "sql/plan/project_node.h"
#include "sql/plan/set_operation_node.h"

namespace tideline::sql {

namespace {

GroupingSet Sorted(GroupingSet set) {
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  return set;
}

Status TooMany(const ast::SourcePosition& at) {
  return ResourceExhausted("line {}:{}: GROUP BY has more than {} grouping sets", at.line, at.column,
                           kGroupingSetsMax);
}

/// The keys of those `written` sets for which `takes(i)`.
template <typename Takes>
GroupingSet UnionOf(const std::vector<GroupingSet>& written, const Takes& takes) {
  GroupingSet all;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (takes(i)) all.insert(all.end(), written[i].begin(), written[i].end());
  }
  return Sorted(std::move(all));
}

/// The sets that one element stands for; `written` holds the keys as in the text.
Result<std::vector<GroupingSet>> SetsOfElement(const ast::GroupingElement& element,
                                               const std::vector<GroupingSet>& written) {
  std::vector<GroupingSet> sets;
  switch (element.kind) {
    case ast::GroupingKind::kSimple:
    case ast::GroupingKind::kGroupingSets:
      for (const GroupingSet& set : written) sets.push_back(Sorted(set));
      break;
    case ast::GroupingKind::kRollup:
      for (std::size_t count = written.size() + 1; count-- > 0;) {
        sets.push_back(UnionOf(written, [&](std::size_t i) { return i < count; }));
      }
      break;
    case ast::GroupingKind::kCube: {
      const std::size_t count = written.size();
      if (count >= 16) return TooMany(element.position);
      for (std::size_t left_out = 0; left_out < (std::size_t{1} << count); ++left_out) {
        sets.push_back(UnionOf(written, [&](std::size_t i) { return (left_out >> (count - 1 - i) & 1) == 0; }));
      }
      break;
    }
  }
  if (sets.size() > kGroupingSetsMax) return TooMany(element.position);
  return sets;
}

std::size_t CountPlanNodes(const PlanNode& node, std::size_t limit) {
  std::size_t count = 1;
  for (const PlanNodePtr& child : node.children()) {
    if (count > limit) break;
    count += CountPlanNodes(*child, limit - count);
  }
  return count;
}

/// The number that grouping(...) is for the rows of `set`.
Result<std::int64_t> MaskOf(const GroupingCall& grouping, const std::vector<AggregateNode::Key>& keys,
                            const GroupingSet& set) {
  std::int64_t mask = 0;
  for (const ExprPtr& argument : grouping.arguments) {
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const AggregateNode::Key& candidate) {
      return SameExpr(*candidate.expr, *argument);
    });
    if (key == keys.end()) {
      return ErrorAt(argument->position, "The arguments to GROUPING() must be expressions referenced by the GROUP BY");
    }
    const auto place = static_cast<std::size_t>(key - keys.begin());
    mask = mask * 2 + (std::binary_search(set.begin(), set.end(), place) ? 0 : 1);
  }
  return mask;
}

}  // namespace

Result<std::vector<GroupingSet>> CombineGroupingSets(const ast::GroupBy& group_by,
                                                     const std::vector<std::vector<GroupingSet>>& element_keys) {
  std::vector<GroupingSet> combined{{}};
  for (std::size_t e = 0; e < group_by.elements.size(); ++e) {
    const std::vector<GroupingSet> sets = TL_TRY(SetsOfElement(group_by.elements[e], element_keys[e]));
    if (combined.size() * sets.size() > kGroupingSetsMax) return TooMany(group_by.position);
    std::vector<GroupingSet> next;
    for (const GroupingSet& before : combined) {
      for (const GroupingSet& set : sets) {
        GroupingSet both = before;
        both.insert(both.end(), set.begin(), set.end());
        next.push_back(Sorted(std::move(both)));
      }
    }
    combined = std::move(next);
  }
  if (group_by.distinct) {
    std::vector<GroupingSet> once;
    for (GroupingSet& set : combined) {
      if (std::find(once.begin(), once.end(), set) == once.end()) once.push_back(std::move(set));
    }
    combined = std::move(once);
  }
  return combined;
}

Result<PlanNodePtr> AggregateSets(const PlanNodePtr& child, const std::vector<AggregateNode::Key>& keys,
                                  const std::vector<AggregateCall>& calls, const std::vector<GroupingSet>& sets,
                                  const std::vector<GroupingCall>& groupings, BindContext* context) {
  if (CountPlanNodes(*child, kGroupedPlanNodesMax) > kGroupedPlanNodesMax / sets.size()) {
    return ResourceExhausted("The query is too complex: its grouping sets need more than {} operations",
                             kGroupedPlanNodesMax);
  }
  std::vector<OutputColumn> outputs;
  for (const AggregateNode::Key& key : keys) outputs.push_back(key.output);
  for (const AggregateCall& call : calls) outputs.push_back(call.output);
  for (const GroupingCall& grouping : groupings) outputs.push_back(grouping.output);
  std::vector<PlanNodePtr> branches;
  std::vector<std::vector<ColumnRef>> inputs;
  for (const GroupingSet& set : sets) {
    std::vector<ProjectNode::Item> items;
    std::vector<AggregateNode::Key> branch_keys;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      OutputColumn output{context->NewColumn(), keys[k].output.name, keys[k].output.type};
      if (!std::binary_search(set.begin(), set.end(), k)) {
        items.push_back({output, MakeConstant(Value::Null(output.type))});
        continue;
      }
      branch_keys.push_back({output, keys[k].expr});
      items.push_back({output, MakeColumn(output.column, output.type, output.name)});
    }
    std::vector<AggregateCall> branch_calls = calls;
    for (AggregateCall& call : branch_calls) {
      call.output.column = context->NewColumn();
      items.push_back({call.output, MakeColumn(call.output.column, call.output.type, call.output.name)});
    }
    for (const GroupingCall& grouping : groupings) {
      const std::int64_t mask = TL_TRY(MaskOf(grouping, keys, set));
      const OutputColumn output{context->NewColumn(), grouping.output.name, grouping.output.type};
      items.push_back({output, MakeConstant(Value::Bigint(mask))});
    }
    TL_TRY(context->CountExpr());
    std::vector<ColumnRef> columns;
    for (const ProjectNode::Item& item : items) columns.push_back(item.output.column);
    inputs.push_back(std::move(columns));
    branches.push_back(std::make_shared<ProjectNode>(
        std::make_shared<AggregateNode>(child, std::move(branch_keys), std::move(branch_calls)), std::move(items)));
  }
  return PlanNodePtr(std::make_shared<SetOperationNode>(std::move(branches), std::move(outputs), std::move(inputs)));
}

}  // namespace tideline::sql
