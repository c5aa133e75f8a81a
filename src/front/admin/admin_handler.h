// front/admin/admin_handler.h: GET /health, GET /metrics and the operator's calls under /admin/; everything else goes
// to the next door.
//
// Operator's calls answer JSON and are for whoever sits on this machine: they are taken from loopback addresses only,
// not through a proxy (no Forwarded or X-Forwarded-For), and only with Content-Type application/json, which no web
// page can send to another site unasked.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "net/http_handler.h"

namespace tideline::admin {

/// Largest body of an operator's call.
inline constexpr std::size_t kAdminBodyBytesMax = 64 * 1024;

/// POST `path`: a JSON object in, a JSON document out. Runs on a worker and may block.
struct AdminCall {
  std::string path;  ///< "/admin/…"
  std::function<Result<std::string>(const JsonValue& body)> run;
};

/// Thread-safe.
class AdminHandler final : public net::HttpHandler {
 public:
  /// `next` and `workers` must outlive the handler.
  AdminHandler(net::HttpHandler& next, ThreadPool& workers, std::vector<AdminCall> calls)
      : next_(next), workers_(workers), calls_(std::move(calls)) {}

  /// /health answers 503 until true, and again while the server stops.
  void SetReady(bool ready) { ready_.store(ready); }

  void Handle(net::HttpRequest& request, net::Responder respond) override;
  bool WantsBodySha256(const net::HttpRequest& head) const override;

 private:
  void Call(net::HttpRequest& request, net::Responder respond);

  net::HttpHandler& next_;
  ThreadPool& workers_;
  const std::vector<AdminCall> calls_;
  std::atomic<bool> ready_{false};
};

}  // namespace tideline::admin
