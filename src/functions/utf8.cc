#include "functions/utf8.h"

namespace tideline::functions {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::size_t Utf8Length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  std::size_t length = 1;
  if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    length = 3;
  } else if (lead >= 0xC2 && lead < 0xE0) {
    length = 2;
  }
  if (length > text.size()) return 1;
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 1;
  }
  return length;
}

char32_t Utf8Next(std::string_view* text) {
  const std::size_t length = Utf8Length(*text);
  const auto lead = static_cast<unsigned char>((*text)[0]);
  char32_t code_point = lead;
  if (length == 1) {
    if (lead >= 0x80) code_point = kReplacementCodePoint;
  } else {
    code_point = lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
      code_point = (code_point << 6) | (static_cast<unsigned char>((*text)[i]) & 0x3FU);
    }
  }
  text->remove_prefix(length);
  return code_point;
}

bool IsAscii(std::string_view text) {
  unsigned char any = 0;
  for (const char c : text) any = static_cast<unsigned char>(any | static_cast<unsigned char>(c));
  return any < 0x80;
}

std::size_t Utf8Count(std::string_view text) {
  if (IsAscii(text)) return text.size();
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(Utf8Length(text));
  return count;
}

std::size_t Utf8Prefix(std::string_view text, std::size_t count) {
  if (text.size() <= count) return text.size();
  std::size_t at = 0;
  for (; count > 0 && at < text.size(); --count) at += Utf8Length(text.substr(at));
  return at;
}

void AppendUtf8(char32_t c, std::string* out) {
  const auto byte = [&](std::uint32_t value) { out->push_back(static_cast<char>(value)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6));
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

std::u32string ToCodePoints(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  while (!text.empty()) points.push_back(Utf8Next(&text));
  return points;
}

}  // namespace tideline::functions
