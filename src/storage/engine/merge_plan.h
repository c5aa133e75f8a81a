// storage/engine/merge_plan.h: which segments are written anew next, and into what.
//
// Four kinds of work, in the order in which they are chosen:
//   merge        a window of the memory store has more than kMemoryWindowGoal segments: the smallest kMergeFanOut
//                become one, so that a row is written once per eightfold growth and at most twice before it moves;
//   move         all rows of a segment are older than the memory store's retention: it and others of its window
//                become one segment of the magnetic store;
//   merge        a window of the magnetic store has more than kMagneticWindowGoal segments, left by late data;
//   consolidate  segments of the magnetic store with few rows become one of the next longer window, once that
//                window is over.
// A pure function of what there is: the same after a restart, whatever was under way.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "storage/engine/engine_options.h"
#include "storage/engine/flush.h"
#include "storage/engine/segment_source.h"

namespace tideline::engine {

inline constexpr std::size_t kMemoryWindowGoal = 10;
inline constexpr std::size_t kMagneticWindowGoal = 4;
/// Segments that a move or consolidation takes at once: each is a source of one heap.
inline constexpr std::size_t kMoveFanOut = 64;
/// A merge does not make segments of more rows, unless a single one has more.
inline constexpr std::uint64_t kMergeRowsMax = 64'000'000;
/// Writes of a row into files before it moves: a segment written this often waits for its move, unless its window is so
/// crowded that writers would soon be refused.
inline constexpr std::uint8_t kMemoryWritesMax = 3;

enum class MergeKind : std::uint8_t { kMerge, kMove, kConsolidate };
std::string_view MergeKindName(MergeKind kind);

struct MergeJob {
  MergeKind kind = MergeKind::kMerge;
  Window window{};
  catalog::StoreTier tier = catalog::StoreTier::kMemory;  ///< of the result
  std::vector<std::shared_ptr<SegmentSource>> segments{};
  /// Of a row in the result.
  std::uint8_t write_count() const;
  std::uint64_t row_count() const;
};

struct MergePolicy {
  /// Rows before this are older than the memory store's retention.
  std::int64_t memory_edge_ns = INT64_MIN;
  /// A segment of the magnetic store with fewer rows is small.
  std::uint64_t piece_rows_min = 65'536;
  /// A memory window with more segments is merged whatever the write count.
  std::size_t crowded_at = 256;
  /// Marks on dead rows take much memory: a segment with many is written anew, alone if need be.
  bool shed_marks = false;
  /// Segments not to be touched: merged already just now, or a merge of theirs failed lately.
  std::function<bool(const SegmentSource&)> skip{};
};

/// The next job, or none.
std::optional<MergeJob> PlanMerge(const std::vector<std::shared_ptr<SegmentSource>>& segments,
                                  const MergePolicy& policy);

}  // namespace tideline::engine
