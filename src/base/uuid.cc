#include "base/uuid.h"

#include <cstring>

namespace tideline {
namespace {
constexpr std::size_t kUuidTextBytes = 36;
constexpr bool DashAt(std::size_t index) {
  return index == 8 || index == 13 || index == 18 || index == 23;
}
int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

Uuid MakeUuid(Random& random) {
  Uuid uuid;
  const std::uint64_t words[2] = {random.Next(), random.Next()};
  std::memcpy(uuid.bytes.data(), words, sizeof(words));
  uuid.bytes[6] = (uuid.bytes[6] & std::byte{0x0f}) | std::byte{0x40};  // version 4
  uuid.bytes[8] = (uuid.bytes[8] & std::byte{0x3f}) | std::byte{0x80};  // RFC 4122 variant
  return uuid;
}

std::string FormatUuid(const Uuid& uuid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(kUuidTextBytes);
  for (const std::byte byte : uuid.bytes) {
    if (DashAt(text.size())) text.push_back('-');
    text.push_back(kDigits[static_cast<std::size_t>(byte >> 4)]);
    text.push_back(kDigits[static_cast<std::size_t>(byte & std::byte{0x0f})]);
  }
  return text;
}

Result<Uuid> ParseUuid(std::string_view text) {
  if (text.size() != kUuidTextBytes) {
    return InvalidArgument("a UUID has {} characters, not {}", kUuidTextBytes, text.size());
  }
  Uuid uuid;
  std::size_t digit_count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (DashAt(i)) {
      if (text[i] != '-') return InvalidArgument("a UUID has a dash at position {}", i);
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return InvalidArgument("a UUID has a hexadecimal digit at position {}", i);
    std::byte& byte = uuid.bytes[digit_count / 2];
    byte = (byte << 4) | static_cast<std::byte>(digit);
    ++digit_count;
  }
  return uuid;
}

}  // namespace tideline
