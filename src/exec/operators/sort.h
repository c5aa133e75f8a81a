// exec/operators/sort.h: ORDER BY, and ORDER BY with LIMIT.
//
// Each row gets a normalised key, bytes whose memcmp order is the order asked for (Graefe,
// "Implementing Sorting in Database Systems", ACM Computing Surveys 38(3), 2006, section 3.1), of which
// the first eight lie beside the row's place. Workers sort what they took; the sorted runs are merged.
// Rows themselves stay where they are and are gathered when they are read. With a limit a worker
// keeps the best rows only, and drops later rows by comparing keys with the worst one kept.
//
// Everything kept is charged to the operator's budget. When that is short a worker sorts what it has,
// writes it to disk as a run and begins anew; the runs, and what is in memory at the end, are merged
// when they are read (run_merger.h).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "exec/operators/operator.h"
#include "exec/operators/operator_context.h"
#include "sql/plan/plan_node.h"

namespace tideline::exec {

struct SortSpec {
  struct Key {
    std::size_t position;  ///< column of the batches
    bool descending = false;
    bool nulls_first = false;
  };
  std::vector<Key> keys;
  std::vector<Type> types;              ///< of the batches' columns
  std::optional<std::int64_t> count;    ///< nothing: all rows
  std::int64_t offset = 0;
  bool with_ties = false;               ///< also rows equal to the last in all keys
};

/// Rows in any order in, in order out. Rows with equal keys come in no particular order.
class SortBreaker : public Sink, public Source {
 public:
  static std::shared_ptr<SortBreaker> Make(SortSpec spec, OperatorContext* own);
};

}  // namespace tideline::exec
