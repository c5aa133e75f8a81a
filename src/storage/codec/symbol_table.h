// storage/codec/symbol_table.h: up to 255 strings of one to eight bytes that stand for one byte each.
//
// Text is coded by taking, at each place, the longest symbol that fits; byte 255 says that the byte
// after it is meant as it is. Decoding is a look-up, an eight-byte store and an addition for each
// code, so that text is read at gigabytes per second, and any part of it alone.
//
// Source: Boncz, Neumann, Leis, "FSST: Fast Random Access String Compression", PVLDB 13(11), 2020:
// the table grows in five rounds, each counting symbols and neighbours on a sample coded by the table
// before it. Departure: symbols are found by their first byte and length, not by a lossy hash.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::codec {

inline constexpr std::size_t kSymbolsMax = 255;
inline constexpr std::size_t kSymbolBytesMax = 8;
inline constexpr std::uint8_t kEscapeCode = 255;

class SymbolTable {
 public:
  /// A table for text like `sample`; some 16 KiB of it are enough.
  static SymbolTable Build(std::string_view sample);
  /// count (u8) | length of each symbol (u8) | bytes of all symbols
  void Write(Bytes* out) const;
  /// kDataLoss when the bytes are no such table.
  static Result<SymbolTable> Read(ByteReader* reader);

  /// Appends the codes of `text`: at most twice its length.
  void Encode(std::string_view text, Bytes* out) const;
  /// Appends exactly `text_bytes` of text. kDataLoss when the codes stand for more or less.
  Status Decode(BytesView codes, std::size_t text_bytes, std::string* out) const;

  std::size_t size() const { return count_; }

 private:
  struct Symbol {
    std::uint64_t bytes = 0;  ///< the first lowest, zeros behind the last
    std::uint8_t length = 0;
  };
  struct Match {
    std::uint8_t code;
    std::uint8_t length;
  };
  void Index();
  /// The longest symbol that `word`, of which `available` bytes count, begins with.
  Match Find(std::uint64_t word, std::size_t available) const;

  std::size_t count_ = 0;
  std::array<Symbol, kSymbolsMax + 1> symbols_{};
  /// Codes by first byte, longest symbols first: those of byte b are at [starts_[b], starts_[b + 1]).
  std::array<std::uint16_t, 257> starts_{};
  std::array<std::uint8_t, kSymbolsMax> codes_{};
};

}  // namespace tideline::codec
