#include "base/bytes.h"

#include "base/check.h"

namespace tideline {

Status ByteReader::Short(std::size_t wanted) const {
  return DataLoss("input ends early: {} bytes wanted at offset {}, {} left", wanted, position_,
                  remaining());
}

Result<std::uint64_t> ByteReader::Varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at_end()) return Short(1);
    const auto byte = static_cast<std::uint64_t>(bytes_[position_++]);
    if (shift == 63 && byte > 1) return DataLoss("varint exceeds 64 bits at offset {}", position_);
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return DataLoss("varint longer than 10 bytes at offset {}", position_);
}

Result<std::int64_t> ByteReader::SignedVarint() {
  const std::uint64_t raw = TL_TRY(Varint());
  return static_cast<std::int64_t>((raw >> 1) ^ (~(raw & 1) + 1));
}

Result<BytesView> ByteReader::Take(std::size_t count) {
  if (remaining() < count) return Short(count);
  const BytesView view = bytes_.subspan(position_, count);
  position_ += count;
  return view;
}

Result<std::string_view> ByteReader::LengthPrefixed(std::size_t bytes_max) {
  const std::uint64_t length = TL_TRY(Varint());
  if (length > bytes_max) {
    return DataLoss("length {} exceeds the limit of {} at offset {}", length, bytes_max, position_);
  }
  const BytesView view = TL_TRY(Take(static_cast<std::size_t>(length)));
  return AsText(view);
}

Status ByteReader::Skip(std::size_t count) {
  if (remaining() < count) return Short(count);
  position_ += count;
  return OkStatus();
}

void ByteWriter::Varint(std::uint64_t value) {
  std::byte buffer[10];
  std::size_t count = 0;
  while (value >= 0x80) {
    buffer[count++] = static_cast<std::byte>(value | 0x80);
    value >>= 7;
  }
  buffer[count++] = static_cast<std::byte>(value);
  out_->insert(out_->end(), buffer, buffer + count);
}

void ByteWriter::SignedVarint(std::int64_t value) {
  const auto raw = static_cast<std::uint64_t>(value);
  Varint((raw << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

std::byte* ByteWriter::Slot(std::size_t position, std::size_t count) {
  TL_CHECK(position <= out_->size() && count <= out_->size() - position);
  return out_->data() + position;
}

}  // namespace tideline
