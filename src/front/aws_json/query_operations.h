// front/aws_json/query_operations.h: Query, CancelQuery and PrepareQuery on the wire.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "front/aws_json/shape_reader.h"
#include "service/api/query_service.h"

namespace tideline::aws_json {

/// As ManagementOperation: reads the request, calls the service, returns the answer's body.
using QueryOperation = Result<std::string> (*)(api::QueryService& service,
                                               const api::CallContext& call, const JsonValue& body,
                                               Violations* violations);

/// Null pointer when `name` is none of these operations.
QueryOperation FindQueryOperation(std::string_view name);

}  // namespace tideline::aws_json
