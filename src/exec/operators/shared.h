// exec/operators/shared.h: rows computed once and read by several pipelines (sql/plan/shared_node.h).
//
// Batches are kept as they come, only the rows that matter, and handed out in that order to each reader.
// When memory is short all of them go to disk, as one list of frames that every reader reads for itself;
// rows that come later follow them there. One worker writes what is kept while the others go on: rows
// that one of them still adds meanwhile stay in memory.
#pragma once

#include <memory>
#include <vector>

#include "exec/operators/operator.h"
#include "exec/operators/operator_context.h"

namespace tideline::exec {

class SharedBreaker : public Sink {
 public:
  /// `types` are those of the rows.
  static std::shared_ptr<SharedBreaker> Make(std::vector<Type> types, OperatorContext* own);
  /// All rows, from the beginning, once the sink has finished. The breaker lives as long.
  virtual std::shared_ptr<Source> NewSource() = 0;
};

}  // namespace tideline::exec
