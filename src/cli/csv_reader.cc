#include "cli/csv_reader.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace tideline::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
constexpr std::size_t kWordBytes = sizeof(std::uint64_t);
constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
constexpr std::uint64_t kLowBits = 0x7f7f'7f7f'7f7f'7f7f;
constexpr std::uint64_t kHighBits = 0x8080'8080'8080'8080;

// The high bit of each byte of `word` that equals the byte repeated in `pattern`; exact, without a carry between bytes.
constexpr std::uint64_t BytesEqual(std::uint64_t word, std::uint64_t pattern) {
  const std::uint64_t difference = word ^ pattern;
  return ~(((difference & kLowBits) + kLowBits) | difference | kLowBits);
}

constexpr std::uint64_t Repeat(char c) { return kOnes * static_cast<unsigned char>(c); }

// The first byte in memory becomes the lowest.
std::uint64_t WordAt(const char* text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, kWordBytes);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

bool IsAscii(std::string_view text) {
  std::uint64_t high = 0;
  std::size_t i = 0;
  for (; i + kWordBytes <= text.size(); i += kWordBytes) high |= WordAt(text.data() + i);
  for (; i < text.size(); ++i) high |= static_cast<unsigned char>(text[i]);
  return (high & kHighBits) == 0;
}

// Index of the first byte that is no part of UTF-8 (Unicode 15, table 3-7), or npos.
std::size_t FindBadUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i);
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4) return i;
    const std::size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    const unsigned second = byte(i + 1);
    const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (more > 0 && (second < low || second > high)) return i;
    for (std::size_t k = 2; k <= more; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return i;
    }
    i += more + 1;
  }
  return std::string_view::npos;
}

}  // namespace

CsvReader::CsvReader(std::istream& in, char separator, std::size_t record_bytes_max)
    : in_(in),
      separator_(separator),
      record_bytes_max_(record_bytes_max),
      block_(std::make_unique_for_overwrite<char[]>(kBlockBytes + kWordBytes)),
      capacity_(kBlockBytes) {}

Status CsvReader::Fill() {
  if (position_ > 0) {
    std::memmove(block_.get(), block_.get() + position_, unread());
    end_ -= position_;
    position_ = 0;
  }
  // One byte more may be the CR of a line end.
  if (unread() > record_bytes_max_ + 1) return TooLong();
  if (end_ == capacity_) {
    const std::size_t larger_capacity = std::min(2 * capacity_, record_bytes_max_ + kBlockBytes);
    auto larger = std::make_unique_for_overwrite<char[]>(larger_capacity + kWordBytes);
    std::memcpy(larger.get(), block_.get(), end_);
    block_ = std::move(larger);
    capacity_ = larger_capacity;
  }
  in_.read(block_.get() + end_, static_cast<std::streamsize>(capacity_ - end_));
  end_ += static_cast<std::size_t>(in_.gcount());
  if (in_.bad()) return Unavailable("line {}: cannot be read", next_line_);
  at_end_ = !in_.good();
  // What is looked at behind the end is no text.
  std::memset(block_.get() + end_, 0, kWordBytes);
  return OkStatus();
}

Status CsvReader::SkipByteOrderMark() {
  while (unread() < kByteOrderMark.size() && !at_end_) TL_TRY(Fill());
  if (std::string_view(block_.get(), end_).starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();
  return OkStatus();
}

Status CsvReader::TooLong() const {
  return InvalidArgument("line {}: the record exceeds the limit of {} bytes", record_line_, record_bytes_max_);
}

Status CsvReader::CheckText(std::string_view text) const {
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.size() > record_bytes_max_) return TooLong();
  if (IsAscii(text)) return OkStatus();
  std::size_t line = record_line_;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::string_view rest = text.substr(begin);
    const std::string_view one = rest.substr(0, rest.find('\n'));
    const std::size_t bad = FindBadUtf8(one);
    if (bad != std::string_view::npos) {
      return InvalidArgument("line {}: byte {} is {:#04x}, which is no UTF-8 there", line, bad + 1,
                             static_cast<unsigned char>(one[bad]));
    }
    begin += one.size() + 1;
  }
  return OkStatus();
}

CsvReader::Cut CsvReader::CutPlain(std::vector<std::string_view>* fields) {
  const std::uint64_t separators = Repeat(separator_);
  const char* const begin = block_.get() + position_;
  const char* const end = block_.get() + end_;
  const char* field = begin;
  for (const char* at = begin; at < end; at += kWordBytes) {
    const std::uint64_t word = WordAt(at);
    const std::uint64_t breaks = BytesEqual(word, Repeat('\n')) | BytesEqual(word, Repeat('"'));
    for (std::uint64_t found = breaks | BytesEqual(word, separators); found != 0; found &= found - 1) {
      const char* const stop = at + std::countr_zero(found) / 8;
      if (stop >= end) break;
      if (*stop == '"') return Cut::kHasQuotes;
      const bool is_last = *stop == '\n';
      const char* const field_end = is_last && stop > field && stop[-1] == '\r' ? stop - 1 : stop;
      fields->emplace_back(field, field_end - field);
      field = stop + 1;
      if (!is_last) continue;
      record_ = {begin, static_cast<std::size_t>(stop - begin)};
      position_ += record_.size() + 1;
      ++next_line_;
      return Cut::kWhole;
    }
  }
  if (!at_end_) return Cut::kNeedsMore;
  const char* const field_end = end > field && end[-1] == '\r' ? end - 1 : end;
  fields->emplace_back(field, field_end - field);
  record_ = {begin, static_cast<std::size_t>(end - begin)};
  position_ = end_;
  return Cut::kWhole;
}

Result<bool> CsvReader::CutQuoted(std::vector<std::string_view>* fields) {
  if (unquoted_.size() < unread()) unquoted_.resize(capacity_);
  const char* const begin = block_.get() + position_;
  const char* const end = block_.get() + end_;
  char* out = unquoted_.data();
  const char* field = out;
  bool quoted = false;
  std::size_t lines = 0;
  const char* at = begin;
  for (; at < end; ++at) {
    const char c = *at;
    if (c == '\n') {
      ++lines;
      if (!quoted) break;
    }
    if (c == '"' && quoted) {
      // At the end of what was read the next byte is not known.
      if (at + 1 == end && !at_end_) return false;
      quoted = at + 1 < end && at[1] == '"';
      if (!quoted) continue;
      ++at;
    } else if (c == '"' && out == field) {
      quoted = true;
      continue;
    } else if (c == separator_ && !quoted) {
      fields->emplace_back(field, out - field);
      field = out;
      continue;
    }
    *out++ = c;
  }
  if (at == end && !at_end_) return false;
  const std::string_view text(begin, static_cast<std::size_t>(at - begin));
  TL_TRY(CheckText(text));
  if (quoted) return InvalidArgument("line {}: a quoted field does not end", record_line_);
  if (out > field && out[-1] == '\r' && text.back() == '\r') --out;
  fields->emplace_back(field, out - field);
  record_ = {unquoted_.data(), static_cast<std::size_t>(out - unquoted_.data())};
  position_ += std::min(text.size() + 1, unread());
  next_line_ += lines;
  return true;
}

Result<bool> CsvReader::Next(std::vector<std::string_view>* fields) {
  if (record_line_ == 0) TL_TRY(SkipByteOrderMark());
  for (;;) {
    record_line_ = next_line_;
    fields->clear();
    if (unread() == 0 && at_end_) return false;
    Cut cut = CutPlain(fields);
    if (cut == Cut::kHasQuotes) {
      fields->clear();
      const bool whole = TL_TRY(CutQuoted(fields));
      if (whole) return true;
      cut = Cut::kNeedsMore;
    }
    if (cut == Cut::kNeedsMore) {
      TL_TRY(Fill());
      continue;
    }
    if (fields->size() == 1 && fields->front().empty()) continue;  // a blank line
    TL_TRY(CheckText(record_));
    return true;
  }
}

}  // namespace tideline::cli
