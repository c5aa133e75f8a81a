#include "bench/service_calls.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/json.h"
#include "base/time.h"

namespace tideline::bench {
namespace {

Status AppendRows(const JsonValue& page, Rows* rows) {
  const JsonValue* list = page.Find("Rows");
  if (list == nullptr) return Internal("the answer has no Rows");
  for (const JsonValue& row : list->items()) {
    const JsonValue* data = row.Find("Data");
    if (data == nullptr) return Internal("a row has no Data");
    std::vector<std::string>& cells = rows->emplace_back();
    for (const JsonValue& datum : data->items()) cells.emplace_back(datum.FindText("ScalarValue"));
  }
  return OkStatus();
}

}  // namespace

Status EnsureTable(cli::ApiClient& client, std::string_view database, std::string_view table,
                   std::int64_t memory_hours) {
  const std::string database_body = fmt::format(R"({{"DatabaseName":"{}"}})", database);
  TL_TRY(IgnoreExisting(client.Call("CreateDatabase", database_body).status()));
  const std::string table_body =
      fmt::format(R"({{"DatabaseName":"{}","TableName":"{}","RetentionProperties":)"
                  R"({{"MemoryStoreRetentionPeriodInHours":{},)"
                  R"("MagneticStoreRetentionPeriodInDays":73000}}}})",
                  database, table, memory_hours);
  return IgnoreExisting(client.Call("CreateTable", table_body).status());
}

Result<Rows> RunQuery(cli::ApiClient& client, std::string_view sql, std::int64_t* call_ns) {
  Rows rows;
  std::string token;
  do {
    const std::string body = cli::QueryBody(sql, token);
    const SteadyNs begin = SystemClock().SteadyNow();
    const std::string answer = TL_TRY(client.CallRaw("Query", body));
    if (call_ns != nullptr) *call_ns += SystemClock().SteadyNow().value - begin.value;
    const JsonValue page = TL_TRY(JsonValue::Parse(answer));
    TL_TRY(AppendRows(page, &rows));
    token = std::string(page.FindText("NextToken"));
  } while (!token.empty());
  return rows;
}

Result<std::int64_t> CountRows(cli::ApiClient& client, std::string_view database,
                               std::string_view table) {
  const Rows rows =
      TL_TRY(RunQuery(client, fmt::format("SELECT count(*) FROM \"{}\".\"{}\"", database, table)));
  std::int64_t count = -1;
  if (rows.size() != 1 || rows[0].size() != 1) return Internal("count(*) gave no single value");
  const std::string& text = rows[0][0];
  if (std::from_chars(text.data(), text.data() + text.size(), count).ec != std::errc()) {
    return Internal("count(*) gave '{}'", text);
  }
  return count;
}

double MedianOf(std::vector<double> values) {
  TL_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace tideline::bench
