// tideline clock, tideline maintain: moving the clock of a server under test, and its upkeep by hand.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/admin_client.h"
#include "cli/commands.h"

namespace tideline::cli {
namespace {

struct AdminFlags {
  std::string endpoint = "http://127.0.0.1:8433";
  std::string value;
  bool checkpoint = false;
};

std::string Body(std::string_view name, std::string_view value) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  if (!name.empty()) json.Member(name, value);
  json.EndObject();
  return body;
}

int Clock(const AdminFlags& flags, const std::string& body) {
  const Result<JsonValue> answer = CallAdmin(flags.endpoint, "/admin/clock", body);
  if (!answer.ok()) return Fail("", MessageOf(answer.status()));
  const JsonValue* held = answer->Find("held");
  fmt::print("{}{}\n", answer->FindText("time"), held != nullptr && held->boolean() ? " held" : "");
  return 0;
}

}  // namespace

void AddClockCommand(CLI::App& app, Run* run) {
  auto flags = std::make_shared<AdminFlags>();
  CLI::App* command =
      app.add_subcommand("clock", "show or move the clock of a server started with --test-clock");
  command->add_option("--endpoint", flags->endpoint, "URL of the server");
  command->require_subcommand(0, 1);
  CLI::App* set = command->add_subcommand("set", "hold the clock at a time; deadlines do not move, as when an operator sets it");
  set->add_option("time", flags->value, "like 2024-01-01T00:00:00Z")->required();
  CLI::App* advance = command->add_subcommand("advance", "hold the clock and let time pass");
  advance->add_option("duration", flags->value, "like 250ms, 90s, 36h, 10d")->required();
  CLI::App* go = command->add_subcommand("run", "let a held clock go on");
  // --endpoint may stand behind them.
  for (CLI::App* subcommand : {set, advance, go}) subcommand->fallthrough();
  command->callback([run, flags, set, advance, go] {
    std::string body = "{}";
    if (set->parsed()) body = Body("set", flags->value);
    if (advance->parsed()) body = Body("advance", flags->value);
    if (go->parsed()) body = "{\"run\":true}";
    *run = [flags, body] { return Clock(*flags, body); };
  });
}

void AddMaintainCommand(CLI::App& app, Run* run) {
  auto flags = std::make_shared<AdminFlags>();
  CLI::App* command = app.add_subcommand(
      "maintain", "let a running server merge, move and expire now; returns when nothing is left to do");
  command->add_option("--endpoint", flags->endpoint, "URL of the server");
  command->add_flag("--checkpoint", flags->checkpoint, "write what is in memory to files first");
  command->callback([run, flags] {
    *run = [flags] {
      const Result<JsonValue> answer =
          CallAdmin(flags->endpoint, "/admin/maintain", flags->checkpoint ? "{\"checkpoint\":true}" : "{}");
      return answer.ok() ? 0 : Fail("", MessageOf(answer.status()));
    };
  });
}

}  // namespace tideline::cli
