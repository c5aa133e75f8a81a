#include "crypto/encoding.h"

#include <array>

namespace tideline::crypto {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kBase64Alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr int kNoDigit = -1;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return kNoDigit;
}

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return kNoDigit;
}

}  // namespace

void AppendHex(BytesView bytes, std::string* out) {
  const std::size_t at = out->size();
  out->resize(at + 2 * bytes.size());
  char* digit = out->data() + at;
  for (const std::byte byte : bytes) {
    *digit++ = kHexDigits[std::to_integer<unsigned>(byte) >> 4];
    *digit++ = kHexDigits[std::to_integer<unsigned>(byte) & 15];
  }
}

std::string HexOf(BytesView bytes) {
  std::string text;
  AppendHex(bytes, &text);
  return text;
}

Result<Bytes> ParseHex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return InvalidArgument("hexadecimal text has an odd number of digits: {}", text.size());
  }
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]);
    const int low = HexDigit(text[i + 1]);
    if (high == kNoDigit || low == kNoDigit) {
      return InvalidArgument("not a hexadecimal digit at offset {}", high == kNoDigit ? i : i + 1);
    }
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

std::string Base64Of(BytesView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text.push_back(k <= count ? kBase64Alphabet[group >> (18 - 6 * k) & 63] : '=');
    }
  }
  return text;
}

Result<Bytes> ParseBase64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return InvalidArgument("base64 text is not a multiple of 4 characters: {}", text.size());
  }
  std::size_t padding = 0;
  if (text.ends_with('=')) padding = text.ends_with("==") ? 2 : 1;
  const std::string_view digits = text.substr(0, text.size() - padding);
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int digit = Base64Digit(digits[i]);
    if (digit == kNoDigit) return InvalidArgument("not a base64 character at offset {}", i);
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<std::byte>(group >> bits & 255));
    }
  }
  if ((group & ((1U << bits) - 1)) != 0) {
    return InvalidArgument("base64 text has bits left over after its last byte");
  }
  return bytes;
}

}  // namespace tideline::crypto
