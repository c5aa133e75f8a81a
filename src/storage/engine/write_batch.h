// storage/engine/write_batch.h: records on their way in, and what became of each.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "base/time.h"
#include "storage/catalog/schema.h"

namespace tideline::engine {

using catalog::MeasureType;

struct DimensionView {
  std::string_view name{};
  std::string_view value{};
};

/// One measure. Of a single-measure record `name` is not used (the record's measure name counts).
struct MeasureView {
  std::string_view name{};
  MeasureType type = MeasureType::kDouble;  ///< never kMulti
  std::int64_t integer = 0;                 ///< kBigint, kTimestamp (ns), kBoolean (0 or 1)
  double floating = 0;                      ///< kDouble; finite
  std::string_view text{};                    ///< kVarchar

  static MeasureView Double(double v, std::string_view name = {}) {
    return {.name = name, .type = MeasureType::kDouble, .floating = v};
  }
  static MeasureView Bigint(std::int64_t v, std::string_view name = {}) {
    return {.name = name, .type = MeasureType::kBigint, .integer = v};
  }
  static MeasureView Boolean(bool v, std::string_view name = {}) {
    return {.name = name, .type = MeasureType::kBoolean, .integer = v ? 1 : 0};
  }
  static MeasureView Timestamp(std::int64_t ns, std::string_view name = {}) {
    return {.name = name, .type = MeasureType::kTimestamp, .integer = ns};
  }
  static MeasureView Varchar(std::string_view v, std::string_view name = {}) {
    return {.name = name, .type = MeasureType::kVarchar, .text = v};
  }
};

/// Which store the caller counts a record for, by its time and the table's retention.
enum class Store : std::uint8_t { kMemory, kMagnetic };

/// One record, already checked by the caller: names and sizes within limits, no reserved name, no
/// dimension or attribute twice, version >= 1, time inside retention. Dimensions in any order.
/// Consecutive records with the same dimensions or the same attributes in the same order are cheapest.
struct RecordView {
  std::span<const DimensionView> dimensions{};
  std::string_view measure_name{};
  bool multi = false;
  std::span<const MeasureView> measures{};  ///< exactly one unless `multi`, then at least one
  TimestampNs time{};
  std::int64_t version = 1;
  Store store = Store::kMemory;
  /// Accepted as equal, whatever its values and version, when there is a row with its key (undelete).
  bool only_if_absent = false;
};

/// Records of one table, in the order in which they count. The views need to live through the call of
/// Engine::Write only.
struct WriteBatch {
  std::string_view database{};
  std::string_view table{};
  std::span<const RecordView> records{};  ///< at most kBatchRecordsMax
};

/// What became of a record (spec/api.md sections 3.5, 3.6, 3.10).
enum class Verdict : std::uint8_t {
  kNew,                   ///< stored
  kReplaced,              ///< stored, in place of a row with a lower version
  kEqual,                 ///< same version and values as the stored row: accepted, nothing changes
  kDuplicate,             ///< refused: same version, other values
  kLowerVersion,          ///< refused: existing_version is higher
  kMeasureTypeConflict,   ///< refused: measure name or attribute has existing_type
  kNameKindConflict,      ///< refused: a dimension named as a measure column, or the reverse
  kDimensionLimit,        ///< refused: the table has kDimensionsMax dimensions
  kMeasureNameLimit,      ///< refused: the table has kMeasureNamesMax measure names
  kAttributeLimit,        ///< refused: the table has kMultiAttributesMax attributes
};
inline bool IsAccepted(Verdict verdict) { return verdict <= Verdict::kEqual; }

struct RecordResult {
  Verdict verdict = Verdict::kNew;
  Store store = Store::kMemory;  ///< as given
  /// kMeasureTypeConflict: the type it has already (kMulti for a measure name of MULTI records).
  MeasureType existing_type = MeasureType::kDouble;
  /// True when `item` counts dimensions, false when it counts measures.
  bool item_is_dimension = false;
  /// Which dimension or measure of the record was refused; kWholeRecord for the measure name itself.
  std::uint16_t item = 0;
  static constexpr std::uint16_t kWholeRecord = 0xffff;
  /// kDuplicate, kLowerVersion: version of the stored row.
  std::int64_t existing_version = 0;
};

/// Told once what became of a batch.
class WriteCompletion {
 public:
  /// `status` OK: every accepted record is durable and visible to snapshots opened from now on;
  /// `results` has one element per record and lives through the call. Not OK (kUnavailable): the log
  /// failed, records may or may not be stored.
  ///
  /// Runs on the commit thread, or on the caller's inside Engine::Write when there was nothing to wait
  /// for. Must be short: hand the answer on. May delete the object.
  virtual void OnWritten(const Status& status, std::span<const RecordResult> results) = 0;

 protected:
  WriteCompletion() = default;
  ~WriteCompletion() = default;
};

}  // namespace tideline::engine
