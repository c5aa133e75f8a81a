#include "storage/engine/sorted_sheet.h"

#include <algorithm>

namespace tideline::engine {

bool InRanges(std::span<const TimeRange> times, std::int64_t time_ns) {
  if (times.size() == 1) return time_ns >= times[0].first_ns && time_ns <= times[0].last_ns;
  const auto after = std::upper_bound(
      times.begin(), times.end(), time_ns,
      [](std::int64_t time, const TimeRange& range) { return time < range.first_ns; });
  return after != times.begin() && time_ns <= (after - 1)->last_ns;
}

SortedSheet::SortedSheet(const hot::Sheet& sheet, std::uint64_t number, const SeriesSet& wanted,
                         std::span<const TimeRange> times, bool newest_only)
    : sheet_(&sheet) {
  Collect(number, wanted, times);
  if (newest_only) KeepNewest();
  GroupBySeries();
  SortRuns();
}

void SortedSheet::Collect(std::uint64_t number, const SeriesSet& wanted,
                          std::span<const TimeRange> times) {
  visible_ = sheet_->VisibleRows(number);
  const bool has_dead = sheet_->has_dead_rows();
  const bool any_time = times.size() == 1 && times[0].first_ns <= sheet_->time_min() &&
                        times[0].last_ns >= sheet_->time_max();
  const bool take_all = wanted.is_all() && any_time && !has_dead;
  rows_.reserve(take_all ? visible_ : 0);
  sheet_->series().ForPieces(
      0, visible_, [&](std::size_t first, const std::uint32_t* series, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
          const auto row = static_cast<std::uint32_t>(first + i);
          if (take_all) {
            rows_.push_back(row);
            continue;
          }
          if (!wanted.Contains(series[i])) continue;
          if (!any_time && !InRanges(times, sheet_->Time(row))) continue;
          if (has_dead && sheet_->IsDeadAt(row, number)) continue;
          rows_.push_back(row);
        }
      });
}

SortedSheet::SeriesSpan SortedSheet::SpanOfSeries() const {
  SeriesSpan span{UINT32_MAX, 0};
  for (const std::uint32_t row : rows_) {
    const std::uint32_t series = sheet_->Series(row);
    span.low = std::min(span.low, series);
    span.high = std::max(span.high, series);
  }
  return span;
}

// One pass, where a table by series is not much larger than the rows.
void SortedSheet::KeepNewest() {
  if (rows_.empty()) return;
  const auto [low, high] = SpanOfSeries();
  const std::size_t spread = std::size_t{high} - low + 1;
  if (spread > rows_.size() + 1024) return;
  std::vector<std::uint32_t> newest(spread, UINT32_MAX);
  for (const std::uint32_t row : rows_) {
    std::uint32_t& best = newest[sheet_->Series(row) - low];
    if (best == UINT32_MAX || sheet_->Time(row) >= sheet_->Time(best)) best = row;
  }
  std::erase(newest, UINT32_MAX);
  rows_ = std::move(newest);
}

void SortedSheet::GroupBySeries() {
  if (rows_.empty()) return;
  const auto [low, high] = SpanOfSeries();
  const std::size_t spread = std::size_t{high} - low + 1;
  if (spread == 1) {
    runs_.push_back({low, 0, static_cast<std::uint32_t>(rows_.size())});
    return;
  }
  if (spread <= rows_.size() * 8 + 1024) {
    std::vector<std::uint32_t> starts(spread + 1, 0);
    for (const std::uint32_t row : rows_) ++starts[sheet_->Series(row) - low + 1];
    for (std::size_t i = 1; i <= spread; ++i) starts[i] += starts[i - 1];
    for (std::size_t i = 0; i < spread; ++i) {
      if (starts[i + 1] == starts[i]) continue;
      runs_.push_back({low + static_cast<std::uint32_t>(i), starts[i], starts[i + 1] - starts[i]});
    }
    std::vector<std::uint32_t> grouped(rows_.size());
    for (const std::uint32_t row : rows_) grouped[starts[sheet_->Series(row) - low]++] = row;
    rows_ = std::move(grouped);
    return;
  }
  std::stable_sort(rows_.begin(), rows_.end(), [this](std::uint32_t a, std::uint32_t b) {
    return sheet_->Series(a) < sheet_->Series(b);
  });
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    const std::uint32_t series = sheet_->Series(rows_[i]);
    if (runs_.empty() || runs_.back().series != series) runs_.push_back({series, i, 0});
    ++runs_.back().count;
  }
}

void SortedSheet::SortRuns() {
  const auto earlier = [this](std::uint32_t a, std::uint32_t b) {
    return sheet_->Time(a) < sheet_->Time(b);
  };
  for (const Run& run : runs_) {
    const auto first = rows_.begin() + run.first;
    const auto last = first + run.count;
    if (!std::is_sorted(first, last, earlier)) std::stable_sort(first, last, earlier);
  }
}

ColumnOrder SortedSheet::OrderOf(const hot::SheetColumn& column) const {
  ColumnOrder order;
  order.column = &column;
  order.whole = column.IsWhole(visible_);
  if (order.whole) return order;
  std::vector<std::uint32_t> positions(visible_);
  column.LocateAll(visible_, positions.data());
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    const std::uint32_t position = positions[rows_[i]];
    if (position != hot::SheetColumn::kNoValue) order.places.emplace_back(i, position);
  }
  return order;
}

}  // namespace tideline::engine
