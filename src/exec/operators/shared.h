// exec/operators/shared.h: rows computed once and read by several pipelines (sql/plan/shared_node.h).
//
// Batches are kept as they come, only the rows that matter, and handed out in that order to each reader.
// Memory is charged to the query's budget.
#pragma once

#include <memory>

#include "exec/operators/operator.h"
#include "exec/operators/operator_context.h"

namespace tideline::exec {

class SharedBreaker : public Sink {
 public:
  static std::shared_ptr<SharedBreaker> Make(OperatorContext* own);
  /// All rows, from the beginning, once the sink has finished. The breaker lives as long.
  virtual std::shared_ptr<Source> NewSource() = 0;
};

}  // namespace tideline::exec
