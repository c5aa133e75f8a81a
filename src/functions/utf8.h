// functions/utf8.h: code points of UTF-8 text. Bytes that are no valid UTF-8 count as one code
// point each (U+FFFD), so that every byte string has a length and a reverse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tideline::functions {

inline constexpr char32_t kReplacementCodePoint = 0xFFFD;

/// Bytes of the code point at the start of `text`, which is not empty; 1 for a bad byte.
std::size_t Utf8Length(std::string_view text);
/// Reads the code point at the start of `*text` and moves past it.
char32_t Utf8Next(std::string_view* text);
/// Code points in `text`.
std::size_t Utf8Count(std::string_view text);
/// Bytes of the first `count` code points (all bytes when there are fewer).
std::size_t Utf8Prefix(std::string_view text, std::size_t count);
/// Appends `code_point`, which is below 0x110000 and no surrogate.
void AppendUtf8(char32_t code_point, std::string* out);
/// The code points of `text`.
std::u32string ToCodePoints(std::string_view text);
bool IsAscii(std::string_view text);

}  // namespace tideline::functions
