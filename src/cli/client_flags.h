// cli/client_flags.h: the flags that every command which calls a server has.
#pragma once

#include "cli/api_client.h"

namespace CLI {
class App;
}

namespace tideline::cli {

/// Adds --endpoint, --access-key-id, --secret-access-key, --region, --profile, --data-dir, --ca-file
/// and --insecure, which fill `*options`; it must live as long as `command`.
void AddClientFlags(CLI::App& command, ClientOptions* options);

}  // namespace tideline::cli
