// storage/engine/flush.h: sorted rows of several sources into segments of one time window each.
//
// Sources are merged series by series in the table's order (value of the partition key, measure name,
// dimensions; design.md section 3), a series by time. Windows are aligned and nested; a piece with few
// rows goes to the next larger window, so that a backfilled year does not become thousands of files.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/uuid.h"
#include "storage/catalog/schema.h"
#include "storage/engine/row_source.h"
#include "storage/hot/series_index.h"
#include "storage/seal/sealer.h"

namespace tideline::engine {

/// Lengths of windows, each a multiple of the one before. Beyond the 64 days of design.md stand two more:
/// a slow series over decades would otherwise leave hundreds of files of a few rows.
inline constexpr std::int64_t kWindowLengths[] = {
    kNsPerHour,     6 * kNsPerHour,  kNsPerDay,        8 * kNsPerDay,
    64 * kNsPerDay, 512 * kNsPerDay, 4096 * kNsPerDay,
};

/// Windows of one checkpoint of a table: each holds a file and a stripe's rows while it is written. Only the largest
/// windows, 11 years each, may be more.
inline constexpr std::size_t kWindowsMax = 128;

struct Window {
  std::int64_t start_ns = 0;
  std::int64_t length_ns = 0;  ///< 0: no window (a run)
  auto operator<=>(const Window&) const = default;
};

/// The window of that length around a time.
Window WindowAround(std::int64_t time_ns, std::int64_t length_ns);

/// Which window a row goes to, decided from how many rows each hour has.
class WindowPlan {
 public:
  /// Counts times; then Decide once; then Find.
  void Count(std::span<const std::int64_t> times);
  /// Raises `piece_rows_min` until there are at most kWindowsMax windows.
  void Decide(std::size_t piece_rows_min);
  /// The window of a counted time.
  Window Find(std::int64_t time_ns) const;

 private:
  void Place(std::uint64_t piece_rows_min);

  std::map<std::int64_t, std::uint64_t> hours_;  ///< start of an hour, rows in it
  std::map<std::int64_t, Window> windows_;       ///< by hour
};

/// Where the bytes of one segment go.
class SegmentSink : public segment::ByteSink {
 public:
  /// Called once when the segment is complete; makes it durable where that applies.
  virtual Status Commit() = 0;
};

/// How the pages of a new segment are sealed.
struct NewSegmentSeal {
  seal::KeyId key_id{};
  std::unique_ptr<segment::PageSeal> pages{};  ///< null: not at all
};

struct FlushedSegment {
  Window window;
  Uuid file_uuid;
  seal::KeyId key_id;
  segment::WrittenSegment written;
  std::unique_ptr<SegmentSink> sink;  ///< committed
};

struct FlushRequest {
  catalog::TableSchemaPtr schema;
  const hot::SeriesIndex* index = nullptr;
  std::vector<std::unique_ptr<RowSource>> sources{};
  /// Null: everything into one segment of `window`.
  const WindowPlan* plan = nullptr;
  Window window{};
  catalog::StoreTier tier = catalog::StoreTier::kMemory;
  codec::Effort effort = codec::Effort::kLight;
  SequenceNumber through;
  /// Rows before this are left out (expired).
  std::int64_t retention_edge_ns = INT64_MIN;
  std::function<Uuid()> make_uuid{};
  std::function<Result<std::unique_ptr<SegmentSink>>(const Uuid& file_uuid)> make_sink{};
  /// Empty: segments are not sealed (runs in memory).
  std::function<Result<NewSegmentSeal>(const Uuid& file_uuid)> make_seal{};
};

struct FlushResult {
  std::vector<FlushedSegment> segments{};
};

/// Merges and writes. Segments without rows are not made.
Result<FlushResult> Flush(FlushRequest request);

}  // namespace tideline::engine
