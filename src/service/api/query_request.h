// service/api/query_request.h: the calls of the query API as typed values, free of any wire.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/vector.h"
#include "service/api/requests.h"

namespace tideline::api {

struct QueryRequest {
  std::string query;
  std::string client_token;              ///< empty: none
  std::string next_token;                ///< empty: first page
  std::optional<std::int64_t> max_rows;  ///< 1 to 1000
};

struct ResultColumn {
  std::string name;
  Type type;
};

struct QueryStatus {
  double progress_percentage = 100.0;
  std::int64_t bytes_scanned = 0;
  std::int64_t bytes_metered = 0;
};

/// One page of a result. `rows` is what the door's PageEncoder made; shared with the session, which
/// keeps it for a repeated request of the same page.
struct QueryPage {
  std::string query_id;
  std::string next_token;  ///< empty on the last page
  std::shared_ptr<const std::string> rows;
  std::shared_ptr<const std::vector<ResultColumn>> columns;
  QueryStatus status;
};

/// A door's encoding of rows, used by one page at a time. The service cuts pages by its size, so
/// that no row is encoded twice.
class PageEncoder {
 public:
  virtual ~PageEncoder() = default;
  /// Starts a new page.
  virtual void Begin(const std::vector<ResultColumn>& columns) = 0;
  /// Encodes rows of `batch` from `first_row`, at most `rows_max`, while the page stays within
  /// `bytes_max`; returns how many it took. Zero: the next row does not fit.
  virtual std::size_t Append(const Batch& batch, std::size_t first_row, std::size_t rows_max,
                             std::size_t bytes_max) = 0;
  /// Ends the page and gives its bytes.
  virtual std::string Finish() = 0;
};

struct PreparedColumn {
  std::string name;
  Type type;
  std::string database;  ///< empty when the column is an expression
  std::string table;
  bool aliased = false;
};

struct PreparedParameter {
  std::string name;
  Type type;
};

struct PreparedQuery {
  std::vector<PreparedColumn> columns;
  std::vector<PreparedParameter> parameters;
};

}  // namespace tideline::api
