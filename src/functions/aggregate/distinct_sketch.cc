#include "functions/aggregate/distinct_sketch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace tideline::functions {
namespace {

constexpr std::size_t kExactMax = 512;
constexpr int kBitsMin = 4;
constexpr int kBitsMax = 16;
constexpr std::size_t kHeaderBytes = 3;

double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  double before;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}
double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  double before;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

Status NotASketch(std::string_view why) {
  return ExecutionFailed("Cannot read a sketch of distinct values: {}", why);
}

}  // namespace

DistinctSketch::DistinctSketch(double error) {
  const double registers = 1.04 / error * (1.04 / error);
  bits_ = std::clamp(static_cast<int>(std::ceil(std::log2(registers) - 0.01)), kBitsMin, kBitsMax);
}

void DistinctSketch::Add(std::uint64_t hash) {
  if (registers_.empty()) {
    exact_.insert(hash);
    if (exact_.size() > kExactMax) Spread();
    return;
  }
  const std::size_t index = hash >> (64 - bits_);
  const int rank = std::min(std::countl_zero(hash << bits_), 64 - bits_) + 1;
  registers_[index] = std::max(registers_[index], static_cast<std::uint8_t>(rank));
}

void DistinctSketch::Merge(const DistinctSketch& other) {
  if (other.bits_ < bits_) FoldTo(other.bits_);
  if (other.registers_.empty()) {
    for (const std::uint64_t hash : other.exact_) Add(hash);
    return;
  }
  if (registers_.empty()) Spread();
  if (other.bits_ > bits_) {
    DistinctSketch folded = other;
    folded.FoldTo(bits_);
    Merge(folded);
    return;
  }
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
}

std::int64_t DistinctSketch::Estimate() const {
  if (registers_.empty()) return static_cast<std::int64_t>(exact_.size());
  const int q = 64 - bits_;
  std::array<double, 66> counts{};
  for (const std::uint8_t rank : registers_) ++counts[rank];
  const auto m = static_cast<double>(registers_.size());
  double z = m * Tau(1 - counts[static_cast<std::size_t>(q + 1)] / m);
  for (int k = q; k >= 1; --k) z = 0.5 * (z + counts[static_cast<std::size_t>(k)]);
  z += m * Sigma(counts[0] / m);
  static constexpr double kAlpha = 0.7213475204444817;  // 1 / (2 ln 2)
  return std::llround(kAlpha * m * m / z);
}

void DistinctSketch::Spread() {
  registers_.resize(std::size_t{1} << bits_);
  const auto hashes = std::move(exact_);
  exact_.clear();
  for (const std::uint64_t hash : hashes) Add(hash);
}

// A register of b bits becomes one of b - 1: the lowest bit of its number joins the bits whose
// leading zeros are counted.
void DistinctSketch::FoldTo(int bits) {
  if (registers_.empty()) {
    bits_ = bits;
    return;
  }
  for (; bits_ > bits; --bits_) {
    std::vector<std::uint8_t> folded(registers_.size() / 2);
    for (std::size_t i = 0; i < registers_.size(); ++i) {
      if (registers_[i] == 0) continue;
      const std::uint8_t rank =
          (i & 1) != 0 ? std::uint8_t{1} : static_cast<std::uint8_t>(registers_[i] + 1);
      folded[i / 2] = std::max(folded[i / 2], rank);
    }
    registers_ = std::move(folded);
  }
}

void DistinctSketch::AppendTo(std::string* out) const {
  out->push_back(static_cast<char>(kDistinctSketchVersion));
  out->push_back(static_cast<char>(bits_));
  out->push_back(registers_.empty() ? 0 : 1);
  if (!registers_.empty()) {
    out->append(reinterpret_cast<const char*>(registers_.data()), registers_.size());
    return;
  }
  std::vector<std::uint64_t> hashes(exact_.begin(), exact_.end());
  std::sort(hashes.begin(), hashes.end());
  for (const std::uint64_t hash : hashes) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      out->push_back(static_cast<char>((hash >> shift) & 0xff));
    }
  }
}

Result<DistinctSketch> DistinctSketch::Parse(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return NotASketch("it is too short");
  if (static_cast<std::uint8_t>(bytes[0]) != kDistinctSketchVersion) {
    return NotASketch("its version is unknown");
  }
  DistinctSketch sketch;
  sketch.bits_ = static_cast<std::uint8_t>(bytes[1]);
  if (sketch.bits_ < kBitsMin || sketch.bits_ > kBitsMax) return NotASketch("its size is wrong");
  const std::string_view rest = bytes.substr(kHeaderBytes);
  if (bytes[2] == 1) {
    if (rest.size() != std::size_t{1} << sketch.bits_) return NotASketch("its length is wrong");
    sketch.registers_.assign(rest.begin(), rest.end());
    const int rank_max = 64 - sketch.bits_ + 1;
    for (const std::uint8_t rank : sketch.registers_) {
      if (rank > rank_max) return NotASketch("a register is out of range");
    }
    return sketch;
  }
  if (bytes[2] != 0 || rest.size() % 8 != 0 || rest.size() / 8 > kExactMax) {
    return NotASketch("its length is wrong");
  }
  for (std::size_t i = 0; i < rest.size(); i += 8) {
    std::uint64_t hash = 0;
    for (std::size_t k = 0; k < 8; ++k) hash = hash << 8 | static_cast<std::uint8_t>(rest[i + k]);
    sketch.exact_.insert(hash);
  }
  return sketch;
}

Status CheckDistinctError(double error) {
  if (error >= kDistinctErrorMin && error <= kDistinctErrorMax) return OkStatus();
  return ExecutionFailed("Standard error must be between {} and {}: {}", kDistinctErrorMin,
                         kDistinctErrorMax, error);
}

}  // namespace tideline::functions
