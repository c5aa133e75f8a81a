// exec/top_window.h: ORDER BY time … LIMIT n without reading all of time.
//
// The newest (or oldest) rows or groups of a table are asked for all day: `ORDER BY time DESC LIMIT
// 10`, `GROUP BY bin(time, 1m) ORDER BY 1 DESC LIMIT 5`. The leading key is then a function of time
// that never falls as time grows. Such a plan is first run over a short window at that end of time,
// and over ever longer ones until the answer is proven to be that over all of time: it has its n rows,
// and the last of them lies strictly on the window's side of the key just outside the window. What
// was left out has keys at or beyond that one, so it could come after the last row only.
#pragma once

#include <memory>

#include "exec/query.h"

namespace tideline::exec {

/// Runs one plan over one choice of time ranges.
using PlanRunner =
    std::function<Result<std::unique_ptr<QueryExecution>>(const sql::PlanNodePtr& plan)>;

/// The execution described above; null pointer when `root` is not such a plan or a window would not
/// pay. `context` and what it points at outlive it.
Result<std::unique_ptr<QueryExecution>> MakeTopWindow(const sql::PlanNodePtr& root,
                                                      const ExecutionContext& context,
                                                      const PlanRunner& run);

}  // namespace tideline::exec
