#include "crypto/sigv4.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "base/hash.h"
#include "crypto/encoding.h"

namespace tideline::crypto {
namespace {

constexpr std::string_view kScopeEnd = "aws4_request";
constexpr std::size_t kSignatureDigits = 2 * kSha256Bytes;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsDecimal(char c) { return c >= '0' && c <= '9'; }

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the text before `separator` off the front of `*rest`; all of it when there is none.
std::string_view TakeUntil(char separator, std::string_view* rest) {
  const std::size_t end = rest->find(separator);
  const std::string_view part = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  return part;
}

// --- The Authorization header ------------------------------------------------------------------

Status ParseCredential(std::string_view credential, SigV4Authorization* out) {
  std::array<std::string_view, 5> parts;
  std::string_view rest = credential;
  std::size_t count = 0;
  bool more = true;
  while (more && count < parts.size()) {
    more = rest.find('/') != std::string_view::npos;
    parts[count++] = TakeUntil('/', &rest);
  }
  const bool filled =
      std::none_of(parts.begin(), parts.end(), [](std::string_view part) { return part.empty(); });
  if (more || !filled) {
    return InvalidArgument(
        "Credential must have exactly 5 slash-delimited elements, e.g. "
        "keyid/date/region/service/term, got '{}'",
        credential.substr(0, 256));
  }
  if (parts[4] != kScopeEnd) {
    return InvalidArgument("Credential should be scoped with a valid terminator: '{}', not '{}'.",
                           kScopeEnd, parts[4].substr(0, 64));
  }
  if (parts[1].size() != 8 || !std::all_of(parts[1].begin(), parts[1].end(), IsDecimal)) {
    return InvalidArgument("Date in Credential scope must be eight digits (yyyymmdd), got '{}'",
                           parts[1].substr(0, 64));
  }
  out->access_key_id = parts[0];
  out->date = parts[1];
  out->region = parts[2];
  out->service = parts[3];
  out->scope = credential.substr(parts[0].size() + 1);
  return OkStatus();
}

bool IsHeaderNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || IsDecimal(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

Status CheckSignedHeaders(std::string_view names) {
  std::size_t count = 0;
  std::string_view rest = names;
  while (!rest.empty()) {
    const std::string_view name = TakeUntil(';', &rest);
    if (name.empty() || !std::all_of(name.begin(), name.end(), IsHeaderNameCharacter)) {
      return InvalidArgument(
          "SignedHeaders must be lower-case header names joined by ';', got '{}'",
          names.substr(0, 256));
    }
    if (++count > kSigV4SignedHeadersMax) {
      return InvalidArgument("SignedHeaders names more headers than the limit of {}",
                             kSigV4SignedHeadersMax);
    }
  }
  if (names.ends_with(';')) return InvalidArgument("SignedHeaders ends with ';'");
  return OkStatus();
}

Status CheckSignatureDigits(std::string_view signature) {
  const bool digits = std::all_of(signature.begin(), signature.end(),
                                  [](char c) { return IsDecimal(c) || (c >= 'a' && c <= 'f'); });
  if (signature.size() == kSignatureDigits && digits) return OkStatus();
  return InvalidArgument("Signature must be {} lower-case hexadecimal digits, got {} characters",
                         kSignatureDigits, signature.size());
}

struct AuthorizationParts {
  std::string_view credential, signed_headers, signature;
};

// Splits "Credential=..., SignedHeaders=..., Signature=..." in any order.
Status SplitAuthorization(std::string_view rest, AuthorizationParts* parts) {
  while (!TrimBlanks(rest).empty()) {
    const std::string_view part = TrimBlanks(TakeUntil(',', &rest));
    std::string_view value = part;
    if (part.find('=') == std::string_view::npos) {
      return InvalidArgument(
          "Authorization header has a part {} characters long that is not name=value", part.size());
    }
    const std::string_view name = TrimBlanks(TakeUntil('=', &value));
    std::string_view* slot = name == "Credential"      ? &parts->credential
                             : name == "SignedHeaders" ? &parts->signed_headers
                             : name == "Signature"     ? &parts->signature
                                                       : nullptr;
    if (slot == nullptr) {
      return InvalidArgument("Authorization header has an unknown parameter '{}'",
                             name.substr(0, 64));
    }
    if (slot->data() != nullptr) {
      return InvalidArgument("Authorization header repeats the '{}' parameter.", name);
    }
    *slot = TrimBlanks(value);
  }
  return OkStatus();
}

Status CheckNoneMissing(const AuthorizationParts& parts) {
  std::string missing;
  const std::pair<std::string_view, std::string_view> needed[] = {
      {"Credential", parts.credential},
      {"Signature", parts.signature},
      {"SignedHeaders", parts.signed_headers}};
  for (const auto& [name, value] : needed) {
    if (!value.empty()) continue;
    if (!missing.empty()) missing += ' ';
    missing += fmt::format("Authorization header requires '{}' parameter.", name);
  }
  if (missing.empty()) return OkStatus();
  return InvalidArgument("{}", missing);
}

// --- Canonical form ----------------------------------------------------------------------------

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || IsDecimal(c) || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void AppendEncoded(std::string_view text, std::string* out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out->push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out->push_back('%');
      out->push_back(kDigits[byte >> 4]);
      out->push_back(kDigits[byte & 15]);
    }
  }
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const Result<Bytes> byte = ParseHex(text.substr(i + 1, 2));
      if (byte.ok()) {
        out.push_back(static_cast<char>(byte->front()));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

void AppendCanonicalPath(std::string_view path, bool encode, std::string* out) {
  if (path.empty() || path == "/") {
    out->push_back('/');
    return;
  }
  if (!encode) {
    out->append(path);
    return;
  }
  std::vector<std::string_view> segments;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::string_view segment = TakeUntil('/', &rest);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  for (const std::string_view segment : segments) {
    out->push_back('/');
    AppendEncoded(segment, out);
  }
  if (segments.empty() || path.ends_with('/')) out->push_back('/');
}

void AppendCanonicalQuery(std::string_view query, std::string* out) {
  if (query.empty()) return;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string_view rest = query;
  while (!rest.empty()) {
    std::string_view value = TakeUntil('&', &rest);
    if (value.empty()) continue;
    const std::string_view name = TakeUntil('=', &value);
    auto& [name_out, value_out] = parameters.emplace_back();
    AppendEncoded(PercentDecoded(name), &name_out);
    AppendEncoded(PercentDecoded(value), &value_out);
  }
  std::sort(parameters.begin(), parameters.end());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i > 0) out->push_back('&');
    out->append(parameters[i].first).append("=").append(parameters[i].second);
  }
}

// Outer blanks dropped, inner runs of blanks become one space.
void AppendCanonicalValue(std::string_view value, std::string* out) {
  value = TrimBlanks(value);
  if (value.find("  ") == std::string_view::npos && value.find('\t') == std::string_view::npos) {
    out->append(value);
    return;
  }
  bool after_blank = false;
  for (const char c : value) {
    const bool blank = IsBlank(c);
    if (blank && after_blank) continue;
    out->push_back(blank ? ' ' : c);
    after_blank = blank;
  }
}

Status AppendCanonicalHeader(std::string_view name, std::span<const HttpField> headers,
                             std::string* out) {
  bool found = false;
  for (const HttpField& field : headers) {
    if (field.name != name) continue;
    if (found) {
      out->push_back(',');
    } else {
      out->append(name).push_back(':');
    }
    AppendCanonicalValue(field.value, out);
    found = true;
  }
  if (!found) return InvalidArgument("signed header is not in the request: '{}'", name);
  out->push_back('\n');
  return OkStatus();
}

Status AppendCanonicalRequest(const SigV4Request& request, std::string_view signed_headers,
                              std::string* out) {
  out->append(request.method).push_back('\n');
  AppendCanonicalPath(request.path, request.encode_path, out);
  out->push_back('\n');
  AppendCanonicalQuery(request.query, out);
  out->push_back('\n');
  std::string_view rest = signed_headers;
  std::size_t count = 0;
  while (!rest.empty()) {
    if (++count > kSigV4SignedHeadersMax) {
      return InvalidArgument("more signed headers than the limit of {}", kSigV4SignedHeadersMax);
    }
    TL_TRY(AppendCanonicalHeader(TakeUntil(';', &rest), request.headers, out));
  }
  out->append("\n").append(signed_headers).append("\n").append(request.payload_sha256);
  return OkStatus();
}

// --- Keys --------------------------------------------------------------------------------------

struct CachedKey {
  CachedKey() = default;
  CachedKey(const CachedKey&) = delete;
  CachedKey& operator=(const CachedKey&) = delete;
  ~CachedKey() { OPENSSL_cleanse(secret.data(), secret.size()); }

  std::string secret;
  std::string date, region, service;
  Sha256Digest key{};
};

Sha256Digest DeriveSigningKey(std::string_view secret, std::string_view date,
                              std::string_view region, std::string_view service) {
  std::string start = "AWS4";
  start.append(secret);
  Sha256Digest key = HmacSha256(AsBytes(start), date);
  OPENSSL_cleanse(start.data(), start.size());
  key = HmacSha256(key, region);
  key = HmacSha256(key, service);
  return HmacSha256(key, kScopeEnd);
}

// A direct-mapped table a thread: no lock, a bounded size, and a collision costs four HMACs.
const Sha256Digest& CachedSigningKey(std::string_view secret, std::string_view date,
                                     std::string_view region, std::string_view service) {
  thread_local std::array<std::unique_ptr<CachedKey>, kSigV4CachedKeysMax> table;
  const std::uint64_t hash = Hash64(service, Hash64(region, Hash64(date, Hash64(secret))));
  std::unique_ptr<CachedKey>& slot = table[hash % kSigV4CachedKeysMax];
  if (slot == nullptr || !ConstantTimeEqual(slot->secret, secret) || slot->date != date ||
      slot->region != region || slot->service != service) {
    slot = std::make_unique<CachedKey>();
    slot->secret = secret;
    slot->date = date;
    slot->region = region;
    slot->service = service;
    slot->key = DeriveSigningKey(secret, date, region, service);
  }
  return slot->key;
}

void AppendStringToSign(std::string_view amz_date, std::string_view scope,
                        std::string_view canonical_request, std::string* out) {
  out->append(kSigV4Algorithm).append("\n").append(amz_date).append("\n");
  out->append(scope).append("\n");
  AppendHex(Sha256Of(canonical_request), out);
}

// The digest whose hex form is the signature.
Result<Sha256Digest> SignatureDigest(const SigV4Request& request, std::string_view signed_headers,
                                     std::string_view amz_date, std::string_view scope,
                                     const Sha256Digest& key) {
  thread_local std::string scratch;
  scratch.clear();
  TL_TRY(AppendCanonicalRequest(request, signed_headers, &scratch));
  std::string to_sign;
  to_sign.reserve(192);
  AppendStringToSign(amz_date, scope, scratch, &to_sign);
  return HmacSha256(key, to_sign);
}

std::string ScopeOf(std::string_view date, std::string_view region, std::string_view service) {
  return fmt::format("{}/{}/{}/{}", date, region, service, kScopeEnd);
}

int TwoDigits(std::string_view text, std::size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

}  // namespace

Result<SigV4Authorization> ParseSigV4Authorization(std::string_view header) {
  header = TrimBlanks(header);
  if (!header.starts_with(kSigV4Algorithm) ||
      (header.size() > kSigV4Algorithm.size() && !IsBlank(header[kSigV4Algorithm.size()]))) {
    return InvalidArgument("Authorization header does not begin with '{}'", kSigV4Algorithm);
  }
  AuthorizationParts parts;
  TL_TRY(SplitAuthorization(header.substr(kSigV4Algorithm.size()), &parts));
  TL_TRY(CheckNoneMissing(parts));
  SigV4Authorization authorization;
  TL_TRY(ParseCredential(parts.credential, &authorization));
  TL_TRY(CheckSignedHeaders(parts.signed_headers));
  TL_TRY(CheckSignatureDigits(parts.signature));
  authorization.signed_headers = parts.signed_headers;
  authorization.signature = parts.signature;
  return authorization;
}

Result<std::string> SigV4CanonicalRequest(const SigV4Request& request) {
  std::string out;
  TL_TRY(AppendCanonicalRequest(request, request.signed_headers, &out));
  return out;
}

std::string SigV4StringToSign(std::string_view amz_date, std::string_view scope,
                              std::string_view canonical_request) {
  std::string out;
  AppendStringToSign(amz_date, scope, canonical_request, &out);
  return out;
}

Sha256Digest SigV4SigningKey(std::string_view secret, std::string_view date,
                             std::string_view region, std::string_view service) {
  return CachedSigningKey(secret, date, region, service);
}

Result<std::string> SigV4Signature(const SigV4Request& request, std::string_view secret,
                                   std::string_view amz_date, std::string_view date,
                                   std::string_view region, std::string_view service) {
  const Sha256Digest digest = TL_TRY(
      SignatureDigest(request, request.signed_headers, amz_date, ScopeOf(date, region, service),
                      CachedSigningKey(secret, date, region, service)));
  return HexOf(digest);
}

Status VerifySigV4(const SigV4Request& request, const SigV4Authorization& authorization,
                   std::string_view amz_date, std::string_view secret) {
  const Sha256Digest digest = TL_TRY(SignatureDigest(
      request, authorization.signed_headers, amz_date, authorization.scope,
      CachedSigningKey(secret, authorization.date, authorization.region, authorization.service)));
  if (ConstantTimeEqual(HexOf(digest), authorization.signature)) return OkStatus();
  return Unauthenticated(
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method. Consult the service documentation for details.");
}

Result<TimestampNs> ParseAmzDate(std::string_view text) {
  const auto bad = [&] {
    return InvalidArgument("date must be of the form yyyymmddThhmmssZ, got '{}'",
                           text.substr(0, 64));
  };
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return bad();
  for (std::size_t i = 0; i < 15; ++i) {
    if (i != 8 && !IsDecimal(text[i])) return bad();
  }
  const std::chrono::year_month_day date{
      std::chrono::year{TwoDigits(text, 0) * 100 + TwoDigits(text, 2)},
      std::chrono::month{static_cast<unsigned>(TwoDigits(text, 4))},
      std::chrono::day{static_cast<unsigned>(TwoDigits(text, 6))}};
  const int hour = TwoDigits(text, 9);
  const int minute = TwoDigits(text, 11);
  const int second = TwoDigits(text, 13);
  // 1970 to 2261: what fits into nanoseconds, and no signature is older.
  const int year = static_cast<int>(date.year());
  if (!date.ok() || hour > 23 || minute > 59 || second > 60 || year < 1970 || year > 2261) {
    return bad();
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return TimestampNs{days * kNsPerDay + hour * kNsPerHour + minute * kNsPerMinute +
                     second * kNsPerSecond};
}

std::string FormatAmzDate(TimestampNs time) {
  const std::string iso = FormatIso8601(time, 0);  // 2024-01-01T10:07:00Z
  std::string out;
  std::copy_if(iso.begin(), iso.end(), std::back_inserter(out),
               [](char c) { return c != '-' && c != ':'; });
  return out;
}

Result<std::vector<SigV4SignedHeader>> SigV4Signer::Sign(
    std::string_view method, std::string_view path, std::string_view query,
    std::span<const HttpField> headers, std::string_view payload_sha256, TimestampNs now) const {
  std::vector<SigV4SignedHeader> added;
  added.push_back({"x-amz-date", FormatAmzDate(now)});
  if (!options_.session_token.empty()) {
    added.push_back({"x-amz-security-token", options_.session_token});
  }
  if (options_.send_payload_sha256) {
    added.push_back({"x-amz-content-sha256", std::string(payload_sha256)});
  }
  std::vector<HttpField> fields(headers.begin(), headers.end());
  for (const SigV4SignedHeader& header : added) fields.push_back({header.name, header.value});
  std::vector<std::string_view> names;
  for (const HttpField& field : fields) names.push_back(field.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (!std::binary_search(names.begin(), names.end(), std::string_view("host"))) {
    return InvalidArgument("headers to sign lack 'host'");
  }
  std::string signed_headers;
  for (const std::string_view name : names) {
    if (!signed_headers.empty()) signed_headers.push_back(';');
    signed_headers.append(name);
  }
  const std::string_view amz_date = added.front().value;
  const std::string_view date = amz_date.substr(0, 8);
  const SigV4Request request{.method = method,
                             .path = path,
                             .query = query,
                             .headers = fields,
                             .signed_headers = signed_headers,
                             .payload_sha256 = payload_sha256,
                             .encode_path = options_.encode_path};
  const std::string signature = TL_TRY(SigV4Signature(request, options_.secret_access_key, amz_date,
                                                      date, options_.region, options_.service));
  added.push_back(
      {"authorization",
       fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kSigV4Algorithm,
                   options_.access_key_id, ScopeOf(date, options_.region, options_.service),
                   signed_headers, signature)});
  return added;
}

}  // namespace tideline::crypto
