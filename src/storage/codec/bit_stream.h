// storage/codec/bit_stream.h: values of varying width in one stream of bits, lowest bit first.
//
// The reading side is two functions and not a class: kernels keep the position in a register, and a
// position that hostile bytes have driven past the end loads the last word instead.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace tideline::codec {

/// Bits of one load that are sure to be there, whatever the position in its first byte.
inline constexpr unsigned kBitsPerLoad = 57;

/// A mask of `bits` <= 63 ones.
constexpr std::uint64_t LowBits(unsigned bits) { return (std::uint64_t{1} << bits) - 1; }

/// The bits from `bit` on, at least kBitsPerLoad of them. Eight bytes from `load_max` on are readable.
inline std::uint64_t LoadBits(const std::byte* bytes, std::uint64_t bit, std::size_t load_max) {
  std::uint64_t word;
  std::memcpy(&word, bytes + std::min<std::uint64_t>(bit / 8, load_max), sizeof(word));
  return word >> (bit % 8);
}

/// Appends to a vector it does not own.
class BitWriter {
 public:
  explicit BitWriter(Bytes* out) : out_(out) {}
  /// `value` is below 2^count, count <= 64.
  void Write(std::uint64_t value, unsigned count) {
    if (count == 0) return;
    pending_ |= value << pending_bits_;
    if (pending_bits_ + count < 64) {
      pending_bits_ += count;
      return;
    }
    ByteWriter(out_).U64(pending_);
    const unsigned used = 64 - pending_bits_;
    pending_ = used >= 64 ? 0 : value >> used;
    pending_bits_ = pending_bits_ + count - 64;
  }
  /// Writes what is left, padded with zeros to a byte.
  void Finish() {
    for (; pending_bits_ > 0; pending_bits_ -= std::min(8U, pending_bits_)) {
      out_->push_back(static_cast<std::byte>(pending_));
      pending_ >>= 8;
    }
  }

 private:
  Bytes* out_;
  std::uint64_t pending_ = 0;
  unsigned pending_bits_ = 0;
};

}  // namespace tideline::codec
