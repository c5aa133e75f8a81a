// Scanning one stripe of a segment; see scan.h.
#include <algorithm>
#include <cstring>

#include "storage/engine/scan_plan.h"
#include "storage/engine/sorted_sheet.h"

namespace tideline::engine {
namespace {

/// Consecutive rows of the stripe; of one series in `Stretch` lists, of any in pieces.
struct Stretch {
  std::uint64_t series = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// Rows of a batch are read as one range when the range is at most this many times larger.
constexpr std::size_t kReadThroughFactor = 4;

// False when the zone map proves that no row fulfils the hint.
template <typename T>
bool ZoneAllows(ZoneHint::Op op, const T& low, const T& high, const T& constant) {
  switch (op) {
    case ZoneHint::Op::kEqual: return !(constant < low) && !(high < constant);
    case ZoneHint::Op::kLess: return low < constant;
    case ZoneHint::Op::kLessOrEqual: return !(constant < low);
    case ZoneHint::Op::kGreater: return constant < high;
    case ZoneHint::Op::kGreaterOrEqual: return !(high < constant);
  }
  return true;
}

bool HintAllows(const segment::Stripe& stripe, const ZoneHint& hint) {
  const segment::BlockInfo* info = stripe.Find(hint.column.value);
  if (info == nullptr || info->zone.null_count == info->zone.row_count) return false;
  const segment::ZoneMap& zone = info->zone;
  if (!zone.has_bounds || zone.has_nan || hint.constant.is_null()) return true;
  switch (info->type) {
    case segment::ColumnType::kDouble:
      if (hint.constant.type().is(TypeId::kDouble)) {
        return ZoneAllows(hint.op, zone.min_double, zone.max_double, hint.constant.floating());
      }
      if (hint.constant.type().is(TypeId::kBigint)) {
        return ZoneAllows(hint.op, zone.min_double, zone.max_double,
                          static_cast<double>(hint.constant.integer()));
      }
      return true;
    case segment::ColumnType::kBigint:
    case segment::ColumnType::kTimestamp:
    case segment::ColumnType::kBoolean:
      if (hint.constant.type().physical() != PhysicalType::kInt64 &&
          hint.constant.type().physical() != PhysicalType::kBool8) {
        return true;
      }
      return ZoneAllows(hint.op, zone.min_int64, zone.max_int64, hint.constant.integer());
    case segment::ColumnType::kVarchar:
      if (!hint.constant.type().is(TypeId::kVarchar)) return true;
      // A cut maximum bounds nothing from above that begins with it.
      if (zone.max_is_cut && (hint.op == ZoneHint::Op::kEqual || hint.op == ZoneHint::Op::kGreater ||
                              hint.op == ZoneHint::Op::kGreaterOrEqual)) {
        return hint.op != ZoneHint::Op::kEqual || !(hint.constant.text() < zone.min_string);
      }
      return ZoneAllows(hint.op, zone.min_string, zone.max_string, hint.constant.text());
  }
  return true;
}

class SegmentMorselReader final : public MorselReader {
 public:
  SegmentMorselReader(std::shared_ptr<const ScanPlan> plan, const Morsel& morsel)
      : plan_(std::move(plan)), segment_(plan_->segments[morsel.segment]), index_(morsel.stripe) {}

  Status Open() {
    stripe_ = TL_TRY(segment_.reader->OpenStripe(index_));
    for (const ZoneHint& hint : plan_->hints) {
      if (HintAllows(stripe_, hint)) continue;
      plan_->counters.stripes_pruned.fetch_add(1, std::memory_order_relaxed);
      return OkStatus();
    }
    TL_TRY(CollectStretches());
    if (!plan_->any_of.empty()) TL_TRY(KeepRowsWithValues());
    if (stretches_.empty()) return OkStatus();
    for (const ProjectedColumn& column : plan_->columns) {
      blocks_.emplace_back();
      segment::ColumnId id = column.id.value;
      if (column.kind == ProjectedColumn::Kind::kTime) {
        id = segment::kTimeColumn;
      } else if (column.kind != ProjectedColumn::Kind::kValue) {
        continue;
      }
      const segment::BlockInfo* info = stripe_.Find(id);
      if (info == nullptr) continue;
      blocks_.back() = TL_TRY(stripe_.OpenColumn(id));
      plan_->counters.bytes_scanned.fetch_add(info->bytes, std::memory_order_relaxed);
    }
    return OkStatus();
  }

  Result<bool> Next(ScanBatch* batch) override {
    if (next_ == stretches_.size()) return false;
    TakeRows(batch);
    const std::size_t count = batch->batch.row_count;
    batch->batch.columns.clear();
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
      const ProjectedColumn& column = plan_->columns[i];
      if (column.kind == ProjectedColumn::Kind::kDimension ||
          column.kind == ProjectedColumn::Kind::kMeasureName) {
        batch->batch.columns.push_back(DictionaryColumn(*plan_, column, batch->runs, count));
      } else {
        batch->batch.columns.push_back(TL_TRY(ReadColumn(column, blocks_[i], count)));
      }
    }
    plan_->counters.rows.fetch_add(count, std::memory_order_relaxed);
    return true;
  }

 private:
  // Rows of wanted series inside the times, without dead ones.
  Status CollectStretches() {
    const segment::StripeSummary& summary = stripe_.summary();
    const bool whole_time = plan_->times.size() == 1 &&
                            plan_->times[0].first_ns <= summary.time_ns_min &&
                            plan_->times[0].last_ns >= summary.time_ns_max;
    segment::ColumnBlock times;
    if (!whole_time) times = TL_TRY(stripe_.OpenTimes());
    std::vector<std::int64_t> buffer;
    for (const segment::SeriesRun& run : stripe_.series_runs()) {
      const std::uint64_t series = segment_.series->id(run.series);
      if (!plan_->wanted.Contains(series)) continue;
      if (whole_time) {
        AddAlive(series, run.first_row, run.row_count);
        continue;
      }
      buffer.resize(run.row_count);
      TL_TRY(times.ReadInt64(run.first_row, buffer));
      for (const TimeRange& range : plan_->times) {
        const auto first = std::lower_bound(buffer.begin(), buffer.end(), range.first_ns);
        const auto last = std::upper_bound(first, buffer.end(), range.last_ns);
        if (first == last) continue;
        AddAlive(series, run.first_row + static_cast<std::uint32_t>(first - buffer.begin()),
                 static_cast<std::uint32_t>(last - first));
      }
    }
    return OkStatus();
  }

  void AddAlive(std::uint64_t series, std::uint32_t first, std::uint32_t count) {
    if (segment_.dead == nullptr) {
      stretches_.push_back({series, first, count});
      return;
    }
    const std::uint64_t base = stripe_.summary().first_row;
    std::uint64_t at = base + first;
    const std::uint64_t end = at + count;
    while (at < end) {
      const std::uint64_t dead = std::min(segment_.dead->NextAtOrAbove(at, end), end);
      if (dead > at) {
        stretches_.push_back({series, static_cast<std::uint32_t>(at - base),
                              static_cast<std::uint32_t>(dead - at)});
      }
      at = dead + 1;
    }
  }

  // Drops rows that have none of the columns asked for.
  Status KeepRowsWithValues() {
    std::vector<std::uint64_t> any(codec::ValidityWords(stripe_.row_count()), 0);
    std::vector<std::uint64_t> one(any.size());
    for (const ColumnId id : plan_->any_of) {
      const segment::ColumnBlock block = TL_TRY(stripe_.OpenColumn(id.value));
      if (!block.present()) continue;
      TL_TRY(block.view().ReadValidity(0, stripe_.row_count(), one));
      for (std::size_t i = 0; i < any.size(); ++i) any[i] |= one[i];
    }
    std::vector<Stretch> kept;
    for (const Stretch& stretch : stretches_) {
      for (std::uint32_t row = stretch.first; row < stretch.first + stretch.count; ++row) {
        if (((any[row / 64] >> (row % 64)) & 1) == 0) continue;
        if (!kept.empty() && kept.back().series == stretch.series &&
            kept.back().first + kept.back().count == row) {
          ++kept.back().count;
        } else {
          kept.push_back({stretch.series, row, 1});
        }
      }
    }
    stretches_ = std::move(kept);
    return OkStatus();
  }

  // The rows of the next batch: runs for the caller, pieces for reading.
  void TakeRows(ScanBatch* batch) {
    batch->runs.clear();
    pieces_.clear();
    std::uint32_t filled = 0;
    while (filled < kBatchRowsMax && next_ < stretches_.size()) {
      const Stretch& stretch = stretches_[next_];
      const std::uint32_t first = stretch.first + offset_;
      const std::uint32_t take = std::min(stretch.count - offset_,
                                          static_cast<std::uint32_t>(kBatchRowsMax) - filled);
      const SeriesId series{static_cast<std::uint32_t>(stretch.series)};
      if (!batch->runs.empty() && batch->runs.back().series == series) {
        batch->runs.back().row_count += take;
      } else {
        batch->runs.push_back({series, filled, take});
      }
      if (!pieces_.empty() && pieces_.back().first + pieces_.back().count == first) {
        pieces_.back().count += take;
      } else {
        pieces_.push_back({0, first, take});
      }
      filled += take;
      offset_ += take;
      if (offset_ == stretch.count) {
        ++next_;
        offset_ = 0;
      }
    }
    batch->batch.row_count = filled;
  }

  Result<Vector> ReadColumn(const ProjectedColumn& column, const segment::ColumnBlock& block,
                            std::size_t count) {
    if (!block.present()) return Vector::ConstantNull(column.type, count);
    Vector values = Vector::Flat(column.type, count);
    switch (column.type.physical()) {
      case PhysicalType::kDouble:
        TL_TRY(Gather(values.mutable_values<double>(), block, &values,
                      [&](std::size_t first, std::span<double> out, std::span<std::uint64_t> valid) {
                        return block.ReadDouble(first, out, valid);
                      }));
        break;
      case PhysicalType::kBool8:
        TL_TRY(Gather(values.mutable_values<std::uint8_t>(), block, &values,
                      [&](std::size_t first, std::span<std::uint8_t> out,
                          std::span<std::uint64_t> valid) {
                        return block.ReadBool(first, out, valid);
                      }));
        break;
      case PhysicalType::kInt64:
        TL_TRY(Gather(values.mutable_values<std::int64_t>(), block, &values,
                      [&](std::size_t first, std::span<std::int64_t> out,
                          std::span<std::uint64_t> valid) {
                        return block.ReadInt64(first, out, valid);
                      }));
        break;
      case PhysicalType::kString: {
        texts_.resize(count);
        TL_TRY(Gather(texts_.data(), block, &values,
                      [&](std::size_t first, std::span<std::string_view> out,
                          std::span<std::uint64_t> valid) {
                        return block.ReadString(first, out, valid);
                      }));
        auto* out = values.mutable_values<StringRef>();
        for (std::size_t i = 0; i < count; ++i) out[i] = StringRef(texts_[i]);
        values.KeepAlive(block.owner());
        break;
      }
      default:
        return Internal("a segment holds no values of type {}", column.type.ToString());
    }
    return values;
  }

  // Reads the pieces into `out`, and their NULLs into `vector`. When they lie close together the range
  // around them is read at once: a slice is decoded whole for its first row anyway.
  template <typename T, typename Read>
  Status Gather(T* out, const segment::ColumnBlock& block, Vector* vector, Read read) {
    const bool has_nulls = block.null_count() != 0;
    const std::uint32_t low = pieces_.front().first;
    const std::uint32_t high = pieces_.back().first + pieces_.back().count;
    const std::size_t span = high - low;
    std::size_t filled = 0;
    if (pieces_.size() > 1 && span <= kReadThroughFactor * kBatchRowsMax) {
      std::vector<T> scratch(span);
      std::vector<std::uint64_t> valid(has_nulls ? codec::ValidityWords(span) : 0);
      TL_TRY(read(low, std::span<T>(scratch), std::span<std::uint64_t>(valid)));
      for (const Stretch& piece : pieces_) {
        std::copy_n(scratch.data() + (piece.first - low), piece.count, out + filled);
        if (has_nulls) MarkNulls(valid, piece.first - low, piece.count, filled, vector);
        filled += piece.count;
      }
      return OkStatus();
    }
    for (const Stretch& piece : pieces_) {
      valid_.resize(has_nulls ? codec::ValidityWords(piece.count) : 0);
      TL_TRY(read(piece.first, std::span<T>(out + filled, piece.count),
                  std::span<std::uint64_t>(valid_)));
      if (has_nulls) MarkNulls(valid_, 0, piece.count, filled, vector);
      filled += piece.count;
    }
    return OkStatus();
  }

  static void MarkNulls(std::span<const std::uint64_t> valid, std::size_t from, std::size_t count,
                        std::size_t to, Vector* vector) {
    for (std::size_t i = 0; i < count; ++i) {
      if (((valid[(from + i) / 64] >> ((from + i) % 64)) & 1) == 0) vector->SetNull(to + i);
    }
  }

  const std::shared_ptr<const ScanPlan> plan_;
  const SegmentPlan& segment_;
  const std::size_t index_;
  segment::Stripe stripe_;
  std::vector<segment::ColumnBlock> blocks_;
  std::vector<Stretch> stretches_;
  std::size_t next_ = 0;
  std::uint32_t offset_ = 0;
  std::vector<Stretch> pieces_;
  std::vector<std::uint64_t> valid_;
  std::vector<std::string_view> texts_;
};

}  // namespace

Result<std::unique_ptr<MorselReader>> OpenSegmentMorsel(std::shared_ptr<const ScanPlan> plan,
                                                        const Morsel& morsel) {
  auto reader = std::make_unique<SegmentMorselReader>(std::move(plan), morsel);
  TL_TRY(reader->Open());
  return std::unique_ptr<MorselReader>(std::move(reader));
}

}  // namespace tideline::engine
