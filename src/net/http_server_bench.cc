// The server's ceiling: requests a second over loopback with a handler that does nothing, client
// and server on the same machine. Arguments: body bytes, whether the body is hashed.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "net/http_client.h"
#include "net/http_server.h"

namespace tideline::net {
namespace {

class EmptyHandler final : public HttpHandler {
 public:
  void Handle(HttpRequest& request, Responder respond) override {
    HttpResponse response(200, "application/x-amz-json-1.0", "{}");
    if (request.body_sha256()) benchmark::DoNotOptimize(*request.body_sha256());
    std::move(respond).Answer(std::move(response));
  }
  bool WantsBodySha256(const HttpRequest& head) const override { return head.path() == "/hash"; }
};

HttpServer& BenchServer() {
  static EmptyHandler handler;
  static const std::unique_ptr<HttpServer> server = [] {
    HttpServerOptions options;
    options.addresses = {"127.0.0.1:0"};
    Result<std::unique_ptr<HttpServer>> started = HttpServer::Start(std::move(options), handler);
    TL_CHECK(started.ok());
    return std::move(*started);
  }();
  return *server;
}

void BM_RequestsOverLoopback(benchmark::State& state) {
  HttpClient client(*ParseUrl("http://" + BenchServer().bound_addresses()[0]), {});
  const std::string body(static_cast<std::size_t>(state.range(0)), 'x');
  const HttpClientRequest request{.method = "POST",
                                  .target = state.range(1) != 0 ? "/hash" : "/plain",
                                  .headers = {{"Content-Type", "application/x-amz-json-1.0"},
                                              {"X-Amz-Target", "Timestream_20181101.WriteRecords"},
                                              {"X-Amz-Date", "20150830T123600Z"},
                                              {"User-Agent", "tideline-bench"}},
                                  .body = body};
  for (auto _ : state) {
    const Result<HttpClientResponse> response = client.Send(request);
    TL_CHECK(response.ok() && response->status == 200);
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_RequestsOverLoopback)
    ->ArgNames({"body", "hash"})
    ->Args({350, 1})
    ->Args({102'400, 0})
    ->Args({102'400, 1})
    ->Threads(1)
    ->Threads(4)
    ->UseRealTime();

}  // namespace
}  // namespace tideline::net
