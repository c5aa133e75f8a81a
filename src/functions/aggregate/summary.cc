// functions/aggregate/summary.cc: many rows in a few words: checksum, entropy, listagg,
// numeric_histogram, approx_most_frequent.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>

#include "functions/aggregate/key_table.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

// ---- checksum -------------------------------------------------------------------------------

constexpr std::uint64_t kChecksumPrime = 0x9E3779B185EBCA87U;

struct ChecksumState {
  std::uint64_t sum = 0;
  bool any = false;
};
// A sum does not mind the order of its terms.
struct Checksum {
  using State = ChecksumState;
  static Status Add(const KernelContext&, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    state.any = true;
    state.sum +=
        arguments[0].IsNull(row) ? kChecksumPrime : HashRow(arguments[0], row) * kChecksumPrime;
    return OkStatus();
  }
  static Status Merge(const KernelContext&, State& into, State& from) {
    into.sum += from.sum;
    into.any |= from.any;
    return OkStatus();
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (!state.any) {
      result->SetNull(row);
      return OkStatus();
    }
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>((state.sum >> (56 - 8 * i)) & 0xff);
    result->SetString(row, {bytes, sizeof(bytes)});
    return OkStatus();
  }
};
constexpr AggregateOverload kChecksumOverloads[] = {
    AggregateRows<Checksum>::Overload("(T) -> varbinary")};
constexpr AggregateFunction kChecksum{
    .name = "checksum",
    .overloads = kChecksumOverloads,
    .skips_nulls = false,
    .doc = {"aggregate", "Eight bytes that do not depend on the order of the values.",
            "SELECT length(checksum(x)) FROM (VALUES 1, 2) AS t(x)", "8"}};
TL_REGISTER_AGGREGATE(kChecksum);

// ---- entropy --------------------------------------------------------------------------------

struct EntropyState {
  double sum = 0;       // of counts c
  double weighted = 0;  // of c * log2(c)
};
// H = log2(sum) - sum(c log2 c) / sum, for counts taken as frequencies.
struct Entropy {
  using State = EntropyState;
  static Status Add(const KernelContext&, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    const double count = Reader<double>(arguments[0])[row];
    if (!(count >= 0)) return ExecutionFailed("Entropy count argument must be non-negative");
    if (count == 0) return OkStatus();
    state.sum += count;
    state.weighted += count * std::log2(count);
    return OkStatus();
  }
  static Status Merge(const KernelContext&, State& into, State& from) {
    into.sum += from.sum;
    into.weighted += from.weighted;
    return OkStatus();
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    result->mutable_values<double>()[row] =
        state.sum > 0 ? std::max(0.0, std::log2(state.sum) - state.weighted / state.sum) : 0.0;
    return OkStatus();
  }
};
constexpr AggregateOverload kEntropyOverloads[] = {
    AggregateRows<Entropy>::Overload("(double) -> double")};
constexpr AggregateFunction kEntropy{
    .name = "entropy",
    .overloads = kEntropyOverloads,
    .doc = {"aggregate", "The entropy, in bits, of counts of outcomes.",
            "SELECT entropy(c) FROM (VALUES 1, 1, 2) AS t(c)", "1.5"}};
TL_REGISTER_AGGREGATE(kEntropy);

// ---- listagg --------------------------------------------------------------------------------

struct ListaggState {
  std::string text;
  std::string separator;
  bool any = false;
  StateMemory memory;
};
struct Listagg {
  using State = ListaggState;
  static Status Append(const KernelContext& context, State& state, std::string_view text) {
    if (state.any) state.text.append(state.separator);
    state.any = true;
    state.text.append(text);
    return state.memory.Hold(context, state.text.size());
  }
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    if (!state.any && arguments.size() > 1) {
      state.separator = Reader<StringRef>(arguments[1])[row].view();
    }
    return Append(context, state, Reader<StringRef>(arguments[0])[row].view());
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    if (!from.any) return OkStatus();
    if (!into.any) into.separator = from.separator;
    return Append(context, into, from.text);
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.any) {
      result->SetString(row, state.text);
    } else {
      result->SetNull(row);
    }
    return OkStatus();
  }
};
constexpr AggregateOverload kListaggOverloads[] = {
    AggregateRows<Listagg>::Overload("(varchar) -> varchar"),
    AggregateRows<Listagg>::Overload("(varchar, varchar) -> varchar")};
constexpr AggregateFunction kListagg{
    .name = "listagg",
    .overloads = kListaggOverloads,
    .order_sensitive = true,
    .doc = {"aggregate", "The texts one after the other, with a separator between them.",
            "SELECT listagg(x, ', ' ORDER BY x) FROM (VALUES 'b', 'a') AS t(x)", "a, b"}};
TL_REGISTER_AGGREGATE(kListagg);

// ---- numeric_histogram ----------------------------------------------------------------------

constexpr I64 kHistogramBucketsMax = 10'000;

struct Bucket {
  double value;
  double weight;
};
struct NumericHistogramState {
  I64 buckets_max = 0;
  std::vector<Bucket> buckets;
  StateMemory memory;
};

// Merges the two buckets nearest to each other until `count` are left. The nearest pair comes from
// a heap of gaps whose stale entries are told by a changed neighbour.
void MergeNearest(std::size_t count, std::vector<Bucket>* buckets) {
  std::sort(buckets->begin(), buckets->end(),
            [](const Bucket& a, const Bucket& b) { return a.value < b.value; });
  struct Gap {
    double width;
    std::size_t left;
    std::size_t right;
    double left_value;
    double right_value;
    bool operator<(const Gap& other) const {  // the least on top, leftmost first
      return width != other.width ? width > other.width : left > other.left;
    }
  };
  const std::size_t size = buckets->size();
  std::vector<std::size_t> next(size);
  std::vector<std::size_t> previous(size);
  std::vector<bool> alive(size, true);
  std::priority_queue<Gap> gaps;
  const auto push = [&](std::size_t left, std::size_t right) {
    const double a = (*buckets)[left].value;
    const double b = (*buckets)[right].value;
    gaps.push({b - a, left, right, a, b});
  };
  for (std::size_t i = 0; i < size; ++i) {
    next[i] = i + 1;
    previous[i] = i == 0 ? size : i - 1;
    if (i > 0) push(i - 1, i);
  }
  // Equal values always share a bucket.
  for (std::size_t left_over = size; !gaps.empty();) {
    const Gap gap = gaps.top();
    gaps.pop();
    if (gap.width > 0 && left_over <= count) break;
    if (!alive[gap.left] || !alive[gap.right] || next[gap.left] != gap.right ||
        (*buckets)[gap.left].value != gap.left_value ||
        (*buckets)[gap.right].value != gap.right_value) {
      continue;
    }
    Bucket& into = (*buckets)[gap.left];
    const Bucket& from = (*buckets)[gap.right];
    const double weight = into.weight + from.weight;
    if (into.value != from.value) {
      into.value = (into.value * into.weight + from.value * from.weight) / weight;
    }
    into.weight = weight;
    alive[gap.right] = false;
    --left_over;
    next[gap.left] = next[gap.right];
    if (next[gap.left] < size) {
      previous[next[gap.left]] = gap.left;
      push(gap.left, next[gap.left]);
    }
    if (previous[gap.left] < size) push(previous[gap.left], gap.left);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (alive[i]) (*buckets)[kept++] = (*buckets)[i];
  }
  buckets->resize(kept);
}

// Source: Ben-Haim and Tom-Tov, "A Streaming Parallel Decision Tree Algorithm", JMLR 11, 2010,
// section 2.1. Departure: buckets are merged when twice as many have gathered, not one by one.
struct NumericHistogram {
  using State = NumericHistogramState;
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    const I64 buckets_max = Reader<I64>(arguments[0])[row];
    if (buckets_max < 2) {
      return ExecutionFailed("numeric_histogram bucket count must be greater than one");
    }
    if (buckets_max > kHistogramBucketsMax) {
      return ExecutionFailed("numeric_histogram bucket count {} is above {}", buckets_max,
                             kHistogramBucketsMax);
    }
    state.buckets_max = buckets_max;
    const double value = Reader<double>(arguments[1])[row];
    const double weight = arguments.size() > 2 ? Reader<double>(arguments[2])[row] : 1;
    if (!std::isfinite(value)) return ExecutionFailed("values must be finite");
    if (!(weight > 0) || !std::isfinite(weight)) {
      return ExecutionFailed("weights must be finite and greater than 0");
    }
    state.buckets.push_back({value, weight});
    return Settle(context, state);
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    into.buckets_max = std::max(into.buckets_max, from.buckets_max);
    into.buckets.insert(into.buckets.end(), from.buckets.begin(), from.buckets.end());
    return Settle(context, into);
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.buckets.empty()) {
      result->SetNull(row);
      return OkStatus();
    }
    MergeNearest(static_cast<std::size_t>(state.buckets_max), &state.buckets);
    Vector values = Vector::Flat(Type::Double(), state.buckets.size());
    Vector weights = Vector::Flat(Type::Double(), state.buckets.size());
    for (std::size_t i = 0; i < state.buckets.size(); ++i) {
      values.mutable_values<double>()[i] = state.buckets[i].value;
      weights.mutable_values<double>()[i] = state.buckets[i].weight;
    }
    const Vector* const children[] = {&values, &weights};
    PutChildren(children, row, result);
    return OkStatus();
  }

 private:
  static Status Settle(const KernelContext& context, State& state) {
    static constexpr std::size_t kGatheredMin = 64;
    const auto buckets_max = static_cast<std::size_t>(state.buckets_max);
    if (state.buckets.size() > std::max(2 * buckets_max, kGatheredMin)) {
      MergeNearest(buckets_max, &state.buckets);
    }
    return state.memory.Hold(context, state.buckets.capacity() * sizeof(Bucket));
  }
};
constexpr AggregateOverload kNumericHistogramOverloads[] = {
    AggregateRows<NumericHistogram>::Overload("(bigint, double) -> map(double, double)"),
    AggregateRows<NumericHistogram>::Overload("(bigint, double, double) -> map(double, double)")};
constexpr AggregateFunction kNumericHistogram{
    .name = "numeric_histogram",
    .overloads = kNumericHistogramOverloads,
    .order_sensitive = true,
    .doc = {"aggregate", "About n buckets: the mean of each and how many (or how heavy) it holds.",
            "SELECT numeric_histogram(2, x) FROM (VALUES 1, 2, 10, 12) AS t(x)",
            "{1.5=2.0, 11.0=2.0}"}};
TL_REGISTER_AGGREGATE(kNumericHistogram);

// ---- approx_most_frequent -------------------------------------------------------------------

constexpr I64 kFrequentCapacityMax = 1'000'000;

struct FrequentState {
  I64 buckets = 0;
  I64 capacity = 0;
  KeyTable keys;
  std::vector<I64> counts;
  StateMemory memory;
};

// Source: Misra and Gries, "Finding repeated elements", 1982, merged as Agarwal et al., "Mergeable
// Summaries", PODS 2012, section 2. Departure: counters are cut back when twice the capacity have
// gathered. A count is too low by at most rows / capacity, and exact up to `capacity` values.
struct MostFrequent {
  using State = FrequentState;
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    const I64 buckets = Reader<I64>(arguments[0])[row];
    const I64 capacity = Reader<I64>(arguments[2])[row];
    if (buckets < 2) {
      return ExecutionFailed("approx_most_frequent bucket count must be greater than one");
    }
    if (capacity < 1 || capacity > kFrequentCapacityMax) {
      return ExecutionFailed("approx_most_frequent capacity {} is not in [1, {}]", capacity,
                             kFrequentCapacityMax);
    }
    state.buckets = buckets;
    state.capacity = capacity;
    return Put(context, state, arguments[1], row, 1);
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    into.buckets = std::max(into.buckets, from.buckets);
    into.capacity = std::max(into.capacity, from.capacity);
    for (std::size_t i = 0; i < from.counts.size(); ++i) {
      TL_TRY(Put(context, into, from.keys.values(), i, from.counts[i]));
    }
    return OkStatus();
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.counts.empty()) {
      result->SetNull(row);
      return OkStatus();
    }
    std::vector<std::uint32_t> order = ByCount(state);
    order.resize(std::min(order.size(), static_cast<std::size_t>(state.buckets)));
    Vector counts = Vector::Flat(Type::Bigint(), order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      counts.mutable_values<I64>()[i] = state.counts[order[i]];
    }
    const Vector keys = state.keys.values().Slice(order).Flatten();
    const Vector* const children[] = {&keys, &counts};
    PutChildren(children, row, result);
    return OkStatus();
  }

 private:
  // Most frequent first, of equals the first seen.
  static std::vector<std::uint32_t> ByCount(const State& state) {
    std::vector<std::uint32_t> order(state.counts.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return state.counts[a] > state.counts[b];
    });
    return order;
  }
  static Status Put(const KernelContext& context, State& state, const Vector& key, std::size_t row,
                    I64 count) {
    const std::uint32_t number = state.keys.FindOrAdd(key, row);
    if (number == state.counts.size()) state.counts.push_back(0);
    state.counts[number] += count;
    if (state.counts.size() >= 2 * static_cast<std::size_t>(state.capacity) + 8) CutBack(state);
    return state.memory.Hold(context,
                             state.keys.memory_bytes() + state.counts.size() * sizeof(I64));
  }
  // Takes the count just below the capacity from all; those that reach zero go.
  static void CutBack(State& state) {
    const std::vector<std::uint32_t> order = ByCount(state);
    const I64 cut = state.counts[order[static_cast<std::size_t>(state.capacity)]];
    KeyTable keys;
    std::vector<I64> counts;
    for (std::size_t i = 0; i < static_cast<std::size_t>(state.capacity); ++i) {
      if (state.counts[order[i]] <= cut) break;
      keys.FindOrAdd(state.keys.values(), order[i]);
      counts.push_back(state.counts[order[i]] - cut);
    }
    state.keys = std::move(keys);
    state.counts = std::move(counts);
  }
};
constexpr AggregateOverload kMostFrequentOverloads[] = {
    AggregateRows<MostFrequent>::Overload("(bigint, T:comparable, bigint) -> map(T, bigint)")};
constexpr AggregateFunction kMostFrequent{
    .name = "approx_most_frequent",
    .overloads = kMostFrequentOverloads,
    .order_sensitive = true,
    .doc = {"aggregate",
            "About the n most frequent values with their counts, from a number of "
            "counters.",
            "SELECT approx_most_frequent(2, x, 10) FROM (VALUES 7, 7, 7, 8, 8, 9) AS t(x)",
            "{7=3, 8=2}"}};
TL_REGISTER_AGGREGATE(kMostFrequent);

}  // namespace
}  // namespace tideline::functions
