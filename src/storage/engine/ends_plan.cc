// Which segments may hold the newest or oldest row of each series; see scan_plan.h.
//
// Segments are looked at from that end of time. A series table says when a series begins and ends in
// its segment; that row is there for a reader unless it is dead, past retention or outside the times
// asked for. Once every series has a row that no further segment can beat, the rest is not looked at.
#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "storage/engine/scan_plan.h"

namespace tideline::engine {
namespace {

/// Past so many series the table of their best times would be larger than what it saves.
constexpr std::uint32_t kSeriesMax = 1U << 24;

// One end of time; `sign` makes both ends the upper one.
class EndPlanner {
 public:
  EndPlanner(ScanPlan* plan, bool newest)
      : plan_(*plan),
        newest_(newest),
        best_(plan->snapshot->table->index().series_count(), INT64_MIN),
        left_(plan->wanted.is_all() ? best_.size() : plan->wanted.count()) {}

  // How far towards the end a range of times reaches; larger is nearer.
  std::int64_t Reach(std::int64_t low, std::int64_t high) const {
    return newest_ ? std::min(high, plan_.times.back().last_ns)
                   : -std::max(low, plan_.times.front().first_ns);
  }

  // Whether no row in [low, high] can be nearer the end than what every series has.
  bool CannotMatter(std::int64_t low, std::int64_t high) {
    if (left_ != 0) return false;
    if (!floor_.has_value()) {
      floor_ = INT64_MAX;
      for (const std::int64_t best : best_) floor_ = best == INT64_MIN ? *floor_ : std::min(*floor_, best);
    }
    return Reach(low, high) <= *floor_;
  }

  // Adds the ordinals of a segment that may hold a row at the end.
  void Choose(const SegmentPlan& segment, std::span<const std::uint32_t> ordinals,
              std::vector<std::uint32_t>* chosen) {
    for (const std::uint32_t ordinal : ordinals) {
      const std::uint64_t id = segment.series->id(ordinal);
      const std::int64_t low = segment.series->time_ns_min(ordinal);
      const std::int64_t high = segment.series->time_ns_max(ordinal);
      if (id >= best_.size() || !OverlapsTimes(plan_.times, low, high)) continue;
      const std::int64_t reach = Reach(low, high);
      std::int64_t& best = best_[id];
      if (best != INT64_MIN && reach <= best) continue;
      chosen->push_back(ordinal);
      const std::int64_t end = newest_ ? high : low;
      if (!OverlapsTimes(plan_.times, end, end) || HasDead(segment, ordinal)) continue;
      if (best == INT64_MIN) --left_;
      best = reach;
      floor_.reset();
    }
  }

 private:
  static bool HasDead(const SegmentPlan& segment, std::uint32_t ordinal) {
    if (segment.dead == nullptr) return false;
    const std::uint64_t first = segment.series->first_row(ordinal);
    return segment.dead->CountRange(first, first + segment.series->row_count(ordinal)) != 0;
  }

  const ScanPlan& plan_;
  const bool newest_;
  std::vector<std::int64_t> best_;  // by series; INT64_MIN: none yet
  std::size_t left_;                // series wanted without one
  std::optional<std::int64_t> floor_;  // the worst of best_, if it is known
};

}  // namespace

Status PlanEnds(std::span<const std::shared_ptr<SegmentSource>> sources, ScanPlan* plan) {
  struct Opened {
    SegmentPlan segment;
    std::vector<std::uint32_t> ordinals;  // that match
    std::vector<std::uint32_t> chosen;
  };
  std::map<std::size_t, Opened> opened;
  const bool prune = plan->snapshot->table->index().series_count() <= kSeriesMax;
  std::vector<std::uint8_t> refused(sources.size(), 0);
  for (const bool newest : {true, false}) {
    if (newest ? !plan->newest_only : !plan->oldest_only) continue;
    std::vector<std::size_t> order(sources.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return newest ? sources[a]->time_ns_max() > sources[b]->time_ns_max()
                    : sources[a]->time_ns_min() < sources[b]->time_ns_min();
    });
    EndPlanner planner(plan, newest);
    for (const std::size_t index : order) {
      const SegmentSource& source = *sources[index];
      if (refused[index] != 0) continue;
      if (prune && planner.CannotMatter(source.time_ns_min(), source.time_ns_max())) continue;
      auto found = opened.find(index);
      if (found == opened.end()) {
        std::optional<SegmentPlan> segment = TL_TRY(OpenSegmentPlan(sources[index], plan));
        refused[index] = segment.has_value() ? 0 : 1;
        if (!segment.has_value()) continue;
        std::vector<std::uint32_t> ordinals = OrdinalsOf(plan->wanted, *segment->series);
        found = opened.emplace(index, Opened{*std::move(segment), std::move(ordinals), {}}).first;
      }
      Opened& each = found->second;
      if (prune) {
        planner.Choose(each.segment, each.ordinals, &each.chosen);
      } else {
        each.chosen = each.ordinals;
      }
    }
  }
  for (std::size_t index = 0; index < sources.size(); ++index) {
    const auto found = opened.find(index);
    if (found == opened.end()) {
      if (refused[index] == 0) {  // never opened
        ++plan->planned.segment_count;
        ++plan->planned.segments_pruned;
      }
      continue;
    }
    Opened& each = found->second;
    std::sort(each.chosen.begin(), each.chosen.end());
    each.chosen.erase(std::unique(each.chosen.begin(), each.chosen.end()), each.chosen.end());
    if (each.chosen.empty()) {
      ++plan->planned.segments_pruned;
      continue;
    }
    each.segment.ordinals = std::move(each.chosen);
    each.segment.chosen = true;
    AddSegmentMorsels(std::move(each.segment), plan);
  }
  return OkStatus();
}

}  // namespace tideline::engine
