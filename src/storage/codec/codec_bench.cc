// Encode and decode of one full block: bytes per second of decoded values, and bits per value.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "storage/codec/bit_packing.h"
#include "storage/codec/block.h"

namespace tideline::codec {
namespace {

constexpr std::size_t kRows = kBlockRowsMax;

double NormalStep(Random& random) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += random.NextDouble();
  return sum - 6;
}

// 0 whole numbers, 1 two decimals, 2 full doubles, all walks in 0..100.
std::vector<double> WalkOf(int kind) {
  Random random(42);
  std::vector<double> values(kRows);
  double at = 50;
  for (double& value : values) {
    at = std::min(100.0, std::max(0.0, at + NormalStep(random)));
    value = kind == 0 ? std::floor(at) : kind == 1 ? std::round(at * 100) / 100 : at;
  }
  return values;
}

// 0 clock, 1 jittered clock, 2 random bytes, 3 counter, 4 runs.
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

void Report(benchmark::State& state, std::size_t encoded_bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kRows * 8));
  state.counters["bits_per_value"] = static_cast<double>(encoded_bytes) * 8 / kRows;
  state.counters["values"] = benchmark::Counter(static_cast<double>(state.iterations() * kRows),
                                                benchmark::Counter::kIsRate);
}

void BM_EncodeDouble(benchmark::State& state) {
  const std::vector<double> values = WalkOf(static_cast<int>(state.range(0)));
  Bytes block;
  for (auto _ : state) {
    block.clear();
    EncodeDoubleBlock(values, {}, kRows, &block);
  }
  Report(state, block.size());
}
BENCHMARK(BM_EncodeDouble)->DenseRange(0, 2);

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
  state.SetLabel(std::string(view.codec_name()));
  Report(state, block.size());
}
BENCHMARK(BM_DecodeDouble)->DenseRange(0, 2);

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
  state.SetLabel(std::string(view.codec_name()));
  Report(state, block.size());
}
BENCHMARK(BM_DecodeInt64)->DenseRange(0, 4);

void BM_UnpackSlice(benchmark::State& state) {
  const auto width = static_cast<unsigned>(state.range(0));
  const Bytes packed(PackedBytes(kSliceValues, width), std::byte{0x5a});
  std::vector<std::int64_t> out(kSliceValues);
  for (auto _ : state) {
    UnpackBits(packed, width, 7, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kSliceValues * 8));
}
BENCHMARK(BM_UnpackSlice)->Arg(1)->Arg(3)->Arg(9)->Arg(17)->Arg(50);

}  // namespace
}  // namespace tideline::codec
