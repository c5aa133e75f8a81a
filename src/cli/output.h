// cli/output.h: standard output, whose failures are errors of the command.
#pragma once

#include <string_view>

#include "base/status.h"

namespace tideline::cli {

/// Writes to stdout, buffered. A failure is kept for FlushOutput to tell.
void Put(std::string_view text);

/// Writes out what is buffered. kUnavailable once anything could not be written since the process began,
/// by Put or otherwise: "standard output cannot be written: reason".
Status FlushOutput();

/// Whether the reason was that the reader of a pipe has gone. For a process that ignores SIGPIPE.
bool OutputPipeIsClosed();

}  // namespace tideline::cli
