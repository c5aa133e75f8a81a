// storage/segment/zone_map.h: makes, stores and reads the zone map of a block.
//
//   flags (u8) | null_count (varint) | min, max, sum: zigzag varints, or doubles (8 bytes each), or
//   min and max as length-prefixed text
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/segment/segment_types.h"

namespace tideline::segment {

/// Of the values of a block that are not NULL.
ZoneMap ZoneOfInt64s(std::span<const std::int64_t> values, std::size_t row_count);
ZoneMap ZoneOfDoubles(std::span<const double> values, std::size_t row_count);
ZoneMap ZoneOfBools(std::span<const std::uint8_t> values, std::size_t row_count);
ZoneMap ZoneOfStrings(std::span<const std::string_view> values, std::size_t row_count);

void WriteZoneMap(const ZoneMap& zone, codec::PhysicalKind kind, ByteWriter* writer);
Result<ZoneMap> ReadZoneMap(codec::PhysicalKind kind, std::uint32_t row_count, ByteReader* reader);

}  // namespace tideline::segment
