// bench/service_calls.h: what benchmarks ask of a server besides writes: tables and queries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/api_client.h"

namespace tideline::bench {

/// Makes the database and the table unless they are there. `memory_hours` of a new table.
Status EnsureTable(cli::ApiClient& client, std::string_view database, std::string_view table,
                   std::int64_t memory_hours);

/// Every row of a result, all pages; a cell is its scalar text, empty for NULL.
using Rows = std::vector<std::vector<std::string>>;
/// kInternal for an answer that is no result of scalars. The time from sending to the last byte of
/// each page is added to `*call_ns` when given; reading the answer's JSON is not counted.
Result<Rows> RunQuery(cli::ApiClient& client, std::string_view sql, std::int64_t* call_ns = nullptr);

/// count(*) of a table.
Result<std::int64_t> CountRows(cli::ApiClient& client, std::string_view database,
                               std::string_view table);

/// The middle element, or the mean of the two in the middle; `values` may not be empty.
double MedianOf(std::vector<double> values);

}  // namespace tideline::bench
