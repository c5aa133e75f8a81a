// base/bytes.h: bounded reading and appending of bytes.
//
// Foreign bytes (disk, wire) are read only through ByteReader: every bound is checked and a short
// input is kDataLoss, never undefined behaviour. Integers are little-endian; varints are LEB128,
// at most 10 bytes; signed varints are zigzag-coded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/status.h"

namespace tideline {

using BytesView = std::span<const std::byte>;
using Bytes = std::vector<std::byte>;

inline BytesView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view AsText(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads forward through bytes it does not own. Views it returns point into those bytes.
class ByteReader {
 public:
  explicit ByteReader(BytesView bytes) : bytes_(bytes) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  bool at_end() const { return position_ == bytes_.size(); }

  /// Reads one fixed-width little-endian value (integers, float, double).
  template <typename T>
  Result<T> Fixed() {
    static_assert(std::is_trivially_copyable_v<T>);
    if (remaining() < sizeof(T)) return Short(sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }
  Result<std::uint8_t> U8() { return Fixed<std::uint8_t>(); }
  Result<std::uint16_t> U16() { return Fixed<std::uint16_t>(); }
  Result<std::uint32_t> U32() { return Fixed<std::uint32_t>(); }
  Result<std::uint64_t> U64() { return Fixed<std::uint64_t>(); }
  Result<std::int64_t> I64() { return Fixed<std::int64_t>(); }
  /// kDataLoss when longer than 10 bytes or cut short.
  Result<std::uint64_t> Varint();
  Result<std::int64_t> SignedVarint();
  /// Reads `count` bytes as a view.
  Result<BytesView> Take(std::size_t count);
  /// Reads a varint length not above `bytes_max`, then that many bytes.
  Result<std::string_view> LengthPrefixed(std::size_t bytes_max);
  Status Skip(std::size_t count);

 private:
  Status Short(std::size_t wanted) const;
  BytesView bytes_;
  std::size_t position_ = 0;
};

/// Appends to a vector it does not own; bytes already there stay as they are.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes* out) : out_(out) {}

  std::size_t size() const { return out_->size(); }
  template <typename T>
  void Fixed(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::size_t at = out_->size();
    out_->resize(at + sizeof(T));
    std::memcpy(out_->data() + at, &value, sizeof(T));
  }
  void U8(std::uint8_t value) { Fixed(value); }
  void U16(std::uint16_t value) { Fixed(value); }
  void U32(std::uint32_t value) { Fixed(value); }
  void U64(std::uint64_t value) { Fixed(value); }
  void I64(std::int64_t value) { Fixed(value); }
  void Varint(std::uint64_t value);
  void SignedVarint(std::int64_t value);
  void Append(BytesView bytes) { out_->insert(out_->end(), bytes.begin(), bytes.end()); }
  void Append(std::string_view text) { Append(AsBytes(text)); }
  void LengthPrefixed(std::string_view text) {
    Varint(text.size());
    Append(text);
  }
  /// Overwrites bytes written before; `position + sizeof(T)` must lie inside (checked).
  template <typename T>
  void Patch(std::size_t position, T value) {
    std::memcpy(Slot(position, sizeof(T)), &value, sizeof(T));
  }

 private:
  std::byte* Slot(std::size_t position, std::size_t count);
  Bytes* out_;
};

}  // namespace tideline
