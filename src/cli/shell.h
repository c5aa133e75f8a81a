// cli/shell.h: statements typed on a terminal.
#pragma once

#include <string>

#include "cli/api_client.h"
#include "cli/sql_runner.h"

namespace tideline::cli {

/// Reads and runs statements until \q, exit, quit or the end of input; 0.
int RunShell(SqlRunner& runner, const ClientOptions& client);

}  // namespace tideline::cli
