// exec/scan/runtime_filter.h: what a join has learnt of its keys before its other side is read.
//
// The side of a join that is kept is read first. If the other side drops rows without a partner, its
// scan need not deliver rows whose key is none of those kept: times narrow its time ranges, texts its
// series. Few keys make a list, more a range (times) or nothing (texts).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "columnar/vector.h"
#include "sql/plan/scan_node.h"

namespace tideline::exec {

/// The values of one key. Add is thread-safe; the rest is for after the last Add.
class RuntimeFilter {
 public:
  /// Most distinct values that are kept as a list.
  static constexpr std::size_t kValuesMax = 4'096;
  /// Most time ranges that it makes of a list.
  static constexpr std::size_t kRangesMax = 64;

  /// `column` is a column of a scan: the time, a dimension or the measure name.
  RuntimeFilter(sql::ColumnRef column, std::size_t key) : column_(column), key_(key) {}
  sql::ColumnRef column() const { return column_; }
  /// Which of the join's keys it watches.
  std::size_t key() const { return key_; }

  /// Takes in the keys of kept rows; nulls join nothing and are left out.
  void Add(const Vector& keys, const Selection& rows);

  /// Cuts `spec` to what can find a partner.
  void Narrow(const sql::ScanNode& scan, sql::ScanNode::Spec* spec) const;

 private:
  void AddTimes(const Vector& keys, const Selection& rows) TL_REQUIRES(mutex_);
  void AddTexts(const Vector& keys, const Selection& rows) TL_REQUIRES(mutex_);
  void AddText(std::string_view text) TL_REQUIRES(mutex_);
  void NarrowTimes(sql::ScanNode::Spec* spec) const TL_REQUIRES(mutex_);
  void NarrowSeries(catalog::ColumnId column, const std::string& name, sql::ScanNode::Spec* spec) const
      TL_REQUIRES(mutex_);

  const sql::ColumnRef column_;
  const std::size_t key_;
  mutable Mutex mutex_;
  bool is_text_ TL_GUARDED_BY(mutex_) = false;
  bool overflowed_ TL_GUARDED_BY(mutex_) = false;  // of texts: no list any more
  std::vector<std::int64_t> times_ TL_GUARDED_BY(mutex_);  // unsorted; at most twice kValuesMax
  std::int64_t time_min_ TL_GUARDED_BY(mutex_) = INT64_MAX;
  std::int64_t time_max_ TL_GUARDED_BY(mutex_) = INT64_MIN;
  std::vector<std::string> texts_ TL_GUARDED_BY(mutex_);  // sorted, distinct
  std::shared_ptr<const Vector> seen_base_ TL_GUARDED_BY(mutex_);
  std::vector<bool> seen_codes_ TL_GUARDED_BY(mutex_);  // of seen_base_
};

}  // namespace tideline::exec
