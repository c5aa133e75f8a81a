#include "storage/codec/bit_packing.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/kernel_targets.h"
#include "base/wide_vector.h"

namespace tideline::codec {
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kLaneRows = kSliceValues / kLanes;
static_assert(kLaneRows == 64, "a lane of one-bit values is exactly one word");

constexpr std::uint64_t MaskOf(unsigned width) {
  return width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

// What a value's bits become: `base` is added, and a decimal's double is then freed of the magic number
// that base brought with it, and scaled.
template <std::size_t register_bytes, bool is_decimal>
struct Finisher {
  using Wide = typename WideVector<register_bytes>::Type;
  using Doubles = typename WideVector<register_bytes>::Doubles;
  Wide mask;
  Wide base;
  Doubles magic;
  Doubles power;
  Doubles inverse;

  TL_ALWAYS_INLINE void Store(const Wide& bits, std::byte* target) const {
    const Wide value = (bits & mask) + base;
    if constexpr (is_decimal) {
      Doubles number;
      std::memcpy(&number, &value, register_bytes);
      const Doubles scaled = (number - magic) * power * inverse;
      std::memcpy(target, &scaled, register_bytes);
    } else {
      std::memcpy(target, &value, register_bytes);
    }
  }
};

// 0 < width <= 64. Most values end in the word they begin in and take one load.
template <std::size_t register_bytes, typename Finish>
TL_ALWAYS_INLINE void UnpackRows(const std::byte* packed, unsigned width, const Finish& finish,
                                 std::byte* target) {
  using Wide = typename WideVector<register_bytes>::Type;
  constexpr std::size_t kRowBytes = kLanes * sizeof(std::uint64_t);
  for (std::size_t row = 0; row < kLaneRows; ++row, target += kRowBytes) {
    const std::size_t bit = row * width;
    const unsigned shift = bit % 64;
    const std::byte* low = packed + bit / 64 * kRowBytes;
    if (shift + width <= 64) {
#pragma GCC unroll 8
      for (std::size_t at = 0; at < kRowBytes; at += register_bytes) {
        Wide bits;
        std::memcpy(&bits, low + at, register_bytes);
        bits >>= shift;
        finish.Store(bits, target + at);
      }
    } else {
#pragma GCC unroll 8
      for (std::size_t at = 0; at < kRowBytes; at += register_bytes) {
        Wide bits;
        Wide high;
        std::memcpy(&bits, low + at, register_bytes);
        std::memcpy(&high, low + kRowBytes + at, register_bytes);
        bits = (bits >> shift) | (high << (64 - shift));
        finish.Store(bits, target + at);
      }
    }
  }
}

template <std::size_t register_bytes>
TL_ALWAYS_INLINE void UnpackSliceBody(const std::byte* packed, unsigned width, std::uint64_t base,
                                      std::int64_t* out) {
  using Finish = Finisher<register_bytes, false>;
  Finish finish;
  finish.mask = typename Finish::Wide{} + MaskOf(width);
  finish.base = typename Finish::Wide{} + base;
  UnpackRows<register_bytes>(packed, width, finish, reinterpret_cast<std::byte*>(out));
}
TL_WIDE_KERNEL(UnpackSlice, UnpackSliceBody,
               (const std::byte* packed, unsigned width, std::uint64_t base, std::int64_t* out),
               (packed, width, base, out))

template <std::size_t register_bytes>
TL_ALWAYS_INLINE void UnpackDecimalsBody(const std::byte* packed, unsigned width,
                                         std::uint64_t base, const DecimalScale& scale,
                                         double* out) {
  using Finish = Finisher<register_bytes, true>;
  using Doubles = typename Finish::Doubles;
  Finish finish;
  finish.mask = typename Finish::Wide{} + MaskOf(width);
  finish.base = typename Finish::Wide{} + (base + std::bit_cast<std::uint64_t>(scale.magic));
  finish.magic = Doubles{} + scale.magic;
  finish.power = Doubles{} + scale.power;
  finish.inverse = Doubles{} + scale.inverse;
  UnpackRows<register_bytes>(packed, width, finish, reinterpret_cast<std::byte*>(out));
}
TL_WIDE_KERNEL(UnpackDecimalsKernel, UnpackDecimalsBody,
               (const std::byte* packed, unsigned width, std::uint64_t base,
                const DecimalScale& scale, double* out),
               (packed, width, base, scale, out))

// 0 < width <= 64. Each lane fills a word, from the low end, and stores it when it is full.
template <std::size_t register_bytes>
TL_ALWAYS_INLINE void PackSliceBody(const std::uint64_t* values, std::uint64_t base, unsigned width,
                                    std::byte* out) {
  using Wide = typename WideVector<register_bytes>::Type;
  constexpr std::size_t kRowBytes = kLanes * sizeof(std::uint64_t);
  constexpr std::size_t kParts = kRowBytes / register_bytes;
  const Wide bases = Wide{} + base;
  Wide words[kParts] = {};
  const auto* source = reinterpret_cast<const std::byte*>(values);
  unsigned shift = 0;
  for (std::size_t row = 0; row < kLaneRows; ++row, source += kRowBytes) {
    const bool is_full = shift + width >= 64;
    const unsigned used = 64 - shift;  // 1 to 64 bits of a value fit in
#pragma GCC unroll 8
    for (std::size_t part = 0; part < kParts; ++part) {
      Wide value;
      std::memcpy(&value, source + part * register_bytes, register_bytes);
      value -= bases;
      words[part] |= value << shift;
      if (is_full) {
        std::memcpy(out + part * register_bytes, &words[part], register_bytes);
        words[part] = used == 64 ? Wide{} : value >> used % 64;
      }
    }
    if (is_full) out += kRowBytes;
    shift = (shift + width) % 64;
  }
}
TL_WIDE_KERNEL(PackSlice, PackSliceBody,
               (const std::uint64_t* values, std::uint64_t base, unsigned width, std::byte* out),
               (values, base, width, out))

void PackStream(std::span<const std::uint64_t> values, std::uint64_t base, unsigned width,
                std::byte* out) {
  std::uint64_t pending = 0;
  unsigned pending_bits = 0;
  const auto put = [&out](std::uint64_t word, std::size_t bytes) {
    std::memcpy(out, &word, bytes);
    out += bytes;
  };
  for (const std::uint64_t each : values) {
    const std::uint64_t value = each - base;
    pending |= value << pending_bits;
    const unsigned total = pending_bits + width;
    if (total < 64) {
      pending_bits = total;
      continue;
    }
    put(pending, 8);
    const unsigned used = 64 - pending_bits;
    pending = used >= 64 ? 0 : value >> used;
    pending_bits = total - 64;
  }
  put(pending, (pending_bits + 7) / 8);
}

void UnpackStream(BytesView packed, unsigned width, std::uint64_t base,
                  std::span<std::int64_t> out) {
  // A copy with zeros behind it, so that every value may read nine bytes.
  std::array<std::byte, kSliceValues * 8 + 16> padded;
  const std::size_t bytes = PackedBytes(out.size(), width);
  std::memcpy(padded.data(), packed.data(), bytes);
  std::memset(padded.data() + bytes, 0, 16);
  const std::uint64_t mask = MaskOf(width);
  std::size_t bit = 0;
  for (std::int64_t& value : out) {
    const std::byte* at = padded.data() + bit / 8;
    const unsigned shift = bit % 8;
    std::uint64_t low;
    std::memcpy(&low, at, sizeof(low));
    const std::uint64_t high = (static_cast<std::uint64_t>(at[8]) << (63 - shift)) << 1;
    value = static_cast<std::int64_t>(base + (((low >> shift) | high) & mask));
    bit += width;
  }
}

}  // namespace

void PackBits(std::span<const std::uint64_t> values, unsigned width, Bytes* out) {
  PackFrame(values, 0, width, out);
}

void PackFrame(std::span<const std::uint64_t> values, std::uint64_t base, unsigned width,
               Bytes* out) {
  TL_CHECK(values.size() <= kSliceValues && width <= 64);
  if (width == 0 || values.empty()) return;
  const std::size_t at = out->size();
  out->resize(at + PackedBytes(values.size(), width));
  if (values.size() == kSliceValues) {
    PackSlice(values.data(), base, width, out->data() + at);
  } else {
    PackStream(values, base, width, out->data() + at);
  }
}

void UnpackBits(BytesView packed, unsigned width, std::uint64_t base, std::span<std::int64_t> out) {
  TL_CHECK(out.size() <= kSliceValues && width <= 64);
  TL_CHECK(packed.size() >= PackedBytes(out.size(), width));
  if (width == 0) {
    std::fill(out.begin(), out.end(), static_cast<std::int64_t>(base));
  } else if (out.size() == kSliceValues) {
    UnpackSlice(packed.data(), width, base, out.data());
  } else {
    UnpackStream(packed, width, base, out);
  }
}

void UnpackDecimals(BytesView packed, unsigned width, std::uint64_t base,
                    const DecimalScale& scale, std::span<double, kSliceValues> out) {
  TL_CHECK(width > 0 && width <= 64 && packed.size() >= PackedBytes(out.size(), width));
  UnpackDecimalsKernel(packed.data(), width, base, scale, out.data());
}

}  // namespace tideline::codec
