// front/admin/admin_handler.h: GET /health and GET /metrics; everything else goes to the next door.
#pragma once

#include <atomic>

#include "net/http_handler.h"

namespace tideline::admin {

/// Thread-safe.
class AdminHandler final : public net::HttpHandler {
 public:
  /// `next` must outlive the handler.
  explicit AdminHandler(net::HttpHandler& next) : next_(next) {}

  /// /health answers 503 until true, and again while the server stops.
  void SetReady(bool ready) { ready_.store(ready); }

  void Handle(net::HttpRequest& request, net::Responder respond) override;
  bool WantsBodySha256(const net::HttpRequest& head) const override;

 private:
  net::HttpHandler& next_;
  std::atomic<bool> ready_{false};
};

}  // namespace tideline::admin
