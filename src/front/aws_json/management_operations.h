// front/aws_json/management_operations.h: databases, tables and tags on the wire.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "front/aws_json/shape_reader.h"
#include "service/api/management_service.h"

namespace tideline::aws_json {

/// Reads the members of a request, and calls the service if nothing was wrong with them. Returns the
/// answer's body (may be empty); with violations noted, whatever it returns is dropped.
using ManagementOperation = Result<std::string> (*)(api::ManagementService& service,
                                                    const api::CallContext& call,
                                                    const JsonValue& body, Violations* violations);

/// Null pointer when `name` ("CreateDatabase") is none of these operations.
ManagementOperation FindManagementOperation(std::string_view name);

}  // namespace tideline::aws_json
