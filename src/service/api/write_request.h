// service/api/write_request.h: WriteRecords as typed views, as a door hands it in.
//
// All text is a view into the door's buffer, which must live until the call returns (not until it
// is answered). Members that were not given are absent; nothing is merged or defaulted yet.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog/schema.h"

namespace tideline::api {

enum class TimeUnit : std::uint8_t { kMilliseconds, kSeconds, kMicroseconds, kNanoseconds };
std::int64_t NanosecondsPer(TimeUnit unit);

struct DimensionView {
  std::string_view name;
  std::string_view value;
};

struct MeasureValueView {
  std::string_view name;
  std::string_view value;
  catalog::MeasureType type = catalog::MeasureType::kDouble;
};

/// One record, or the common attributes.
struct RecordInput {
  std::span<const DimensionView> dimensions;
  std::span<const MeasureValueView> measure_values;
  std::optional<std::string_view> measure_name;
  std::optional<std::string_view> measure_value;
  std::optional<std::string_view> time;
  std::optional<std::int64_t> version;
  std::optional<catalog::MeasureType> measure_value_type;
  std::optional<TimeUnit> time_unit;
  bool has_measure_values = false;  ///< the member was there, maybe empty
};

struct WriteRecordsRequest {
  std::string_view database;
  std::string_view table;
  RecordInput common;
  std::span<const RecordInput> records;
};

struct RejectedRecord {
  std::uint32_t record_index = 0;
  std::string reason;
  std::optional<std::int64_t> existing_version;
};

/// What became of a request that was not refused as a whole.
struct WriteRecordsAnswer {
  std::int64_t memory_store = 0;
  std::int64_t magnetic_store = 0;
  std::vector<RejectedRecord> rejected;  ///< ascending; empty when all were stored
};

}  // namespace tideline::api
