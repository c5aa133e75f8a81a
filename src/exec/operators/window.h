// exec/operators/window.h: calls with OVER.
//
// Rows are sorted by partition and order; then one partition at a time is laid out flat and each call
// computed over it. An aggregate's state grows along as long as its frame only grows at the end, and
// starts anew when rows leave at the front; frames that are the same share one answer. The sorted rows
// and the partition at hand are charged to the query's budget.
#pragma once

#include <memory>

#include "exec/operators/operator.h"
#include "sql/plan/window_node.h"

namespace tideline::exec {

/// What the calls of `node` read, in the order that WindowSource expects behind the child's columns.
std::vector<sql::ExprPtr> WindowInputs(const sql::WindowNode& node);

/// `sorted` delivers the child's columns, then WindowInputs, by partition and order. Its batches come
/// out with the calls' results behind the child's columns. `node` and `context` outlive the source.
std::shared_ptr<Source> NewWindowSource(const sql::WindowNode& node, std::shared_ptr<Source> sorted,
                                        const EvalContext& context);

}  // namespace tideline::exec
