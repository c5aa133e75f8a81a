// Encode and decode of one full block: bytes per second of values (bytes_per_second) and of the
// encoded form (encoded), values per second and bits per value; the light form, the entropy stage on
// top of it, and single kernels. TIDELINE_KERNELS=base|avx2 in the environment measures a lower
// instruction set.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/kernel_targets.h"
#include "base/random.h"
#include "storage/codec/bit_packing.h"
#include "storage/codec/block.h"
#include "storage/codec/entropy_stage.h"

namespace tideline::codec {
namespace {

constexpr std::size_t kRows = kBlockRowsMax;

double NormalStep(Random& random) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += random.NextDouble();
  return sum - 6;
}

const char* const kDoubleKinds[] = {"int walk", "dec2 walk", "double walk", "dec2 in no order",
                                    "double in no order"};

// As kDoubleKinds, all within 0..100.
std::vector<double> WalkOf(int kind) {
  Random random(42);
  std::vector<double> values(kRows);
  double at = 50;
  for (double& value : values) {
    at = std::min(100.0, std::max(0.0, at + NormalStep(random)));
    const double any = random.NextDouble() * 100;
    value = kind == 0   ? std::floor(at)
            : kind == 1 ? std::round(at * 100) / 100
            : kind == 2 ? at
            : kind == 3 ? std::round(any * 100) / 100
                        : any;
  }
  return values;
}

const char* const kIntegerKinds[] = {"clock", "jittered clock", "bytes", "counter", "runs"};

// As kIntegerKinds.
std::vector<std::int64_t> IntegersOf(int kind) {
  Random random(43);
  std::vector<std::int64_t> values(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto step = static_cast<std::int64_t>(i);
    const auto noise = static_cast<std::int64_t>(random.Below(256));
    values[i] = kind == 0   ? step * 10'000'000'000
                : kind == 1 ? step * 10'000'000'000 + noise
                : kind == 2 ? noise
                : kind == 3 ? (values[i == 0 ? 0 : i - 1] + noise)
                            : step / 100 % 17;
  }
  return values;
}

void Report(benchmark::State& state, std::size_t encoded_bytes, std::size_t value_bytes = kRows * 8) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * value_bytes));
  state.counters["encoded"] =
      benchmark::Counter(static_cast<double>(state.iterations() * encoded_bytes),
                         benchmark::Counter::kIsRate, benchmark::Counter::OneK::kIs1024);
  state.counters["bits_per_value"] = static_cast<double>(encoded_bytes) * 8 / kRows;
  state.counters["values"] = benchmark::Counter(static_cast<double>(state.iterations() * kRows),
                                                benchmark::Counter::kIsRate);
}

// One light block of each kind of data.
Bytes LightDoubles(int kind) {
  Bytes block;
  EncodeDoubleBlock(WalkOf(kind), {}, kRows, &block);
  return block;
}
Bytes LightIntegers(int kind) {
  Bytes block;
  EncodeInt64Block(IntegersOf(kind), {}, kRows, &block);
  return block;
}

std::vector<std::string> LogLines() {
  Random random(44);
  std::vector<std::string> lines(kRows);
  for (std::string& line : lines) {
    line = "GET /api/v1/devices/" + std::to_string(random.Below(1'000'000'000)) + "/telemetry 200 " +
           std::to_string(random.Below(90'000)) + "us";
  }
  return lines;
}
std::size_t TextBytes(const std::vector<std::string>& lines) {
  std::size_t bytes = 0;
  for (const std::string& line : lines) bytes += line.size();
  return bytes;
}

void EncodeStage(benchmark::State& state, const Bytes& light, const char* kind) {
  Bytes stored;
  bool pays = false;
  for (auto _ : state) {
    stored.clear();
    pays = EncodeEntropyStage(light, &stored);
  }
  state.SetLabel(std::string(kind) + (pays ? "" : ": does not pay"));
  Report(state, pays ? stored.size() : light.size());
}
void DecodeStage(benchmark::State& state, const Bytes& light, const char* kind,
                 std::size_t value_bytes) {
  Bytes stored;
  if (!EncodeEntropyStage(light, &stored)) {
    state.SkipWithError("does not pay");
    return;
  }
  for (auto _ : state) {
    auto decoded = DecodeEntropyStage(stored);
    benchmark::DoNotOptimize(decoded);
  }
  state.SetLabel(kind);
  Report(state, stored.size(), value_bytes);
}

void BM_EncodeStageDouble(benchmark::State& state) {
  const int kind = static_cast<int>(state.range(0));
  EncodeStage(state, LightDoubles(kind), kDoubleKinds[kind]);
}
BENCHMARK(BM_EncodeStageDouble)->DenseRange(0, 4);
void BM_DecodeStageDouble(benchmark::State& state) {
  const int kind = static_cast<int>(state.range(0));
  DecodeStage(state, LightDoubles(kind), kDoubleKinds[kind], kRows * 8);
}
BENCHMARK(BM_DecodeStageDouble)->DenseRange(0, 4);
void BM_EncodeStageInt64(benchmark::State& state) {
  const int kind = static_cast<int>(state.range(0));
  EncodeStage(state, LightIntegers(kind), kIntegerKinds[kind]);
}
BENCHMARK(BM_EncodeStageInt64)->DenseRange(0, 4);
void BM_DecodeStageInt64(benchmark::State& state) {
  const int kind = static_cast<int>(state.range(0));
  DecodeStage(state, LightIntegers(kind), kIntegerKinds[kind], kRows * 8);
}
BENCHMARK(BM_DecodeStageInt64)->DenseRange(0, 3);

void BM_EncodeText(benchmark::State& state) {
  const std::vector<std::string> lines = LogLines();
  const std::vector<std::string_view> values(lines.begin(), lines.end());
  Bytes block;
  for (auto _ : state) {
    block.clear();
    EncodeStringBlock(values, {}, kRows, &block);
  }
  state.SetLabel(std::string(BlockView::Parse(block)->codec_name()));
  Report(state, block.size(), TextBytes(lines));
}
BENCHMARK(BM_EncodeText);

void BM_DecodeText(benchmark::State& state) {
  const std::vector<std::string> lines = LogLines();
  const std::vector<std::string_view> values(lines.begin(), lines.end());
  Bytes block;
  EncodeStringBlock(values, {}, kRows, &block);
  std::vector<std::string_view> out(kRows);
  for (auto _ : state) {
    // A view keeps what it decoded; each round begins with a new one.
    const BlockView view = *BlockView::Parse(block);
    if (!view.ReadString(0, out, {}).ok()) state.SkipWithError("bad block");
    benchmark::DoNotOptimize(out.data());
  }
  state.SetLabel(std::string(BlockView::Parse(block)->codec_name()));
  Report(state, block.size(), TextBytes(lines));
}
BENCHMARK(BM_DecodeText);

void BM_DecodeStageText(benchmark::State& state) {
  const std::vector<std::string> lines = LogLines();
  const std::vector<std::string_view> values(lines.begin(), lines.end());
  Bytes light;
  EncodeStringBlock(values, {}, kRows, &light);
  DecodeStage(state, light, "text", TextBytes(lines));
}
BENCHMARK(BM_DecodeStageText);

void BM_EncodeDouble(benchmark::State& state) {
  const std::vector<double> values = WalkOf(static_cast<int>(state.range(0)));
  Bytes block;
  for (auto _ : state) {
    block.clear();
    EncodeDoubleBlock(values, {}, kRows, &block);
  }
  Report(state, block.size());
}
BENCHMARK(BM_EncodeDouble)->DenseRange(0, 4);

void BM_DecodeDouble(benchmark::State& state) {
  const std::vector<double> values = WalkOf(static_cast<int>(state.range(0)));
  Bytes block;
  EncodeDoubleBlock(values, {}, kRows, &block);
  const BlockView view = *BlockView::Parse(block);
  std::vector<double> out(2048);
  for (auto _ : state) {
    for (std::size_t first = 0; first < kRows; first += out.size()) {
      if (!view.ReadDouble(first, out, {}).ok()) state.SkipWithError("bad block");
      benchmark::DoNotOptimize(out.data());
    }
  }
  state.SetLabel(std::string(kDoubleKinds[state.range(0)]) + " by " +
                 std::string(view.codec_name()));
  Report(state, block.size());
}
BENCHMARK(BM_DecodeDouble)->DenseRange(0, 4);

void BM_EncodeInt64(benchmark::State& state) {
  const std::vector<std::int64_t> values = IntegersOf(static_cast<int>(state.range(0)));
  Bytes block;
  for (auto _ : state) {
    block.clear();
    EncodeInt64Block(values, {}, kRows, &block);
  }
  Report(state, block.size());
}
BENCHMARK(BM_EncodeInt64)->DenseRange(0, 4);

void BM_DecodeInt64(benchmark::State& state) {
  const std::vector<std::int64_t> values = IntegersOf(static_cast<int>(state.range(0)));
  Bytes block;
  EncodeInt64Block(values, {}, kRows, &block);
  const BlockView view = *BlockView::Parse(block);
  std::vector<std::int64_t> out(2048);
  for (auto _ : state) {
    for (std::size_t first = 0; first < kRows; first += out.size()) {
      if (!view.ReadInt64(first, out, {}).ok()) state.SkipWithError("bad block");
      benchmark::DoNotOptimize(out.data());
    }
  }
  state.SetLabel(std::string(kIntegerKinds[state.range(0)]) + " by " +
                 std::string(view.codec_name()));
  Report(state, block.size());
}
BENCHMARK(BM_DecodeInt64)->DenseRange(0, 4);

void BM_UnpackSlice(benchmark::State& state) {
  const auto width = static_cast<unsigned>(state.range(0));
  const Bytes packed(PackedBytes(kSliceValues, width), std::byte{0x5a});
  std::vector<std::int64_t> out(kSliceValues);
  state.SetLabel(KernelTargetName(CurrentKernelTarget()));
  for (auto _ : state) {
    UnpackBits(packed, width, 7, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kSliceValues * 8));
}
BENCHMARK(BM_UnpackSlice)->Arg(1)->Arg(3)->Arg(9)->Arg(17)->Arg(50);

[[maybe_unused]] const bool kKernelsLimited = [] {
  const char* const asked = std::getenv("TIDELINE_KERNELS");
  for (const KernelTarget target : {KernelTarget::kBase, KernelTarget::kAvx2}) {
    if (asked != nullptr && std::string_view(asked) == KernelTargetName(target)) {
      LimitKernelTarget(target);
    }
  }
  return true;
}();

}  // namespace
}  // namespace tideline::codec
