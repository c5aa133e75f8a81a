// cli/sql_runner.h: runs statements on a server, shows how far they are, and cancels them on ^C.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "cli/api_client.h"
#include "cli/interrupt_scope.h"
#include "cli/result_printer.h"

namespace tideline::cli {

enum class RunOutcome { kDone, kFailed, kCancelled };

/// What is known of a query that goes on.
struct QueryProgress {
  double percent = 0;
  std::int64_t bytes_scanned = 0;
  std::size_t row_count = 0;  ///< received
  std::int64_t running_ns = 0;
};
/// "50 % done, 12.3 MB scanned, 100 rows, 3 s". The share is left out for a query that has scanned nothing, which
/// tells nothing of it; and so are no rows.
std::string ProgressText(const QueryProgress& progress);

struct SqlRunnerOptions {
  ClientOptions client;
  OutputFormat format = OutputFormat::kTable;
  bool progress = false;  ///< show a line on stderr for a query that takes a second or more
};

/// A query's pages come in on a thread of its own, so that SIGINT is heard meanwhile: the query is then
/// cancelled on the server by its id. Before its first page, which takes five seconds at most, the id is not
/// known and the server would go on after a lost connection; so the page is waited for, and a second SIGINT
/// ends the process. Not thread-safe.
class SqlRunner {
 public:
  /// kInvalidArgument as ApiClient::Connect.
  static Result<std::unique_ptr<SqlRunner>> Make(const SqlRunnerOptions& options);

  /// Runs one statement to its last page and prints it to stdout, errors to stderr.
  RunOutcome Run(std::string_view statement);
  /// Runs every statement of `text`, what follows the last ';' too, up to the first that is not kDone.
  RunOutcome RunScript(std::string_view text);

  void set_format(OutputFormat format) { options_.format = format; }

 private:
  SqlRunner(SqlRunnerOptions options, ApiClient client) : options_(std::move(options)), client_(std::move(client)) {}
  Result<JsonValue> NextPage(std::string_view statement, const std::string& token, InterruptScope& interrupts);
  void TakeStatus(const JsonValue& page);
  void Cancel();
  RunOutcome EndCancelled(const Result<JsonValue>& page);
  RunOutcome EndUnwritten(const Status& written);
  void ShowProgress();
  void ClearProgress();

  SqlRunnerOptions options_;
  ApiClient client_;
  // Of the statement that runs.
  SteadyNs started_;
  std::string query_id_;  // empty: no page came yet
  bool cancel_sent_ = false;
  QueryProgress progress_;
  bool progress_shown_ = false;
};

}  // namespace tideline::cli
