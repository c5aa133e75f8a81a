#include "cli/sql_runner.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <future>

#include "base/random.h"
#include "cli/error_excerpt.h"
#include "cli/output.h"
#include "cli/statement_text.h"

namespace tideline::cli {
namespace {

constexpr int kProgressTickMs = 1'000;
constexpr std::int64_t kCancelNsMax = 10 * kNsPerSecond;

std::string RequestBody(std::string_view statement, const std::string& token) {
  static Random random = Random::FromSystem();
  return QueryBody(statement, token, random.Uuid());
}

}  // namespace

std::string ProgressText(const QueryProgress& progress) {
  std::string text;
  if (progress.bytes_scanned > 0) {
    text += fmt::format("{:.0f} % done, {:.1f} MB scanned, ", progress.percent,
                        static_cast<double>(progress.bytes_scanned) / 1e6);
  }
  if (progress.row_count > 0) {
    text += fmt::format("{} row{}, ", progress.row_count, progress.row_count == 1 ? "" : "s");
  }
  return text + fmt::format("{} s", progress.running_ns / kNsPerSecond);
}

Result<std::unique_ptr<SqlRunner>> SqlRunner::Make(const SqlRunnerOptions& options) {
  ApiClient client = TL_TRY(ApiClient::Connect(options.client));
  return std::unique_ptr<SqlRunner>(new SqlRunner(options, std::move(client)));
}

RunOutcome SqlRunner::Run(std::string_view statement) {
  InterruptScope interrupts;
  const std::unique_ptr<ResultPrinter> printer = MakePrinter(options_.format);
  started_ = SystemClock().SteadyNow();
  query_id_.clear();
  cancel_sent_ = false;
  progress_ = {};
  std::string token;
  do {
    const Result<JsonValue> page = NextPage(statement, token, interrupts);
    ClearProgress();
    if (page.ok()) {
      query_id_ = page->FindText("QueryId");
      token = page->FindText("NextToken");
    }
    if (interrupts.interrupted()) return EndCancelled(page);
    if (!page.ok()) {
      const std::string_view message = MessageOf(page.status());
      fmt::print(stderr, "error: {}\n{}", message, ErrorExcerpt(message, statement));
      return RunOutcome::kFailed;
    }
    TakeStatus(*page);
    printer->Page(*page);
    progress_.row_count = printer->row_count();
    if (token.empty()) printer->End();
    const Status written = FlushOutput();
    if (!written.ok()) {
      if (!token.empty()) Cancel();
      return EndUnwritten(written);
    }
  } while (!token.empty());
  return RunOutcome::kDone;
}

RunOutcome SqlRunner::RunScript(std::string_view text) {
  while (!IsBlankStatement(text)) {
    const std::string_view statement = TakeStatement(&text);
    if (IsBlankStatement(statement)) continue;
    const RunOutcome outcome = Run(statement);
    if (outcome != RunOutcome::kDone) return outcome;
  }
  return RunOutcome::kDone;
}

Result<JsonValue> SqlRunner::NextPage(std::string_view statement, const std::string& token,
                                      InterruptScope& interrupts) {
  const std::string body = RequestBody(statement, token);
  std::atomic<bool> done{false};  // before the wake-up, which the future is not
  std::future<Result<JsonValue>> page = std::async(std::launch::async, [&] {
    Result<JsonValue> answer = client_.Call("Query", body);
    done.store(true);
    interrupts.Wake();
    return answer;
  });
  bool told = false;
  while (!done.load()) {
    if (interrupts.interrupted()) {
      ClearProgress();
      if (!query_id_.empty() && !cancel_sent_) Cancel();
      if (query_id_.empty() && !told) {
        fmt::print(stderr, "cancelling; ^C again leaves and lets the server go on\n");
        told = true;
      }
    } else {
      ShowProgress();
    }
    // A wake-up between these two lines is kept by the event.
    interrupts.Wait(kProgressTickMs);
  }
  return page.get();
}

void SqlRunner::TakeStatus(const JsonValue& page) {
  const JsonValue* status = page.Find("QueryStatus");
  if (status == nullptr) return;
  if (const JsonValue* percent = status->Find("ProgressPercentage")) progress_.percent = percent->number();
  if (const JsonValue* bytes = status->Find("CumulativeBytesScanned")) progress_.bytes_scanned = bytes->integer();
}

// On a connection of its own: that of the query may be waiting for a page.
void SqlRunner::Cancel() {
  cancel_sent_ = true;
  ClientOptions options = options_.client;
  options.request_ns_max = kCancelNsMax;
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("QueryId", query_id_);
  json.EndObject();
  Result<ApiClient> client = ApiClient::Connect(options);
  Status status = client.status();
  if (client.ok()) status = client->Call("CancelQuery", body).status();
  // Refused is a query that has ended by itself.
  if (!status.ok() && CodeOf(status) != ErrorCode::kInvalidArgument) {
    fmt::print(stderr, "error: the query may go on: {}\n", MessageOf(status));
  }
}

RunOutcome SqlRunner::EndCancelled(const Result<JsonValue>& page) {
  if (page.ok() && !page->FindText("NextToken").empty() && !cancel_sent_) Cancel();
  if (!page.ok() && !cancel_sent_) fmt::print(stderr, "error: {}\n", MessageOf(page.status()));
  std::fflush(stdout);
  fmt::print(stderr, "cancelled\n");
  return RunOutcome::kCancelled;
}

RunOutcome SqlRunner::EndUnwritten(const Status& written) {
  if (OutputPipeIsClosed()) {
    // Nobody reads any more; end as every other command does then.
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  fmt::print(stderr, "error: {}\n", MessageOf(written));
  return RunOutcome::kFailed;
}

void SqlRunner::ShowProgress() {
  progress_.running_ns = SystemClock().SteadyNow().value - started_.value;
  if (!options_.progress || progress_.running_ns < kNsPerSecond) return;
  fmt::print(stderr, "\r\033[K{}", ProgressText(progress_));
  progress_shown_ = true;
}

void SqlRunner::ClearProgress() {
  if (progress_shown_) fmt::print(stderr, "\r\033[K");
  progress_shown_ = false;
}

}  // namespace tideline::cli
