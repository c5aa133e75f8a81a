#include "service/api/page_token.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace tideline::api {
namespace {

constexpr std::size_t kNameMax = 4096;
constexpr char kHexDigits[] = "0123456789abcdef";

Status Invalid() { return InvalidArgument("Invalid pagination token"); }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string PageToken::Encode(std::string_view scope) const {
  Bytes bytes;
  ByteWriter out(&bytes);
  out.LengthPrefixed(first);
  out.LengthPrefixed(second);
  out.U32(Crc32c(bytes, Crc32c(AsBytes(scope))));
  std::string token;
  for (const std::byte byte : bytes) {
    token.push_back(kHexDigits[static_cast<unsigned>(byte) >> 4]);
    token.push_back(kHexDigits[static_cast<unsigned>(byte) & 15]);
  }
  return token;
}

Result<PageToken> PageToken::Decode(std::string_view scope, std::string_view token) {
  if (token.empty()) return PageToken{};
  if (token.size() % 2 != 0 || token.size() > 4 * kNameMax) return Invalid();
  Bytes bytes;
  for (std::size_t i = 0; i < token.size(); i += 2) {
    const int high = HexValue(token[i]);
    const int low = HexValue(token[i + 1]);
    if (high < 0 || low < 0) return Invalid();
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  if (bytes.size() < 4) return Invalid();
  const BytesView payload(bytes.data(), bytes.size() - 4);
  ByteReader tail(BytesView(bytes).last(4));
  if (*tail.U32() != Crc32c(payload, Crc32c(AsBytes(scope)))) return Invalid();
  ByteReader in(payload);
  const auto first = in.LengthPrefixed(kNameMax);
  if (!first.ok()) return Invalid();
  const auto second = in.LengthPrefixed(kNameMax);
  if (!second.ok() || !in.at_end()) return Invalid();
  return PageToken{std::string(*first), std::string(*second)};
}

}  // namespace tideline::api
