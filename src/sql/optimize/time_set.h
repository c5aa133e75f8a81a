// sql/optimize/time_set.h: which instants a condition on `time` lets through.
//
// Understood: time compared with a constant (now(), ago(), casts of text, arithmetic among constants
// included), BETWEEN, IN, IS [NOT] NULL, IS [NOT] DISTINCT FROM, AND, OR, NOT, CASE and COALESCE among
// conditions, and monotone functions of time against a constant: time plus or minus an interval, date_add(),
// bin(), date_trunc(), CAST AS date, date(), to_milliseconds(), to_nanoseconds() and back, and year(). All but
// those that go by the calendar are floor(time + shift, width) / scale, which turns a comparison into bounds on
// time by whole-number arithmetic.
#pragma once

#include <vector>

#include "sql/optimize/constant_evaluator.h"
#include "sql/plan/scan_node.h"

namespace tideline::sql {

struct TimeSet {
  /// Ascending, disjoint, not touching.
  std::vector<TimeRange> ranges{TimeRange{}};
  /// The condition is true of exactly these instants; else it is true of no others.
  bool exact = false;
};

/// `time` is the column; it is never null. Always answers, if only with all of time, inexactly.
TimeSet TimesPassing(const Expr& condition, ColumnRef time, const EvaluateOptions& options);

std::vector<TimeRange> IntersectRanges(const std::vector<TimeRange>& a, const std::vector<TimeRange>& b);
std::vector<TimeRange> UniteRanges(std::vector<TimeRange> a, const std::vector<TimeRange>& b);
std::vector<TimeRange> InvertRanges(const std::vector<TimeRange>& ranges);

}  // namespace tideline::sql
