#include "base/status.h"

namespace tideline {

ErrorCode CodeOf(const Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnknown:
      return ErrorCode::kInternal;
    default:
      return static_cast<ErrorCode>(static_cast<int>(status.code()));
  }
}

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return "OK";
    case ErrorCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case ErrorCode::kUnauthenticated:
      return "UNAUTHENTICATED";
    case ErrorCode::kPermissionDenied:
      return "PERMISSION_DENIED";
    case ErrorCode::kNotFound:
      return "NOT_FOUND";
    case ErrorCode::kAlreadyExists:
      return "ALREADY_EXISTS";
    case ErrorCode::kAborted:
      return "ABORTED";
    case ErrorCode::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case ErrorCode::kQuotaExceeded:
      return "QUOTA_EXCEEDED";
    case ErrorCode::kExecutionFailed:
      return "EXECUTION_FAILED";
    case ErrorCode::kUnavailable:
      return "UNAVAILABLE";
    case ErrorCode::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case ErrorCode::kCancelled:
      return "CANCELLED";
    case ErrorCode::kDataLoss:
      return "DATA_LOSS";
    case ErrorCode::kUnimplemented:
      return "UNIMPLEMENTED";
    case ErrorCode::kInternal:
      return "INTERNAL";
  }
  return "INTERNAL";
}

Status Annotate(const Status& status, std::string_view prefix) {
  if (status.ok()) return status;
  return {status.code(), fmt::format("{}: {}", prefix, MessageOf(status))};
}

Status IgnoreExisting(const Status& status) {
  return CodeOf(status) == ErrorCode::kAlreadyExists ? OkStatus() : status;
}

namespace internal {
Status MakeStatus(ErrorCode code, std::string message) {
  return {static_cast<absl::StatusCode>(static_cast<int>(code)), message};
}
}  // namespace internal

}  // namespace tideline
