#include "net/http_handler.h"

#include "base/check.h"
#include "base/log.h"

namespace tideline::net {
namespace {

void AnswerForgotten(std::shared_ptr<ResponseSink> sink) {
  TL_LOG_ERROR("a request was dropped without an answer");
  sink->Answer(HttpResponse(500, "text/plain", "The request was not answered.\n"));
}

}  // namespace

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    if (sink_ != nullptr) AnswerForgotten(std::move(sink_));
    sink_ = std::move(other.sink_);
  }
  return *this;
}

Responder::~Responder() {
  if (sink_ != nullptr) AnswerForgotten(std::move(sink_));
}

void Responder::Answer(HttpResponse response) && {
  TL_CHECK(sink_ != nullptr);
  const std::shared_ptr<ResponseSink> sink = std::move(sink_);
  sink->Answer(std::move(response));
}

}  // namespace tideline::net
