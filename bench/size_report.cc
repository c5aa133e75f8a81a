// Prints what stored values take: bytes per value by kind of data, shape of table and effort, with
// everything in the files counted, beside the entropy of the data.
//
//   tideline_sizes [--hosts 100] [--days 3]
//
// The data is that of the Time Series Benchmark Suite's "DevOps, cpu-only" case: a host has ten tags
// and reports ten measures every ten seconds, each a walk with steps from a normal distribution of
// deviation 1, kept within 0..100; `int` is the walk rounded down, `dec2` to two decimals, `double` as
// it is. A table holds it as one MULTI record per row, or as ten single-measure records, and is written
// as the engine writes a magnetic store: a segment a day, sorted by measure name and host.
//
// Each segment is read back and compared to the last bit before its size counts. The entropy is that
// of the steps between neighbours (order 0), the floor for any coder of differences; for `double` it is
// 46 to 52 bits of noise and not computed.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "bench/devops_data.h"
#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_writer.h"

namespace tideline::bench {
namespace {

using segment::ColumnId;

enum class Kind { kInt, kBigint, kDecimal, kDouble };
enum class Shape { kMulti, kSingle };

constexpr std::int64_t kTickNs = 10'000'000'000;
constexpr std::size_t kRowsPerDay = 8640;
constexpr std::int64_t kFirstNs = 1'767'225'600'000'000'000;  // 2026-01-01
constexpr ColumnId kFirstMeasureColumn = 100;

struct Plan {
  std::size_t hosts = 100;
  std::size_t days = 3;
  std::size_t value_count() const { return hosts * days * kRowsPerDay * kMeasureCount; }
};

// One measure of one host over all days.
std::vector<double> WalkOf(std::size_t host, std::size_t measure, std::size_t rows, Kind kind) {
  Random random(host * 1000 + measure + 1);
  std::vector<double> values(rows);
  double at = random.NextDouble() * 100;
  for (double& value : values) {
    // Box and Muller, one of the pair.
    const double radius = std::sqrt(-2 * std::log(1 - random.NextDouble()));
    at += radius * std::cos(6.283185307179586 * random.NextDouble());
    at = std::clamp(at, 0.0, 100.0);
    value = kind == Kind::kDouble    ? at
            : kind == Kind::kDecimal ? std::round(at * 100) / 100
                                     : std::floor(at);
  }
  return values;
}

// Bits a step takes, over all walks.
double StepEntropy(const Plan& plan, Kind kind) {
  std::unordered_map<std::int64_t, double> counts;
  double total = 0;
  for (std::size_t host = 0; host < std::min<std::size_t>(plan.hosts, 10); ++host) {
    for (std::size_t measure = 0; measure < kMeasureCount; ++measure) {
      const auto values = WalkOf(host, measure, plan.days * kRowsPerDay, kind);
      for (std::size_t i = 1; i < values.size(); ++i) {
        ++counts[std::llround((values[i] - values[i - 1]) * 100)];
        ++total;
      }
    }
  }
  double bits = 0;
  for (const auto& [step, count] : counts) bits -= count / total * std::log2(count / total);
  return bits;
}

[[noreturn]] void Fail(const Status& status) {
  fmt::print(stderr, "tideline_sizes: {}\n", status.ToString());
  std::exit(1);
}
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) Fail(result.status());
  return *std::move(result);
}
void Must(const Status& status) {
  if (!status.ok()) Fail(status);
}

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Sizes {
  std::uint64_t file = 0;
  std::uint64_t values = 0;
  std::uint64_t times = 0;
  std::uint64_t versions = 0;
  std::uint64_t light = 0;  ///< all blocks as a cache holds them
  double write_seconds = 0;
  double cold_seconds = 0;
  double warm_seconds = 0;
};

class MapCache final : public segment::BlockCache {
 public:
  std::shared_ptr<const Bytes> Get(const segment::BlockKey& key) override {
    const auto at = pieces_.find(key.offset);
    return at == pieces_.end() ? nullptr : at->second;
  }
  void Put(const segment::BlockKey& key, std::shared_ptr<const Bytes> bytes) override {
    pieces_[key.offset] = std::move(bytes);
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [offset, piece] : pieces_) sum += piece->size();
    return sum;
  }

 private:
  std::map<std::uint64_t, std::shared_ptr<const Bytes>> pieces_;
};

// Reads all values of all columns, 2048 at a time, and returns the sum of their bits.
std::uint64_t ReadAll(const segment::SegmentReader& reader, Kind kind) {
  std::uint64_t sum = 0;
  std::vector<std::int64_t> integers(2048);
  std::vector<double> doubles(2048);
  for (std::size_t s = 0; s < reader.stripe_count(); ++s) {
    const segment::Stripe stripe = Must(reader.OpenStripe(s));
    for (const segment::BlockInfo& info : stripe.blocks()) {
      if (info.column >= segment::kColumnIdMax) continue;
      const segment::ColumnBlock block = Must(stripe.OpenColumn(info.column));
      for (std::size_t first = 0; first < stripe.row_count(); first += 2048) {
        const std::size_t count = std::min<std::size_t>(2048, stripe.row_count() - first);
        if (kind == Kind::kBigint) {
          Must(block.ReadInt64(first, std::span(integers).first(count)));
          for (std::size_t i = 0; i < count; ++i) sum += static_cast<std::uint64_t>(integers[i]);
        } else {
          Must(block.ReadDouble(first, std::span(doubles).first(count)));
          for (std::size_t i = 0; i < count; ++i) sum += std::bit_cast<std::uint64_t>(doubles[i]);
        }
      }
    }
  }
  return sum;
}

// Rows [first, first + kRowsPerDay) of each walk, in the order and shape of the table.
class DayWriter {
 public:
  DayWriter(const Plan& plan, Kind kind, Shape shape, codec::Effort effort)
      : plan_(plan), kind_(kind), shape_(shape), effort_(effort) {
    walks_.resize(plan.hosts);
    for (std::size_t host = 0; host < plan.hosts; ++host) {
      for (std::size_t m = 0; m < kMeasureCount; ++m) {
        walks_[host].push_back(WalkOf(host, m, plan.days * kRowsPerDay, kind));
      }
    }
  }

  void Write(std::size_t day, Sizes* sizes) {
    segment::SegmentWriterOptions options;
    options.file_uuid[0] = static_cast<std::uint8_t>(day);
    options.tier = effort_ == codec::Effort::kSmall ? segment::Tier::kMagnetic : segment::Tier::kMemory;
    options.effort = effort_;
    options.window_start_ns = kFirstNs + static_cast<std::int64_t>(day * kRowsPerDay) * kTickNs;
    options.window_length_ns = static_cast<std::int64_t>(kRowsPerDay) * kTickNs;
    times_.resize(kRowsPerDay);
    versions_.assign(kRowsPerDay, 1);
    for (std::size_t i = 0; i < kRowsPerDay; ++i) {
      times_[i] = options.window_start_ns + static_cast<std::int64_t>(i) * kTickNs;
    }
    day_ = day;
    expected_sum_ = 0;
    const double started = Seconds();
    segment::MemorySink sink;
    segment::SegmentWriter writer(options, sink);
    AddSeries(&writer);
    const segment::WrittenSegment written = Must(writer.Finish());
    sizes->write_seconds += Seconds() - started;
    sizes->file += written.file_bytes;
    for (const segment::ColumnSummary& column : written.summary.columns) {
      (column.id == segment::kTimeColumn      ? sizes->times
       : column.id == segment::kVersionColumn ? sizes->versions
                                              : sizes->values) += column.encoded_bytes;
    }
    ReadBack(std::move(sink.bytes()), sizes);
  }

 private:
  void AddSeries(segment::SegmentWriter* writer) {
    const std::size_t names = shape_ == Shape::kMulti ? 1 : kMeasureCount;
    for (std::size_t name = 0; name < names; ++name) {
      for (std::size_t host = 0; host < plan_.hosts; ++host) {
        const HostTags tags = TagsOf(host);
        std::vector<segment::DimensionValue> dimensions;
        for (std::size_t i = 0; i < kTagCount; ++i) {
          dimensions.push_back({static_cast<ColumnId>(i + 1), tags[i]});
        }
        Must(writer->AddSeries({.id = name * plan_.hosts + host,
                                .measure_name = shape_ == Shape::kMulti
                                                    ? std::string_view("cpu")
                                                    : kMeasureNames[name],
                                .dimensions = dimensions}));
        AddRows(host, name, writer);
      }
    }
  }

  void AddRows(std::size_t host, std::size_t name, segment::SegmentWriter* writer) {
    std::vector<segment::ColumnChunk> chunks;
    integers_.resize(kMeasureCount);
    for (std::size_t m = 0; m < kMeasureCount; ++m) {
      if (shape_ == Shape::kSingle && m != name) continue;
      const auto values =
          std::span<const double>(walks_[host][m]).subspan(day_ * kRowsPerDay, kRowsPerDay);
      segment::ColumnChunk chunk;
      chunk.column = kFirstMeasureColumn + static_cast<ColumnId>(shape_ == Shape::kMulti ? m : 0);
      if (kind_ == Kind::kBigint) {
        chunk.type = segment::ColumnType::kBigint;
        integers_[m].assign(values.begin(), values.end());
        chunk.int64s = integers_[m];
        for (const std::int64_t each : integers_[m]) expected_sum_ += static_cast<std::uint64_t>(each);
      } else {
        chunk.type = segment::ColumnType::kDouble;
        chunk.doubles = values;
        for (const double each : values) expected_sum_ += std::bit_cast<std::uint64_t>(each);
      }
      chunks.push_back(chunk);
    }
    Must(writer->AddRows(times_, versions_, chunks));
  }

  void ReadBack(Bytes file, Sizes* sizes) const {
    const std::uint64_t size = file.size();
    MapCache cache;
    const auto reader = Must(segment::SegmentReader::Open(
        std::make_shared<segment::MemoryRangeReader>(std::move(file)), size, {.cache = &cache}));
    for (double* seconds : {&sizes->cold_seconds, &sizes->warm_seconds}) {
      const double started = Seconds();
      const std::uint64_t sum = ReadAll(*reader, kind_);
      *seconds += Seconds() - started;
      if (sum != expected_sum_) Fail(DataLoss("values read back differ from those written"));
    }
    sizes->light += cache.bytes();
  }

  const Plan plan_;
  const Kind kind_;
  const Shape shape_;
  const codec::Effort effort_;
  std::size_t day_ = 0;
  std::uint64_t expected_sum_ = 0;
  std::vector<std::vector<std::vector<double>>> walks_;
  std::vector<std::int64_t> times_;
  std::vector<std::int64_t> versions_;
  std::vector<std::vector<std::int64_t>> integers_;
};

void PrintRow(const Plan& plan, Kind kind, Shape shape, codec::Effort effort, double entropy_bits) {
  static constexpr std::string_view kKindNames[] = {"int", "int as bigint", "dec2", "double"};
  DayWriter writer(plan, kind, shape, effort);
  Sizes sizes;
  for (std::size_t day = 0; day < plan.days; ++day) writer.Write(day, &sizes);
  const auto values = static_cast<double>(plan.value_count());
  const auto per_value = [values](std::uint64_t bytes) { return static_cast<double>(bytes) / values; };
  const std::uint64_t rest = sizes.file - sizes.values - sizes.times - sizes.versions;
  fmt::print("{:<14}{:<8}{:<7}{:>8.4f} |{:>8.4f}{:>8.4f}{:>9.5f}{:>9.5f} |{:>8} |{:>8.3f} |{:>7.1f}{:>7.2f}{:>7.2f}\n",
             kKindNames[static_cast<std::size_t>(kind)], shape == Shape::kMulti ? "multi" : "single",
             effort == codec::Effort::kSmall ? "small" : "light", per_value(sizes.file),
             per_value(sizes.values), per_value(sizes.times), per_value(sizes.versions),
             per_value(rest), entropy_bits > 0 ? fmt::format("{:.4f}", entropy_bits / 8) : "-",
             per_value(sizes.light), sizes.write_seconds * 1e9 / values,
             sizes.cold_seconds * 1e9 / values, sizes.warm_seconds * 1e9 / values);
  std::fflush(stdout);
}

int Run(int argc, char** argv) {
  Plan plan;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const bool known = name == "--hosts" || name == "--days";
    const long value = known && i + 1 < argc ? std::atol(argv[i + 1]) : 0;
    if (value < 1 || value > 10'000) {
      fmt::print(stderr, "usage: tideline_sizes [--hosts 1..10000] [--days 1..10000]\n");
      return 2;
    }
    (name == "--hosts" ? plan.hosts : plan.days) = static_cast<std::size_t>(value);
  }
  fmt::print("{} hosts, {} days, {} values; bytes per value\n", plan.hosts, plan.days,
             plan.value_count());
  fmt::print("{:<14}{:<8}{:<7}{:>8} |{:>8}{:>8}{:>9}{:>9} |{:>8} |{:>8} |{:>7}{:>7}{:>7}\n", "data",
             "shape", "effort", "file", "values", "time", "version", "rest", "entropy", "cached",
             "write", "cold", "warm");
  for (const Kind kind : {Kind::kInt, Kind::kBigint, Kind::kDecimal, Kind::kDouble}) {
    const double entropy_bits = kind == Kind::kDouble ? 0 : StepEntropy(plan, kind);
    for (const Shape shape : {Shape::kMulti, Shape::kSingle}) {
      for (const codec::Effort effort : {codec::Effort::kLight, codec::Effort::kSmall}) {
        PrintRow(plan, kind, shape, effort, entropy_bits);
      }
    }
  }
  fmt::print("file = values + time + version + rest (series table, directories, zone maps, page "
             "checksums)\ncached: blocks as a cache holds them; write, cold (entropy stage decoded), "
             "warm: ns a value, one thread\n");
  return 0;
}

}  // namespace
}  // namespace tideline::bench

int main(int argc, char** argv) { return tideline::bench::Run(argc, argv); }
