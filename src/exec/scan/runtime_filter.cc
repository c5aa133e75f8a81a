#include "exec/scan/runtime_filter.h"

#include <algorithm>

namespace tideline::exec {
namespace {

void SortUnique(auto* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

std::vector<sql::TimeRange> Intersect(const std::vector<sql::TimeRange>& a,
                                      const std::vector<sql::TimeRange>& b) {
  std::vector<sql::TimeRange> both;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const sql::TimeRange range{std::max(a[i].first_ns, b[j].first_ns),
                               std::min(a[i].last_ns, b[j].last_ns)};
    if (range.first_ns <= range.last_ns) both.push_back(range);
    if (a[i].last_ns < b[j].last_ns) {
      ++i;
    } else {
      ++j;
    }
  }
  return both;
}

}  // namespace

void RuntimeFilter::Add(const Vector& keys, const Selection& rows) {
  const MutexLock lock(mutex_);
  if (keys.type().physical() == PhysicalType::kString) {
    is_text_ = true;
    AddTexts(keys, rows);
  } else {
    AddTimes(keys, rows);
  }
}

void RuntimeFilter::AddTimes(const Vector& keys, const Selection& rows) {
  const Reader<std::int64_t> reader(keys);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t row = rows[i];
    if (reader.IsNull(row)) continue;
    const std::int64_t time = reader[row];
    time_min_ = std::min(time_min_, time);
    time_max_ = std::max(time_max_, time);
    if (!overflowed_ && (times_.empty() || times_.back() != time)) times_.push_back(time);
  }
  if (overflowed_ || times_.size() <= kValuesMax) return;
  SortUnique(&times_);
  if (times_.size() <= kValuesMax) return;
  overflowed_ = true;
  times_.clear();
}

void RuntimeFilter::AddText(std::string_view text) {
  const auto at = std::lower_bound(texts_.begin(), texts_.end(), text);
  if (at == texts_.end() || *at != text) texts_.emplace(at, text);
}

void RuntimeFilter::AddTexts(const Vector& keys, const Selection& rows) {
  if (overflowed_) return;
  const bool dictionary = keys.kind() == VectorKind::kDictionary;
  if (dictionary && seen_base_ != keys.dictionary_base()) {
    seen_base_ = keys.dictionary_base();
    seen_codes_.assign(seen_base_->size(), false);
  }
  const Reader<StringRef> reader(keys);
  if (keys.is_constant()) {
    if (!rows.empty() && !reader.IsNull(rows[0])) AddText(reader[rows[0]].view());
  } else {
    for (std::size_t i = 0; i < rows.size() && texts_.size() <= kValuesMax; ++i) {
      const std::uint32_t row = rows[i];
      if (dictionary) {
        const std::uint32_t code = keys.codes()[row];
        if (seen_codes_[code]) continue;
        seen_codes_[code] = true;
      }
      if (!reader.IsNull(row)) AddText(reader[row].view());
    }
  }
  if (texts_.size() <= kValuesMax) return;
  overflowed_ = true;
  texts_.clear();
}

void RuntimeFilter::Narrow(const sql::ScanNode& scan, sql::ScanNode::Spec* spec) const {
  const std::optional<catalog::ColumnId> column = scan.StorageColumn(column_);
  if (!column.has_value()) return;
  const MutexLock lock(mutex_);
  if (*column == catalog::kTimeColumn) {
    if (!is_text_) NarrowTimes(spec);
    return;
  }
  const bool nothing_kept = !is_text_ && time_min_ > time_max_;
  if (!is_text_ && !nothing_kept) return;
  for (const sql::OutputColumn& output : scan.outputs()) {
    if (output.column == column_) NarrowSeries(*column, output.name, spec);
  }
}

void RuntimeFilter::NarrowTimes(sql::ScanNode::Spec* spec) const {
  std::vector<std::int64_t> times = times_;
  SortUnique(&times);
  std::vector<sql::TimeRange> ranges;
  if (!overflowed_ && times.size() <= kRangesMax) {
    for (const std::int64_t time : times) {
      if (!ranges.empty() && ranges.back().last_ns + 1 == time) {
        ranges.back().last_ns = time;
      } else {
        ranges.push_back({time, time});
      }
    }
  } else {
    ranges.push_back({time_min_, time_max_});
  }
  spec->time_ranges = Intersect(spec->time_ranges, ranges);
}

void RuntimeFilter::NarrowSeries(catalog::ColumnId column, const std::string& name,
                                 sql::ScanNode::Spec* spec) const {
  if (overflowed_) return;
  auto same = std::find_if(spec->series_predicates.begin(), spec->series_predicates.end(),
                           [&](const sql::SeriesPredicate& predicate) { return predicate.column == column; });
  if (same == spec->series_predicates.end()) {
    sql::SeriesPredicate predicate;
    predicate.column = column;
    predicate.name = name;
    same = spec->series_predicates.insert(same, std::move(predicate));
  }
  if (same->has_values) {
    std::vector<std::string> both;
    std::set_intersection(same->values.begin(), same->values.end(), texts_.begin(), texts_.end(),
                          std::back_inserter(both));
    same->values = std::move(both);
  } else {
    same->values = texts_;
  }
  same->has_values = true;
  same->includes_null = false;
}

}  // namespace tideline::exec
