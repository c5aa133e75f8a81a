// functions/binary/binary.cc: bytes as text and as integers: hex, base64, UTF-8, big-endian.
#include <algorithm>
#include <array>

#include "crypto/encoding.h"
#include "functions/kernel.h"
#include "functions/registry.h"
#include "functions/utf8.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

// ---- hex ------------------------------------------------------------------------------------

void ToHexText(const StringRef& bytes, std::string* out) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : bytes.view()) {
    const auto byte = static_cast<unsigned char>(c);
    out->push_back(kDigits[byte >> 4]);
    out->push_back(kDigits[byte & 15]);
  }
}

Status FromHexText(const StringRef& text, std::string* out) {
  if (text.size() % 2 != 0) {
    return ExecutionFailed("The input string must contain an even number of hexadecimal digits: {}",
                           text.view());
  }
  const Result<Bytes> bytes = crypto::ParseHex(text.view());
  if (!bytes.ok()) return ExecutionFailed("Invalid hexadecimal string: {}", text.view());
  out->append(AsText(*bytes));
  return OkStatus();
}

// ---- base64 ---------------------------------------------------------------------------------

void ToBase64Text(const StringRef& bytes, std::string* out) {
  *out = crypto::Base64Of(AsBytes(bytes.view()));
}
void ToBase64UrlText(const StringRef& bytes, std::string* out) {
  *out = crypto::Base64Of(AsBytes(bytes.view()));
  std::replace(out->begin(), out->end(), '+', '-');
  std::replace(out->begin(), out->end(), '/', '_');
}

template <char c62, char c63>
int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == c62) return 62;
  return c == c63 ? 63 : -1;
}

// RFC 4648, with the leniency of Java's decoder: padding may be left out, unused bits are ignored.
template <char c62, char c63>
Status FromBase64Text(const StringRef& text, std::string* out) {
  const auto bad = [&] { return ExecutionFailed("Invalid base64 string: {}", text.view()); };
  std::string_view digits = text.view();
  if (digits.size() % 4 == 0) {
    for (int i = 0; i < 2 && digits.ends_with('='); ++i) digits.remove_suffix(1);
  }
  if (digits.size() % 4 == 1) return bad();
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : digits) {
    const int digit = Base64Digit<c62, c63>(c);
    if (digit < 0) return bad();
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out->push_back(static_cast<char>((bits >> count) & 0xff));
    }
  }
  return OkStatus();
}

// ---- UTF-8 ----------------------------------------------------------------------------------

void ToUtf8Bytes(const StringRef& text, std::string* out) { out->append(text.view()); }

void ReplaceInvalid(std::string_view bytes, std::string_view replacement, std::string* out) {
  while (!bytes.empty()) {
    const std::string_view before = bytes;
    const char32_t code_point = Utf8Next(&bytes);
    const std::string_view taken = before.substr(0, before.size() - bytes.size());
    // A replacement character that was written as such takes three bytes, a bad byte one.
    if (code_point == kReplacementCodePoint && taken.size() == 1) {
      out->append(replacement);
    } else {
      out->append(taken);
    }
  }
}
void FromUtf8Bytes(const StringRef& bytes, std::string* out) {
  ReplaceInvalid(bytes.view(), "\xEF\xBF\xBD", out);
}
Status FromUtf8Replacing(const StringRef& bytes, const StringRef& replacement, std::string* out) {
  if (Utf8Count(replacement.view()) > 1) {
    return ExecutionFailed("Replacement character string must empty or a single character");
  }
  ReplaceInvalid(bytes.view(), replacement.view(), out);
  return OkStatus();
}

// ---- big-endian integers --------------------------------------------------------------------

template <typename T>
void ToBigEndian(T value, std::string* out) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xff));
  }
}
template <typename T>
Result<T> FromBigEndian(const StringRef& bytes) {
  if (bytes.size() != sizeof(T)) {
    return ExecutionFailed("expected {}-byte input, but got instead: {}", sizeof(T), bytes.size());
  }
  std::uint64_t value = 0;
  for (const char c : bytes.view()) value = (value << 8) | static_cast<unsigned char>(c);
  return static_cast<T>(value);
}

#define TL_BINARY_IN(profile_name, object, text, summary_text, example_text, result_text, \
                     ...)                                                                 \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                           \
  constexpr ScalarFunction object{                                                        \
      .name = text,                                                                       \
      .overloads = object##Overloads,                                                     \
      .profile = Profile::profile_name,                                                   \
      .doc = {"binary", summary_text, "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)

#define TL_BINARY(object, text, ...) TL_BINARY_IN(kExtendedOnly, object, text, __VA_ARGS__)

TL_BINARY(kToHex, "to_hex", "The bytes in upper-case hexadecimal.", "to_utf8('Hi')", "4869",
          {"(varbinary) -> varchar", Text1<StringRef, ToHexText>});
TL_BINARY(kFromHex, "from_hex", "The bytes a hexadecimal text writes.", "'4869'", "4869",
          {"(varchar) -> varbinary", TryText1<StringRef, FromHexText>});
TL_BINARY(kToBase64, "to_base64", "The bytes in base64, padded.", "to_utf8('Hi!?')",
          "SGkhPw==", {"(varbinary) -> varchar", Text1<StringRef, ToBase64Text>});
TL_BINARY(kToBase64Url, "to_base64url", "The bytes in base64's URL-safe alphabet, padded.",
          "from_hex('fbff')",
          "-_8=", {"(varbinary) -> varchar", Text1<StringRef, ToBase64UrlText>});
TL_BINARY(kFromBase64, "from_base64", "The bytes a base64 text writes.", "'SGkhPw=='", "4869213f",
          {"(varchar) -> varbinary", TryText1<StringRef, FromBase64Text<'+', '/'>>});
TL_BINARY(kFromBase64Url, "from_base64url", "The bytes a URL-safe base64 text writes.", "'-_8='",
          "fbff", {"(varchar) -> varbinary", TryText1<StringRef, FromBase64Text<'-', '_'>>});
TL_BINARY(kToUtf8, "to_utf8", "The UTF-8 bytes of a text.", "'Hi'", "4869",
          {"(varchar) -> varbinary", Text1<StringRef, ToUtf8Bytes>});
TL_BINARY(kFromUtf8, "from_utf8",
          "The text that UTF-8 bytes write; invalid bytes become U+FFFD or a given character.",
          "from_hex('4869ff'), '?'", "Hi?",
          {"(varbinary) -> varchar", Text1<StringRef, FromUtf8Bytes>},
          {"(varbinary, varchar) -> varchar", TryText2<StringRef, StringRef, FromUtf8Replacing>});
TL_BINARY(kToBigEndian64, "to_big_endian_64", "The eight bytes of a bigint, highest first.", "258",
          "0000000000000102", {"(bigint) -> varbinary", Text1<I64, ToBigEndian<I64>>});
TL_BINARY_IN(kBoth, kFromBigEndian64, "from_big_endian_64", "The bigint that eight bytes write.",
          "from_hex('0000000000000102')", "258",
          {"(varbinary) -> bigint", Try1<I64, StringRef, FromBigEndian<I64>>});
TL_BINARY(kToBigEndian32, "to_big_endian_32", "The four bytes of an integer, highest first.", "258",
          "00000102", {"(integer) -> varbinary", Text1<std::int32_t, ToBigEndian<std::int32_t>>});
TL_BINARY(kFromBigEndian32, "from_big_endian_32", "The integer that four bytes write.",
          "from_hex('00000102')", "258",
          {"(varbinary) -> integer", Try1<std::int32_t, StringRef, FromBigEndian<std::int32_t>>});
#undef TL_BINARY
#undef TL_BINARY_IN

}  // namespace
}  // namespace tideline::functions
