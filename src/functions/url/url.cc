// functions/url/url.cc: the parts of a URL (RFC 3986) and percent-encoding.
//
// A text that is no URI gives NULL; a part that a URI leaves out is empty, as in java.net.URI.
#include <optional>

#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

struct UrlParts {
  std::string_view scheme;
  std::string_view host;
  std::optional<I64> port;
  std::string_view path;
  std::string_view query;
  std::string_view fragment;
};

bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }
int HexDigitOf(char c) {
  if (IsAsciiDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Every character may stand in a URI and every % begins an escape. Characters beyond ASCII pass.
bool IsUriText(std::string_view text) {
  static constexpr std::string_view kForbidden = " \"<>\\^`{|}";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f || kForbidden.find(text[i]) != kForbidden.npos) return false;
    if (c == '%' &&
        (i + 2 >= text.size() || HexDigitOf(text[i + 1]) < 0 || HexDigitOf(text[i + 2]) < 0)) {
      return false;
    }
  }
  return true;
}

// Cuts off what stands after the first `separator`, which goes too.
std::string_view CutAfter(std::string_view* text, char separator) {
  const std::size_t at = text->find(separator);
  if (at == text->npos) return {};
  const std::string_view after = text->substr(at + 1);
  *text = text->substr(0, at);
  return after;
}

bool SplitAuthority(std::string_view authority, UrlParts* parts) {
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    authority.remove_prefix(at + 1);
  }
  std::size_t host_end = authority.find(':');
  if (authority.starts_with('[')) {  // an IPv6 address, whose colons are its own
    const std::size_t close = authority.find(']');
    if (close == authority.npos) return false;
    host_end = close + 1;
    if (host_end < authority.size() && authority[host_end] != ':') return false;
  }
  parts->host = authority.substr(0, host_end);
  if (host_end >= authority.size()) return true;
  I64 port = 0;
  for (const char c : authority.substr(host_end + 1)) {
    if (!IsAsciiDigit(c) || port > 65'535) return false;
    port = port * 10 + (c - '0');
  }
  if (host_end + 1 < authority.size()) parts->port = port;
  return true;
}

std::optional<UrlParts> SplitUrl(std::string_view text) {
  if (!IsUriText(text)) return std::nullopt;
  UrlParts parts;
  parts.fragment = CutAfter(&text, '#');
  const std::size_t colon = text.find_first_of(":/?");
  if (colon != text.npos && text[colon] == ':') {
    if (colon == 0 || !IsAsciiLetter(text[0])) return std::nullopt;
    for (const char c : text.substr(0, colon)) {
      if (!IsAsciiLetter(c) && !IsAsciiDigit(c) && c != '+' && c != '-' && c != '.') {
        return std::nullopt;
      }
    }
    parts.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;
    if (text[0] != '/') return parts;  // opaque, such as mailto:
  }
  parts.query = CutAfter(&text, '?');
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::size_t slash = text.find('/');
    if (!SplitAuthority(text.substr(0, slash), &parts)) return std::nullopt;
    text = slash == text.npos ? std::string_view() : text.substr(slash);
  }
  parts.path = text;
  return parts;
}

// Resolves escapes, and '+' when `plus_is_space`. False at a % without two digits.
bool DecodePercent(std::string_view text, bool plus_is_space, std::string* out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out->push_back(' ');
    } else if (text[i] != '%') {
      out->push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? HexDigitOf(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigitOf(text[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      out->push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return true;
}

template <std::string_view UrlParts::*part>
Status UrlPartKernel(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                     Vector* result, RowErrors*) {
  const Reader<StringRef> urls(arguments[0]);
  std::string text;
  rows.ForEach([&](std::uint32_t row) {
    const std::optional<UrlParts> parts = SplitUrl(urls[row].view());
    text.clear();
    if (parts && DecodePercent((*parts).*part, false, &text)) {
      result->SetString(row, text);
    } else {
      result->SetNull(row);
    }
  });
  return OkStatus();
}

Status UrlPortKernel(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                     Vector* result, RowErrors*) {
  const Reader<StringRef> urls(arguments[0]);
  I64* out = result->mutable_values<I64>();
  rows.ForEach([&](std::uint32_t row) {
    const std::optional<UrlParts> parts = SplitUrl(urls[row].view());
    if (parts && parts->port) {
      out[row] = *parts->port;
    } else {
      result->SetNull(row);
    }
  });
  return OkStatus();
}

// The value of the first parameter of that name, decoded; false when there is none.
bool FindParameter(std::string_view query, std::string_view name, std::string* out) {
  while (!query.empty()) {
    std::string_view pair = query;
    const std::string_view rest = CutAfter(&pair, '&');
    const std::string_view value = CutAfter(&pair, '=');
    std::string key;
    if (DecodePercent(pair, true, &key) && key == name) {
      out->clear();
      return DecodePercent(value, true, out);
    }
    query = rest;
  }
  return false;
}

Status UrlParameterKernel(const KernelContext&, std::span<const Vector> arguments,
                          const Selection& rows, Vector* result, RowErrors*) {
  const Reader<StringRef> urls(arguments[0]);
  const Reader<StringRef> names(arguments[1]);
  std::string text;
  rows.ForEach([&](std::uint32_t row) {
    const std::optional<UrlParts> parts = SplitUrl(urls[row].view());
    if (parts && FindParameter(parts->query, names[row].view(), &text)) {
      result->SetString(row, text);
    } else {
      result->SetNull(row);
    }
  });
  return OkStatus();
}

void UrlEncode(const StringRef& text, std::string* out) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text.view()) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsAsciiLetter(c) || IsAsciiDigit(c) || c == '-' || c == '_' || c == '.' || c == '*') {
      out->push_back(c);
    } else if (c == ' ') {
      out->push_back('+');
    } else {
      out->push_back('%');
      out->push_back(kDigits[byte >> 4]);
      out->push_back(kDigits[byte & 15]);
    }
  }
}

Status UrlDecodeKernel(const KernelContext&, std::span<const Vector> arguments,
                       const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  std::string text;
  rows.ForEach([&](std::uint32_t row) {
    text.clear();
    if (DecodePercent(texts[row].view(), true, &text)) {
      result->SetString(row, text);
    } else {
      errors->Add(row, ExecutionFailed("Illegal hex characters in escape (%) pattern: {}",
                                       texts[row].view()));
    }
  });
  return OkStatus();
}

#define TL_URL(object, text, summary_text, example_text, result_text, ...)             \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                        \
  constexpr ScalarFunction object{                                                     \
      .name = text,                                                                    \
      .overloads = object##Overloads,                                                  \
      .profile = Profile::kExtendedOnly,                                               \
      .doc = {"URL", summary_text, "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)
#define TL_URL_SAMPLE "'http://example.com:8080/a/b?x=1&y=2#top'"

TL_URL(kUrlProtocol, "url_extract_protocol", "The scheme of a URL.", TL_URL_SAMPLE, "http",
       {"(varchar) -> varchar", UrlPartKernel<&UrlParts::scheme>});
TL_URL(kUrlHost, "url_extract_host", "The host of a URL.", TL_URL_SAMPLE, "example.com",
       {"(varchar) -> varchar", UrlPartKernel<&UrlParts::host>});
TL_URL(kUrlPort, "url_extract_port", "The port a URL names, else NULL.", TL_URL_SAMPLE, "8080",
       {"(varchar) -> bigint", UrlPortKernel});
TL_URL(kUrlPath, "url_extract_path", "The path of a URL, decoded.", TL_URL_SAMPLE, "/a/b",
       {"(varchar) -> varchar", UrlPartKernel<&UrlParts::path>});
TL_URL(kUrlQuery, "url_extract_query", "The query of a URL, decoded.", TL_URL_SAMPLE, "x=1&y=2",
       {"(varchar) -> varchar", UrlPartKernel<&UrlParts::query>});
TL_URL(kUrlFragment, "url_extract_fragment", "The fragment of a URL, decoded.", TL_URL_SAMPLE,
       "top", {"(varchar) -> varchar", UrlPartKernel<&UrlParts::fragment>});
TL_URL(kUrlParameter, "url_extract_parameter", "The value of a query parameter, else NULL.",
       TL_URL_SAMPLE ", 'y'", "2", {"(varchar, varchar) -> varchar", UrlParameterKernel});
TL_URL(kUrlEncode, "url_encode", "The text with all but letters, digits and -_.* escaped.",
       "'a b&c'", "a+b%26c", {"(varchar) -> varchar", Text1<StringRef, UrlEncode>});
TL_URL(kUrlDecode, "url_decode", "The text with escapes resolved.", "'a+b%26c'", "a b&c",
       {"(varchar) -> varchar", UrlDecodeKernel});
#undef TL_URL_SAMPLE
#undef TL_URL

}  // namespace
}  // namespace tideline::functions
