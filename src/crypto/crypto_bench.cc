// What a signed request costs besides hashing its body, and what sealing a page costs.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/encoding.h"
#include "crypto/sha256.h"
#include "crypto/sigv4.h"

namespace tideline::crypto {
namespace {

void BM_Sha256(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(Sha256Of(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Sha256)->Arg(0)->Arg(500)->Arg(102'400);

void BM_VerifySigV4(benchmark::State& state) {
  const SigV4Signer signer({.access_key_id = "AKIDEXAMPLE",
                            .secret_access_key = "secret",
                            .region = "us-east-1",
                            .service = "timestream"});
  std::vector<HttpField> fields = {{"host", "localhost:8433"},
                                   {"content-type", "application/x-amz-json-1.0"},
                                   {"x-amz-target", "Timestream_20181101.WriteRecords"}};
  const std::string hash = HexOf(Sha256Of("{}"));
  const auto added = *signer.Sign("POST", "/", "", fields, hash, TimestampNs{0});
  for (const auto& header : added) fields.push_back({header.name, header.value});
  for (auto _ : state) {
    const SigV4Authorization authorization = *ParseSigV4Authorization(added.back().value);
    const SigV4Request request{.method = "POST", .headers = fields, .payload_sha256 = hash};
    TL_CHECK(VerifySigV4(request, authorization, "19700101T000000Z", "secret").ok());
  }
}
BENCHMARK(BM_VerifySigV4);

void BM_AeadSeal(benchmark::State& state) {
  const AeadKey key{};
  const AeadNonce nonce{};
  const Bytes plain(static_cast<std::size_t>(state.range(0)));
  Bytes sealed(plain.size() + kAeadTagBytes);
  for (auto _ : state) AeadSeal(key, nonce, {}, plain, sealed);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_AeadSeal)->Arg(64)->Arg(4096)->Arg(65'536);

}  // namespace
}  // namespace tideline::crypto
