// cli/admin_client.h: the operator's calls of a server on this machine, as the commands make them.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"

namespace tideline::cli {

/// POSTs `body`, a JSON object, to `path` of the server at `endpoint`. The server's error text, or what HttpClient says.
Result<JsonValue> CallAdmin(const std::string& endpoint, std::string_view path,
                            std::string_view body);

}  // namespace tideline::cli
