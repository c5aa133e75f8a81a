#include "base/random.h"

#include <sys/random.h>

#include <fmt/format.h>

#include "base/check.h"

namespace tideline {
namespace {
std::uint64_t Rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    word = z ^ (z >> 31);
  }
}

Random Random::FromSystem() {
  std::uint64_t seed = 0;
  TL_CHECK(getrandom(&seed, sizeof(seed), 0) == sizeof(seed));
  return Random(seed);
}

std::uint64_t Random::Next() {
  const std::uint64_t result = Rotate(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = Rotate(state_[3], 45);
  return result;
}

std::uint64_t Random::Below(std::uint64_t bound) {
  TL_CHECK(bound > 0);
  // Lemire, "Fast random integer generation in an interval", 2019, with its rejection step.
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(Next()) * bound;
  auto low = static_cast<std::uint64_t>(product);
  if (low < bound) {
    const std::uint64_t threshold = (~bound + 1) % bound;
    while (low < threshold) {
      product = static_cast<Wide>(Next()) * bound;
      low = static_cast<std::uint64_t>(product);
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double Random::NextDouble() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

std::string Random::Text(std::size_t count, std::string_view alphabet) {
  std::string text(count, '\0');
  for (char& c : text) c = alphabet[Below(alphabet.size())];
  return text;
}

std::string Random::Uuid() {
  const std::uint64_t high = (Next() & ~std::uint64_t{0xf000}) | 0x4000;
  const std::uint64_t low = (Next() & 0x3fffffffffffffffU) | 0x8000000000000000U;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffffffffffffU);
}

}  // namespace tideline
