#include "storage/codec/symbol_table.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace tideline::codec {
namespace {

constexpr int kRounds = 5;
// Symbols worth keeping pay for their place in the table.
constexpr std::uint64_t kGainMin = 16;

std::uint64_t LoadWord(const char* text, std::size_t available) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, std::min(available, kSymbolBytesMax));
  return word;
}

std::uint64_t MaskOf(std::size_t bytes) {
  return bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (bytes * 8)) - 1;
}

struct Candidate {
  std::uint64_t bytes = 0;
  std::uint8_t length = 0;
  bool operator==(const Candidate&) const = default;
  template <typename H>
  friend H AbslHashValue(H state, const Candidate& candidate) {
    return H::combine(std::move(state), candidate.bytes, candidate.length);
  }
};

}  // namespace

void SymbolTable::Index() {
  std::array<std::uint16_t, 257> counts{};
  for (std::size_t i = 0; i < count_; ++i) ++counts[(symbols_[i].bytes & 0xff) + 1];
  for (std::size_t byte = 0; byte < 256; ++byte) {
    counts[byte + 1] = static_cast<std::uint16_t>(counts[byte + 1] + counts[byte]);
  }
  starts_ = counts;
  std::vector<std::uint8_t> order(count_);
  for (std::size_t i = 0; i < count_; ++i) order[i] = static_cast<std::uint8_t>(i);
  std::stable_sort(order.begin(), order.end(), [this](std::uint8_t a, std::uint8_t b) {
    return symbols_[a].length > symbols_[b].length;
  });
  for (const std::uint8_t code : order) codes_[counts[symbols_[code].bytes & 0xff]++] = code;
}

SymbolTable::Match SymbolTable::Find(std::uint64_t word, std::size_t available) const {
  const std::size_t first = word & 0xff;
  for (std::size_t i = starts_[first]; i < starts_[first + 1]; ++i) {
    const Symbol& symbol = symbols_[codes_[i]];
    if (symbol.length <= available && (word & MaskOf(symbol.length)) == symbol.bytes) {
      return {codes_[i], symbol.length};
    }
  }
  return {kEscapeCode, 1};
}

SymbolTable SymbolTable::Build(std::string_view sample) {
  SymbolTable table;
  for (int round = 0; round < kRounds; ++round) {
    absl::flat_hash_map<Candidate, std::uint64_t> gains;
    Candidate before;
    for (std::size_t at = 0; at < sample.size();) {
      const std::uint64_t word = LoadWord(sample.data() + at, sample.size() - at);
      const Match match = table.Find(word, sample.size() - at);
      const Candidate here{word & MaskOf(match.length), match.length};
      // What a symbol saves is about its length each time it is used.
      gains[here] += here.length;
      const std::size_t joined = std::size_t{before.length} + here.length;
      // Joined symbols are not sought in the last round: there is none left to see them used.
      if (before.length > 0 && joined <= kSymbolBytesMax && round + 1 < kRounds) {
        gains[{before.bytes | here.bytes << (before.length * 8),
               static_cast<std::uint8_t>(joined)}] += joined;
      }
      before = here;
      at += match.length;
    }
    std::vector<std::pair<std::uint64_t, Candidate>> best;
    for (const auto& [candidate, gain] : gains) {
      if (gain >= kGainMin) best.emplace_back(gain, candidate);
    }
    const std::size_t kept = std::min(best.size(), kSymbolsMax);
    // Ties are broken by content, so that the same text has the same table everywhere.
    std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(kept), best.end(),
                      [](const auto& a, const auto& b) {
                        if (a.first != b.first) return a.first > b.first;
                        if (a.second.length != b.second.length) {
                          return a.second.length > b.second.length;
                        }
                        return a.second.bytes < b.second.bytes;
                      });
    table.count_ = kept;
    for (std::size_t i = 0; i < kept; ++i) {
      table.symbols_[i] = {best[i].second.bytes, best[i].second.length};
    }
    table.Index();
  }
  return table;
}

void SymbolTable::Write(Bytes* out) const {
  ByteWriter writer(out);
  writer.U8(static_cast<std::uint8_t>(count_));
  for (std::size_t i = 0; i < count_; ++i) writer.U8(symbols_[i].length);
  for (std::size_t i = 0; i < count_; ++i) {
    writer.Append(std::as_bytes(std::span(&symbols_[i].bytes, 1)).first(symbols_[i].length));
  }
}

Result<SymbolTable> SymbolTable::Read(ByteReader* reader) {
  SymbolTable table;
  table.count_ = TL_TRY(reader->U8());
  for (std::size_t i = 0; i < table.count_; ++i) {
    table.symbols_[i].length = TL_TRY(reader->U8());
    if (table.symbols_[i].length < 1 || table.symbols_[i].length > kSymbolBytesMax) {
      return DataLoss("symbol table: a symbol of {} bytes", table.symbols_[i].length);
    }
  }
  for (std::size_t i = 0; i < table.count_; ++i) {
    const BytesView bytes = TL_TRY(reader->Take(table.symbols_[i].length));
    std::memcpy(&table.symbols_[i].bytes, bytes.data(), bytes.size());
  }
  return table;
}

void SymbolTable::Encode(std::string_view text, Bytes* out) const {
  for (std::size_t at = 0; at < text.size();) {
    const Match match = Find(LoadWord(text.data() + at, text.size() - at), text.size() - at);
    out->push_back(static_cast<std::byte>(match.code));
    if (match.code == kEscapeCode) out->push_back(static_cast<std::byte>(text[at]));
    at += match.length;
  }
}

Status SymbolTable::Decode(BytesView codes, std::size_t text_bytes, std::string* out) const {
  // A code stands for at most eight bytes, so no more than this can come out.
  if (text_bytes > codes.size() * kSymbolBytesMax) {
    return DataLoss("coded text: {} bytes from {} codes", text_bytes, codes.size());
  }
  const std::size_t start = out->size();
  // Room for the last store, which writes a whole word.
  out->resize(start + text_bytes + kSymbolBytesMax);
  char* const text = out->data() + start;
  std::size_t at = 0;
  std::size_t i = 0;
  for (; i < codes.size(); ++i) {
    const auto code = static_cast<std::uint8_t>(codes[i]);
    Symbol symbol = symbols_[code];
    if (code == kEscapeCode) {
      if (++i == codes.size()) break;
      symbol = {static_cast<std::uint64_t>(codes[i]), 1};
    }
    if (symbol.length == 0 || symbol.length > text_bytes - at) break;
    std::memcpy(text + at, &symbol.bytes, sizeof(symbol.bytes));
    at += symbol.length;
  }
  if (i != codes.size() || at != text_bytes) {
    return DataLoss("coded text: codes do not stand for {} bytes", text_bytes);
  }
  out->resize(start + text_bytes);
  return OkStatus();
}

}  // namespace tideline::codec
