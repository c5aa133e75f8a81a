#include "front/admin/admin_handler.h"

#include <memory>

#include "base/metrics.h"

namespace tideline::admin {
namespace {

constexpr std::string_view kAdminPrefix = "/admin/";

bool IsAdminCall(const net::HttpRequest& request) {
  return request.method == "POST" && request.path().starts_with(kAdminPrefix);
}

// HEAD is answered as GET; the connection leaves the body out.
bool IsRead(const net::HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

bool IsLoopback(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("[::1]:") ||
         address.starts_with("[::ffff:127.");
}

int HttpStatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk: return 200;
    case ErrorCode::kInvalidArgument: return 400;
    case ErrorCode::kUnauthenticated: return 401;
    case ErrorCode::kPermissionDenied: return 403;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kAborted: return 409;
    case ErrorCode::kQuotaExceeded: return 402;
    case ErrorCode::kExecutionFailed: return 422;
    case ErrorCode::kResourceExhausted: return 429;
    case ErrorCode::kUnimplemented: return 501;
    case ErrorCode::kUnavailable: return 503;
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kCancelled:
    case ErrorCode::kDataLoss:
    case ErrorCode::kInternal: return 500;
  }
  return 500;
}

net::HttpResponse ErrorAnswer(const Status& status) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("message", MessageOf(status));
  json.EndObject();
  body += '\n';
  return net::HttpResponse(HttpStatusOf(CodeOf(status)), "application/json", std::move(body));
}

// Who may call; see the header.
Status CheckCaller(const net::HttpRequest& request) {
  if (!IsLoopback(request.remote_address)) {
    return PermissionDenied("{} is answered on loopback addresses only", request.path());
  }
  if (request.Find("forwarded").has_value() || request.Find("x-forwarded-for").has_value()) {
    return PermissionDenied("{} is not answered through a proxy", request.path());
  }
  if (!request.FindOr("content-type").starts_with("application/json")) {
    return InvalidArgument("{} wants Content-Type: application/json", request.path());
  }
  if (request.body().size() > kAdminBodyBytesMax) {
    return InvalidArgument("{} takes at most {} bytes, this body has {}", request.path(),
                           kAdminBodyBytesMax, request.body().size());
  }
  return OkStatus();
}

}  // namespace

bool AdminHandler::WantsBodySha256(const net::HttpRequest& head) const {
  return !IsRead(head) && !IsAdminCall(head) && next_.WantsBodySha256(head);
}

void AdminHandler::Call(net::HttpRequest& request, net::Responder respond) {
  if (const Status allowed = CheckCaller(request); !allowed.ok()) {
    std::move(respond).Answer(ErrorAnswer(allowed));
    return;
  }
  const AdminCall* found = nullptr;
  for (const AdminCall& call : calls_) {
    if (call.path == request.path()) found = &call;
  }
  if (found == nullptr) {
    std::move(respond).Answer(ErrorAnswer(NotFound("there is no call {}", request.path())));
    return;
  }
  Result<JsonValue> body = JsonValue::Parse(request.body().empty() ? "{}" : request.body());
  if (body.ok() && body->kind() != JsonValue::Kind::kObject) {
    body = InvalidArgument("the body must be a JSON object");
  }
  if (!body.ok()) {
    std::move(respond).Answer(ErrorAnswer(body.status()));
    return;
  }
  // std::function wants copies; the responder has none.
  auto answer_to = std::make_shared<net::Responder>(std::move(respond));
  auto value = std::make_shared<JsonValue>(*std::move(body));
  const Status submitted = workers_.Submit([found, answer_to, value] {
    const Result<std::string> answer = found->run(*value);
    std::move(*answer_to)
        .Answer(answer.ok() ? net::HttpResponse(200, "application/json", *answer + "\n")
                            : ErrorAnswer(answer.status()));
  });
  if (!submitted.ok()) std::move(*answer_to).Answer(ErrorAnswer(submitted));
}

void AdminHandler::Handle(net::HttpRequest& request, net::Responder respond) {
  if (!IsRead(request)) {
    if (IsAdminCall(request)) {
      Call(request, std::move(respond));
    } else {
      next_.Handle(request, std::move(respond));
    }
    return;
  }
  const std::string_view path = request.path();
  if (path == "/health") {
    const bool ready = ready_.load();
    std::move(respond).Answer(
        net::HttpResponse(ready ? 200 : 503, "application/json",
                          ready ? "{\"status\":\"ok\"}\n" : "{\"status\":\"not ready\"}\n"));
  } else if (path == "/metrics") {
    std::move(respond).Answer(
        net::HttpResponse(200, "text/plain; version=0.0.4; charset=utf-8", Metrics().Print()));
  } else {
    std::move(respond).Answer(net::HttpResponse(
        404, "text/plain",
        "Tideline speaks the Amazon Timestream API: POST / with X-Amz-Target. Also here: GET "
        "and HEAD of /health and /metrics.\n"));
  }
}

}  // namespace tideline::admin
