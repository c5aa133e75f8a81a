// base/status.h: failures as values, for every room.
//
// `Status` says whether something worked, `Result<T>` holds the thing or the reason why not. No
// exception is thrown in src/. A function that can fail shows it in its signature:
//
//   Result<Segment> OpenSegment(ObjectStore& store, std::string_view key) {
//     const Footer footer = TL_TRY(ReadFooter(store, key));   // unwrap, or return the error
//     if (footer.format_version > kFormatVersionMax) {
//       return Unimplemented("segment format {} is newer than this binary", footer.format_version);
//     }
//     TL_TRY(VerifyChecksums(footer));
//     return Segment(std::move(footer));
//   }
//
// TL_TRY stands alone in its statement: right of one `=`, or by itself. Not in an argument list.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace tideline {

using Status = absl::Status;
template <typename T>
using Result = absl::StatusOr<T>;

/// Tells the caller what to do, not what happened; the message has the detail. Each door owns one
/// table from these to its wire and nothing else translates.
enum class ErrorCode : int {
  kOk = static_cast<int>(absl::StatusCode::kOk),
  kInvalidArgument = static_cast<int>(absl::StatusCode::kInvalidArgument),    ///< fix the request
  kUnauthenticated = static_cast<int>(absl::StatusCode::kUnauthenticated),    ///< say who you are
  kPermissionDenied = static_cast<int>(absl::StatusCode::kPermissionDenied),  ///< ask for access
  kNotFound = static_cast<int>(absl::StatusCode::kNotFound),
  kAlreadyExists = static_cast<int>(absl::StatusCode::kAlreadyExists),
  kAborted = static_cast<int>(absl::StatusCode::kAborted),                      ///< conflict
  kResourceExhausted = static_cast<int>(absl::StatusCode::kResourceExhausted),  ///< slow down
  kQuotaExceeded = static_cast<int>(absl::StatusCode::kFailedPrecondition),  ///< a named quota is used up
  kExecutionFailed = static_cast<int>(absl::StatusCode::kOutOfRange),  ///< the query failed on its data
  kUnavailable = static_cast<int>(absl::StatusCode::kUnavailable),     ///< retry
  kDeadlineExceeded = static_cast<int>(absl::StatusCode::kDeadlineExceeded),
  kCancelled = static_cast<int>(absl::StatusCode::kCancelled),
  kDataLoss = static_cast<int>(absl::StatusCode::kDataLoss),            ///< corruption: restore
  kUnimplemented = static_cast<int>(absl::StatusCode::kUnimplemented),  ///< not offered
  kInternal = static_cast<int>(absl::StatusCode::kInternal),            ///< our bug
};

inline Status OkStatus() { return absl::OkStatus(); }

/// The code of `status`; absl codes outside our list read as kInternal.
ErrorCode CodeOf(const Status& status);
/// The message as a standard view into `status` (the packaged Abseil has its own string_view type).
inline std::string_view MessageOf(const Status& status) {
  return {status.message().data(), status.message().size()};
}
/// The enumerator's name without the k, in upper snake case: "INVALID_ARGUMENT". Static storage.
std::string_view ErrorCodeName(ErrorCode code);
/// The same code with `prefix` and ": " before the message.
Status Annotate(const Status& status, std::string_view prefix);
/// OK for kAlreadyExists: the answer to making something that only has to be there.
Status IgnoreExisting(const Status& status);

namespace internal {
Status MakeStatus(ErrorCode code, std::string message);
}  // namespace internal

#define TL_STATUS_MAKER(Name)                                                          \
  template <typename... Args>                                                          \
  Status Name(fmt::format_string<Args...> text, Args&&... args) {                      \
    return internal::MakeStatus(ErrorCode::k##Name,                                    \
                                fmt::format(text, std::forward<Args>(args)...));       \
  }
TL_STATUS_MAKER(InvalidArgument)
TL_STATUS_MAKER(Unauthenticated)
TL_STATUS_MAKER(PermissionDenied)
TL_STATUS_MAKER(NotFound)
TL_STATUS_MAKER(AlreadyExists)
TL_STATUS_MAKER(Aborted)
TL_STATUS_MAKER(ResourceExhausted)
TL_STATUS_MAKER(QuotaExceeded)
TL_STATUS_MAKER(ExecutionFailed)
TL_STATUS_MAKER(Unavailable)
TL_STATUS_MAKER(DeadlineExceeded)
TL_STATUS_MAKER(Cancelled)
TL_STATUS_MAKER(DataLoss)
TL_STATUS_MAKER(Unimplemented)
TL_STATUS_MAKER(Internal)
#undef TL_STATUS_MAKER

namespace internal {
inline Status&& ErrorOf(Status&& status) { return std::move(status); }
inline const Status& ErrorOf(const Status& status) { return status; }
template <typename T>
Status ErrorOf(Result<T>&& result) {
  return std::move(result).status();
}
template <typename T>
Status ErrorOf(const Result<T>& result) {
  return result.status();
}
inline void ValueOf(Status&&) {}
inline void ValueOf(const Status&) {}
template <typename T>
T ValueOf(Result<T>&& result) {
  return *std::move(result);
}
template <typename T>
const T& ValueOf(const Result<T>& result) {
  return *result;
}
}  // namespace internal

/// Evaluates a Status or Result; on error returns it from the enclosing function, else yields the
/// value (moved out). A gcc and clang statement expression.
#define TL_TRY(...)                                                             \
  __extension__({                                                               \
    auto&& tl_try_value = (__VA_ARGS__);                                        \
    if (!tl_try_value.ok()) [[unlikely]] {                                      \
      return ::tideline::internal::ErrorOf(                                     \
          std::forward<decltype(tl_try_value)>(tl_try_value));                  \
    }                                                                           \
    ::tideline::internal::ValueOf(std::forward<decltype(tl_try_value)>(tl_try_value)); \
  })

}  // namespace tideline
