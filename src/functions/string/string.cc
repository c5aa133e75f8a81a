// functions/string/string.cc: text in, text or a number out. Positions and lengths count code
// points.
#include <utf8proc.h>

#include <algorithm>
#include <limits>

#include "functions/growth.h"
#include "functions/kernel.h"
#include "functions/nested.h"
#include "functions/registry.h"
#include "functions/utf8.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;
constexpr I64 kTextPointsMax = 2'147'483'647;

// ---- length, case, order
// -----------------------------------------------------------------------------

I64 Length(const StringRef& text) { return static_cast<I64>(Utf8Count(text.view())); }
I64 ByteLength(const StringRef& bytes) { return bytes.size(); }

// One code point to one code point: text never changes its length in code points.
char32_t LowerPoint(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}
char32_t UpperPoint(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  if (c == 0xDF) return c;  // no single letter is its upper case in everyday text
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}
template <auto Map>
void MapPoints(const StringRef& text, std::string* out) {
  std::string_view rest = text.view();
  if (IsAscii(rest)) {
    for (const char c : rest) out->push_back(static_cast<char>(Map(static_cast<unsigned char>(c))));
    return;
  }
  while (!rest.empty()) {
    const std::size_t length = Utf8Length(rest);
    const std::string_view point = rest.substr(0, length);
    const char32_t c = Utf8Next(&rest);
    const char32_t mapped = Map(c);
    if (mapped == c) {
      out->append(point);
    } else {
      AppendUtf8(mapped, out);
    }
  }
}
void Reverse(const StringRef& text, std::string* out) {
  std::string_view rest = text.view();
  out->resize(rest.size());
  std::size_t at = rest.size();
  while (!rest.empty()) {
    const std::size_t length = Utf8Length(rest);
    at -= length;
    std::memcpy(out->data() + at, rest.data(), length);
    rest.remove_prefix(length);
  }
}

// Unicode White_Space without the no-break spaces.
bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A && c != 0x2007) || c == 0x2028 || c == 0x2029 || c == 0x205F ||
         c == 0x3000;
}

template <typename Drop>
std::string_view TrimView(std::string_view text, bool left, bool right, Drop&& drop) {
  while (left && !text.empty()) {
    std::string_view rest = text;
    if (!drop(Utf8Next(&rest))) break;
    text = rest;
  }
  while (right && !text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 &&
           (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) {
      --start;
    }
    std::string_view last = text.substr(start);
    if (!drop(Utf8Next(&last)) || !last.empty()) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}
template <bool left, bool right>
void Trim(const StringRef& text, std::string* out) {
  out->append(TrimView(text.view(), left, right, IsSpace));
}
template <bool left, bool right>
Status TrimChars(const StringRef& text, const StringRef& chars, std::string* out) {
  const std::u32string points = ToCodePoints(chars.view());
  out->append(TrimView(text.view(), left, right,
                       [&](char32_t c) { return points.find(c) != points.npos; }));
  return OkStatus();
}

// ---- single characters
// -------------------------------------------------------------------------------

Status Chr(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
           Vector* result, RowErrors* errors) {
  const Reader<I64> points(arguments[0]);
  rows.ForEach([&](std::uint32_t row) {
    const I64 c = points[row];
    if (c < 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
      errors->Add(row, ExecutionFailed("Not a valid Unicode code point: {}", c));
      return;
    }
    std::string text;
    AppendUtf8(static_cast<char32_t>(c), &text);
    result->SetString(row, text);
  });
  return OkStatus();
}
Result<std::int32_t> Codepoint(const StringRef& text) {
  std::string_view rest = text.view();
  if (rest.empty() || Utf8Length(rest) != rest.size()) {
    return ExecutionFailed("codepoint: the argument must be exactly one character");
  }
  return static_cast<std::int32_t>(Utf8Next(&rest));
}

// ---- distances
// -----------------------------------------------------------------------------------------

Result<I64> Hamming(const StringRef& a, const StringRef& b) {
  const std::u32string x = ToCodePoints(a.view());
  const std::u32string y = ToCodePoints(b.view());
  if (x.size() != y.size()) {
    return ExecutionFailed(
        "The input strings to hamming_distance function must have the same length");
  }
  I64 distance = 0;
  for (std::size_t i = 0; i < x.size(); ++i) distance += x[i] != y[i] ? 1 : 0;
  return distance;
}
Result<I64> Levenshtein(const StringRef& a, const StringRef& b) {
  static constexpr std::size_t kWorkMax = 1'000'000;
  const std::u32string x = ToCodePoints(a.view());
  const std::u32string y = ToCodePoints(b.view());
  if (!y.empty() && x.size() > kWorkMax / y.size()) {
    return ExecutionFailed(
        "The combined inputs size exceeded max Levenshtein distance work limit {}", kWorkMax);
  }
  std::vector<I64> row(y.size() + 1);
  for (std::size_t j = 0; j <= y.size(); ++j) row[j] = static_cast<I64>(j);
  for (std::size_t i = 1; i <= x.size(); ++i) {
    I64 diagonal = row[0];
    row[0] = static_cast<I64>(i);
    for (std::size_t j = 1; j <= y.size(); ++j) {
      const I64 above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (x[i - 1] == y[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[y.size()];
}

// ---- search
// --------------------------------------------------------------------------------------------

I64 PointPosition(std::string_view text, std::size_t at) {
  return at == text.npos ? 0 : static_cast<I64>(Utf8Count(text.substr(0, at))) + 1;
}
I64 Strpos(const StringRef& text, const StringRef& part) {
  return PointPosition(text.view(), text.view().find(part.view()));
}
Result<I64> StrposNth(const StringRef& text, const StringRef& part, I64 instance) {
  if (instance <= 0) return ExecutionFailed("'instance' must be a positive number.");
  if (part.size() == 0) return 1;
  std::size_t at = text.view().find(part.view());
  while (--instance > 0 && at != std::string_view::npos) at = text.view().find(part.view(), at + 1);
  return PointPosition(text.view(), at);
}
Result<I64> StrrposNth(const StringRef& text, const StringRef& part, I64 instance) {
  if (instance <= 0) return ExecutionFailed("'instance' must be a positive number.");
  if (part.size() == 0) return 1;
  std::size_t at = text.view().rfind(part.view());
  while (--instance > 0 && at != std::string_view::npos) {
    if (at == 0) return 0;
    at = text.view().rfind(part.view(), at - 1);
  }
  return PointPosition(text.view(), at);
}
I64 Strrpos(const StringRef& text, const StringRef& part) {
  return part.size() == 0 ? 1 : PointPosition(text.view(), text.view().rfind(part.view()));
}
bool StartsWith(const StringRef& text, const StringRef& part) {
  return text.view().starts_with(part.view());
}
bool EndsWith(const StringRef& text, const StringRef& part) {
  return text.view().ends_with(part.view());
}

// ---- substr
// ----------------------------------------------------------------------------------------------

// Text by reference is read into `pieces` of the argument itself, so nothing is copied.
Status Substr(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
              Vector* result, RowErrors*) {
  const Reader<StringRef> texts(arguments[0]);
  const Reader<I64> starts(arguments[1]);
  const bool has_length = arguments.size() > 2;
  const Reader<I64> lengths(arguments[has_length ? 2 : 1]);
  StringRef* out = result->mutable_values<StringRef>();
  result->ShareText(arguments[0]);
  rows.ForEach([&](std::uint32_t row) {
    const std::string_view text = texts[row].view();
    I64 start = starts[row];
    I64 length = has_length ? lengths[row] : std::numeric_limits<I64>::max();
    out[row] = StringRef();
    if (start == 0 || length <= 0) return;
    const auto count = static_cast<I64>(Utf8Count(text));
    if (start < 0) start += count + 1;
    if (start < 1 || start > count) return;
    length = std::min(length, count - start + 1);
    const std::size_t first = Utf8Prefix(text, static_cast<std::size_t>(start - 1));
    const std::string_view rest = text.substr(first);
    out[row] = StringRef(rest.substr(0, Utf8Prefix(rest, static_cast<std::size_t>(length))));
  });
  return OkStatus();
}

// ---- pad, replace, translate
// -------------------------------------------------------------------------------

void AppendTimes(std::string_view piece, std::size_t times, std::string* out) {
  const std::size_t start = out->size();
  const std::size_t wanted = piece.size() * times;
  out->reserve(start + wanted);
  if (times > 0) out->append(piece);
  // What is there doubles, and then its beginning once more.
  while (out->size() - start < wanted) {
    out->append(*out, start, std::min(out->size() - start, wanted - (out->size() - start)));
  }
}

template <bool left>
Status Pad(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
           Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  const Reader<I64> sizes(arguments[1]);
  const Reader<StringRef> pads(arguments[2]);
  std::string out;
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    const std::string_view text = texts[row].view();
    const std::string_view pad = pads[row].view();
    const I64 size = sizes[row];
    if (size < 0 || size > kTextPointsMax) {
      errors->Add(row,
                  ExecutionFailed("Target length must be in the range [0..{}]", kTextPointsMax));
      return;
    }
    if (pad.empty()) {
      errors->Add(row, ExecutionFailed("Padding string must not be empty"));
      return;
    }
    const auto have = static_cast<I64>(Utf8Count(text));
    if (have >= size) {
      result->SetString(row, text.substr(0, Utf8Prefix(text, static_cast<std::size_t>(size))));
      return;
    }
    const auto pad_points = static_cast<I64>(Utf8Count(pad));
    const I64 missing = size - have;
    if (static_cast<std::size_t>(missing / pad_points + 1) > kTextBytesMax / pad.size()) {
      errors->Add(row, ExecutionFailed("text of {} characters exceeds the limit of {} bytes", size,
                                       kTextBytesMax));
      return;
    }
    out.clear();
    if (!left) out += text;
    AppendTimes(pad, static_cast<std::size_t>(missing / pad_points), &out);
    out += pad.substr(0, Utf8Prefix(pad, static_cast<std::size_t>(missing % pad_points)));
    if (left) out += text;
    status = CheckCallTextBytes(left ? "lpad" : "rpad", result->heap().bytes() + out.size());
    if (status.ok()) result->SetString(row, out);
  });
  return status;
}

Status Replace(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
               Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  const Reader<StringRef> searches(arguments[1]);
  const bool has_with = arguments.size() > 2;
  const Reader<StringRef> withs(arguments[has_with ? 2 : 1]);
  std::string out;
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    std::string_view text = texts[row].view();
    const std::string_view search = searches[row].view();
    const std::string_view with = has_with ? withs[row].view() : std::string_view();
    out.clear();
    if (search.empty()) {
      out += with;
      while (!text.empty() && out.size() <= kTextBytesMax) {
        const std::size_t length = Utf8Length(text);
        out += text.substr(0, length);
        out += with;
        text.remove_prefix(length);
      }
    } else {
      for (std::size_t at = text.find(search); at != text.npos && out.size() <= kTextBytesMax;
           at = text.find(search)) {
        out += text.substr(0, at);
        out += with;
        text.remove_prefix(at + search.size());
      }
      out += text;
    }
    if (out.size() > kTextBytesMax) {
      errors->Add(row, CheckTextBytes("replace", out.size()));
      return;
    }
    status = CheckCallTextBytes("replace", result->heap().bytes() + out.size());
    if (status.ok()) result->SetString(row, out);
  });
  return status;
}

Status Translate(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                 Vector* result, RowErrors*) {
  const Reader<StringRef> texts(arguments[0]);
  const Reader<StringRef> froms(arguments[1]);
  const Reader<StringRef> tos(arguments[2]);
  std::string out;
  rows.ForEach([&](std::uint32_t row) {
    const std::u32string from = ToCodePoints(froms[row].view());
    const std::u32string to = ToCodePoints(tos[row].view());
    out.clear();
    for (const char32_t c : ToCodePoints(texts[row].view())) {
      const std::size_t at = from.find(c);
      if (at == from.npos) {
        AppendUtf8(c, &out);
      } else if (at < to.size()) {
        AppendUtf8(to[at], &out);
      }
    }
    result->SetString(row, out);
  });
  return OkStatus();
}

// Files a text that is too long with its row; what is too much for the call is the call's failure.
Status SetJoined(std::uint32_t row, const std::string& text, Vector* result, RowErrors* errors) {
  if (Status fits = CheckTextBytes("concat_ws", text.size()); !fits.ok()) {
    errors->Add(row, std::move(fits));
    return OkStatus();
  }
  TL_TRY(CheckCallTextBytes("concat_ws", result->heap().bytes() + text.size()));
  result->SetString(row, text);
  return OkStatus();
}

Status ConcatWs(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                Vector* result, RowErrors* errors) {
  std::string out;
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    if (arguments[0].IsNull(row)) {
      result->SetNull(row);
      return;
    }
    out.clear();
    bool first = true;
    for (std::size_t i = 1; i < arguments.size() && out.size() <= kTextBytesMax; ++i) {
      if (arguments[i].IsNull(row)) continue;
      if (!first) out += Reader<StringRef>(arguments[0])[row].view();
      first = false;
      out += Reader<StringRef>(arguments[i])[row].view();
    }
    status = SetJoined(row, out, result, errors);
  });
  return status;
}

Status ConcatWsArray(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                     Vector* result, RowErrors* errors) {
  const Reader<StringRef> separators(arguments[0]);
  const Reader<ListEntry> lists(arguments[1]);
  const Vector& elements = arguments[1].child(0);
  const Reader<StringRef> texts(elements);
  std::string out;
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    if (arguments[0].IsNull(row) || arguments[1].IsNull(row)) {
      result->SetNull(row);
      return;
    }
    out.clear();
    bool first = true;
    const ListEntry entry = lists[row];
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length && out.size() <= kTextBytesMax; ++i) {
      if (elements.IsNull(i)) continue;
      if (!first) out += separators[row].view();
      first = false;
      out += texts[i].view();
    }
    status = SetJoined(row, out, result, errors);
  });
  return status;
}

// ---- split
// -------------------------------------------------------------------------------------------------

Status Split(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
             Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  const Reader<StringRef> delimiters(arguments[1]);
  const bool has_limit = arguments.size() > 2;
  const Reader<I64> limits(arguments[has_limit ? 2 : 0]);
  std::vector<std::string_view> parts;
  ListEntry* out = result->mutable_values<ListEntry>();
  Status status = OkStatus();
  rows.ForEach([&](std::uint32_t row) {
    if (!status.ok()) return;
    std::string_view text = texts[row].view();
    const std::string_view delimiter = delimiters[row].view();
    const I64 limit = has_limit ? limits[row] : std::numeric_limits<I64>::max();
    if (limit <= 0) {
      errors->Add(row, ExecutionFailed("Limit must be positive"));
      return;
    }
    if (delimiter.empty()) {
      errors->Add(row, ExecutionFailed("The delimiter may not be the empty string"));
      return;
    }
    const std::size_t first = parts.size();
    for (I64 i = 1; i < limit && parts.size() <= kCallElementsMax; ++i) {
      const std::size_t at = text.find(delimiter);
      if (at == text.npos) break;
      parts.push_back(text.substr(0, at));
      text.remove_prefix(at + delimiter.size());
    }
    parts.push_back(text);
    status = CheckCallElements("split", parts.size());
    out[row] = {static_cast<std::uint32_t>(first),
                static_cast<std::uint32_t>(parts.size() - first)};
  });
  TL_TRY(status);
  Vector elements = Vector::Flat(Type::Varchar(), parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) elements.SetString(i, parts[i]);
  result->SetChild(0, std::move(elements));
  return OkStatus();
}

Status SplitPart(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                 Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  const Reader<StringRef> delimiters(arguments[1]);
  const Reader<I64> indices(arguments[2]);
  rows.ForEach([&](std::uint32_t row) {
    std::string_view text = texts[row].view();
    const std::string_view delimiter = delimiters[row].view();
    I64 index = indices[row];
    if (index <= 0) {
      errors->Add(row, ExecutionFailed("Index must be greater than zero"));
      return;
    }
    if (delimiter.empty()) {
      for (; !text.empty() && index > 1; --index) text.remove_prefix(Utf8Length(text));
      if (text.empty()) {
        result->SetNull(row);
      } else {
        result->SetString(row, text.substr(0, Utf8Length(text)));
      }
      return;
    }
    for (; index > 1; --index) {
      const std::size_t at = text.find(delimiter);
      if (at == text.npos) {
        result->SetNull(row);
        return;
      }
      text.remove_prefix(at + delimiter.size());
    }
    result->SetString(row, text.substr(0, text.find(delimiter)));
  });
  return OkStatus();
}

#define TL_STRING(object, text, summary_text, example_text, result_text, ...)             \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                           \
  constexpr ScalarFunction object{                                                        \
      .name = text,                                                                       \
      .overloads = object##Overloads,                                                     \
      .doc = {"string", summary_text, "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)
template <auto F>
constexpr ScalarKernel kTextKernel = Text1<StringRef, F>;

TL_STRING(kLength, "length", "How many characters a text has, or bytes a binary.", "'né'", "2",
          {"(varchar) -> bigint", Map1<I64, StringRef, Length>},
          {"(varbinary) -> bigint", Map1<I64, StringRef, ByteLength>});
TL_STRING(kLower, "lower", "The text in lower case.", "'ABC'", "abc",
          {"(varchar) -> varchar", kTextKernel<MapPoints<LowerPoint>>});
TL_STRING(kUpper, "upper", "The text in upper case.", "'abc'", "ABC",
          {"(varchar) -> varchar", kTextKernel<MapPoints<UpperPoint>>});
TL_STRING(kTrim, "trim", "The text without white space, or given characters, at its ends.",
          "'  a '", "a", {"(varchar) -> varchar", kTextKernel<Trim<true, true>>},
          {"(varchar, varchar) -> varchar", TryText2<StringRef, StringRef, TrimChars<true, true>>});
TL_STRING(kLtrim, "ltrim", "The text without white space, or given characters, at its start.",
          "'  a'", "a", {"(varchar) -> varchar", kTextKernel<Trim<true, false>>},
          {"(varchar, varchar) -> varchar",
           TryText2<StringRef, StringRef, TrimChars<true, false>>});
TL_STRING(kRtrim, "rtrim", "The text without white space, or given characters, at its end.",
          "'a  '", "a", {"(varchar) -> varchar", kTextKernel<Trim<false, true>>},
          {"(varchar, varchar) -> varchar",
           TryText2<StringRef, StringRef, TrimChars<false, true>>});
TL_STRING(kChr, "chr", "The character of a code point.", "65", "A", {"(bigint) -> varchar", Chr});
TL_STRING(kCodepoint, "codepoint", "The code point of a character.", "'A'", "65",
          {"(varchar) -> integer", Try1<std::int32_t, StringRef, Codepoint>});
TL_STRING(kHamming, "hamming_distance", "In how many places two texts of one length differ.",
          "'karolin', 'kathrin'", "3",
          {"(varchar, varchar) -> bigint", Try2<I64, StringRef, StringRef, Hamming>});
TL_STRING(kLevenshtein, "levenshtein_distance", "The fewest edits that make one text the other.",
          "'kitten', 'sitting'", "3",
          {"(varchar, varchar) -> bigint", Try2<I64, StringRef, StringRef, Levenshtein>});
TL_STRING(kStrpos, "strpos",
          "Where the (n-th) occurrence of a text starts; 0 when it is not there.", "'high', 'g'",
          "3", {"(varchar, varchar) -> bigint", Map2<I64, StringRef, StringRef, Strpos>},
          {"(varchar, varchar, bigint) -> bigint",
           Try3<I64, StringRef, StringRef, I64, StrposNth>});
TL_STRING(kStrrpos, "strrpos", "Where the (n-th) last occurrence of a text starts, or 0.",
          "'high', 'h'", "4",
          {"(varchar, varchar) -> bigint", Map2<I64, StringRef, StringRef, Strrpos>},
          {"(varchar, varchar, bigint) -> bigint",
           Try3<I64, StringRef, StringRef, I64, StrrposNth>});
TL_STRING(kStartsWith, "starts_with", "Whether a text starts with another.", "'high', 'hi'", "true",
          {"(varchar, varchar) -> boolean", Map2<std::uint8_t, StringRef, StringRef, StartsWith>});
TL_STRING(kEndsWith, "ends_with", "Whether a text ends with another.", "'high', 'gh'", "true",
          {"(varchar, varchar) -> boolean", Map2<std::uint8_t, StringRef, StringRef, EndsWith>});
TL_STRING(kSubstr, "substr", "The text from a position (from the end when negative), of a length.",
          "'Timestream', 5", "stream", {"(varchar, bigint) -> varchar", Substr},
          {"(varchar, bigint, bigint) -> varchar", Substr});
TL_STRING(kSubstring, "substring", "The same as substr.", "'Timestream', -6, 3", "str",
          {"(varchar, bigint) -> varchar", Substr},
          {"(varchar, bigint, bigint) -> varchar", Substr});
TL_STRING(kLpad, "lpad", "The text filled up on the left, or cut, to a length.", "'7', 3, '0'",
          "007", {"(varchar, bigint, varchar) -> varchar", Pad<true>});
TL_STRING(kRpad, "rpad", "The text filled up on the right, or cut, to a length.", "'7', 3, '0'",
          "700", {"(varchar, bigint, varchar) -> varchar", Pad<false>});
TL_STRING(kReplace, "replace", "The text with every occurrence of a text removed or replaced.",
          "'abc', '', '-'", "-a-b-c-", {"(varchar, varchar) -> varchar", Replace},
          {"(varchar, varchar, varchar) -> varchar", Replace});
TL_STRING(kTranslate, "translate", "The text with each character of a list replaced or dropped.",
          "'abcd', 'ac', 'z'", "zbd", {"(varchar, varchar, varchar) -> varchar", Translate});
TL_STRING(kSplit, "split", "The parts between delimiters, at most so many.", "'a,b,,c', ','",
          "[a,b,,c]", {"(varchar, varchar) -> array(varchar)", Split},
          {"(varchar, varchar, bigint) -> array(varchar)", Split});
TL_STRING(kSplitPart, "split_part", "The n-th part between delimiters; NULL beyond the last.",
          "'a,b,c', ',', 2", "b", {"(varchar, varchar, bigint) -> varchar", SplitPart});

constexpr ScalarOverload kConcatWsOverloads[] = {
    {"(varchar, varchar...) -> varchar", ConcatWs},
    {"(varchar, array(varchar)) -> varchar", ConcatWsArray}};
constexpr ScalarFunction kConcatWs{
    .name = "concat_ws",
    .overloads = kConcatWsOverloads,
    .nulls = NullPolicy::kSeesNulls,
    .doc = {"string", "The texts that are not NULL with a separator between them.",
            "SELECT concat_ws('-', 'a', NULL, 'b')", "a-b"}};
TL_REGISTER_SCALAR(kConcatWs);

// ---- reverse, of text and of arrays
// ---------------------------------------------------------------------

Status ReverseArray(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                    Vector* result, RowErrors*) {
  const Reader<ListEntry> lists(arguments[0]);
  ListResult list(result);
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = lists[row];
    list.Begin(row);
    for (std::uint32_t i = entry.length; i > 0; --i) list.Add(entry.offset + i - 1);
  });
  list.Finish(arguments[0].child(0));
  return OkStatus();
}
TL_STRING(kReverse, "reverse", "The text or array backwards.", "'abc'", "cba",
          {"(varchar) -> varchar", kTextKernel<Reverse>}, {"(array(T)) -> array(T)", ReverseArray});
#undef TL_STRING

}  // namespace
}  // namespace tideline::functions
