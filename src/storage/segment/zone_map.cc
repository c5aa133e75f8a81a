#include "storage/segment/zone_map.h"

#include <algorithm>
#include <cmath>

namespace tideline::segment {
namespace {

constexpr std::uint8_t kHasBounds = 1;
constexpr std::uint8_t kHasNan = 2;
constexpr std::uint8_t kSumOverflowed = 4;
constexpr std::uint8_t kMaxIsCut = 8;
constexpr std::uint8_t kKnownFlags = 15;

ZoneMap EmptyZone(std::size_t value_count, std::size_t row_count) {
  ZoneMap zone;
  zone.row_count = static_cast<std::uint32_t>(row_count);
  zone.null_count = static_cast<std::uint32_t>(row_count - value_count);
  zone.has_bounds = value_count > 0;
  return zone;
}

}  // namespace

ZoneMap ZoneOfInt64s(std::span<const std::int64_t> values, std::size_t row_count) {
  ZoneMap zone = EmptyZone(values.size(), row_count);
  if (values.empty()) return zone;
  zone.min_int64 = values[0];
  zone.max_int64 = values[0];
  for (const std::int64_t value : values) {
    zone.min_int64 = std::min(zone.min_int64, value);
    zone.max_int64 = std::max(zone.max_int64, value);
    if (!zone.sum_overflowed) {
      zone.sum_overflowed = __builtin_add_overflow(zone.sum_int64, value, &zone.sum_int64);
    }
  }
  if (zone.sum_overflowed) zone.sum_int64 = 0;
  return zone;
}

ZoneMap ZoneOfDoubles(std::span<const double> values, std::size_t row_count) {
  ZoneMap zone = EmptyZone(values.size(), row_count);
  zone.has_bounds = false;
  double sum = 0;
  double lost = 0;
  for (const double value : values) {
    if (std::isnan(value)) {
      zone.has_nan = true;
      continue;
    }
    zone.min_double = zone.has_bounds ? std::min(zone.min_double, value) : value;
    zone.max_double = zone.has_bounds ? std::max(zone.max_double, value) : value;
    zone.has_bounds = true;
    const double next = sum + value;
    lost += std::fabs(sum) >= std::fabs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  zone.sum_double = sum + lost;
  zone.sum_overflowed = !std::isfinite(zone.sum_double);
  if (zone.sum_overflowed) zone.sum_double = 0;
  return zone;
}

ZoneMap ZoneOfBools(std::span<const std::uint8_t> values, std::size_t row_count) {
  ZoneMap zone = EmptyZone(values.size(), row_count);
  for (const std::uint8_t value : values) zone.sum_int64 += value;
  if (values.empty()) return zone;
  zone.min_int64 = zone.sum_int64 == static_cast<std::int64_t>(values.size()) ? 1 : 0;
  zone.max_int64 = zone.sum_int64 > 0 ? 1 : 0;
  return zone;
}

ZoneMap ZoneOfStrings(std::span<const std::string_view> values, std::size_t row_count) {
  ZoneMap zone = EmptyZone(values.size(), row_count);
  if (values.empty()) return zone;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  zone.min_string = least->substr(0, kZoneStringBytes);
  zone.max_string = most->substr(0, kZoneStringBytes);
  zone.max_is_cut = most->size() > kZoneStringBytes;
  return zone;
}

void WriteZoneMap(const ZoneMap& zone, codec::PhysicalKind kind, ByteWriter* writer) {
  writer->U8(static_cast<std::uint8_t>(
      (zone.has_bounds ? kHasBounds : 0) | (zone.has_nan ? kHasNan : 0) |
      (zone.sum_overflowed ? kSumOverflowed : 0) | (zone.max_is_cut ? kMaxIsCut : 0)));
  writer->Varint(zone.null_count);
  switch (kind) {
    case codec::PhysicalKind::kInt64:
    case codec::PhysicalKind::kBool:
      writer->SignedVarint(zone.min_int64);
      writer->SignedVarint(zone.max_int64);
      writer->SignedVarint(zone.sum_int64);
      return;
    case codec::PhysicalKind::kDouble:
      writer->Fixed(zone.min_double);
      writer->Fixed(zone.max_double);
      writer->Fixed(zone.sum_double);
      return;
    case codec::PhysicalKind::kString:
      writer->LengthPrefixed(zone.min_string);
      writer->LengthPrefixed(zone.max_string);
      return;
  }
}

Result<ZoneMap> ReadZoneMap(codec::PhysicalKind kind, std::uint32_t row_count, ByteReader* reader) {
  ZoneMap zone;
  zone.row_count = row_count;
  const std::uint8_t flags = TL_TRY(reader->U8());
  const std::uint64_t null_count = TL_TRY(reader->Varint());
  if ((flags & ~kKnownFlags) != 0 || null_count > row_count) {
    return DataLoss("zone map: flags {}, {} nulls of {} rows", flags, null_count, row_count);
  }
  zone.null_count = static_cast<std::uint32_t>(null_count);
  zone.has_bounds = (flags & kHasBounds) != 0;
  zone.has_nan = (flags & kHasNan) != 0;
  zone.sum_overflowed = (flags & kSumOverflowed) != 0;
  zone.max_is_cut = (flags & kMaxIsCut) != 0;
  switch (kind) {
    case codec::PhysicalKind::kInt64:
    case codec::PhysicalKind::kBool:
      zone.min_int64 = TL_TRY(reader->SignedVarint());
      zone.max_int64 = TL_TRY(reader->SignedVarint());
      zone.sum_int64 = TL_TRY(reader->SignedVarint());
      break;
    case codec::PhysicalKind::kDouble:
      zone.min_double = TL_TRY(reader->Fixed<double>());
      zone.max_double = TL_TRY(reader->Fixed<double>());
      zone.sum_double = TL_TRY(reader->Fixed<double>());
      break;
    case codec::PhysicalKind::kString:
      zone.min_string = TL_TRY(reader->LengthPrefixed(kZoneStringBytes));
      zone.max_string = TL_TRY(reader->LengthPrefixed(kZoneStringBytes));
      break;
  }
  return zone;
}

}  // namespace tideline::segment
