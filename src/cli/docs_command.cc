#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "functions/print_reference.h"
#include "server/settings.h"

namespace tideline::cli {

void AddDocsCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand("docs", "print a page of the reference manual as Markdown");
  auto page = std::make_shared<std::string>();
  command->add_option("page", *page, "functions or settings")
      ->required()
      ->check(CLI::IsMember({"functions", "settings"}));
  command->callback([run, page] {
    *run = [page] {
      fmt::print("{}", *page == "settings" ? server::PrintSettingsReference()
                                           : functions::PrintReference());
      return 0;
    };
  });
}

}  // namespace tideline::cli
