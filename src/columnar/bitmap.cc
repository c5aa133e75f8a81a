#include "columnar/bitmap.h"

#include <roaring/roaring.h>

#include <utility>

#include "base/check.h"

namespace tideline {

Bitmap::Bitmap() : bitmap_(roaring_bitmap_create()) { TL_CHECK(bitmap_ != nullptr); }
Bitmap::~Bitmap() {
  if (bitmap_ != nullptr) roaring_bitmap_free(bitmap_);
}
Bitmap::Bitmap(const Bitmap& other) : bitmap_(roaring_bitmap_copy(other.bitmap_)) {
  TL_CHECK(bitmap_ != nullptr);
}
Bitmap& Bitmap::operator=(const Bitmap& other) {
  if (this != &other) *this = Bitmap(other);
  return *this;
}
Bitmap::Bitmap(Bitmap&& other) noexcept : bitmap_(std::exchange(other.bitmap_, nullptr)) {}
Bitmap& Bitmap::operator=(Bitmap&& other) noexcept {
  std::swap(bitmap_, other.bitmap_);
  return *this;
}

void Bitmap::Add(std::uint32_t value) { roaring_bitmap_add(bitmap_, value); }
void Bitmap::AddRange(std::uint64_t first, std::uint64_t last) {
  roaring_bitmap_add_range(bitmap_, first, last);
}
void Bitmap::AddMany(std::span<const std::uint32_t> values) {
  roaring_bitmap_add_many(bitmap_, values.size(), values.data());
}
bool Bitmap::Contains(std::uint32_t value) const { return roaring_bitmap_contains(bitmap_, value); }
std::uint64_t Bitmap::count() const { return roaring_bitmap_get_cardinality(bitmap_); }
bool Bitmap::empty() const { return roaring_bitmap_is_empty(bitmap_); }
void Bitmap::UnionWith(const Bitmap& other) {
  roaring_bitmap_or_inplace(bitmap_, other.bitmap_);
}
void Bitmap::IntersectWith(const Bitmap& other) {
  roaring_bitmap_and_inplace(bitmap_, other.bitmap_);
}
void Bitmap::Subtract(const Bitmap& other) {
  roaring_bitmap_andnot_inplace(bitmap_, other.bitmap_);
}
std::uint64_t Bitmap::CountRange(std::uint64_t first, std::uint64_t last) const {
  return first >= last ? 0 : roaring_bitmap_range_cardinality(bitmap_, first, last);
}

std::uint64_t Bitmap::NextAtOrAbove(std::uint64_t from, std::uint64_t none) const {
  if (from > UINT32_MAX) return none;
  roaring_uint32_iterator_t iterator;
  roaring_init_iterator(bitmap_, &iterator);
  if (!roaring_move_uint32_iterator_equalorlarger(&iterator, static_cast<std::uint32_t>(from))) {
    return none;
  }
  return iterator.current_value;
}

std::vector<std::uint32_t> Bitmap::Values() const {
  std::vector<std::uint32_t> values(count());
  roaring_bitmap_to_uint32_array(bitmap_, values.data());
  return values;
}

std::size_t Bitmap::memory_bytes() const {
  return sizeof(Bitmap) + roaring_bitmap_size_in_bytes(bitmap_);
}

void Bitmap::EncodeTo(Bytes* out) const {
  const std::size_t at = out->size();
  out->resize(at + roaring_bitmap_portable_size_in_bytes(bitmap_));
  roaring_bitmap_portable_serialize(bitmap_, reinterpret_cast<char*>(out->data() + at));
}

Result<Bitmap> Bitmap::Decode(BytesView bytes) {
  const char* data = reinterpret_cast<const char*>(bytes.data());
  if (roaring_bitmap_portable_deserialize_size(data, bytes.size()) != bytes.size() ||
      bytes.empty()) {
    return DataLoss("a bitmap of {} bytes is malformed", bytes.size());
  }
  roaring_bitmap_s* bitmap = roaring_bitmap_portable_deserialize_safe(data, bytes.size());
  if (bitmap == nullptr) return DataLoss("a bitmap of {} bytes is malformed", bytes.size());
  return Bitmap(bitmap);
}

}  // namespace tideline
