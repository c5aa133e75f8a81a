// exec/scan/deferred_scan.h: a scan that is opened when what narrows it is known.
#pragma once

#include <memory>
#include <vector>

#include "exec/scan/runtime_filter.h"
#include "exec/scan/scan_source.h"

namespace tideline::exec {

/// The scan of `node`, cut by `filters`, which are full once its pipeline's turn comes. `scans`, `node`
/// and `context` outlive it.
std::shared_ptr<ScanSource> NewDeferredScan(ScanProvider* scans, const sql::ScanNode& node,
                                            const EvalContext& context,
                                            std::vector<std::shared_ptr<RuntimeFilter>> filters);

/// Where column `column` of `node` comes from, if it is a column of a scan below that can be narrowed by
/// it and rows of `node` with other values than some may be dropped by dropping rows of that scan.
struct ScanColumn {
  const sql::ScanNode* scan = nullptr;
  sql::ColumnRef column{};
};
std::optional<ScanColumn> TraceToScan(const sql::PlanNode& node, sql::ColumnRef column);

}  // namespace tideline::exec
