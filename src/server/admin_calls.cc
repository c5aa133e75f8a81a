#include "server/admin_calls.h"

#include <algorithm>


namespace tideline::server {
namespace {

constexpr int kFractionDigits = 9;

// A member that is no text, or one that the call does not know, is a mistake worth telling.
Status CheckMembers(const JsonValue& body, std::initializer_list<std::string_view> texts,
                    std::initializer_list<std::string_view> flags = {}) {
  for (const auto& [name, value] : body.members()) {
    const auto is = [&member = name](std::string_view known) { return known == member; };
    const bool text = std::any_of(texts.begin(), texts.end(), is);
    const bool flag = std::any_of(flags.begin(), flags.end(), is);
    if (!text && !flag) return InvalidArgument("there is no member {}", name);
    if (text && value.kind() != JsonValue::Kind::kString) return InvalidArgument("{} must be a text", name);
    if (flag && value.kind() != JsonValue::Kind::kBool) return InvalidArgument("{} must be true or false", name);
  }
  return OkStatus();
}

bool FlagOf(const JsonValue& body, std::string_view name) {
  const JsonValue* value = body.Find(name);
  return value != nullptr && value->boolean();
}

// {"set": "2024-01-01T00:00:00Z"}, {"advance": "36h"}, {"run": true} or {}; the time afterwards.
Result<std::string> ChangeClock(HeldClock* clock, const JsonValue& body) {
  if (clock == nullptr) {
    return PermissionDenied("the clock can be held only when the server is started with --test-clock");
  }
  TL_TRY(CheckMembers(body, {"set", "advance"}, {"run"}));
  if (body.members().size() > 1) return InvalidArgument("one of set, advance and run at a time");
  if (body.Find("set") != nullptr) {
    const TimestampNs time = TL_TRY(ParseIso8601(body.FindText("set")));
    clock->Set(time);
  }
  if (body.Find("advance") != nullptr) {
    const std::int64_t ns = TL_TRY(ParseDuration(body.FindText("advance")));
    if (!clock->Advance(ns)) return InvalidArgument("advance: the time would leave the range of a timestamp");
  }
  if (FlagOf(body, "run")) clock->Run();
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject();
  json.Member("time", FormatIso8601(clock->WallNow(), kFractionDigits));
  json.MemberBool("held", clock->held());
  json.EndObject();
  return answer;
}

// {"checkpoint": true} or {}: upkeep now instead of on the background's own clock.
Result<std::string> Maintain(engine::Engine& engine, const JsonValue& body) {
  TL_TRY(CheckMembers(body, {}, {"checkpoint"}));
  if (FlagOf(body, "checkpoint")) TL_TRY(engine.Checkpoint());
  TL_TRY(engine.Settle());
  return std::string("{}");
}

// {"database": …, "table": …, "delete_id": …}: what one DELETE took away, or without delete_id what expired.
Result<std::string> Undelete(engine::Engine& engine, const JsonValue& body) {
  TL_TRY(CheckMembers(body, {"database", "table", "delete_id"}));
  engine::UndeleteRequest request{.database = body.FindText("database"), .table = body.FindText("table")};
  if (request.database.empty() || request.table.empty()) return InvalidArgument("database and table must be given");
  if (body.Find("delete_id") != nullptr) request.delete_id = TL_TRY(ParseUuid(body.FindText("delete_id")));
  const engine::UndeleteResult result = TL_TRY(engine.Undelete(request));
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject();
  json.Member("rows", static_cast<std::int64_t>(result.rows));
  json.EndObject();
  return answer;
}

// {"database": …, "table": …} or {}: the live segments, and which store each is in.
Result<std::string> Segments(engine::Engine& engine, const JsonValue& body) {
  TL_TRY(CheckMembers(body, {"database", "table"}));
  const auto wanted = [&](std::string_view member, const std::string& name) {
    return body.Find(member) == nullptr || body.FindText(member) == name;
  };
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject();
  json.Key("segments");
  json.BeginArray();
  for (const catalog::LiveSegment& segment : engine.ListSegments()) {
    if (!wanted("database", segment.database) || !wanted("table", segment.table)) continue;
    const catalog::SegmentEntry& entry = segment.entry;
    const auto count = [&](std::string_view name, std::uint64_t value) {
      json.Member(name, static_cast<std::int64_t>(value));
    };
    json.BeginObject();
    json.Member("database", segment.database);
    json.Member("table", segment.table);
    json.Member("store", entry.tier == catalog::StoreTier::kMemory ? "memory" : "magnetic");
    json.Member("segment", entry.key);
    count("bytes", entry.bytes);
    count("row_count", entry.row_count);
    count("dead_rows", segment.dead_rows);
    count("series_count", entry.series_count);
    json.Member("time_min", FormatIso8601({entry.time_ns_min}, kFractionDigits));
    json.Member("time_max", FormatIso8601({entry.time_ns_max}, kFractionDigits));
    count("window_hours", static_cast<std::uint64_t>(entry.window_length_ns / kNsPerHour));
    count("write_count", entry.write_count);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return answer;
}

Result<std::string> Verify(engine::Engine& engine, const JsonValue& body) {
  TL_TRY(CheckMembers(body, {}));
  const engine::VerifyReport report = TL_TRY(engine.Verify());
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject();
  json.Member("problems", static_cast<std::int64_t>(report.problem_count));
  json.Member("segments", static_cast<std::int64_t>(report.segments));
  json.Member("rows", static_cast<std::int64_t>(report.rows));
  json.Member("bytes", static_cast<std::int64_t>(report.bytes));
  json.Member("text", report.Text());
  json.EndObject();
  return answer;
}

}  // namespace

std::vector<admin::AdminCall> MakeAdminCalls(engine::Engine& engine, HeldClock* clock) {
  return {
      {"/admin/clock", [clock](const JsonValue& body) { return ChangeClock(clock, body); }},
      {"/admin/undelete", [&engine](const JsonValue& body) { return Undelete(engine, body); }},
      {"/admin/segments", [&engine](const JsonValue& body) { return Segments(engine, body); }},
      {"/admin/verify", [&engine](const JsonValue& body) { return Verify(engine, body); }},
      {"/admin/maintain", [&engine](const JsonValue& body) { return Maintain(engine, body); }},
  };
}

}  // namespace tideline::server
