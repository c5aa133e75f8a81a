// columnar/bitmap.h: a compressed set of 32-bit numbers (row numbers, series ids).
//
// The one wrapper of CRoaring: Lemire et al., "Roaring Bitmaps: Implementation of an Optimized
// Software Library", SPE 48(4), 2018. A set of one element takes about 150 bytes: keep short lists
// elsewhere. Not thread-safe for writing; const methods may run at once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

struct roaring_bitmap_s;

namespace tideline {

class Bitmap {
 public:
  Bitmap();
  ~Bitmap();
  Bitmap(const Bitmap& other);
  Bitmap& operator=(const Bitmap& other);
  Bitmap(Bitmap&& other) noexcept;
  Bitmap& operator=(Bitmap&& other) noexcept;

  void Add(std::uint32_t value);
  /// Adds [first, last).
  void AddRange(std::uint64_t first, std::uint64_t last);
  void AddMany(std::span<const std::uint32_t> values);
  bool Contains(std::uint32_t value) const;
  std::uint64_t count() const;
  bool empty() const;
  void UnionWith(const Bitmap& other);
  void IntersectWith(const Bitmap& other);
  void Subtract(const Bitmap& other);
  /// Elements in [first, last).
  std::uint64_t CountRange(std::uint64_t first, std::uint64_t last) const;
  /// The least element at or above `from`, or `none`.
  std::uint64_t NextAtOrAbove(std::uint64_t from, std::uint64_t none) const;
  /// Ascending.
  std::vector<std::uint32_t> Values() const;
  std::size_t memory_bytes() const;

  /// The portable Roaring format.
  void EncodeTo(Bytes* out) const;
  /// kDataLoss unless `bytes` is exactly one bitmap.
  static Result<Bitmap> Decode(BytesView bytes);

 private:
  explicit Bitmap(roaring_bitmap_s* bitmap) : bitmap_(bitmap) {}
  roaring_bitmap_s* bitmap_;
};

}  // namespace tideline
