// Doubles that are decimals, as integers: 36.67 is 3667 with a scale.
//
// A value v becomes n = round(v * 10^e / 10^f), and is an exception unless n * 10^f * 10^-e is v to
// the last bit (so -0.0, NaN and infinities always are). e and f hold for a slice: those that cost
// least on 32 of its values, among the few that did well on the block. The integers are one int64
// sequence, so they are framed, summed from deltas (decimal walks), or run-length coded as suits
// them.
//
//   heads_bytes (varint) | slices.h over slice heads | int64 sequence of n, exceptions repeat the
//   last n slice head: e (u8) | f (u8) | exception_count (varint) | positions, 10 bits each |
//   values, 8 bytes each
//
// Source: Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2024.
// Departure: the integers may be delta-coded, which halves decimal walks. ALP-RD is a codec of its own
// (alp_rd_codec.cc).
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/kernel_targets.h"
#include "storage/codec/bit_packing.h"
#include "storage/codec/double_codec.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/packed_slice.h"
#include "storage/codec/prefix_sum.h"
#include "storage/codec/slices.h"

namespace tideline::codec {
namespace {

constexpr int kExponentMax = 18;
constexpr std::array<double, kExponentMax + 1> kPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                                          1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                                          1e14, 1e15, 1e16, 1e17, 1e18};
constexpr std::array<double, kExponentMax + 1> kInversePowers = {
    1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8, 1e-9,
    1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18};

// Adding it moves the integer part of a double below 2^51 into the low mantissa bits.
constexpr double kRoundingMagic = 6755399441055744.0;  // 1.5 * 2^52
constexpr double kIntegerMax = 2251799813685248.0;     // 2^51
constexpr unsigned kPositionBits10 = 10;
constexpr std::size_t kSampleValues = 32;
constexpr std::size_t kSampledSlices = 4;
constexpr std::size_t kScalesKept = 5;
// More exceptions than this share of a sample: not decimals.
constexpr std::size_t kAlpExceptionShare = 4;
/// Fewer values of a slice are decoded faster one pass after the other, each over these values alone.
constexpr std::size_t kOnePassValuesMin = 128;
constexpr std::size_t kExceptionBits = 64 + kPositionBits10;

struct Scale {
  std::uint8_t exponent = 0;
  std::uint8_t factor = 0;
  bool operator==(const Scale&) const = default;
};

inline double DecodeOne(std::int64_t integer, double power, double inverse) {
  // Integers are below 2^51 in what we write; others decode to some double, which is all we
  // promise.
  const double magic = std::bit_cast<double>(std::bit_cast<std::uint64_t>(kRoundingMagic) +
                                             static_cast<std::uint64_t>(integer));
  return (magic - kRoundingMagic) * power * inverse;
}

// False for an exception; `*integer` is then unspecified.
inline bool EncodeOne(double value, const Scale& scale, std::int64_t* integer) {
  const double scaled = value * kPowers[scale.exponent] * kInversePowers[scale.factor];
  if (!(std::fabs(scaled) < kIntegerMax)) return false;
  *integer = static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(scaled + kRoundingMagic) -
                                       std::bit_cast<std::uint64_t>(kRoundingMagic));
  const double back = DecodeOne(*integer, kPowers[scale.factor], kInversePowers[scale.exponent]);
  return std::bit_cast<std::uint64_t>(back) == std::bit_cast<std::uint64_t>(value);
}

// Bits the values would take in a frame; SIZE_MAX when that is sure to exceed `cost_max` or all are
// exceptions.
std::size_t CostOf(std::span<const double> values, const Scale& scale, std::size_t cost_max) {
  std::int64_t least = INT64_MAX;
  std::int64_t most = INT64_MIN;
  std::size_t exceptions = 0;
  for (const double value : values) {
    std::int64_t integer = 0;
    if (!EncodeOne(value, scale, &integer)) {
      if (++exceptions * kExceptionBits > cost_max) return SIZE_MAX;
      continue;
    }
    least = std::min(least, integer);
    most = std::max(most, integer);
  }
  if (exceptions == values.size()) return SIZE_MAX;
  const auto width = static_cast<std::size_t>(
      std::bit_width(static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least)));
  return (values.size() - exceptions) * width + exceptions * kExceptionBits;
}

std::vector<double> PickEvenly(std::span<const double> values) {
  std::vector<double> picked;
  const std::size_t count = std::min(kSampleValues, values.size());
  picked.reserve(count);
  for (std::size_t i = 0; i < count; ++i) picked.push_back(values[i * values.size() / count]);
  return picked;
}

Scale BestScale(std::span<const double> sample) {
  Scale best;
  std::size_t best_cost = SIZE_MAX;
  for (int exponent = kExponentMax; exponent >= 0; --exponent) {
    for (int factor = exponent; factor >= 0; --factor) {
      const Scale scale{static_cast<std::uint8_t>(exponent), static_cast<std::uint8_t>(factor)};
      const std::size_t cost = CostOf(sample, scale, best_cost);
      if (cost < best_cost) {
        best_cost = cost;
        best = scale;
      }
    }
  }
  return best;
}

// The scales that win on some slices of the block; empty when it is not decimal.
std::vector<Scale> CandidateScales(std::span<const double> values) {
  std::vector<Scale> scales;
  std::size_t exceptions = 0;
  std::size_t sampled = 0;
  const std::size_t slice_count = SliceCount(values.size());
  const std::size_t picks = std::min(slice_count, kSampledSlices);
  for (std::size_t i = 0; i < picks; ++i) {
    const std::size_t first = i * slice_count / picks * kSliceValues;
    const std::vector<double> sample =
        PickEvenly(values.subspan(first, std::min(kSliceValues, values.size() - first)));
    const Scale scale = BestScale(sample);
    for (const double value : sample) {
      std::int64_t integer = 0;
      exceptions += EncodeOne(value, scale, &integer) ? 0 : 1;
    }
    sampled += sample.size();
    if (std::find(scales.begin(), scales.end(), scale) == scales.end() &&
        scales.size() < kScalesKept) {
      scales.push_back(scale);
    }
  }
  if (exceptions * kAlpExceptionShare > sampled) scales.clear();
  return scales;
}

Scale PickScale(std::span<const double> slice, std::span<const Scale> scales) {
  if (scales.size() == 1) return scales[0];
  const std::vector<double> sample = PickEvenly(slice);
  return *std::min_element(scales.begin(), scales.end(), [&](const Scale& a, const Scale& b) {
    return CostOf(sample, a, SIZE_MAX) < CostOf(sample, b, SIZE_MAX);
  });
}

void EncodeAlpSlice(std::span<const double> values, const Scale& scale,
                    std::vector<std::int64_t>* integers, Bytes* head) {
  std::array<std::uint64_t, kSliceValues> positions;
  std::size_t exception_count = 0;
  const std::size_t start = integers->size();
  std::int64_t last = 0;
  bool has_last = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::int64_t integer = 0;
    if (EncodeOne(values[i], scale, &integer)) {
      if (!has_last)
        std::fill(integers->begin() + static_cast<std::ptrdiff_t>(start), integers->end(), integer);
      last = integer;
      has_last = true;
    } else {
      positions[exception_count++] = i;
    }
    integers->push_back(last);
  }
  ByteWriter writer(head);
  writer.U8(scale.exponent);
  writer.U8(scale.factor);
  writer.Varint(exception_count);
  PackBits({positions.data(), exception_count}, kPositionBits10, head);
  for (std::size_t i = 0; i < exception_count; ++i) writer.Fixed(values[positions[i]]);
}

bool EncodeAlp(std::span<const double> values, Bytes* out) {
  const std::vector<Scale> scales = CandidateScales(values);
  if (scales.empty()) return false;
  std::vector<std::int64_t> integers;
  integers.reserve(values.size());
  Bytes heads;
  WriteSlices(values.size(), &heads, [&](std::size_t index, Bytes* head) {
    const std::size_t first = index * kSliceValues;
    const std::span<const double> slice =
        values.subspan(first, std::min(kSliceValues, values.size() - first));
    EncodeAlpSlice(slice, PickScale(slice, scales), &integers, head);
  });
  ByteWriter writer(out);
  writer.Varint(heads.size());
  writer.Append(heads);
  EncodeInt64Sequence(integers, out);
  return true;
}

TL_ALWAYS_INLINE void ScaleBody(const std::int64_t* integers, std::size_t count, double power,
                                double inverse, double* __restrict out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = DecodeOne(integers[i], power, inverse);
}
TL_KERNEL(ScaleIntegers, ScaleBody,
          (const std::int64_t* integers, std::size_t count, double power, double inverse,
           double* out),
          (integers, count, power, inverse, out))

struct SliceHead {
  DecimalScale scale;
  std::size_t exception_count = 0;
  BytesView positions;
  BytesView exceptions;
};

Result<SliceHead> ReadSliceHead(BytesView bytes, std::size_t slice_values) {
  ByteReader reader(bytes);
  const std::uint8_t exponent = TL_TRY(reader.U8());
  const std::uint8_t factor = TL_TRY(reader.U8());
  const std::uint64_t exception_count = TL_TRY(reader.Varint());
  if (exponent > kExponentMax || factor > kExponentMax || exception_count > slice_values) {
    return DataLoss("decimal slice: exponent {}, factor {}, {} exceptions", exponent, factor,
                    exception_count);
  }
  SliceHead head;
  head.scale = {kRoundingMagic, kPowers[factor], kInversePowers[exponent]};
  head.exception_count = static_cast<std::size_t>(exception_count);
  head.positions = TL_TRY(reader.Take(PackedBytes(head.exception_count, kPositionBits10)));
  head.exceptions = TL_TRY(reader.Take(head.exception_count * sizeof(double)));
  return head;
}

// Puts exceptions where they belong: `out` holds values [skip, skip + out.size()) of the slice.
Status PlaceExceptions(const SliceHead& head, std::size_t skip, std::size_t slice_values,
                       std::span<double> out) {
  if (head.exception_count == 0) return OkStatus();
  std::array<std::int64_t, kSliceValues> positions;
  UnpackBits(head.positions, kPositionBits10, 0, {positions.data(), head.exception_count});
  for (std::size_t i = 0; i < head.exception_count; ++i) {
    const auto position = static_cast<std::size_t>(positions[i]);
    if (position >= slice_values) return DataLoss("decimal slice: exception at {}", position);
    if (position < skip || position - skip >= out.size()) continue;
    std::memcpy(&out[position - skip], head.exceptions.data() + i * sizeof(double), sizeof(double));
  }
  return OkStatus();
}

struct AlpParts {
  BytesView heads;
  BytesView sequence;
};

Result<AlpParts> SplitAlp(BytesView payload) {
  ByteReader reader(payload);
  const std::uint64_t heads_bytes = TL_TRY(reader.Varint());
  if (heads_bytes > reader.remaining()) {
    return DataLoss("decimals: heads take {} bytes", heads_bytes);
  }
  AlpParts parts;
  parts.heads = TL_TRY(reader.Take(static_cast<std::size_t>(heads_bytes)));
  parts.sequence = payload.subspan(reader.position());
  return parts;
}

// A whole slice whose integers are in a frame without exceptions, or in differences: the last pass over
// them scales too. False, and nothing done, for any other.
Result<bool> DecodeInOnePass(BytesView sequence, std::size_t value_count, std::size_t slice,
                             const DecimalScale& scale, std::span<double> out) {
  if (sequence.empty()) return false;
  const auto codec = static_cast<std::uint8_t>(sequence[0]);
  if (codec == kDeltaInt64Codec.wire_id) {
    const BytesView bytes = TL_TRY(SliceBytes(sequence.subspan(1), value_count, slice));
    std::array<std::int64_t, kSliceValues> deltas;
    const std::uint64_t before = TL_TRY(ReadDeltas(bytes, deltas));
    PrefixSumDecimals(before, deltas, scale, out.data());
    return true;
  }
  if (codec != kFrameInt64Codec.wire_id) return false;
  const BytesView bytes = TL_TRY(SliceBytes(sequence.subspan(1), value_count, slice));
  const std::optional<PlainFrame> frame = TL_TRY(ReadPlainFrame(bytes, kSliceValues));
  if (!frame.has_value() || frame->width == 0) return false;
  UnpackDecimals(frame->packed, frame->width, frame->base, scale, out.first<kSliceValues>());
  return true;
}

Status DecodeAlp(BytesView payload, std::size_t value_count, std::size_t first,
                 std::span<double> out) {
  const AlpParts parts = TL_TRY(SplitAlp(payload));
  std::array<std::int64_t, kSliceValues> integers;
  std::array<double, kSliceValues> whole;
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t at = first + done;
    const std::size_t index = at / kSliceValues;
    const std::size_t skip = at % kSliceValues;
    const std::size_t slice_values = std::min(kSliceValues, value_count - index * kSliceValues);
    const std::size_t count = std::min(slice_values - skip, out.size() - done);
    const std::span<double> target = out.subspan(done, count);
    const BytesView head_bytes = TL_TRY(SliceBytes(parts.heads, value_count, index));
    const SliceHead head = TL_TRY(ReadSliceHead(head_bytes, slice_values));
    bool is_done = false;
    if (count == kSliceValues) {
      is_done = TL_TRY(DecodeInOnePass(parts.sequence, value_count, index, head.scale, target));
    } else if (slice_values == kSliceValues && count >= kOnePassValuesMin) {
      // Most of a slice, such as what a condition left of it: unpacking takes it whole in either way.
      is_done = TL_TRY(DecodeInOnePass(parts.sequence, value_count, index, head.scale, whole));
      if (is_done) std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(skip), count, target.begin());
    }
    if (!is_done) {
      const std::span<std::int64_t> wanted(integers.data(), count);
      TL_TRY(DecodeInt64Sequence(parts.sequence, value_count, at, wanted));
      ScaleIntegers(wanted.data(), count, head.scale.power, head.scale.inverse, target.data());
    }
    TL_TRY(PlaceExceptions(head, skip, slice_values, target));
    done += count;
  }
  return OkStatus();
}

}  // namespace

Result<std::optional<DoubleRange>> AlpSliceRange(BytesView payload, std::size_t value_count,
                                                 std::size_t slice) {
  const AlpParts parts = TL_TRY(SplitAlp(payload));
  const BytesView head = TL_TRY(SliceBytes(parts.heads, value_count, slice));
  ByteReader reader(head);
  const std::uint8_t exponent = TL_TRY(reader.U8());
  const std::uint8_t factor = TL_TRY(reader.U8());
  const std::uint64_t exception_count = TL_TRY(reader.Varint());
  if (exponent > kExponentMax || factor > kExponentMax || parts.sequence.empty()) {
    return DataLoss("decimal slice: exponent {}, factor {}", exponent, factor);
  }
  if (exception_count > 0 ||
      static_cast<std::uint8_t>(parts.sequence[0]) != kFrameInt64Codec.wire_id) {
    return std::optional<DoubleRange>();
  }
  const BytesView frame = TL_TRY(SliceBytes(parts.sequence.subspan(1), value_count, slice));
  const std::optional<FrameRange> range = TL_TRY(PackedSliceRange(frame));
  constexpr auto kMost = static_cast<std::int64_t>(kIntegerMax);
  if (!range.has_value() || range->least < -kMost || range->most > kMost) {
    return std::optional<DoubleRange>();
  }
  // Scaling rounds, but never past the scaled value of another integer: it keeps order.
  const double power = kPowers[factor];
  const double inverse = kInversePowers[exponent];
  return std::optional(DoubleRange{DecodeOne(range->least, power, inverse),
                                   DecodeOne(range->most, power, inverse)});
}

constinit const DoubleCodec kAlpDoubleCodec{
    .wire_id = 2, .name = "alp", .encode = EncodeAlp, .decode = DecodeAlp};

}  // namespace tideline::codec
