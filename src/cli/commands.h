// cli/commands.h: the subcommands of the binary. Each adds itself to the command line and runs when
// it was chosen; the returned number is the exit status of the process.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace CLI {
class App;
}

namespace tideline::cli {

/// Set by the subcommand that was chosen.
using Run = std::function<int()>;

void AddServeCommand(CLI::App& app, Run* run);
void AddSqlCommand(CLI::App& app, Run* run);
void AddLoadCommand(CLI::App& app, Run* run);
void AddCollectCommand(CLI::App& app, Run* run);
void AddInspectCommand(CLI::App& app, Run* run);
void AddClockCommand(CLI::App& app, Run* run);
void AddMaintainCommand(CLI::App& app, Run* run);
void AddUndeleteCommand(CLI::App& app, Run* run);
void AddVerifyCommand(CLI::App& app, Run* run);
void AddKeysCommand(CLI::App& app, Run* run);
void AddDocsCommand(CLI::App& app, Run* run);
void AddVersionCommand(CLI::App& app, Run* run);

/// Parses the command line and runs what it says; main's whole business.
int Main(int argc, char** argv);

/// Prints "error: message" on stderr; 1.
int Fail(const char* what, std::string_view message);

}  // namespace tideline::cli
