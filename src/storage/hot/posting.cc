#include "storage/hot/posting.h"

#include <bit>
#include <cstring>
#include <utility>

namespace tideline::hot {

Posting::Posting(Posting&& other) noexcept
    : count_(std::exchange(other.count_, 0)), bitmap_(std::exchange(other.bitmap_, nullptr)) {}

Posting& Posting::operator=(Posting&& other) noexcept {
  std::swap(count_, other.count_);
  std::swap(bitmap_, other.bitmap_);
  return *this;
}

void Posting::Clear() {
  if (count_ > kListMax) {
    delete bitmap_;
  } else if (count_ > 1) {
    delete[] list_;
  }
  count_ = 0;
}

void Posting::Add(std::uint32_t series) {
  if (count_ == 0) {
    one_ = series;
  } else if (count_ < kListMax) {
    // Lists double: room for the next power of two.
    if (std::has_single_bit(count_)) {
      auto* larger = new std::uint32_t[count_ * 2];
      if (count_ == 1) {
        larger[0] = one_;
      } else {
        std::memcpy(larger, list_, count_ * sizeof(std::uint32_t));
        delete[] list_;
      }
      list_ = larger;
    }
    list_[count_] = series;
  } else if (count_ == kListMax) {
    auto* bitmap = new Bitmap;
    bitmap->AddMany({list_, count_});
    bitmap->Add(series);
    delete[] list_;
    bitmap_ = bitmap;
  } else {
    bitmap_->Add(series);
  }
  ++count_;
}

void Posting::UnionInto(Bitmap* set) const {
  if (count_ == 0) return;
  if (count_ == 1) {
    set->Add(one_);
  } else if (count_ <= kListMax) {
    set->AddMany({list_, count_});
  } else {
    set->UnionWith(*bitmap_);
  }
}

std::size_t Posting::memory_bytes() const {
  if (count_ <= 1) return 0;
  if (count_ <= kListMax) return std::bit_ceil(count_) * sizeof(std::uint32_t);
  return bitmap_->memory_bytes();
}

}  // namespace tideline::hot
