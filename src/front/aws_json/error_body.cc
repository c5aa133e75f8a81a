#include "front/aws_json/error_body.h"

#include "base/json.h"
#include "base/log.h"

namespace tideline::aws_json {
namespace {

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
  // The status of these is unconfirmed for the service; 400 is what its siblings answer.
  static constexpr int kStatus = 400;
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
  return ErrorResponse(ErrorOrigin::kFramework, {name, kStatus}, failure.message);
}

net::HttpResponse UnknownOperationResponse() {
  return Response({"UnknownOperationException", 404},
                  R"({"__type":"com.amazon.coral.service#UnknownOperationException"})");
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
