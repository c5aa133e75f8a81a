#include "storage/engine/merge_plan.h"

#include <algorithm>
#include <map>

namespace tideline::engine {
namespace {

using Segments = std::vector<std::shared_ptr<SegmentSource>>;
using ByWindow = std::map<Window, Segments>;
using catalog::StoreTier;

Window WindowOf(const SegmentSource& segment) {
  return {segment.entry().window_start_ns, segment.entry().window_length_ns};
}

void SortSmallestFirst(Segments* segments) {
  std::stable_sort(segments->begin(), segments->end(), [](const auto& a, const auto& b) {
    return a->row_count() < b->row_count();
  });
}

// Cuts to the first `count_max` and to kMergeRowsMax rows; the first one stays in any case.
void Bound(std::size_t count_max, Segments* segments) {
  std::uint64_t rows = 0;
  std::size_t count = 0;
  for (; count < segments->size() && count < count_max; ++count) {
    rows += (*segments)[count]->row_count();
    if (rows > kMergeRowsMax && count != 0) break;
  }
  segments->resize(count);
}

// First time behind a window; the last one ends with time itself.
std::int64_t EndOf(const Window& window) {
  return window.start_ns > INT64_MAX - window.length_ns ? INT64_MAX
                                                        : window.start_ns + window.length_ns;
}

std::optional<MergeJob> PlanMemoryMerge(const ByWindow& windows, const MergePolicy& policy) {
  for (const auto& [window, all] : windows) {
    if (all.size() <= kMemoryWindowGoal) continue;
    Segments chosen = all;
    if (all.size() <= policy.crowded_at) {
      std::erase_if(chosen, [](const auto& segment) {
        return segment->entry().write_count + 1 > kMemoryWritesMax;
      });
    }
    SortSmallestFirst(&chosen);
    Bound(kMergeFanOut, &chosen);
    if (chosen.size() < 2) continue;
    return MergeJob{MergeKind::kMerge, window, StoreTier::kMemory, std::move(chosen)};
  }
  return std::nullopt;
}

std::optional<MergeJob> PlanMove(const ByWindow& windows, const MergePolicy& policy) {
  for (const auto& [window, all] : windows) {
    Segments chosen = all;
    std::erase_if(chosen, [&](const auto& segment) {
      return segment->time_ns_max() >= policy.memory_edge_ns;
    });
    if (chosen.empty()) continue;
    SortSmallestFirst(&chosen);
    Bound(kMoveFanOut, &chosen);
    return MergeJob{MergeKind::kMove, window, StoreTier::kMagnetic, std::move(chosen)};
  }
  return std::nullopt;
}

// Late data leaves small segments beside large ones. What is much larger than all before it together stays out, so that
// a little late data does not write a whole window anew.
std::optional<MergeJob> PlanMagneticMerge(const ByWindow& windows) {
  constexpr std::uint64_t kMuchLarger = 4;
  for (const auto& [window, all] : windows) {
    if (all.size() <= kMagneticWindowGoal) continue;
    Segments chosen = all;
    SortSmallestFirst(&chosen);
    std::size_t count = 1;
    std::uint64_t rows = chosen[0]->row_count();
    while (count < chosen.size() && (count < kMagneticWindowGoal ||
                                     chosen[count]->row_count() <= kMuchLarger * rows)) {
      rows += chosen[count++]->row_count();
    }
    chosen.resize(count);
    Bound(kMoveFanOut, &chosen);
    if (chosen.size() < 2) continue;
    return MergeJob{MergeKind::kMerge, window, StoreTier::kMagnetic, std::move(chosen)};
  }
  return std::nullopt;
}

// Marks on dead rows go with the rows: the segment that holds most of them, if that is much of it, is written anew.
std::optional<MergeJob> PlanShedding(const Segments& segments, const MergePolicy& policy) {
  constexpr std::uint64_t kDeadShareMin = 8;  // one row in so many
  std::shared_ptr<SegmentSource> worst;
  std::uint64_t most = 0;
  for (const auto& segment : segments) {
    if (policy.skip && policy.skip(*segment)) continue;
    const auto dead = segment->deletions().At(UINT64_MAX);
    const std::uint64_t count = dead == nullptr ? 0 : dead->count();
    if (count <= most || count < segment->row_count() / kDeadShareMin) continue;
    most = count;
    worst = segment;
  }
  if (worst == nullptr) return std::nullopt;
  return MergeJob{MergeKind::kMerge, WindowOf(*worst), worst->entry().tier, {worst}};
}

std::optional<MergeJob> PlanConsolidation(const ByWindow& windows, const MergePolicy& policy) {
  for (std::size_t level = 2; level < std::size(kWindowLengths); ++level) {
    ByWindow parents;
    for (const auto& [window, all] : windows) {
      if (window.length_ns >= kWindowLengths[level]) continue;
      const Window parent = WindowAround(window.start_ns, kWindowLengths[level]);
      if (EndOf(parent) > policy.memory_edge_ns) continue;
      for (const auto& segment : all) {
        if (segment->row_count() < policy.piece_rows_min) parents[parent].push_back(segment);
      }
    }
    for (auto& [parent, chosen] : parents) {
      SortSmallestFirst(&chosen);
      Bound(kMoveFanOut, &chosen);
      if (chosen.size() < 2) continue;
      return MergeJob{MergeKind::kConsolidate, parent, StoreTier::kMagnetic, std::move(chosen)};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view MergeKindName(MergeKind kind) {
  switch (kind) {
    case MergeKind::kMerge: return "merge";
    case MergeKind::kMove: return "move";
    case MergeKind::kConsolidate: return "consolidate";
  }
  return "";
}

std::uint8_t MergeJob::write_count() const {
  std::uint8_t most = 0;
  for (const auto& segment : segments) most = std::max(most, segment->entry().write_count);
  return most == UINT8_MAX ? most : static_cast<std::uint8_t>(most + 1);
}

std::uint64_t MergeJob::row_count() const {
  std::uint64_t rows = 0;
  for (const auto& segment : segments) rows += segment->row_count();
  return rows;
}

std::optional<MergeJob> PlanMerge(const Segments& segments, const MergePolicy& policy) {
  ByWindow memory;
  ByWindow magnetic;
  for (const auto& segment : segments) {
    if (policy.skip && policy.skip(*segment)) continue;
    auto& windows = segment->entry().tier == StoreTier::kMemory ? memory : magnetic;
    windows[WindowOf(*segment)].push_back(segment);
  }
  if (auto job = PlanMemoryMerge(memory, policy)) return job;
  if (auto job = PlanMove(memory, policy)) return job;
  if (auto job = PlanMagneticMerge(magnetic)) return job;
  if (policy.shed_marks) {
    if (auto job = PlanShedding(segments, policy)) return job;
  }
  return PlanConsolidation(magnetic, policy);
}

}  // namespace tideline::engine
