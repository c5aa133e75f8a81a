// storage/hot/posting.h: the series that have one value of one dimension.
//
// One series lies in the posting itself, up to 16 in a list, more in a bitmap: a Roaring bitmap of
// one element takes 150 bytes, and most values of a fine dimension have one series.
#pragma once

#include <cstdint>

#include "columnar/bitmap.h"

namespace tideline::hot {

class Posting {
 public:
  static constexpr std::uint32_t kListMax = 16;

  Posting() = default;
  Posting(Posting&& other) noexcept;
  Posting& operator=(Posting&& other) noexcept;
  ~Posting() { Clear(); }

  /// `series` is above all that were added.
  void Add(std::uint32_t series);
  void UnionInto(Bitmap* set) const;
  std::uint32_t count() const { return count_; }
  std::size_t memory_bytes() const;

 private:
  void Clear();
  std::uint32_t count_ = 0;
  union {
    std::uint32_t one_;
    std::uint32_t* list_;
    Bitmap* bitmap_ = nullptr;
  };
};

}  // namespace tideline::hot
