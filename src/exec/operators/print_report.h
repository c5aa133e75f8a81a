// exec/operators/print_report.h: what every operator did, as EXPLAIN ANALYZE shows it.
#pragma once

#include <string>

#include "exec/operators/operator_stats.h"

namespace tideline::exec {

/// A few lines per operator, children indented by two blanks. Ends in a newline. The plan must live.
///
///   Sort [n DESC]
///       rows: 3, estimated: 10, time: 0.041 ms, rows in: 3, batches: 1, bytes out: 48
///       adapted: spilled to disk (2097152 bytes in memory, its share is 1048576)
std::string PrintReport(const OperatorReport& root);

/// The same as one JSON object: the members of EXPLAIN (FORMAT JSON) (sql/plan/print_json.h) and
///   "actual": {"rows", "rowsIn", "batches", "batchesIn", "bytes", "timeMs", "memoryBytesPeak",
///              "spilledBytes", "spilledRows", "note", "adaptations": [{"what", "why"}]}
std::string PrintReportJson(const OperatorReport& root);

}  // namespace tideline::exec
