// functions/aggregate/approx_percentile.cc: quantiles, exact while few values came, then a sketch.
//
// Source: Karnin, Lang and Liberty, "Optimal Quantile Approximation in Streams", FOCS 2016 (KLL).
// Level i holds items that stand for 2^i values each. Up to kExactItemsMax items nothing is
// compacted and every answer is exact; past it a full level is sorted and every other item moves
// up. With kWidth the rank error is below 1 % with far more than 99 % probability, whatever the
// order of values and merges.
//
// The answer for p over total weight W: the smallest value whose cumulative weight is strictly
// greater than p * W, else the largest value.
#include <algorithm>
#include <cmath>
#include <memory>

#include "functions/aggregate/aggregate.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

constexpr std::size_t kExactItemsMax = 16'384;
constexpr std::size_t kWidth = 2'048;
constexpr std::size_t kWidthMax = 65'536;
constexpr std::size_t kLevelsMax = 62;

template <typename T>
class QuantileSketch {
 public:
  void Narrow(double accuracy) {
    width_ = static_cast<std::size_t>(
        std::clamp(4.0 / accuracy, static_cast<double>(kWidth), static_cast<double>(kWidthMax)));
  }
  // A weight is the sum of powers of two, each of which is one item of a level.
  void Add(T value, std::uint64_t weight) {
    total_ += weight;
    max_ = items_ == 0 || max_ < value ? value : max_;
    for (std::size_t level = 0; weight != 0; ++level, weight >>= 1) {
      if ((weight & 1) == 0) continue;
      Level(level).push_back(value);
      ++items_;
    }
    if (items_ > limit_) Compact();
  }
  void Merge(const QuantileSketch& other) {
    if (other.items_ == 0) return;
    max_ = items_ == 0 || max_ < other.max_ ? other.max_ : max_;
    for (std::size_t i = 0; i < other.levels_.size(); ++i) {
      auto& mine = Level(i);
      mine.insert(mine.end(), other.levels_[i].begin(), other.levels_[i].end());
    }
    items_ += other.items_;
    total_ += other.total_;
    width_ = std::max(width_, other.width_);
    if (items_ > limit_) Compact();
  }
  bool empty() const { return items_ == 0; }
  std::size_t bytes() const { return items_ * sizeof(T) * 2; }

  std::vector<std::pair<T, std::uint64_t>> Sorted() const {
    std::vector<std::pair<T, std::uint64_t>> sorted;
    sorted.reserve(items_);
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      for (const T value : levels_[i]) sorted.emplace_back(value, std::uint64_t{1} << i);
    }
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }
  T At(const std::vector<std::pair<T, std::uint64_t>>& sorted, double p) const {
    const double rank = p * static_cast<double>(total_);
    std::uint64_t seen = 0;
    for (const auto& [value, weight] : sorted) {
      seen += weight;
      if (static_cast<double>(seen) > rank) return value;
    }
    return max_;
  }

 private:
  std::vector<T>& Level(std::size_t level) {
    if (levels_.size() <= level) levels_.resize(level + 1);
    return levels_[level];
  }
  std::size_t Capacity(std::size_t level) const {
    const double depth = static_cast<double>(levels_.size() - 1 - level);
    return std::max<std::size_t>(
        8, static_cast<std::size_t>(static_cast<double>(width_) * std::pow(2.0 / 3, depth)));
  }
  void Compact() {
    for (std::size_t level = 0; level < levels_.size() && level < kLevelsMax; ++level) {
      if (levels_[level].size() <= Capacity(level)) continue;
      std::vector<T> full;
      full.swap(levels_[level]);
      std::sort(full.begin(), full.end());
      // An odd item out stays; of the rest the even or the odd half moves up, by a coin.
      if (full.size() % 2 == 1) {
        levels_[level].push_back(full.back());
        full.pop_back();
      }
      auto& above = Level(level + 1);
      for (std::size_t i = Coin(); i < full.size(); i += 2) above.push_back(full[i]);
      items_ -= full.size() / 2;
    }
    limit_ = std::max(kExactItemsMax, items_ + width_);
  }
  std::size_t Coin() {  // xorshift64
    coin_ ^= coin_ << 13;
    coin_ ^= coin_ >> 7;
    coin_ ^= coin_ << 17;
    return (coin_ >> 32) & 1;
  }

  std::vector<std::vector<T>> levels_;
  std::size_t items_ = 0;
  std::size_t limit_ = kExactItemsMax;
  std::size_t width_ = kWidth;
  std::uint64_t total_ = 0;
  T max_{};
  std::uint64_t coin_ = 0x9e3779b97f4a7c15U;
};

template <typename T>
struct PercentileState {
  std::unique_ptr<QuantileSketch<T>> sketch;
  std::vector<double> percentiles;
  StateMemory memory;
};

// Arguments: value[, weight], percentile or array of percentiles[, accuracy].
template <typename T, bool weighted, bool many, bool accurate = false>
struct Percentile {
  using State = PercentileState<T>;

  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    return AddAll(context, state, arguments, Selection::Of(std::span(&row, 1)));
  }

  static Status AddAll(const KernelContext& context, State& state,
                       std::span<const Vector> arguments, const Selection& rows) {
    if (rows.empty()) return OkStatus();
    if (state.sketch == nullptr) TL_TRY(Begin(state, arguments, rows[0]));
    const Reader<T> values(arguments[0]);
    const Reader<std::int64_t> weights(arguments[weighted ? 1 : 0]);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const T value = values[rows[i]];
      if constexpr (std::is_same_v<T, double>) {
        if (std::isnan(value)) return ExecutionFailed("approx_percentile does not support NaN");
      }
      std::uint64_t weight = 1;
      if constexpr (weighted) {
        if (weights[rows[i]] < 1) return ExecutionFailed("percentile weight must be > 0");
        weight = static_cast<std::uint64_t>(weights[rows[i]]);
      }
      state.sketch->Add(value, weight);
    }
    return state.memory.Hold(context, state.sketch->bytes());
  }

  static Status Merge(const KernelContext& context, State& into, State& from) {
    if (from.sketch == nullptr) return OkStatus();
    if (into.sketch == nullptr) {
      into.sketch = std::move(from.sketch);
      into.percentiles = std::move(from.percentiles);
    } else {
      into.sketch->Merge(*from.sketch);
    }
    return into.memory.Hold(context, into.sketch->bytes());
  }

  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.sketch == nullptr) {
      result->SetNull(row);
      return OkStatus();
    }
    const auto sorted = state.sketch->Sorted();
    if constexpr (!many) {
      result->mutable_values<T>()[row] = state.sketch->At(sorted, state.percentiles[0]);
    } else {
      Vector answers = Vector::Flat(result->type().element(), state.percentiles.size());
      for (std::size_t i = 0; i < state.percentiles.size(); ++i) {
        answers.mutable_values<T>()[i] = state.sketch->At(sorted, state.percentiles[i]);
      }
      result->mutable_values<ListEntry>()[row] = {
          static_cast<std::uint32_t>(result->child(0).size()),
          static_cast<std::uint32_t>(answers.size())};
      result->mutable_child(0).Append(answers, Selection::All(answers.size()));
    }
    return OkStatus();
  }

 private:
  static Status Begin(State& state, std::span<const Vector> arguments, std::uint32_t row) {
    const Vector& wanted = arguments[weighted ? 2 : 1];
    if constexpr (many) {
      const ListEntry entry = wanted.base().values<ListEntry>()[wanted.Index(row)];
      const Vector& list = wanted.child(0);
      const Reader<double> reader(list);
      for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
        if (list.IsNull(i)) return ExecutionFailed("Percentile cannot be null");
        state.percentiles.push_back(reader[i]);
      }
    } else {
      state.percentiles.push_back(Reader<double>(wanted)[row]);
    }
    for (const double p : state.percentiles) {
      if (!(p >= 0 && p <= 1)) return ExecutionFailed("Percentile must be between 0 and 1");
    }
    state.sketch = std::make_unique<QuantileSketch<T>>();
    if constexpr (accurate) {
      const double accuracy = Reader<double>(arguments[weighted ? 3 : 2])[row];
      if (!(accuracy > 0 && accuracy < 1)) {
        return ExecutionFailed("Percentile accuracy must be strictly between 0 and 1");
      }
      state.sketch->Narrow(accuracy);
    }
    return OkStatus();
  }
};

using I64 = std::int64_t;
using I32 = std::int32_t;
template <typename T, bool weighted, bool many, bool accurate = false>
constexpr AggregateOverload PercentileOverload(std::string_view signature) {
  return AggregateRows<Percentile<T, weighted, many, accurate>>::Overload(signature);
}

constexpr AggregateOverload kApproxPercentileOverloads[] = {
    PercentileOverload<double, false, false>("(double, double) -> double"),
    PercentileOverload<I64, false, false>("(bigint, double) -> bigint"),
    PercentileOverload<I32, false, false>("(integer, double) -> integer"),
    PercentileOverload<double, false, true>("(double, array(double)) -> array(double)"),
    PercentileOverload<I64, false, true>("(bigint, array(double)) -> array(bigint)"),
    PercentileOverload<I32, false, true>("(integer, array(double)) -> array(integer)"),
    PercentileOverload<double, true, false>("(double, bigint, double) -> double"),
    PercentileOverload<I64, true, false>("(bigint, bigint, double) -> bigint"),
    PercentileOverload<I32, true, false>("(integer, bigint, double) -> integer"),
    PercentileOverload<double, true, true>("(double, bigint, array(double)) -> array(double)"),
    PercentileOverload<I64, true, true>("(bigint, bigint, array(double)) -> array(bigint)"),
    PercentileOverload<I32, true, true>("(integer, bigint, array(double)) -> array(integer)"),
    PercentileOverload<double, true, false, true>("(double, bigint, double, double) -> double"),
    PercentileOverload<I64, true, false, true>("(bigint, bigint, double, double) -> bigint"),
    PercentileOverload<I32, true, false, true>("(integer, bigint, double, double) -> integer"),
};
constexpr AggregateFunction kApproxPercentile{
    .name = "approx_percentile",
    .overloads = kApproxPercentileOverloads,
    .doc = {"aggregate", "The value at a percentile (0 to 1), or the values at several.",
            "SELECT approx_percentile(x, 0.5) FROM (VALUES 1, 2, 3, 4) AS t(x)", "3"}};
TL_REGISTER_AGGREGATE(kApproxPercentile);

}  // namespace
}  // namespace tideline::functions
