// front/aws_json/error_body.h: failures in the service's form. The one table from our codes to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/http_message.h"
#include "service/api/write_request.h"
#include "service/auth/authenticator.h"

namespace tideline::aws_json {

/// Who found the fault decides the namespace in `__type`.
enum class ErrorOrigin : std::uint8_t {
  kService,   ///< com.amazonaws.timestream.v20181101#
  kValidate,  ///< com.amazon.coral.validate#
  kFramework, ///< com.amazon.coral.service#
};

/// `code` as this door says it; the exception's short name and its HTTP status.
struct WireError {
  std::string_view name;
  int status;
};
WireError WireErrorOf(ErrorCode code);

/// A whole answer: status, content type, x-amzn-ErrorType and the body with both spellings of the
/// message member.
net::HttpResponse ErrorResponse(ErrorOrigin origin, WireError error, std::string_view message);
/// For a Status of the service.
net::HttpResponse ErrorResponse(const Status& status);
net::HttpResponse AuthFailureResponse(const auth::AuthFailure& failure);
/// For a name that is no operation's. Header x-tideline-message says so; the body is bare, as the original's.
net::HttpResponse UnknownOperationResponse(std::string_view operation);
/// For an operation of the original that is not here yet: the same, and a message.
net::HttpResponse AbsentOperationResponse(std::string_view operation);
/// 405.
net::HttpResponse MethodNotAllowedResponse();
/// 419 with the list of rejected records.
net::HttpResponse RejectedRecordsResponse(const std::vector<api::RejectedRecord>& rejected);

/// An answer of 200 with `body`.
net::HttpResponse OkResponse(std::string body);

inline constexpr std::string_view kContentType = "application/x-amz-json-1.0";

}  // namespace tideline::aws_json
