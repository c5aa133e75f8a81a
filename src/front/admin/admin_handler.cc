#include "front/admin/admin_handler.h"

#include "base/metrics.h"

namespace tideline::admin {

bool AdminHandler::WantsBodySha256(const net::HttpRequest& head) const {
  return head.method != "GET" && next_.WantsBodySha256(head);
}

void AdminHandler::Handle(net::HttpRequest& request, net::Responder respond) {
  if (request.method != "GET") {
    next_.Handle(request, std::move(respond));
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
        "/health, GET /metrics.\n"));
  }
}

}  // namespace tideline::admin
