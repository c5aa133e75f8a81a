#include "storage/codec/bins.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace tideline::codec {
namespace {

// What a bin costs in the header, about: two varints and a byte.
constexpr double kBinBits = 28;
// A range with fewer values than this stays one bin: at best a split saves what describing it costs.
constexpr std::size_t kSplitValuesMin = 12;
constexpr unsigned kRadixBits = 8;
constexpr std::size_t kRadixCount = std::size_t{1} << kRadixBits;
constexpr std::size_t kRadixValuesMin = 512;

void RadixSort(std::vector<std::uint64_t>* values) {
  if (values->size() < kRadixValuesMin) return std::sort(values->begin(), values->end());
  std::uint64_t any = 0;
  for (const std::uint64_t value : *values) any |= value;
  std::vector<std::uint64_t> other(values->size());
  for (unsigned shift = 0; shift < 64 && any >> shift != 0; shift += kRadixBits) {
    std::array<std::size_t, kRadixCount> at{};
    for (const std::uint64_t value : *values) ++at[(value >> shift) % kRadixCount];
    std::size_t sum = 0;
    for (std::size_t& each : at) sum += std::exchange(each, sum);
    for (const std::uint64_t value : *values) other[at[(value >> shift) % kRadixCount]++] = value;
    values->swap(other);
  }
}

class Divider {
 public:
  Divider(std::span<const std::uint64_t> sorted, double bin_bits)
      : sorted_(sorted), bin_bits_(bin_bits), total_(static_cast<double>(sorted.size())) {}

  // Appends the cheapest bins of sorted_[first, last) and returns their cost.
  double Divide(std::size_t first, std::size_t last) {
    const std::uint64_t least = sorted_[first];
    const std::uint64_t most = sorted_[last - 1];
    Bin whole;
    whole.lower = least;
    whole.count = static_cast<std::uint32_t>(last - first);
    whole.offset_bits = static_cast<unsigned>(std::bit_width(most - least));
    const double cost = CostOf(whole);
    const std::size_t start = bins_.size();
    if (whole.count >= kSplitValuesMin && most != least) {
      // Where the highest bit changes that differs at all.
      const auto bit = static_cast<unsigned>(std::bit_width(least ^ most)) - 1;
      const std::uint64_t middle = most >> bit << bit;
      const auto begin = sorted_.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = sorted_.begin() + static_cast<std::ptrdiff_t>(last);
      const auto split =
          static_cast<std::size_t>(std::lower_bound(begin, end, middle) - sorted_.begin());
      const double parts = Divide(first, split) + Divide(split, last);
      if (parts < cost) return parts;
      bins_.resize(start);
    }
    bins_.push_back(whole);
    return cost;
  }

  std::vector<Bin>& bins() { return bins_; }

 private:
  double CostOf(const Bin& bin) const {
    return bin.count * (bin.offset_bits + std::log2(total_ / bin.count)) + bin_bits_;
  }

  const std::span<const std::uint64_t> sorted_;
  const double bin_bits_;
  const double total_;
  std::vector<Bin> bins_;
};

}  // namespace

BinPlan PlanBins(std::vector<std::uint64_t>* values, std::size_t bins_max) {
  TL_CHECK(!values->empty() && bins_max >= 1);
  RadixSort(values);
  // Dearer bins are fewer; past the highest price any split is refused.
  for (double bin_bits = kBinBits;; bin_bits *= 4) {
    Divider divider(*values, bin_bits);
    const double bits = divider.Divide(0, values->size());
    const std::size_t count = divider.bins().size();
    if (count > bins_max) continue;
    return {std::move(divider.bins()), bits - static_cast<double>(count) * bin_bits};
  }
}

}  // namespace tideline::codec
