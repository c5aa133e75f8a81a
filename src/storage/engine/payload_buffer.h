// storage/engine/payload_buffer.h: bytes of one log record, written without a check per byte.
//
// Ensure makes room once per record part; the puts after it only move a pointer. Reused between batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"

namespace tideline::engine {

class PayloadBuffer {
 public:
  static constexpr std::size_t kVarintBytesMax = 10;

  void Clear() { size_ = 0; }
  std::size_t size() const { return size_; }
  BytesView view() const { return {data_.get(), size_}; }
  /// Room for `bytes` more.
  void Ensure(std::size_t bytes) {
    if (capacity_ - size_ < bytes) Grow(bytes);
  }
  void PutByte(std::uint8_t value) { data_[size_++] = static_cast<std::byte>(value); }
  void PutFixed64(std::uint64_t value) {
    std::memcpy(data_.get() + size_, &value, sizeof(value));
    size_ += sizeof(value);
  }
  void PutVarint(std::uint64_t value) {
    while (value >= 0x80) {
      PutByte(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    PutByte(static_cast<std::uint8_t>(value));
  }
  void PutSigned(std::int64_t value) {
    PutVarint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  /// Ensures its own room.
  void PutText(std::string_view text) {
    Ensure(kVarintBytesMax + text.size());
    PutVarint(text.size());
    if (!text.empty()) std::memcpy(data_.get() + size_, text.data(), text.size());
    size_ += text.size();
  }

 private:
  void Grow(std::size_t bytes) {
    const std::size_t capacity = (size_ + bytes) * 2 + 4096;
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (size_ != 0) std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
    capacity_ = capacity;
  }
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tideline::engine
