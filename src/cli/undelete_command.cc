// tideline undelete: brings back what expired or what a DELETE took away.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/admin_client.h"
#include "cli/commands.h"

namespace tideline::cli {

void AddUndeleteCommand(CLI::App& app, Run* run) {
  struct Flags {
    std::string endpoint = "http://127.0.0.1:8433";
    std::string database;
    std::string table;
    std::string delete_id;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand(
      "undelete", "bring back segments that expired within the last day, or the rows of one DELETE");
  command->add_option("database", flags->database, "name of the database")->required();
  command->add_option("table", flags->table, "name of the table")->required();
  command->add_option("--delete-id", flags->delete_id, "what the DELETE answered; without it: what expired");
  command->add_option("--endpoint", flags->endpoint, "URL of the server");
  command->callback([run, flags] {
    *run = [flags] {
      std::string body;
      JsonWriter json(&body);
      json.BeginObject();
      json.Member("database", flags->database);
      json.Member("table", flags->table);
      if (!flags->delete_id.empty()) json.Member("delete_id", flags->delete_id);
      json.EndObject();
      const Result<JsonValue> answer = CallAdmin(flags->endpoint, "/admin/undelete", body);
      if (!answer.ok()) return Fail("", MessageOf(answer.status()));
      const JsonValue* rows = answer->Find("rows");
      fmt::print("{} rows are back\n", rows == nullptr ? 0 : rows->integer());
      return 0;
    };
  });
}

}  // namespace tideline::cli
