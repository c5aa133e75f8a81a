#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "storage/engine/inspect.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::cli {

void AddInspectCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand("inspect", "print a segment, log file or manifest of a data directory");
  auto paths = std::make_shared<std::vector<std::string>>();
  command->add_option("file", *paths, "files to print")->required();
  command->callback([run, paths] {
    *run = [paths] {
      int failures = 0;
      for (const std::string& path : *paths) {
        const Result<std::string> text = engine::InspectFile(fs::PosixFileSystem(), path);
        if (text.ok()) {
          fmt::print("{}", *text);
        } else {
          failures += Fail(path.c_str(), MessageOf(text.status()));
        }
      }
      return failures == 0 ? 0 : 1;
    };
  });
}

}  // namespace tideline::cli
