#include "cli/server_names.h"

#include <algorithm>

namespace tideline::cli {
namespace {

constexpr std::int64_t kAskNsMax = 500 * kNsPerMs;
constexpr std::int64_t kFreshNs = 10 * kNsPerSecond;
constexpr std::int64_t kQuietNs = 5 * kNsPerSecond;
constexpr std::size_t kNamesMax = 10'000;
constexpr std::size_t kAnswersMax = 1'000;

std::string Quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + "\"";
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

ClientOptions Hasty(ClientOptions options) {
  options.request_ns_max = kAskNsMax;
  return options;
}

}  // namespace

ServerNames::ServerNames(ClientOptions client) : client_options_(Hasty(std::move(client))) {}

std::vector<std::string> ServerNames::Databases() { return Ask("SHOW DATABASES"); }

std::vector<std::string> ServerNames::Tables(std::string_view database) {
  if (!Contains(Databases(), database)) return {};
  return Ask("SHOW TABLES FROM " + Quoted(database));
}

std::vector<std::string> ServerNames::Columns(std::string_view database, std::string_view table) {
  if (!Contains(Tables(database), table)) return {};
  return Ask("DESCRIBE " + Quoted(database) + "." + Quoted(table));
}

void ServerNames::Forget() {
  for (auto& [sql, answer] : answers_) answer.fresh_until_ns = 0;
}

std::vector<std::string> ServerNames::Ask(const std::string& sql) {
  if (answers_.size() >= kAnswersMax && !answers_.contains(sql)) answers_.clear();
  Answer& answer = answers_[sql];
  const std::int64_t now = SystemClock().SteadyNow().value;
  if (now < answer.fresh_until_ns || now < quiet_until_ns_) return answer.names;
  Result<std::vector<std::string>> names = FetchFirstColumn(sql);
  const std::int64_t asked = SystemClock().SteadyNow().value;
  if (names.ok()) {
    answer = {*std::move(names), asked + kFreshNs};
  } else if (CodeOf(names.status()) == ErrorCode::kUnavailable ||
             CodeOf(names.status()) == ErrorCode::kDeadlineExceeded) {
    quiet_until_ns_ = asked + kQuietNs;
  } else {
    answer = {{}, asked + kFreshNs};  // gone, or not for this user
  }
  return answer.names;
}

Result<std::vector<std::string>> ServerNames::FetchFirstColumn(const std::string& sql) {
  ApiClient client = TL_TRY(ApiClient::Connect(client_options_));
  const std::int64_t until = SystemClock().SteadyNow().value + kAskNsMax;
  std::vector<std::string> names;
  std::string token;
  do {
    const JsonValue page = TL_TRY(client.Call("Query", QueryBody(sql, token)));
    if (const JsonValue* rows = page.Find("Rows")) {
      for (const JsonValue& row : rows->items()) {
        const JsonValue* data = row.Find("Data");
        if (data != nullptr && !data->items().empty()) names.emplace_back(data->items()[0].FindText("ScalarValue"));
      }
    }
    token = page.FindText("NextToken");
  } while (!token.empty() && names.size() < kNamesMax && SystemClock().SteadyNow().value < until);
  return names;
}

}  // namespace tideline::cli
