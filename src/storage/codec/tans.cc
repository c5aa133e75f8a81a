#include "storage/codec/tans.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "base/kernel_targets.h"
#include "storage/codec/bit_stream.h"

namespace tideline::codec {
namespace {

constexpr std::size_t kLanesPerStream = kTansLanes / kTansStreams;
static_assert(kLanesPerStream * kTansTableBitsMax <= kBitsPerLoad,
              "one loaded word serves every lane of a stream");

// Cell numbers in the order in which symbols take them.
template <typename Take>
void SpreadSymbols(std::span<const std::uint16_t> shares, unsigned table_bits, Take take) {
  const std::size_t size = std::size_t{1} << table_bits;
  const std::size_t step = size / 2 + size / 8 + 3;
  std::size_t cell = 0;
  for (std::size_t symbol = 0; symbol < shares.size(); ++symbol) {
    for (std::size_t i = 0; i < shares[symbol]; ++i) {
      take(cell, symbol);
      cell = (cell + step) & (size - 1);
    }
  }
}

unsigned FloorLog2(std::uint32_t value) { return static_cast<unsigned>(std::bit_width(value)) - 1; }

// What a cell more or less for a symbol changes, in bits over all its occurrences.
double CostOfChange(std::uint32_t count, double from, double to) {
  return count * std::log2(from / to);
}

struct TansCursor {
  const std::uint32_t* cells;
  std::uint64_t* states;
  std::uint64_t* bits;
  const std::byte* bytes;
  std::size_t load_max;
};

// Decodes one symbol off the low end of `*word` and returns the cell.
TL_ALWAYS_INLINE std::uint64_t Step(const std::uint32_t* cells, std::uint64_t* word,
                                    std::uint64_t* state) {
  const std::uint64_t cell = cells[*state];
  *state = (cell >> 16) + (*word & LowBits(cell & 63));
  *word >>= cell & 63;
  return cell;
}

// Whole groups of kTansLanes symbols.
TL_ALWAYS_INLINE void DecodeGroups(const TansCursor& cursor, std::size_t count,
                                   std::uint32_t* __restrict out) {
  const std::uint32_t* const cells = cursor.cells;
  std::uint64_t bit_a = cursor.bits[0];
  std::uint64_t bit_b = cursor.bits[1];
  std::uint64_t states[kTansLanes];
  for (std::size_t lane = 0; lane < kTansLanes; ++lane) states[lane] = cursor.states[lane];
  for (std::size_t i = 0; i < count; i += kTansLanes) {
    std::uint64_t word_a = LoadBits(cursor.bytes, bit_a, cursor.load_max);
    std::uint64_t word_b = LoadBits(cursor.bytes, bit_b, cursor.load_max);
    // The low byte of four cells added up is the number of bits they took, at most 44.
    std::uint64_t taken_a = 0;
    std::uint64_t taken_b = 0;
#pragma GCC unroll 4
    for (std::size_t lane = 0; lane < kLanesPerStream; ++lane) {
      const std::uint64_t cell_a = Step(cells, &word_a, &states[lane]);
      const std::uint64_t cell_b = Step(cells, &word_b, &states[lane + kLanesPerStream]);
      out[i + lane] = static_cast<std::uint32_t>(cell_a);
      out[i + lane + kLanesPerStream] = static_cast<std::uint32_t>(cell_b);
      taken_a += cell_a;
      taken_b += cell_b;
    }
    bit_a += taken_a & 0xff;
    bit_b += taken_b & 0xff;
  }
  cursor.bits[0] = bit_a;
  cursor.bits[1] = bit_b;
  for (std::size_t lane = 0; lane < kTansLanes; ++lane) cursor.states[lane] = states[lane];
}
TL_KERNEL(DecodeGroupsKernel, DecodeGroups,
          (const TansCursor& cursor, std::size_t count, std::uint32_t* out),
          (cursor, count, out))

}  // namespace

std::vector<std::uint16_t> NormalizeCounts(std::span<const std::uint32_t> counts,
                                           unsigned table_bits) {
  const std::size_t size = std::size_t{1} << table_bits;
  TL_CHECK(!counts.empty() && counts.size() <= std::min(size, kTansSymbolsMax));
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::vector<std::uint16_t> shares(counts.size());
  std::size_t given = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    TL_CHECK(counts[i] > 0);
    const double exact = counts[i] * static_cast<double>(size) / total;
    shares[i] = static_cast<std::uint16_t>(std::max(1.0, std::round(exact)));
    given += shares[i];
  }
  // Rounding leaves a few cells to give or take: each where it helps most or hurts least.
  while (given != size) {
    const bool give = given < size;
    std::size_t best = 0;
    double best_cost = INFINITY;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (!give && shares[i] == 1) continue;
      const double cost = CostOfChange(counts[i], shares[i], shares[i] + (give ? 1.0 : -1.0));
      if (cost < best_cost) {
        best_cost = cost;
        best = i;
      }
    }
    shares[best] = static_cast<std::uint16_t>(shares[best] + (give ? 1 : -1));
    given += give ? 1 : std::size_t{0} - 1;
  }
  return shares;
}

TansBits EncodeTans(std::span<const std::uint8_t> symbols, std::span<const std::uint16_t> shares,
                    unsigned table_bits) {
  const std::size_t size = std::size_t{1} << table_bits;
  // Cells of a symbol, ascending: the states that symbol leads to.
  std::vector<std::size_t> first_cell(shares.size() + 1);
  for (std::size_t i = 0; i < shares.size(); ++i) first_cell[i + 1] = first_cell[i] + shares[i];
  TL_CHECK(first_cell.back() == size);
  std::vector<std::uint8_t> symbol_of(size);
  SpreadSymbols(shares, table_bits, [&](std::size_t cell, std::size_t symbol) {
    symbol_of[cell] = static_cast<std::uint8_t>(symbol);
  });
  std::vector<std::uint16_t> cells(size);
  std::vector<std::size_t> next(first_cell.begin(), first_cell.end() - 1);
  for (std::size_t cell = 0; cell < size; ++cell) {
    cells[next[symbol_of[cell]]++] = static_cast<std::uint16_t>(cell);
  }

  struct Emitted {
    std::uint16_t bits;
    std::uint8_t count;
  };
  std::vector<Emitted> emitted(symbols.size());
  TansBits out;
  for (std::size_t i = symbols.size(); i-- > 0;) {
    std::uint16_t& state = out.states[i % kTansLanes];
    const std::size_t symbol = symbols[i];
    const std::uint32_t share = shares[symbol];
    const std::uint32_t full = static_cast<std::uint32_t>(size) + state;
    unsigned bits = table_bits - FloorLog2(share);
    if (full >> bits < share) --bits;
    emitted[i] = {static_cast<std::uint16_t>(full & LowBits(bits)),
                  static_cast<std::uint8_t>(bits)};
    state = cells[first_cell[symbol] + (full >> bits) - share];
  }
  std::array<BitWriter, kTansStreams> writers = {BitWriter(&out.streams[0]),
                                                 BitWriter(&out.streams[1])};
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    writers[i % kTansLanes / kLanesPerStream].Write(emitted[i].bits, emitted[i].count);
  }
  for (BitWriter& writer : writers) writer.Finish();
  return out;
}

Status TansDecoder::Start(std::span<const std::uint16_t> shares, unsigned table_bits,
                          std::span<const std::uint16_t, kTansLanes> states, BytesView bytes,
                          std::array<std::size_t, kTansStreams> streams) {
  TL_CHECK(table_bits >= kTansTableBitsMin && table_bits <= kTansTableBitsMax);
  TL_CHECK(bytes.size() >= kBitPaddingBytes && shares.size() <= kTansSymbolsMax);
  const std::size_t size = std::size_t{1} << table_bits;
  const std::size_t given = std::accumulate(shares.begin(), shares.end(), std::size_t{0});
  if (given != size) return DataLoss("entropy table: {} of {} cells", given, size);
  std::array<std::uint8_t, std::size_t{1} << kTansTableBitsMax> symbol_of;
  SpreadSymbols(shares, table_bits, [&symbol_of](std::size_t cell, std::size_t symbol) {
    symbol_of[cell] = static_cast<std::uint8_t>(symbol);
  });
  std::array<std::uint32_t, kTansSymbolsMax> next;
  std::copy(shares.begin(), shares.end(), next.begin());
  for (std::size_t cell = 0; cell < size; ++cell) {
    const std::uint32_t symbol = symbol_of[cell];
    const std::uint32_t state = next[symbol]++;
    const std::uint32_t bits = table_bits - FloorLog2(state);
    const std::uint32_t base = (state << bits) - static_cast<std::uint32_t>(size);
    cells_[cell] = bits | symbol << 8 | base << 16;
  }
  for (std::size_t lane = 0; lane < kTansLanes; ++lane) {
    if (states[lane] >= size) return DataLoss("entropy state {} of {}", states[lane], size);
    states_[lane] = states[lane];
  }
  bytes_ = bytes;
  for (std::size_t i = 0; i < kTansStreams; ++i) bits_[i] = std::uint64_t{streams[i]} * 8;
  return OkStatus();
}

void TansDecoder::Decode(std::span<std::uint32_t> cells) {
  const TansCursor cursor{cells_.data(), states_.data(), bits_.data(), bytes_.data(),
                          bytes_.size() - kBitPaddingBytes};
  const std::size_t whole = cells.size() / kTansLanes * kTansLanes;
  DecodeGroupsKernel(cursor, whole, cells.data());
  for (std::size_t i = whole; i < cells.size(); ++i) {
    const std::size_t lane = i % kTansLanes;
    std::uint64_t& bit = bits_[lane / kLanesPerStream];
    std::uint64_t word = LoadBits(bytes_.data(), bit, cursor.load_max);
    cells[i] = static_cast<std::uint32_t>(Step(cells_.data(), &word, &states_[lane]));
    bit += cells[i] & 0xff;
  }
}

bool TansDecoder::AtStart() const {
  return std::all_of(states_.begin(), states_.end(),
                     [](std::uint64_t state) { return state == 0; });
}

}  // namespace tideline::codec
