// Scanning one stripe of a segment; see scan.h.
#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

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

/// Most rows that are read to have some of them.
constexpr std::size_t kReadThroughMax = 4 * kBatchRowsMax;

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

// The times of a stripe, slice by slice as they are looked at, each decoded once.
class StripeTimes {
 public:
  explicit StripeTimes(segment::ColumnBlock block)
      : block_(std::move(block)),
        times_(new std::int64_t[block_.row_count()]),
        decoded_((block_.row_count() + codec::kSliceValues - 1) / codec::kSliceValues, 0) {}

  // Of rows [first, end), which ascend, the first at `time_ns` or later; `end` when there is none.
  Result<std::uint32_t> FirstAtOrAfter(std::int64_t time_ns, std::uint32_t first, std::uint32_t end) {
    while (first < end) {
      const std::uint32_t middle = first + (end - first) / 2;
      TL_TRY(Load(middle / codec::kSliceValues));
      if (times_[middle] < time_ns) {
        first = middle + 1;
      } else {
        end = middle;
      }
    }
    return first;
  }

 private:
  Status Load(std::size_t slice) {
    if (decoded_[slice] != 0) return OkStatus();
    const std::size_t first = slice * codec::kSliceValues;
    const std::size_t count = std::min(codec::kSliceValues, block_.row_count() - first);
    TL_TRY(block_.ReadInt64(first, std::span(times_.get() + first, count)));
    decoded_[slice] = 1;
    return OkStatus();
  }

  const segment::ColumnBlock block_;
  const std::unique_ptr<std::int64_t[]> times_;
  std::vector<std::uint8_t> decoded_;
};

class SegmentMorselReader final : public MorselReader {
 public:
  SegmentMorselReader(std::shared_ptr<const ScanPlan> plan, const Morsel& morsel, const MorselOptions& options)
      : plan_(std::move(plan)),
        segment_(plan_->segments[morsel.segment]),
        index_(morsel.stripe),
        filter_(options.filter),
        summarized_(options.summarized) {
    if (filter_ == nullptr) return;
    for (const ProjectedColumn& column : plan_->columns) {
      const auto same = std::find_if(plan_->filter_columns.begin(), plan_->filter_columns.end(),
                                     [&](const ProjectedColumn& other) { return other.id == column.id; });
      looked_at_as_.push_back(static_cast<std::size_t>(same - plan_->filter_columns.begin()));
    }
  }

  Status Open() {
    stripe_ = TL_TRY(segment_.reader->OpenStripe(index_));
    for (const ZoneHint& hint : plan_->hints) {
      if (HintAllows(stripe_, hint)) continue;
      plan_->counters.stripes_pruned.fetch_add(1, std::memory_order_relaxed);
      return OkStatus();
    }
    is_summarized_ = TL_TRY(OpenSummaries());
    if (is_summarized_) return OkStatus();
    TL_TRY(CollectStretches());
    if (!plan_->any_of.empty()) TL_TRY(KeepRowsWithValues());
    if (stretches_.empty()) return OkStatus();
    TL_TRY(OpenFilterBlocks());
    // What a filter leaves nothing of is never read.
    if (filter_ == nullptr) TL_TRY(OpenDeliveredBlocks());
    return OkStatus();
  }

  Result<bool> Next(ScanBatch* batch) override {
    batch->batch.summaries = nullptr;
    if (is_summarized_) return NextSummaries(batch);
    while (next_ != stretches_.size()) {
      TakeRows(batch);
      plan_->counters.rows.fetch_add(batch->batch.row_count, std::memory_order_relaxed);
      if (filter_ != nullptr) {
        TL_TRY(FilterRows(batch));
        if (batch->batch.row_count == 0) continue;
        if (blocks_.empty()) TL_TRY(OpenDeliveredBlocks());
      }
      TL_TRY(ReadColumns(true, plan_->columns, blocks_, *batch, &batch->batch.columns));
      return true;
    }
    return false;
  }

 private:
  // ---- Runs instead of rows ----

  // Whether each row of a run of the stripe has the same in the columns that are not summarized.
  bool IsAlikeInRuns() const {
    std::size_t next = 0;  // of *summarized_
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
      if (next < summarized_->size() && (*summarized_)[next] == i) {
        ++next;
        continue;
      }
      const ProjectedColumn::Kind kind = plan_->columns[i].kind;
      if (kind == ProjectedColumn::Kind::kValue) return false;
      if (kind == ProjectedColumn::Kind::kTime && !IsOneStep()) return false;
    }
    return true;
  }

  // When runs are wanted whole and summaries will do: takes those. False, and nothing done, otherwise.
  Result<bool> OpenSummaries() {
    constexpr std::size_t kRunRowsMin = 16;  // on average; a summary takes as much memory as four values
    constexpr std::size_t kShareMin = 4;     // they are made for all runs of a stripe
    if (summarized_ == nullptr || filter_ != nullptr || plan_->only_ends() || !plan_->any_of.empty()) return false;
    const std::span<const segment::SeriesRun> runs = stripe_.series_runs();
    const std::uint64_t first_row = stripe_.summary().first_row;
    if (!IsWholeTime() || stripe_.row_count() < runs.size() * kRunRowsMin || !IsAlikeInRuns()) return false;
    if (segment_.dead != nullptr && segment_.dead->CountRange(first_row, first_row + stripe_.row_count()) != 0) {
      return false;
    }
    for (std::uint32_t i = 0; i < runs.size(); ++i) {
      if (Wants(runs[i])) whole_runs_.push_back(i);
    }
    if (whole_runs_.size() * kShareMin < runs.size()) return false;
    for (const std::size_t position : *summarized_) {
      const ProjectedColumn& column = plan_->columns[position];
      const bool is_time = column.kind == ProjectedColumn::Kind::kTime;
      std::shared_ptr<const segment::RunSummaries> summaries;
      if (is_time || column.kind == ProjectedColumn::Kind::kValue) {
        summaries = TL_TRY(stripe_.ReadRunSummaries(is_time ? segment::kTimeColumn : column.id.value));
        if (summaries != nullptr && !summaries->usable) return false;
      } else {
        return false;
      }
      summaries_.push_back(std::move(summaries));
    }
    plan_->counters.bytes_scanned.fetch_add(whole_runs_.size() * summarized_->size() * sizeof(RunSummary),
                                            std::memory_order_relaxed);
    return true;
  }

  // A batch of runs; a run is a row of it.
  Result<bool> NextSummaries(ScanBatch* batch) {
    constexpr std::size_t kSplitRunsMin = 32;
    const std::span<const segment::SeriesRun> runs = stripe_.series_runs();
    if (next_ == whole_runs_.size()) return false;
    batch->runs.clear();
    batch_summaries_.row_counts.clear();
    const std::size_t first = next_;
    std::uint64_t rows = 0;
    for (; next_ < whole_runs_.size() && next_ - first < kBatchRowsMax; ++next_) {
      const segment::SeriesRun& run = runs[whole_runs_[next_]];
      const std::uint64_t series = segment_.series->id(run.series);
      if (next_ - first >= kSplitRunsMin && plan_->splits_at_measures &&
          plan_->MeasureDiffers(batch->runs.back().series.value, series)) {
        break;
      }
      batch->runs.push_back({SeriesId{static_cast<std::uint32_t>(series)}, static_cast<std::uint32_t>(next_ - first), 1});
      batch_summaries_.row_counts.push_back(run.row_count);
      rows += run.row_count;
    }
    const std::size_t count = next_ - first;
    batch->batch.columns.clear();
    batch_summaries_.columns.assign(plan_->columns.size(), {});
    std::size_t next = 0;
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
      const ProjectedColumn& column = plan_->columns[i];
      if (next < summarized_->size() && (*summarized_)[next] == i) {
        std::vector<RunSummary>& taken = batch_summaries_.columns[i];
        taken.resize(count);
        const segment::RunSummaries* of_column = summaries_[next].get();
        for (std::size_t row = 0; of_column != nullptr && row < count; ++row) {
          taken[row] = of_column->runs[whole_runs_[first + row]];
        }
        ++next;
        batch->batch.columns.push_back(Vector::ConstantNull(column.type, count));
      } else if (column.kind == ProjectedColumn::Kind::kTime) {
        batch->batch.columns.push_back(StepOfStripe(count));
      } else {
        batch->batch.columns.push_back(DictionaryColumn(*plan_, column, batch->runs, count));
      }
    }
    batch->batch.row_count = count;
    batch->batch.summaries = &batch_summaries_;
    plan_->counters.rows.fetch_add(rows, std::memory_order_relaxed);
    return true;
  }

  // ---- Times in steps ----

  bool IsOneStep() const {
    return plan_->IsOneStep(stripe_.summary().time_ns_min, stripe_.summary().time_ns_max);
  }
  Vector StepOfStripe(std::size_t count) const {
    return Vector::Constant(Type::Timestamp(), Value::Timestamp(stripe_.summary().time_ns_min), count);
  }

  // The times of a batch, one instant for each step of a run, where that makes them fewer.
  Vector InSteps(Vector times, std::span<const SeriesRun> runs) const {
    constexpr std::size_t kRowsPerStepMin = 8;
    const std::size_t count = times.size();
    const std::int64_t* const at = times.values<std::int64_t>();
    std::vector<std::int64_t> steps;
    auto buffer = std::make_shared<Buffer>(count * sizeof(std::uint32_t));
    auto* const codes = reinterpret_cast<std::uint32_t*>(buffer->data());
    for (const SeriesRun& run : runs) {
      const std::int64_t* const end = at + run.first_row + run.row_count;
      for (const std::int64_t* low = at + run.first_row; low != end;) {
        if ((steps.size() + 1) * kRowsPerStepMin > count) return times;
        const std::int64_t step = plan_->StepOf(*low);
        const std::int64_t* const high =
            plan_->StepOf(*(end - 1)) == step
                ? end
                : std::partition_point(low, end, [&](std::int64_t time) { return plan_->StepOf(time) == step; });
        std::fill(codes + (low - at), codes + (high - at), static_cast<std::uint32_t>(steps.size()));
        steps.push_back(*low);
        low = high;
      }
    }
    if (steps.size() == 1) return Vector::ConstantOf(times, 0, count);
    auto base = std::make_shared<Vector>(Vector::Flat(Type::Timestamp(), steps.size()));
    std::copy(steps.begin(), steps.end(), base->mutable_values<std::int64_t>());
    return Vector::Dictionary(std::move(base), std::move(buffer), count);
  }

  // ---- Rows ----

  // Not present for what no block holds: dimensions, and columns that the stripe lacks.
  Result<segment::ColumnBlock> OpenBlock(const ProjectedColumn& column) {
    segment::ColumnId id = column.id.value;
    if (column.kind == ProjectedColumn::Kind::kTime) {
      id = segment::kTimeColumn;
    } else if (column.kind != ProjectedColumn::Kind::kValue) {
      return segment::ColumnBlock();
    }
    const segment::BlockInfo* info = stripe_.Find(id);
    if (info == nullptr) return segment::ColumnBlock();
    plan_->counters.bytes_scanned.fetch_add(info->bytes, std::memory_order_relaxed);
    return stripe_.OpenColumn(id);
  }

  Status OpenFilterBlocks() {
    for (const ProjectedColumn& column : plan_->filter_columns) {
      segment::ColumnBlock block = TL_TRY(OpenBlock(column));
      filter_blocks_.push_back(std::move(block));
    }
    return OkStatus();
  }

  // Those that the filter looks at are open, and counted, already.
  Status OpenDeliveredBlocks() {
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
      ends_.emplace_back();
      if (!end_runs_.empty()) ends_.back() = TL_TRY(ReadRunEnds(plan_->columns[i]));
      if (ends_.back() != nullptr) {
        plan_->counters.bytes_scanned.fetch_add(end_runs_.size() * sizeof(std::uint64_t), std::memory_order_relaxed);
        blocks_.emplace_back();
        continue;
      }
      if (filter_ != nullptr && looked_at_as_[i] != filter_blocks_.size()) {
        blocks_.push_back(filter_blocks_[looked_at_as_[i]]);
        continue;
      }
      if (plan_->columns[i].kind == ProjectedColumn::Kind::kTime && IsOneStep()) {
        blocks_.emplace_back();
        continue;
      }
      segment::ColumnBlock block = TL_TRY(OpenBlock(plan_->columns[i]));
      blocks_.push_back(std::move(block));
    }
    return OkStatus();
  }

  // Null for what has no such values: dimensions, text, columns that the stripe lacks.
  Result<std::shared_ptr<const segment::RunEnds>> ReadRunEnds(const ProjectedColumn& column) const {
    switch (column.kind) {
      case ProjectedColumn::Kind::kTime:
        return stripe_.ReadRunEnds(segment::kTimeColumn);
      case ProjectedColumn::Kind::kValue:
        return stripe_.ReadRunEnds(column.id.value);
      default:
        return std::shared_ptr<const segment::RunEnds>();
    }
  }

  // The rows of `batch` (its runs, and pieces_) of some columns; `delivered`: they are those to deliver.
  Status ReadColumns(bool delivered, const std::vector<ProjectedColumn>& columns,
                     const std::vector<segment::ColumnBlock>& blocks, const ScanBatch& batch,
                     std::vector<Vector>* out) {
    const std::size_t count = batch.batch.row_count;
    out->clear();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const ProjectedColumn& column = columns[i];
      if (column.kind == ProjectedColumn::Kind::kDimension ||
          column.kind == ProjectedColumn::Kind::kMeasureName) {
        out->push_back(DictionaryColumn(*plan_, column, batch.runs, count));
      } else {
        if (delivered && TakeLookedAt(i, count, out)) continue;
        const bool in_steps = delivered && column.kind == ProjectedColumn::Kind::kTime && plan_->time_step_ns != 0;
        if (in_steps && IsOneStep()) {
          out->push_back(StepOfStripe(count));
          continue;
        }
        if (delivered && ends_[i] != nullptr) {
          out->push_back(TakeRunEnds(column, *ends_[i], count));
          continue;
        }
        Vector values = TL_TRY(ReadColumn(column, blocks[i], count));
        out->push_back(in_steps ? InSteps(std::move(values), batch.runs) : std::move(values));
      }
    }
    return OkStatus();
  }

  // A column of the last `count` stretches taken, each the last row of its run.
  Vector TakeRunEnds(const ProjectedColumn& column, const segment::RunEnds& ends, std::size_t count) const {
    const std::span<const std::uint32_t> runs(end_runs_.data() + (next_ - count), count);
    Vector values = Vector::Flat(column.type, count);
    const auto fill = [&]<typename T>(T* out) {
      for (std::size_t i = 0; i < count; ++i) {
        if constexpr (std::is_same_v<T, double>) {
          out[i] = std::bit_cast<double>(ends.bits[runs[i]]);
        } else {
          out[i] = static_cast<T>(ends.bits[runs[i]]);
        }
        if (ends.IsNull(runs[i])) values.SetNull(i);
      }
    };
    switch (column.type.physical()) {
      case PhysicalType::kDouble:
        fill(values.mutable_values<double>());
        break;
      case PhysicalType::kBool8:
        fill(values.mutable_values<std::uint8_t>());
        break;
      default:
        fill(values.mutable_values<std::int64_t>());
        break;
    }
    return values;
  }

  // Column `index` from what the filter has looked at, if that is quicker than decoding it again.
  bool TakeLookedAt(std::size_t index, std::size_t count, std::vector<Vector>* out) {
    if (filter_ == nullptr || looked_at_as_[index] == looked_at_.columns.size()) return false;
    const Vector& source = looked_at_.columns[looked_at_as_[index]];
    if (count == looked_at_.row_count || source.is_constant()) {
      out->push_back(count == source.size() ? source : Vector::ConstantOf(source, 0, count));
      return true;
    }
    const std::size_t value_bytes = source.type().value_bytes();
    if (source.kind() != VectorKind::kFlat || source.may_have_nulls() ||
        source.type().physical() == PhysicalType::kString) {
      return false;
    }
    Vector values = Vector::Flat(source.type(), count);
    for (std::size_t at = 0; at < count;) {
      const std::size_t rows = NeighboursFrom(at, UINT32_MAX);
      std::memcpy(values.mutable_values<std::byte>() + at * value_bytes,
                  source.values<std::byte>() + passed_[at] * value_bytes, rows * value_bytes);
      at += rows;
    }
    out->push_back(std::move(values));
    return true;
  }

  // Leaves of the batch's rows those that pass.
  Status FilterRows(ScanBatch* batch) {
    looked_at_.row_count = batch->batch.row_count;
    TL_TRY(ReadColumns(false, plan_->filter_columns, filter_blocks_, *batch, &looked_at_.columns));
    passed_.clear();
    TL_TRY(filter_->Select(looked_at_, &passed_));
    if (passed_.size() == batch->batch.row_count) return OkStatus();
    batch->batch.row_count = passed_.size();
    KeepRuns(passed_, &batch->runs);
    kept_.clear();
    std::size_t at = 0;
    std::uint32_t first = 0;  // row of the batch at which the piece begins
    for (const Stretch& piece : pieces_) {
      const std::uint32_t end = first + piece.count;
      while (at < passed_.size() && passed_[at] < end) {
        const std::size_t count = NeighboursFrom(at, end);
        kept_.push_back({0, piece.first + (passed_[at] - first), static_cast<std::uint32_t>(count)});
        at += count;
      }
      first = end;
    }
    std::swap(pieces_, kept_);
    return OkStatus();
  }

  // How many rows from passed_[at] on follow one another without a gap, before row `end` of the batch.
  std::size_t NeighboursFrom(std::size_t at, std::uint32_t end) const {
    const std::uint32_t row = passed_[at];
    const std::size_t most = std::min<std::size_t>(passed_.size() - at, end - row);
    std::size_t count = 1;
    // Steps that double while there is no gap, then halve.
    std::size_t step = 1;
    for (; count + step <= most && passed_[at + count + step - 1] == row + count + step - 1; step *= 2) {
      count += step;
    }
    for (; step > 0; step /= 2) {
      if (count + step <= most && passed_[at + count + step - 1] == row + count + step - 1) count += step;
    }
    return count;
  }

  bool Wants(const segment::SeriesRun& run) const {
    return segment_.chosen ? std::binary_search(segment_.ordinals.begin(), segment_.ordinals.end(), run.series)
                           : plan_->wanted.Contains(segment_.series->id(run.series));
  }

  bool IsWholeTime() const {
    const segment::StripeSummary& summary = stripe_.summary();
    return plan_->times.size() == 1 && plan_->times[0].first_ns <= summary.time_ns_min &&
           plan_->times[0].last_ns >= summary.time_ns_max;
  }

  // When the newest rows of many series are wanted: the last row of each run, if all of them are alive and
  // inside the times. False, and nothing collected, otherwise.
  Result<bool> CollectRunEnds() {
    constexpr std::size_t kShareMin = 4;
    if (!plan_->newest_only || plan_->oldest_only || !plan_->any_of.empty()) return false;
    const std::span<const segment::SeriesRun> runs = stripe_.series_runs();
    for (std::uint32_t i = 0; i < runs.size(); ++i) {
      if (Wants(runs[i])) end_runs_.push_back(i);
    }
    bool fit = end_runs_.size() * kShareMin >= runs.size();
    std::shared_ptr<const segment::RunEnds> times;
    if (fit && !IsWholeTime()) times = TL_TRY(stripe_.ReadRunEnds(segment::kTimeColumn));
    std::size_t kept = 0;
    for (std::size_t i = 0; fit && i < end_runs_.size(); ++i) {
      const std::uint32_t index = end_runs_[i];
      const segment::SeriesRun& run = runs[index];
      const std::uint32_t row = run.first_row + run.row_count - 1;
      const std::int64_t time_ns = times == nullptr ? 0 : static_cast<std::int64_t>(times->bits[index]);
      // A run that goes on in the next stripe may lie before all times whole.
      if (times != nullptr && time_ns < plan_->times.front().first_ns) continue;
      const auto of_segment = static_cast<std::uint32_t>(stripe_.summary().first_row + row);
      const bool dead = segment_.dead != nullptr && segment_.dead->Contains(of_segment);
      fit = !dead && (times == nullptr || InRanges(plan_->times, time_ns));
      end_runs_[kept++] = index;
      stretches_.push_back({segment_.series->id(run.series), row, 1});
    }
    end_runs_.resize(fit ? kept : 0);
    if (fit) return true;
    stretches_.clear();
    return false;
  }

  // Rows of wanted series inside the times, without dead ones.
  Status CollectStretches() {
    const bool are_run_ends = TL_TRY(CollectRunEnds());
    if (are_run_ends) return OkStatus();
    const bool whole_time = IsWholeTime();
    std::optional<StripeTimes> times;
    if (!whole_time) {
      segment::ColumnBlock block = TL_TRY(stripe_.OpenTimes());
      times.emplace(std::move(block));
    }
    for (const segment::SeriesRun& run : stripe_.series_runs()) {
      if (!Wants(run)) continue;
      const std::uint64_t series = segment_.series->id(run.series);
      const std::size_t before = stretches_.size();
      if (whole_time) {
        AddAlive(series, run.first_row, run.row_count);
      } else {
        std::uint32_t first = run.first_row;
        const std::uint32_t end = run.first_row + run.row_count;
        for (const TimeRange& range : plan_->times) {
          first = TL_TRY(times->FirstAtOrAfter(range.first_ns, first, end));
          std::uint32_t last = end;
          if (range.last_ns != INT64_MAX) {
            last = TL_TRY(times->FirstAtOrAfter(range.last_ns + 1, first, end));
          }
          if (first != last) AddAlive(series, first, last - first);
          first = last;
          if (first == end) break;
        }
      }
      if (plan_->only_ends()) KeepEnds(before);
    }
    return OkStatus();
  }

  // Of the stretches from `begin` on, which are one series in the order of time, the rows at the ends.
  // `any_of` may still drop them, so that they then are not the ends.
  void KeepEnds(std::size_t begin) {
    if (stretches_.size() == begin || !plan_->any_of.empty()) return;
    const Stretch first = stretches_[begin];
    const Stretch last = stretches_.back();
    const std::uint32_t last_row = last.first + last.count - 1;
    stretches_.resize(begin);
    if (plan_->oldest_only) stretches_.push_back({first.series, first.first, 1});
    if (plan_->newest_only && !(plan_->oldest_only && last_row == first.first)) {
      stretches_.push_back({last.series, last_row, 1});
    }
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
      if (filled != 0 && plan_->EndsBatch(batch->runs.back().series.value, stretch.series, filled)) break;
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

  // Reads the pieces into `out`, and their NULLs into `vector`. A slice is decoded whole for its first
  // row anyway, so pieces of one slice are read at once.
  template <typename T, typename Read>
  Status Gather(T* out, const segment::ColumnBlock& block, Vector* vector, Read read) {
    static thread_local std::vector<T> scratch;
    const bool has_nulls = block.null_count() != 0;
    std::size_t filled = 0;
    for (std::size_t i = 0; i < pieces_.size();) {
      const std::uint32_t low = pieces_[i].first;
      std::uint32_t high = low + pieces_[i].count;
      std::size_t end = i + 1;
      while (end < pieces_.size() && pieces_[end].first / codec::kSliceValues == (high - 1) / codec::kSliceValues &&
             pieces_[end].first + pieces_[end].count - low <= kReadThroughMax) {
        high = pieces_[end].first + pieces_[end].count;
        ++end;
      }
      const std::size_t span = high - low;
      valid_.resize(has_nulls ? codec::ValidityWords(span) : 0);
      if (end == i + 1) {
        TL_TRY(read(low, std::span<T>(out + filled, span), std::span<std::uint64_t>(valid_)));
        if (has_nulls) MarkNulls(valid_, 0, span, filled, vector);
        filled += span;
      } else {
        if (scratch.size() < span) scratch.resize(kReadThroughMax);
        TL_TRY(read(low, std::span<T>(scratch.data(), span), std::span<std::uint64_t>(valid_)));
        for (; i < end; ++i) {
          const Stretch& piece = pieces_[i];
          std::copy_n(scratch.data() + (piece.first - low), piece.count, out + filled);
          if (has_nulls) MarkNulls(valid_, piece.first - low, piece.count, filled, vector);
          filled += piece.count;
        }
      }
      i = end;
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
  RowFilter* const filter_;
  const std::vector<std::size_t>* const summarized_;
  segment::Stripe stripe_;
  std::vector<segment::ColumnBlock> blocks_;
  std::vector<segment::ColumnBlock> filter_blocks_;
  Batch looked_at_;
  std::vector<std::size_t> looked_at_as_;  // by projected column: which of filter_columns; their count for none
  std::vector<std::uint32_t> passed_;
  std::vector<Stretch> stretches_;
  std::vector<std::uint32_t> end_runs_;  // by stretch, if each is the last row of a run; else empty
  bool is_summarized_ = false;
  std::vector<std::uint32_t> whole_runs_;  // runs wanted, if summarized
  std::vector<std::shared_ptr<const segment::RunSummaries>> summaries_;  // by summarized column; null: all NULL
  BatchSummaries batch_summaries_;
  std::vector<std::shared_ptr<const segment::RunEnds>> ends_;  // by projected column; null: none
  std::size_t next_ = 0;
  std::uint32_t offset_ = 0;
  std::vector<Stretch> pieces_;
  std::vector<Stretch> kept_;
  std::vector<std::uint64_t> valid_;
  std::vector<std::string_view> texts_;
};

}  // namespace

Result<std::unique_ptr<MorselReader>> OpenSegmentMorsel(std::shared_ptr<const ScanPlan> plan,
                                                        const Morsel& morsel, const MorselOptions& options) {
  auto reader = std::make_unique<SegmentMorselReader>(std::move(plan), morsel, options);
  TL_TRY(reader->Open());
  return std::unique_ptr<MorselReader>(std::move(reader));
}

}  // namespace tideline::engine
