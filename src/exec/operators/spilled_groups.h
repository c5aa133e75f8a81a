// exec/operators/spilled_groups.h: reads an aggregate back whose rows are partly on disk; private to the
// aggregate operator (group_builder.h says how it came to that).
#pragma once

#include <memory>
#include <vector>

#include "exec/operators/group_builder.h"
#include "exec/operators/operator.h"

namespace tideline::exec {

/// Every group once, finished. `groups` are the frozen ones, `parts` the rows of each partition at
/// level 0. `plan` and `progress` (0 to 1) outlive the reader.
std::unique_ptr<SourceReader> NewSpilledGroupsReader(const AggregatePlan* plan,
                                                     std::shared_ptr<AggregateGroups> groups,
                                                     std::vector<SpilledRows> parts,
                                                     std::atomic<double>* progress);

}  // namespace tideline::exec
