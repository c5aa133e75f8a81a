// columnar/string_ref.h: a 16-byte view of text with its first bytes inline.
//
// Up to 12 bytes lie inside the value; longer text keeps a 4-byte prefix beside its pointer, so most
// comparisons never follow it. Source: Neumann and Freitag, "Umbra: A Disk-Based System with
// In-Memory Performance", CIDR 2020, section 3.1.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace tideline {

/// Does not own its bytes; the vector (or heap) it lies in keeps them alive. Short text is held by
/// value: view() of a temporary StringRef then dangles with it. At most 4 GiB - 1 bytes.
class StringRef {
 public:
  static constexpr std::uint32_t kInlineBytesMax = 12;

  StringRef() : size_(0), inline_{} {}
  explicit StringRef(std::string_view text) : size_(static_cast<std::uint32_t>(text.size())) {
    if (size_ <= kInlineBytesMax) {
      std::memset(inline_, 0, sizeof(inline_));
      if (size_ != 0) std::memcpy(inline_, text.data(), size_);  // an empty view may be null
    } else {
      std::memcpy(far_.prefix, text.data(), sizeof(far_.prefix));
      far_.data = text.data();
    }
  }

  std::uint32_t size() const { return size_; }
  bool is_inline() const { return size_ <= kInlineBytesMax; }
  const char* data() const { return is_inline() ? inline_ : far_.data; }
  std::string_view view() const { return {data(), size_}; }

  bool operator==(const StringRef& other) const {
    std::uint64_t mine, theirs;  // size and first four bytes at once
    std::memcpy(&mine, this, 8);
    std::memcpy(&theirs, &other, 8);
    if (mine != theirs) return false;
    if (is_inline()) return std::memcmp(inline_ + 4, other.inline_ + 4, 8) == 0;
    return std::memcmp(far_.data, other.far_.data, size_) == 0;
  }
  /// By bytes, which is by code point.
  int Compare(const StringRef& other) const { return view().compare(other.view()); }
  bool operator<(const StringRef& other) const { return Compare(other) < 0; }

 private:
  struct [[gnu::packed]] Far {
    char prefix[4];
    const char* data;
  };

  std::uint32_t size_;
  union {
    char inline_[kInlineBytesMax];
    Far far_;
  };
};
static_assert(sizeof(StringRef) == 16);

}  // namespace tideline
