// sql/plan/free_columns.h: what a part of a plan reads of the queries around it.
#pragma once

#include <map>
#include <vector>

#include "sql/plan/plan_node.h"

namespace tideline::sql {

/// Columns that a plan reads and that are not made below the place where it reads them, ascending. A
/// dependent join's right child may read what its left child makes. Answers are kept for as long as this
/// lives, so that asking at every node of a plan costs one walk.
class FreeColumns {
 public:
  const std::vector<ColumnRef>& Of(const PlanNodePtr& plan);

 private:
  struct Known {
    PlanNodePtr plan;  // kept, so that no other node takes its address
    std::vector<ColumnRef> columns;
  };
  std::map<const PlanNode*, Known> known_;
};

/// Adds the columns that expressions of `node` itself read.
void AddColumnsRead(const PlanNode& node, std::vector<ColumnRef>* out);

}  // namespace tideline::sql
