#include "storage/codec/binned_sequence.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "base/check.h"
#include "base/kernel_targets.h"
#include "storage/codec/bins.h"
#include "storage/codec/bit_stream.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/packed_slice.h"
#include "storage/codec/prefix_sum.h"
#include "storage/codec/slices.h"
#include "storage/codec/tans.h"
#include "storage/codec/wrapping.h"

namespace tideline::codec {
namespace {

constexpr unsigned kOrderMax = 2;
constexpr std::size_t kBinsMax = kTansSymbolsMax;
// A slice whose plain frame is wider than what its values cost by this much has outliers.
constexpr std::size_t kOutlierBits = 3;

// Values as differences of some order, which start from what stood before the first.
struct Differences {
  unsigned order = 0;
  std::int64_t before = 0;
  std::int64_t first_delta = 0;
  std::vector<std::int64_t> values;
};

// The first differences repeat a later one, so that they need no bin of their own.
Differences DifferencesOf(std::span<const std::int64_t> values, unsigned order) {
  Differences out;
  out.order = order;
  out.values.assign(values.begin(), values.end());
  std::vector<std::int64_t>& at = out.values;
  const std::size_t count = at.size();
  if (order >= 1) {
    for (std::size_t i = count; i-- > 1;) at[i] = WrappingDifference(at[i], at[i - 1]);
    at[0] = count > 1 ? at[1] : 0;
  }
  if (order == 2) {
    for (std::size_t i = count; i-- > 2;) at[i] = WrappingDifference(at[i], at[i - 1]);
    const std::int64_t delta = at[0];  // of value 1, and assumed of value 0
    const std::int64_t second = count > 2 ? at[2] : 0;
    at[0] = second;
    if (count > 1) at[1] = second;
    const std::int64_t delta_0 = WrappingDifference(delta, second);
    out.first_delta = WrappingDifference(delta_0, second);
    out.before = WrappingDifference(values[0], delta_0);
  } else if (order == 1) {
    out.before = WrappingDifference(values[0], at[0]);
  }
  return out;
}

struct Offsets {
  std::int64_t least = 0;
  std::vector<std::uint64_t> values;
};

Offsets OffsetsOf(std::span<const std::int64_t> values) {
  Offsets out;
  out.least = *std::min_element(values.begin(), values.end());
  out.values.reserve(values.size());
  for (const std::int64_t value : values) {
    out.values.push_back(Unsigned(value) - Unsigned(out.least));
  }
  return out;
}

unsigned TableBits(std::size_t value_count) {
  return std::clamp(static_cast<unsigned>(std::bit_width(value_count)) - 2U, kTansTableBitsMin,
                    kTansTableBitsMax);
}

unsigned PickOrder(std::span<const std::int64_t> values) {
  std::vector<std::int64_t> storage;
  const std::span<const std::int64_t> sample = SampleOf(values, &storage);
  unsigned best = 0;
  double best_bits = 0;
  for (unsigned order = 0; order <= kOrderMax; ++order) {
    std::vector<std::uint64_t> offsets = OffsetsOf(DifferencesOf(sample, order).values).values;
    const double bits = PlanBins(&offsets, kBinsMax).bits;
    if (order == 0 || bits < best_bits) {
      best = order;
      best_bits = bits;
    }
  }
  return best;
}

// The bin of each value. Ranges are mostly small; then a table answers.
class BinFinder {
 public:
  explicit BinFinder(std::span<const Bin> bins) : bins_(bins) {
    const std::uint64_t last = bins.back().lower;
    if (last >= kTableMax) return;
    table_.resize(static_cast<std::size_t>(last) + 1);
    std::size_t bin = 0;
    for (std::size_t i = 0; i < table_.size(); ++i) {
      while (bin + 1 < bins.size() && bins[bin + 1].lower <= i) ++bin;
      table_[i] = static_cast<std::uint8_t>(bin);
    }
  }
  std::uint8_t Find(std::uint64_t value) const {
    if (!table_.empty()) {
      return table_[static_cast<std::size_t>(std::min<std::uint64_t>(value, table_.size() - 1))];
    }
    const auto after =
        std::upper_bound(bins_.begin(), bins_.end(), value,
                         [](std::uint64_t wanted, const Bin& bin) { return wanted < bin.lower; });
    return static_cast<std::uint8_t>(after - bins_.begin() - 1);
  }

 private:
  static constexpr std::uint64_t kTableMax = 16'384;
  const std::span<const Bin> bins_;
  std::vector<std::uint8_t> table_;
};

void WriteBins(const BinPlan& plan, std::span<const std::uint16_t> shares, ByteWriter* writer) {
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < plan.bins.size(); ++i) {
    writer->Varint(plan.bins[i].lower - before);
    writer->U8(static_cast<std::uint8_t>(plan.bins[i].offset_bits));
    if (plan.bins.size() > 1) writer->Varint(shares[i]);
    before = plan.bins[i].lower;
  }
}

}  // namespace

void EncodeBinned(std::span<const std::int64_t> values, Bytes* out) {
  TL_CHECK(!values.empty() && values.size() <= kBlockRowsMax);
  const Differences differences = DifferencesOf(values, PickOrder(values));
  const Offsets offsets = OffsetsOf(differences.values);
  unsigned table_bits = TableBits(values.size());
  std::vector<std::uint64_t> sorted = offsets.values;
  const BinPlan plan = PlanBins(&sorted, std::min(kBinsMax, (std::size_t{1} << table_bits) / 2));
  if (plan.bins.size() == 1) table_bits = 0;

  ByteWriter writer(out);
  writer.U8(static_cast<std::uint8_t>(differences.order));
  writer.U8(static_cast<std::uint8_t>(table_bits));
  writer.U8(static_cast<std::uint8_t>(plan.bins.size() - 1));
  if (differences.order >= 1) writer.SignedVarint(differences.before);
  if (differences.order == 2) writer.SignedVarint(differences.first_delta);
  writer.SignedVarint(offsets.least);

  const BinFinder finder(plan.bins);
  std::vector<std::uint8_t> symbols(values.size());
  Bytes plain;
  BitWriter plain_bits(&plain);
  for (std::size_t i = 0; i < values.size(); ++i) {
    symbols[i] = finder.Find(offsets.values[i]);
    const Bin& bin = plan.bins[symbols[i]];
    plain_bits.Write(offsets.values[i] - bin.lower, bin.offset_bits);
  }
  plain_bits.Finish();
  if (table_bits == 0) {
    WriteBins(plan, {}, &writer);
  } else {
    std::vector<std::uint32_t> counts;
    for (const Bin& bin : plan.bins) counts.push_back(bin.count);
    const std::vector<std::uint16_t> shares = NormalizeCounts(counts, table_bits);
    WriteBins(plan, shares, &writer);
    const TansBits coded = EncodeTans(symbols, shares, table_bits);
    for (const Bytes& stream : coded.streams) writer.Varint(stream.size());
    for (const std::uint16_t state : coded.states) writer.U16(state);
    for (const Bytes& stream : coded.streams) writer.Append(stream);
  }
  writer.Append(plain);
  out->resize(out->size() + kBitPaddingBytes);
}

namespace {

struct OffsetCursor {
  const std::uint64_t* lowers;       ///< per bin, `least` added
  const std::uint8_t* offset_bits;   ///< per bin
  const std::byte* bytes;
  std::size_t load_max;
};

TL_ALWAYS_INLINE void LookUpBody(const std::uint64_t* lowers, const std::uint32_t* cells,
                                 std::size_t count, std::int64_t* __restrict out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = Signed(lowers[TansSymbol(cells[i])]);
}
TL_KERNEL(LookUp, LookUpBody,
          (const std::uint64_t* lowers, const std::uint32_t* cells, std::size_t count,
           std::int64_t* out),
          (lowers, cells, count, out))

// Offsets of at most kBitsPerLoad bits. Advances `*bit`.
TL_ALWAYS_INLINE void AddOffsetsBody(const OffsetCursor& cursor, const std::uint32_t* cells,
                                     std::size_t count, std::uint64_t* bit,
                                     std::int64_t* __restrict out) {
  std::uint64_t at = *bit;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned bits = cursor.offset_bits[TansSymbol(cells[i])];
    const std::uint64_t word = LoadBits(cursor.bytes, at, cursor.load_max);
    out[i] = Signed(cursor.lowers[TansSymbol(cells[i])] + (word & LowBits(bits)));
    at += bits;
  }
  *bit = at;
}
TL_KERNEL(AddOffsets, AddOffsetsBody,
          (const OffsetCursor& cursor, const std::uint32_t* cells, std::size_t count,
           std::uint64_t* bit, std::int64_t* out),
          (cursor, cells, count, bit, out))

void AddWideOffsets(const OffsetCursor& cursor, const std::uint32_t* cells, std::size_t count,
                    std::uint64_t* bit, std::int64_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned bits = cursor.offset_bits[TansSymbol(cells[i])];
    const unsigned low_bits = std::min(bits, 32U);
    const unsigned high_bits = bits - low_bits;
    const std::uint64_t low =
        LoadBits(cursor.bytes, *bit, cursor.load_max) & LowBits(low_bits);
    const std::uint64_t high =
        LoadBits(cursor.bytes, *bit + low_bits, cursor.load_max) & LowBits(high_bits);
    out[i] = Signed(cursor.lowers[TansSymbol(cells[i])] + (low | high << low_bits % 64));
    *bit += bits;
  }
}

// Reads a payload's values, as differences, from front to back.
class BinnedReader {
 public:
  Status Open(BytesView payload, std::size_t value_count);
  /// The next differences: kSliceValues of them, or what is left.
  void Next(std::span<std::int64_t> out);
  /// After the last value: kDataLoss unless every stream ended where it should.
  Status Finish() const;

  unsigned order() const { return order_; }
  std::int64_t before() const { return before_; }
  std::int64_t first_delta() const { return first_delta_; }
  /// What a value takes, in bits, rounded up.
  std::size_t bits_per_value() const { return bits_per_value_; }

 private:
  Status OpenBins(ByteReader* reader, std::size_t bin_count);

  unsigned order_ = 0;
  unsigned table_bits_ = 0;
  std::int64_t before_ = 0;
  std::int64_t first_delta_ = 0;
  std::size_t bits_per_value_ = 0;
  unsigned offset_bits_max_ = 0;
  // Filled as far as there are bins; a decoded symbol is always one of them.
  std::array<std::uint64_t, kBinsMax> lowers_;
  std::array<std::uint8_t, kBinsMax> offset_bits_;
  std::array<std::uint16_t, kBinsMax> shares_;
  std::array<std::uint32_t, kSliceValues> cells_{};  ///< all 0 with a single bin
  TansDecoder tans_;
  BytesView payload_;
  std::array<std::size_t, kTansStreams> stream_ends_{};
  std::uint64_t offset_bit_ = 0;
};

Status BinnedReader::OpenBins(ByteReader* reader, std::size_t bin_count) {
  const std::int64_t least = TL_TRY(reader->SignedVarint());
  std::uint64_t lower = Unsigned(least);
  for (std::size_t i = 0; i < bin_count; ++i) {
    const std::uint64_t step = TL_TRY(reader->Varint());
    lower += step;
    const std::uint8_t bits = TL_TRY(reader->U8());
    if (bits > 64) return DataLoss("binned integers: a bin of {} bits", bits);
    lowers_[i] = lower;
    offset_bits_[i] = bits;
    offset_bits_max_ = std::max<unsigned>(offset_bits_max_, bits);
    if (bin_count == 1) continue;
    const std::uint64_t share = TL_TRY(reader->Varint());
    if (share == 0 || share > std::uint64_t{1} << kTansTableBitsMax) {
      return DataLoss("binned integers: a bin with {} cells", share);
    }
    shares_[i] = static_cast<std::uint16_t>(share);
  }
  return OkStatus();
}

Status BinnedReader::Open(BytesView payload, std::size_t value_count) {
  ByteReader reader(payload);
  order_ = TL_TRY(reader.U8());
  table_bits_ = TL_TRY(reader.U8());
  const std::uint8_t bin_count_less_one = TL_TRY(reader.U8());
  const std::size_t bin_count = std::size_t{bin_count_less_one} + 1;
  const bool table_fits = bin_count == 1 ? table_bits_ == 0
                                         : table_bits_ >= kTansTableBitsMin &&
                                               table_bits_ <= kTansTableBitsMax;
  if (order_ > kOrderMax || !table_fits) {
    return DataLoss("binned integers: order {}, {} bins in a table of {} bits", order_, bin_count,
                    table_bits_);
  }
  if (order_ >= 1) before_ = TL_TRY(reader.SignedVarint());
  if (order_ == 2) first_delta_ = TL_TRY(reader.SignedVarint());
  TL_TRY(OpenBins(&reader, bin_count));
  std::array<std::uint64_t, kTansStreams> stream_bytes{};
  std::array<std::uint16_t, kTansLanes> states{};
  if (table_bits_ > 0) {
    for (std::uint64_t& bytes : stream_bytes) bytes = TL_TRY(reader.Varint());
    for (std::uint16_t& state : states) state = TL_TRY(reader.U16());
  }
  if (reader.remaining() < kBitPaddingBytes ||
      stream_bytes[0] > reader.remaining() - kBitPaddingBytes ||
      stream_bytes[1] > reader.remaining() - kBitPaddingBytes - stream_bytes[0]) {
    return DataLoss("binned integers: streams of {} and {} bytes in {}", stream_bytes[0],
                    stream_bytes[1], reader.remaining());
  }
  payload_ = payload;
  bits_per_value_ = (reader.remaining() - kBitPaddingBytes) * 8 / value_count + 1;
  const std::size_t start = reader.position();
  stream_ends_ = {start + static_cast<std::size_t>(stream_bytes[0]),
                  start + static_cast<std::size_t>(stream_bytes[0] + stream_bytes[1])};
  offset_bit_ = std::uint64_t{stream_ends_[1]} * 8;
  if (table_bits_ == 0) return OkStatus();
  return tans_.Start(std::span(shares_).first(bin_count), table_bits_, states, payload_,
                     {start, stream_ends_[0]});
}

void BinnedReader::Next(std::span<std::int64_t> out) {
  if (table_bits_ > 0) tans_.Decode(std::span(cells_).first(out.size()));
  const OffsetCursor cursor{lowers_.data(), offset_bits_.data(), payload_.data(),
                            payload_.size() - kBitPaddingBytes};
  if (offset_bits_max_ == 0) {
    LookUp(lowers_.data(), cells_.data(), out.size(), out.data());
  } else if (offset_bits_max_ <= kBitsPerLoad) {
    AddOffsets(cursor, cells_.data(), out.size(), &offset_bit_, out.data());
  } else {
    AddWideOffsets(cursor, cells_.data(), out.size(), &offset_bit_, out.data());
  }
}

Status BinnedReader::Finish() const {
  const bool coded_well = table_bits_ == 0 || (tans_.AtStart() &&
                                               tans_.StreamEnd(0) == stream_ends_[0] &&
                                               tans_.StreamEnd(1) == stream_ends_[1]);
  if (!coded_well || (offset_bit_ + 7) / 8 + kBitPaddingBytes != payload_.size()) {
    return DataLoss("binned integers: streams do not end with the values");
  }
  return OkStatus();
}

// Turns differences into values, in place, and moves the start on.
struct Integrator {
  unsigned order = 0;
  std::uint64_t before = 0;
  std::uint64_t delta = 0;

  void Run(std::span<std::int64_t> values) {
    if (order == 2) delta = PrefixSum(delta, values);
    if (order >= 1) before = PrefixSum(before, values);
  }
  // Only moves the start on; what becomes of the values is not said.
  void Skip(std::span<std::int64_t> values) {
    if (order == 1) before = Sum(before, values);
    if (order == 2) Run(values);
  }
};

void LightenSlice(std::span<const std::int64_t> differences, std::size_t width_max,
                  const Integrator& start, Bytes* out) {
  ByteWriter writer(out);
  if (start.order >= 1) writer.SignedVarint(Signed(start.before));
  if (start.order == 2) writer.SignedVarint(Signed(start.delta));
  if (!EncodeFrameSlice(differences, static_cast<unsigned>(std::min<std::size_t>(width_max, 64)),
                        out)) {
    EncodePackedSlice(differences, out);
  }
}

}  // namespace

Status DecodeBinned(BytesView payload, std::span<std::int64_t> out) {
  TL_CHECK(!out.empty() && out.size() <= kBlockRowsMax);
  BinnedReader reader;
  TL_TRY(reader.Open(payload, out.size()));
  Integrator sums{reader.order(), Unsigned(reader.before()), Unsigned(reader.first_delta())};
  for (std::size_t first = 0; first < out.size(); first += kSliceValues) {
    const auto slice = out.subspan(first, std::min(kSliceValues, out.size() - first));
    reader.Next(slice);
    sums.Run(slice);
  }
  return reader.Finish();
}

Status LightenBinned(BytesView payload, std::size_t value_count, Bytes* out) {
  TL_CHECK(value_count > 0 && value_count <= kBlockRowsMax);
  BinnedReader reader;
  TL_TRY(reader.Open(payload, value_count));
  const Int64Codec* const light[] = {&kFrameInt64Codec, &kDeltaInt64Codec,
                                     &kDeltaOfDeltaInt64Codec};
  out->push_back(static_cast<std::byte>(light[reader.order()]->wire_id));
  out->reserve(out->size() + value_count * (reader.bits_per_value() + 1) / 8 + 1024);
  const std::size_t width_max = reader.bits_per_value() + kOutlierBits;
  Integrator sums{reader.order(), Unsigned(reader.before()), Unsigned(reader.first_delta())};
  std::array<std::int64_t, kSliceValues> buffer;
  WriteSlices(value_count, out, [&](std::size_t index, Bytes* slice) {
    const std::size_t left = value_count - index * kSliceValues;
    const std::span<std::int64_t> differences(buffer.data(), std::min(kSliceValues, left));
    reader.Next(differences);
    LightenSlice(differences, width_max, sums, slice);
    sums.Skip(differences);
  });
  return reader.Finish();
}

}  // namespace tideline::codec
