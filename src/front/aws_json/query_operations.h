// front/aws_json/query_operations.h: Query, CancelQuery and PrepareQuery on the wire.
#pragma once

#include <optional>
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

/// The body of an answer to Query if the service can give it at once (QueryService::TryShort); nothing
/// when it cannot, or the request is not right: then the operation itself is to be called.
std::optional<std::string> TryShortQuery(api::QueryService& service, const api::CallContext& call,
                                         std::string_view body);

/// Null pointer when `name` is none of these operations.
QueryOperation FindQueryOperation(std::string_view name);

}  // namespace tideline::aws_json
