// exec/scan/engine_scan.h: scans over the storage engine.
#pragma once

#include <memory>

#include "exec/scan/scan_source.h"
#include "storage/engine/engine.h"

namespace tideline::exec {

/// Opens one snapshot per table at its first scan and keeps it as long as the provider lives, so that
/// a table read twice in a query is the same both times. `engine` outlives provider and scans.
std::unique_ptr<ScanProvider> NewEngineScanProvider(engine::Engine* engine);

}  // namespace tideline::exec
