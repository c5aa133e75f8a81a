#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "server/encryption.h"
#include "storage/engine/inspect.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::cli {

void AddInspectCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand(
      "inspect", "print a segment, log file, manifest, series file or deletion vector of a data directory");
  auto paths = std::make_shared<std::vector<std::string>>();
  command->add_option("file", *paths, "files to print")->required();
  auto key_file = std::make_shared<std::string>();
  command->add_option("--key-file", *key_file,
                      "master keys of an encrypted directory [its master-key]; without them checksums "
                      "are verified");
  command->callback([run, paths, key_file] {
    *run = [paths, key_file] {
      int failures = 0;
      for (const std::string& path : *paths) {
        std::error_code ignored;
        if (std::filesystem::is_directory(path, ignored)) {
          failures += Fail(path.c_str(), "is a directory");
          continue;
        }
        Result<server::DataKeys> keys = server::OpenExistingKeys(
            fs::PosixFileSystem(), engine::DataDirectoryOf(path), *key_file);
        if (!keys.ok()) fmt::print(stderr, "without keys: {}\n", MessageOf(keys.status()));
        const Result<std::string> text = engine::InspectFile(
            fs::PosixFileSystem(), path, keys.ok() ? keys->sealer() : nullptr);
        if (text.ok()) {
          fmt::print("{}", *text);
        } else {
          // What the file system says names the file already.
          const std::string_view message = MessageOf(text.status());
          const bool named = message.find(path) != std::string_view::npos;
          failures += Fail(named ? "" : path.c_str(), message);
        }
      }
      return failures == 0 ? 0 : 1;
    };
  });
}

}  // namespace tideline::cli
