// sql/plan/print_json.h: a plan as JSON, for EXPLAIN (FORMAT JSON).
//
//   {"id": "0", "name": "Filter", "details": "(x > 1)", "outputs": [{"name": "x", "type": "bigint"}],
//    "estimates": {"rows": 10}, "children": [...]}
//
// The shape is that of Presto's. A shared plan (shared_node.h) is a child of the first place that reads it.
#pragma once

#include <string>

#include "base/json.h"
#include "sql/plan/plan_node.h"

namespace tideline::sql {

std::string PrintPlanJson(const PlanNode& root);

/// The members name, details, outputs and estimates of one node, into an object that is open.
void WriteNodeMembers(const PlanNode& node, JsonWriter* json);

}  // namespace tideline::sql
