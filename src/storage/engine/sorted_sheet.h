// storage/engine/sorted_sheet.h: the visible rows of a sheet, grouped by series and ascending in time.
//
// Rows lie in arrival order; scans and flushes want runs. Grouping is a counting sort over the series ids
// (they are dense), and a run is sorted by time only if it is not sorted already, as it usually is.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "storage/engine/scan.h"
#include "storage/engine/series_set.h"
#include "storage/hot/sheet.h"

namespace tideline::engine {

/// Where values of one column go: `whole` when row r has its value at position r, else pairs of
/// (position in the sorted rows, position in the column), ascending.
struct ColumnOrder {
  const hot::SheetColumn* column = nullptr;
  bool whole = false;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> places{};
};

class SortedSheet {
 public:
  struct Run {
    std::uint32_t series = 0;
    std::uint32_t first = 0;  ///< in rows()
    std::uint32_t count = 0;
  };
  /// Rows of a snapshot of `number` that are alive, of series in `wanted`, inside one of `times`
  /// (ascending, disjoint; empty: none). The sheet must outlive it.
  /// `newest_only`: rows that are not the newest of their series, among those, may be left out.
  SortedSheet(const hot::Sheet& sheet, std::uint64_t number, const SeriesSet& wanted,
              std::span<const TimeRange> times, bool newest_only = false);

  const hot::Sheet& sheet() const { return *sheet_; }
  /// Row numbers of the sheet, in order.
  const std::vector<std::uint32_t>& rows() const { return rows_; }
  const std::vector<Run>& runs() const { return runs_; }
  ColumnOrder OrderOf(const hot::SheetColumn& column) const;

 private:
  void Collect(std::uint64_t number, const SeriesSet& wanted, std::span<const TimeRange> times);
  struct SeriesSpan {
    std::uint32_t low;
    std::uint32_t high;
  };
  SeriesSpan SpanOfSeries() const;
  void KeepNewest();
  void GroupBySeries();
  void SortRuns();

  const hot::Sheet* sheet_;
  std::uint32_t visible_ = 0;
  std::vector<std::uint32_t> rows_;
  std::vector<Run> runs_;
};

/// True when `time_ns` lies in one of `times` (ascending, disjoint).
bool InRanges(std::span<const TimeRange> times, std::int64_t time_ns);

}  // namespace tideline::engine
