// storage/codec/tans.h: entropy coding of small symbols by asymmetric numeral systems in a table.
//
// A symbol of probability f / 2^t costs log2(2^t / f) bits, to within a few thousandths, and is
// decoded by one look into a table of 2^t cells and one shift of a bit stream. Eight states take
// turns: value i is coded by state i % 8, states 0 to 3 read bits from stream A and 4 to 7 from
// stream B, so that eight table look-ups are under way at once.
//
//   cell: symbol | bits | base          symbol = cell.symbol; state = cell.base + next cell.bits bits
//
// Source: Duda, "Asymmetric numeral systems", arXiv 1311.2540, 2013; the spread of symbols over the
// table (steps of 5/8 of the table and 3) as in Collet and Kucherawy, RFC 8878 (zstd), section 4.1.1.
// Departure: eight states over two streams, both read forwards: the encoder goes backwards through
// the symbols and keeps each one's bits until it can write them in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::codec {

inline constexpr unsigned kTansTableBitsMin = 5;
inline constexpr unsigned kTansTableBitsMax = 11;
inline constexpr std::size_t kTansSymbolsMax = 256;
inline constexpr std::size_t kTansLanes = 8;
inline constexpr std::size_t kTansStreams = 2;
/// Readable bytes that must follow every bit stream, so that a word may be loaded at any bit of it.
inline constexpr std::size_t kBitPaddingBytes = 8;

/// Shares of a table of 2^table_bits cells in proportion to `counts`, none of which is 0 (checked);
/// each is at least 1 and they add up to the table.
std::vector<std::uint16_t> NormalizeCounts(std::span<const std::uint32_t> counts,
                                           unsigned table_bits);

struct TansBits {
  std::array<std::uint16_t, kTansLanes> states{};  ///< the decoder begins with these
  std::array<Bytes, kTansStreams> streams;
};
/// Codes `symbols`, each below shares.size().
TansBits EncodeTans(std::span<const std::uint8_t> symbols, std::span<const std::uint16_t> shares,
                    unsigned table_bits);

/// The symbol in what TansDecoder::Decode yields. Whole cells are yielded, since taking them apart is
/// left to whoever uses the symbol, who can load the one byte.
constexpr std::uint8_t TansSymbol(std::uint32_t cell) { return static_cast<std::uint8_t>(cell >> 8); }

/// Decodes symbols front to back. Reads only inside `bytes`, whatever they hold.
class TansDecoder {
 public:
  /// kDataLoss unless `shares` add up to 2^table_bits and every state lies in the table.
  /// `streams` are positions in `bytes` of streams A and B; `bytes` ends with kBitPaddingBytes
  /// bytes more than the streams need (checked) and must outlive the decoder.
  Status Start(std::span<const std::uint16_t> shares, unsigned table_bits,
               std::span<const std::uint16_t, kTansLanes> states, BytesView bytes,
               std::array<std::size_t, kTansStreams> streams);
  /// The cells of the next symbols. Their number is a multiple of kTansLanes in all calls but the last.
  void Decode(std::span<std::uint32_t> cells);
  /// The byte that stream `index` has reached, rounded up, and whether every state is back where
  /// the encoder began: true after the last symbol of an undamaged stream.
  std::size_t StreamEnd(std::size_t index) const { return (bits_[index] + 7) / 8; }
  bool AtStart() const;

 private:
  // bits | symbol << 8 | base << 16: shifts that take their count from the low bits need no mask.
  std::array<std::uint32_t, std::size_t{1} << kTansTableBitsMax> cells_;
  std::array<std::uint64_t, kTansLanes> states_{};
  std::array<std::uint64_t, kTansStreams> bits_{};  ///< positions in bytes_
  BytesView bytes_;
};

}  // namespace tideline::codec
