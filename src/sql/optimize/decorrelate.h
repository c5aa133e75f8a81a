// sql/optimize/decorrelate.h: joins in the place of sub-queries that read columns of the query around them.
//
// The binder leaves a sub-query as a join whose right child reads columns of its left child. Nothing can run
// that as it is: each left row has right rows of its own. This rule, which always runs, makes a plain join
// of it, in one of two ways.
//
//   pull   Conditions that read outer columns are pulled up out of the sub-query until they are conditions of
//          the join (pull_correlation.h). That is all that `inner.k = outer.k` below a filter or an
//          aggregate needs, and costs nothing.
//   push   Else the left rows become a shared plan; the values that the sub-query reads of them, each
//          combination once, are its domain. The domain is joined into the sub-query from below, as far
//          down as something reads it, and travels up as further columns: aggregates and windows take it as
//          keys, LIMIT becomes a row number within it. The sub-query then is computed for all outer values at
//          once, and joined with the left rows on them (push_domain.h).
//
// Source: Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015; Neumann, "Improving Unnesting of
// Complex Queries", BTW 2025. Departures: where values have no hash (nested ones) or equality hides
// differences (doubles: -0.0, NaN), left rows are numbered and the domain is the numbers; sub-queries inside
// sub-queries are left alone until what is around them is done, whose domain then stands at their left.
#pragma once

#include "base/status.h"
#include "base/time.h"
#include "sql/plan/plan_node.h"

namespace tideline::sql {

struct DecorrelateOptions {
  TimestampNs now;
  bool compat_profile = false;
};

/// Whether there is something to do.
bool HasDependentJoin(const PlanNode& root);

/// `root` without dependent joins; the same node if there are none. New columns are numbered from
/// `*column_count`. Errors: kResourceExhausted for a plan that becomes too large.
Result<PlanNodePtr> Decorrelate(const PlanNodePtr& root, const DecorrelateOptions& options,
                                std::uint32_t* column_count);

/// Most nodes that decorrelating may make for one query.
inline constexpr std::size_t kDecorrelatedNodesMax = 50'000;

}  // namespace tideline::sql
