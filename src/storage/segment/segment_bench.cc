// Writes and scans one segment of a DevOps shape: 100 hosts, 10 measures in one record every 10 s.
// Rates count values of the ten measure columns at 8 bytes each.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_writer.h"

namespace tideline::segment {
namespace {

constexpr std::size_t kHosts = 100;
constexpr std::size_t kRowsPerHost = 4320;  // 12 hours
constexpr std::size_t kMeasures = 10;
constexpr std::size_t kValues = kHosts * kRowsPerHost * kMeasures;

// Per measure the values of one host; kind 0 whole numbers, 1 two decimals, 2 full doubles.
std::vector<std::vector<double>> HostOf(int kind, std::size_t host) {
  Random random(1000 + host);
  std::vector<std::vector<double>> measures(kMeasures, std::vector<double>(kRowsPerHost));
  for (auto& values : measures) {
    double at = random.NextDouble() * 100;
    for (double& value : values) {
      double step = -6;
      for (int i = 0; i < 12; ++i) step += random.NextDouble();
      at = std::min(100.0, std::max(0.0, at + step));
      value = kind == 0 ? std::floor(at) : kind == 1 ? std::round(at * 100) / 100 : at;
    }
  }
  return measures;
}

struct Fleet {
  std::vector<std::vector<std::vector<double>>> hosts;
  std::vector<std::int64_t> times;
  std::vector<std::int64_t> versions;
};

Fleet MakeFleet(int kind) {
  Fleet fleet;
  for (std::size_t host = 0; host < kHosts; ++host) fleet.hosts.push_back(HostOf(kind, host));
  for (std::size_t i = 0; i < kRowsPerHost; ++i) {
    fleet.times.push_back(1'700'000'000'000'000'000 +
                          static_cast<std::int64_t>(i) * 10'000'000'000);
  }
  fleet.versions.assign(kRowsPerHost, 1);
  return fleet;
}

Status WriteFleet(const Fleet& fleet, ByteSink& sink, WrittenSegment* written) {
  SegmentWriter writer({}, sink);
  for (std::size_t host = 0; host < kHosts; ++host) {
    const std::string name = "host_" + std::to_string(host);
    const DimensionValue dimensions[] = {{1, name}, {2, "eu-west-1"}, {3, "linux"}};
    TL_TRY(writer.AddSeries({.id = host, .measure_name = "cpu", .dimensions = dimensions}));
    std::vector<ColumnChunk> chunks;
    for (std::size_t m = 0; m < kMeasures; ++m) {
      ColumnChunk chunk;
      chunk.column = static_cast<ColumnId>(10 + m);
      chunk.type = ColumnType::kDouble;
      chunk.doubles = fleet.hosts[host][m];
      chunks.push_back(chunk);
    }
    TL_TRY(writer.AddRows(fleet.times, fleet.versions, chunks));
  }
  *written = TL_TRY(writer.Finish());
  return OkStatus();
}

void BM_WriteSegment(benchmark::State& state) {
  const Fleet fleet = MakeFleet(static_cast<int>(state.range(0)));
  WrittenSegment written;
  for (auto _ : state) {
    MemorySink sink;
    if (!WriteFleet(fleet, sink, &written).ok()) state.SkipWithError("not written");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kValues * 8));
  state.counters["bytes_per_value"] =
      static_cast<double>(written.file_bytes) / static_cast<double>(kValues);
}
BENCHMARK(BM_WriteSegment)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

// Eight sums at once, so that the scan and not the latency of an addition is measured.
double SumOf(std::span<const double> values) {
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= values.size(); i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += values[i + lane];
  }
  for (; i < values.size(); ++i) sums[0] += values[i];
  return std::accumulate(std::begin(sums), std::end(sums), 0.0);
}

// Sums all ten columns, 2048 rows at a time.
Status SumSegment(const SegmentReader& reader, double* sum) {
  std::vector<double> batch(2048);
  for (std::size_t s = 0; s < reader.stripe_count(); ++s) {
    const Stripe stripe = TL_TRY(reader.OpenStripe(s));
    for (std::size_t m = 0; m < kMeasures; ++m) {
      const ColumnBlock block = TL_TRY(stripe.OpenColumn(static_cast<ColumnId>(10 + m)));
      for (std::size_t first = 0; first < stripe.row_count(); first += batch.size()) {
        const std::size_t count = std::min(batch.size(), stripe.row_count() - first);
        TL_TRY(block.ReadDouble(first, std::span(batch).first(count)));
        *sum += SumOf(std::span(batch).first(count));
      }
    }
  }
  return OkStatus();
}

void BM_ScanSegment(benchmark::State& state) {
  const Fleet fleet = MakeFleet(static_cast<int>(state.range(0)));
  MemorySink sink;
  WrittenSegment written;
  if (!WriteFleet(fleet, sink, &written).ok()) state.SkipWithError("not written");
  const std::uint64_t size = sink.bytes().size();
  const auto reader =
      *SegmentReader::Open(std::make_shared<MemoryRangeReader>(std::move(sink.bytes())), size);
  double sum = 0;
  for (auto _ : state) {
    if (!SumSegment(*reader, &sum).ok()) state.SkipWithError("not read");
  }
  benchmark::DoNotOptimize(sum);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kValues * 8));
  state.counters["values"] = benchmark::Counter(static_cast<double>(state.iterations() * kValues),
                                                benchmark::Counter::kIsRate);
}
BENCHMARK(BM_ScanSegment)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tideline::segment
