// net/http_handler.h: where requests go, and how they are answered.
//
//   class Hello final : public HttpHandler {
//     void Handle(HttpRequest& request, Responder respond) override {
//       std::move(respond).Answer(HttpResponse(200, "text/plain", "hello\n"));
//     }
//   };
#pragma once

#include <memory>
#include <utility>

#include "net/http_message.h"

namespace tideline::net {

/// Takes the one answer to one request. The server has its own; a door's test makes one that keeps
/// the answer. Answer is called once, from any thread.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  virtual void Answer(HttpResponse response) = 0;
};

/// The right and the duty to answer one request, once, from any thread. Dropped without an answer
/// it answers 500. On the request's own loop thread the answer is written at once; from another it
/// is posted there. It keeps the request alive.
class Responder {
 public:
  explicit Responder(std::shared_ptr<ResponseSink> sink) : sink_(std::move(sink)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  /// Sends `response` (checked: not answered before). The request may be gone when it returns.
  void Answer(HttpResponse response) &&;
  bool answered() const { return sink_ == nullptr; }

 private:
  std::shared_ptr<ResponseSink> sink_;
};

/// Thread-safe: every loop calls it.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  /// Answers `request` now, or moves `respond` away and answers later. Runs on the request's loop
  /// thread and must not block it. `request` stays valid, and may be read from any one thread,
  /// until the answer is given. Requests of one connection come one after another, each after the
  /// answer to the one before.
  virtual void Handle(HttpRequest& request, Responder respond) = 0;

  /// Whether the server shall hash the body while it receives it, so that hashing overlaps the
  /// network. Asked when the headers are there, for requests that may have a body or not; `head`
  /// has no body yet. Runs on the loop thread.
  virtual bool WantsBodySha256(const HttpRequest& head) const {
    (void)head;
    return false;
  }
};

}  // namespace tideline::net
