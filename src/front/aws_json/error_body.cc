#include "front/aws_json/error_body.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "service/api/choices.h"

namespace tideline::aws_json {
namespace {

constexpr std::string_view kMessageHeader = "x-tideline-message";
/// Of a name that somebody made up, so much is repeated.
constexpr std::size_t kOperationShownBytesMax = 64;

std::string_view Namespace(ErrorOrigin origin) {
  switch (origin) {
    case ErrorOrigin::kService:
      return "com.amazonaws.timestream.v20181101#";
    case ErrorOrigin::kValidate:
      return "com.amazon.coral.validate#";
    case ErrorOrigin::kFramework:
      return "com.amazon.coral.service#";
  }
  return "";
}

void WriteMessage(JsonWriter* json, std::string_view message) {
  json->Member("message", message);
  json->Member("Message", message);
}

// What of a name that somebody made up may stand in a header.
std::string Printable(std::string_view name) {
  std::string text(name.substr(0, kOperationShownBytesMax));
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

net::HttpResponse Response(WireError error, std::string body) {
  net::HttpResponse response(error.status, std::string(kContentType), std::move(body));
  response.Add("x-amzn-ErrorType", std::string(error.name));
  if (error.status == 429 || error.status == 503) response.Add("Retry-After", "1");
  return response;
}

}  // namespace

WireError WireErrorOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnimplemented:
      return {"ValidationException", 400};
    case ErrorCode::kUnauthenticated:
      return {"UnrecognizedClientException", 400};
    case ErrorCode::kPermissionDenied:
      return {"AccessDeniedException", 403};
    case ErrorCode::kNotFound:
      return {"ResourceNotFoundException", 404};
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kAborted:
    case ErrorCode::kCancelled:
      return {"ConflictException", 409};
    case ErrorCode::kResourceExhausted:
      return {"ThrottlingException", 429};
    case ErrorCode::kQuotaExceeded:
      return {"ServiceQuotaExceededException", 402};
    case ErrorCode::kExecutionFailed:
    case ErrorCode::kDeadlineExceeded:
      return {"QueryExecutionException", 400};
    case ErrorCode::kOk:
    case ErrorCode::kUnavailable:
    case ErrorCode::kDataLoss:
    case ErrorCode::kInternal:
      return {"InternalServerException", 500};
  }
  return {"InternalServerException", 500};
}

net::HttpResponse OkResponse(std::string body) {
  return {200, std::string(kContentType), std::move(body)};
}

net::HttpResponse ErrorResponse(ErrorOrigin origin, WireError error, std::string_view message) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("__type", std::string(Namespace(origin)) + std::string(error.name));
  WriteMessage(&json, message);
  json.EndObject();
  return Response(error, std::move(body));
}

net::HttpResponse ErrorResponse(const Status& status) {
  const WireError error = WireErrorOf(CodeOf(status));
  if (error.status == 500) {
    TL_LOG_ERROR("request failed: {}: {}", ErrorCodeName(CodeOf(status)), MessageOf(status));
  }
  return ErrorResponse(ErrorOrigin::kService, error, MessageOf(status));
}

net::HttpResponse AuthFailureResponse(const auth::AuthFailure& failure) {
  const auto name = [&]() -> std::string_view {
    switch (failure.kind) {
      case auth::AuthFailureKind::kMissingToken:
        return "MissingAuthenticationTokenException";
      case auth::AuthFailureKind::kIncompleteSignature:
        return "IncompleteSignatureException";
      case auth::AuthFailureKind::kUnrecognizedClient:
        return "UnrecognizedClientException";
      case auth::AuthFailureKind::kInvalidSignature:
        return "InvalidSignatureException";
    }
    return "UnrecognizedClientException";
  }();
  return ErrorResponse(ErrorOrigin::kFramework, {name, api::choices::kSignatureRefusalStatus}, failure.message);
}

net::HttpResponse UnknownOperationResponse(std::string_view operation) {
  // The body is the original's to the byte, and it has no message. What we say to people goes beside it.
  net::HttpResponse response = Response({"UnknownOperationException", 404},
                                        R"({"__type":"com.amazon.coral.service#UnknownOperationException"})");
  response.Add(std::string(kMessageHeader),
               operation.empty() ? "the header X-Amz-Target names no operation of Timestream_20181101, for POST /"
                                 : fmt::format("there is no operation {}", Printable(operation)));
  return response;
}

net::HttpResponse AbsentOperationResponse(std::string_view operation) {
  return ErrorResponse(ErrorOrigin::kFramework, {"UnknownOperationException", 404},
                       fmt::format("{} is not supported yet", operation));
}

net::HttpResponse MethodNotAllowedResponse() {
  net::HttpResponse response =
      ErrorResponse(ErrorOrigin::kFramework, {"UnknownOperationException", 405}, "Only POST is supported.");
  response.Add("Allow", "POST");
  return response;
}

net::HttpResponse RejectedRecordsResponse(const std::vector<api::RejectedRecord>& rejected) {
  static constexpr WireError kRejected{"RejectedRecordsException", 419};
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("__type", std::string(Namespace(ErrorOrigin::kService)) + std::string(kRejected.name));
  WriteMessage(&json, "One or more records have been rejected. See RejectedRecords for details.");
  json.Key("RejectedRecords");
  json.BeginArray();
  for (const api::RejectedRecord& record : rejected) {
    json.BeginObject();
    json.Member("RecordIndex", static_cast<std::int64_t>(record.record_index));
    json.Member("Reason", record.reason);
    if (record.existing_version.has_value()) json.Member("ExistingVersion", *record.existing_version);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return Response(kRejected, std::move(body));
}

}  // namespace tideline::aws_json
