#include "storage/codec/packed_slice.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/kernel_targets.h"
#include "base/wide_vector.h"
#include "storage/codec/bit_packing.h"
#include "storage/codec/wrapping.h"

namespace tideline::codec {
namespace {

constexpr std::uint8_t kExceptionsFlag = 0x80;
constexpr unsigned kPositionBits = 10;
// Past this share of exceptions a slice would decode slowly for little gain.
constexpr std::size_t kExceptionShare = 8;

struct FramePlan {
  std::uint64_t base = 0;
  unsigned width = 64;
  std::size_t cost_bits = SIZE_MAX;
};

using Histogram = std::array<std::uint32_t, 65>;

// How many bits the values take, counted. Neighbours nearly always take as many, so that each count would wait for the
// one before; hence four histograms in turn.
Histogram CountWidths(std::span<const std::int64_t> values, auto width_of) {
  constexpr std::size_t kTurns = 4;
  std::array<Histogram, kTurns> counts{};
  std::size_t i = 0;
  for (; i + kTurns <= values.size(); i += kTurns) {
    for (std::size_t turn = 0; turn < kTurns; ++turn) ++counts[turn][width_of(values[i + turn])];
  }
  for (; i < values.size(); ++i) ++counts[0][width_of(values[i])];
  for (std::size_t turn = 1; turn < kTurns; ++turn) {
    for (std::size_t width = 0; width < counts[0].size(); ++width) counts[0][width] += counts[turn][width];
  }
  return counts[0];
}

// The cheapest width, given how many values need each number of bits.
void ConsiderWidths(const Histogram& by_width, std::size_t count, unsigned width_min, auto base_of,
                    FramePlan* plan) {
  unsigned width_max = 64;
  while (width_max > width_min && by_width[width_max] == 0) --width_max;
  const unsigned exception_bits = kPositionBits + std::min(64U, width_max + 1);
  std::size_t exceptions = 0;
  for (unsigned width = width_max;; --width) {
    if (exceptions > count / kExceptionShare) return;
    const std::size_t cost =
        count * width + exceptions * exception_bits + (exceptions > 0 ? 16 : 0);
    if (cost < plan->cost_bits) *plan = {base_of(width), width, cost};
    if (width == width_min) return;
    exceptions += by_width[width];
  }
}

struct Range {
  std::int64_t least;
  std::int64_t most;
};

// Lane by lane: signed vectors, which compilers compare and select in two instructions.
template <std::size_t register_bytes>
TL_ALWAYS_INLINE void RangeBody(const std::int64_t* values, std::size_t count, Range* range) {
  using Wide = typename WideVector<register_bytes>::Signed;
  constexpr std::size_t kLanes = register_bytes / sizeof(std::int64_t);
  Wide least = Wide{} + values[0];
  Wide most = least;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    Wide at;
    std::memcpy(&at, values + i, register_bytes);
    least = at < least ? at : least;
    most = at > most ? at : most;
  }
  *range = {least[0], most[0]};
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    range->least = std::min<std::int64_t>(range->least, least[lane]);
    range->most = std::max<std::int64_t>(range->most, most[lane]);
  }
  for (; i < count; ++i) {
    range->least = std::min(range->least, values[i]);
    range->most = std::max(range->most, values[i]);
  }
}
TL_WIDE_KERNEL(FindRange, RangeBody, (const std::int64_t* values, std::size_t count, Range* range),
               (values, count, range))

FramePlan PlanFrame(std::span<const std::int64_t> values) {
  FramePlan plan;
  Range range{};
  FindRange(values.data(), values.size(), &range);
  const std::uint64_t least = Unsigned(range.least);
  ConsiderWidths(
      CountWidths(values, [least](std::int64_t value) { return std::bit_width(Unsigned(value) - least); }),
      values.size(), 0, [least](unsigned) { return least; }, &plan);
  if (range.least == range.most) return plan;

  // Around the median of a few: exceptions may then lie on both sides.
  std::array<std::int64_t, 33> picked;
  const std::size_t picks = std::min(picked.size(), values.size());
  for (std::size_t i = 0; i < picks; ++i) picked[i] = values[i * values.size() / picks];
  std::nth_element(picked.begin(), picked.begin() + picks / 2, picked.begin() + picks);
  const std::uint64_t median = Unsigned(picked[picks / 2]);
  ConsiderWidths(
      CountWidths(values,
                  [median](std::int64_t value) { return std::bit_width(ZigZag(Unsigned(value) - median)); }),
      values.size(), 0,
      [median](unsigned width) {
        return width == 0 ? median : median - (std::uint64_t{1} << (width - 1));
      },
      &plan);
  return plan;
}

}  // namespace

void EncodePackedSlice(std::span<const std::int64_t> values, Bytes* out) {
  TL_CHECK(values.size() <= kSliceValues);
  if (values.empty()) return;
  const FramePlan plan = PlanFrame(values);
  std::array<std::uint64_t, kSliceValues> packed;
  std::array<std::uint64_t, kSliceValues> positions;
  std::array<std::uint64_t, kSliceValues> exceptions;
  std::size_t exception_count = 0;
  std::uint64_t exception_bits = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t offset = Unsigned(values[i]) - plan.base;
    packed[i] = offset;
    if (plan.width < 64 && offset >> plan.width != 0) {
      packed[i] = 0;
      positions[exception_count] = i;
      exceptions[exception_count] = ZigZag(offset);
      exception_bits |= exceptions[exception_count];
      ++exception_count;
    }
  }
  ByteWriter writer(out);
  writer.SignedVarint(Signed(plan.base));
  writer.U8(static_cast<std::uint8_t>(plan.width | (exception_count > 0 ? kExceptionsFlag : 0U)));
  const auto exception_width = static_cast<unsigned>(std::bit_width(exception_bits));
  if (exception_count > 0) {
    writer.Varint(exception_count - 1);
    writer.U8(static_cast<std::uint8_t>(exception_width));
  }
  PackBits({packed.data(), values.size()}, plan.width, out);
  PackBits({positions.data(), exception_count}, kPositionBits, out);
  PackBits({exceptions.data(), exception_count}, exception_width, out);
}

bool EncodeFrameSlice(std::span<const std::int64_t> values, unsigned width_max, Bytes* out) {
  TL_CHECK(values.size() <= kSliceValues);
  if (values.empty()) return true;
  Range range{};
  FindRange(values.data(), values.size(), &range);
  const std::uint64_t base = Unsigned(range.least);
  const auto width = static_cast<unsigned>(std::bit_width(Unsigned(range.most) - base));
  if (width > width_max) return false;
  ByteWriter writer(out);
  writer.SignedVarint(range.least);
  writer.U8(static_cast<std::uint8_t>(width));
  PackFrame(AsUnsigned(values), base, width, out);
  return true;
}

Status DecodePackedSlice(ByteReader* reader, std::span<std::int64_t> out) {
  TL_CHECK(out.size() <= kSliceValues);
  if (out.empty()) return OkStatus();
  const std::int64_t signed_base = TL_TRY(reader->SignedVarint());
  const std::uint64_t base = Unsigned(signed_base);
  const std::uint8_t head = TL_TRY(reader->U8());
  const unsigned width = head & (kExceptionsFlag - 1U);
  if (width > 64) return DataLoss("packed slice: width above 64: {}", width);
  std::size_t exception_count = 0;
  unsigned exception_width = 0;
  if ((head & kExceptionsFlag) != 0) {
    const std::uint64_t count_less_one = TL_TRY(reader->Varint());
    exception_width = TL_TRY(reader->U8());
    if (count_less_one >= out.size() || exception_width > 64) {
      return DataLoss("packed slice: {} exceptions of {} bits among {} values", count_less_one,
                      exception_width, out.size());
    }
    exception_count = static_cast<std::size_t>(count_less_one) + 1;
  }
  const BytesView packed = TL_TRY(reader->Take(PackedBytes(out.size(), width)));
  UnpackBits(packed, width, base, out);
  if (exception_count == 0) return OkStatus();

  std::array<std::int64_t, kSliceValues> positions;
  std::array<std::int64_t, kSliceValues> exceptions;
  const BytesView places = TL_TRY(reader->Take(PackedBytes(exception_count, kPositionBits)));
  UnpackBits(places, kPositionBits, 0, {positions.data(), exception_count});
  const BytesView values = TL_TRY(reader->Take(PackedBytes(exception_count, exception_width)));
  UnpackBits(values, exception_width, 0, {exceptions.data(), exception_count});
  for (std::size_t i = 0; i < exception_count; ++i) {
    const std::uint64_t position = Unsigned(positions[i]);
    if (position >= out.size()) {
      return DataLoss("packed slice: exception at {} of {} values", position, out.size());
    }
    out[position] = Signed(base + UnZigZag(Unsigned(exceptions[i])));
  }
  return OkStatus();
}

Result<std::optional<PlainFrame>> ReadPlainFrame(BytesView slice, std::size_t value_count) {
  ByteReader reader(slice);
  PlainFrame frame;
  const std::int64_t base = TL_TRY(reader.SignedVarint());
  const std::uint8_t head = TL_TRY(reader.U8());
  if ((head & kExceptionsFlag) != 0) return std::optional<PlainFrame>();
  if (head > 64) return DataLoss("packed slice: width above 64: {}", head);
  frame.base = Unsigned(base);
  frame.width = head;
  frame.packed = TL_TRY(reader.Take(PackedBytes(value_count, head)));
  return std::optional(frame);
}

Result<std::optional<FrameRange>> PackedSliceRange(BytesView slice) {
  ByteReader reader(slice);
  const std::int64_t base = TL_TRY(reader.SignedVarint());
  const std::uint8_t width = TL_TRY(reader.U8());
  // From 64 bits on, and with exceptions, a value can be anything.
  if (width >= 64) return std::optional<FrameRange>();
  FrameRange range{base, 0};
  const auto span = static_cast<std::int64_t>((std::uint64_t{1} << width) - 1);
  if (__builtin_add_overflow(base, span, &range.most)) return std::optional<FrameRange>();
  return std::optional(range);
}

}  // namespace tideline::codec
