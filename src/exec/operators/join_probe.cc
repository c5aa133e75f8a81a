#include "exec/operators/join_probe.h"

#include <algorithm>

#include "exec/values/gather.h"
#include "exec/values/hash_rows.h"

namespace tideline::exec {

using sql::JoinKind;

JoinProbe::JoinProbe(const JoinPlan* plan, const BuildSide* build, const JoinFacts* facts,
                     ProbeOptions options, Consumer* next)
    : plan_(plan), build_(build), facts_(facts), options_(options), next_(next) {
  if (options_.resident_from > 0) {
    writer_ = std::make_unique<PartitionWriter>(plan->probe.spilled_types, plan->own, 0);
  }
}

Status JoinProbe::Prepare() {
  for (const sql::ExprPtr& key : plan_->probe.keys) {
    if (options_.from_disk) break;
    Evaluator evaluator = TL_TRY(Evaluator::Make(*key, plan_->probe.positions, plan_->own->eval));
    keys_.push_back(std::move(evaluator));
  }
  if (build_->table() != nullptr) lookup_ = std::make_unique<GroupLookup>(build_->table());
  for (const sql::Expr* expr : {plan_->residual.get(), plan_->test.get()}) {
    if (expr == nullptr) continue;
    Evaluator evaluator = TL_TRY(Evaluator::Make(*expr, plan_->pair, plan_->own->eval));
    (expr == plan_->residual.get() ? residual_ : test_).push_back(std::move(evaluator));
    std::vector<sql::ColumnRef> read;
    sql::CollectColumns(*expr, &read);
    for (const sql::ColumnRef column : read) read_places_.push_back(plan_->pair.Find(column));
  }
  std::sort(read_places_.begin(), read_places_.end());
  read_places_.erase(std::unique(read_places_.begin(), read_places_.end()), read_places_.end());
  return OkStatus();
}

Status JoinProbe::EvaluateKeys(const Batch& batch, const Selection& rows) {
  const std::size_t key_count = plan_->probe.keys.size();
  key_values_.resize(key_count);
  for (std::size_t i = 0; i < key_count; ++i) {
    if (options_.from_disk) {
      key_values_[i] = batch.columns[plan_->probe.outputs.size() + i];
    } else {
      TL_TRY(keys_[i].Evaluate(batch, rows, &key_values_[i]));
    }
  }
  return OkStatus();
}

Status JoinProbe::Push(const Batch& batch, const Selection& rows) {
  batch_ = batch;
  rows_.clear();
  rows.ForEach([&](std::uint32_t row) { rows_.push_back(row); });
  TL_TRY(EvaluateKeys(batch, Selection::Of(rows_)));
  MarkUnequal(key_values_, Selection::Of(rows_), &unequal_);
  if (writer_ != nullptr) {
    TL_TRY(SpillRows(batch));
    if (rows_.empty()) return OkStatus();
  }
  if (lookup_ != nullptr) {
    lookup_->Find(key_values_, Selection::Of(rows_), &groups_);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (unequal_[i] != 0) groups_[i] = GroupLookup::kNone;
    }
  } else {
    groups_.assign(rows_.size(), 0);
  }
  if (options_.found != nullptr) {
    if (options_.found->size() < row_base_ + rows_.size()) options_.found->resize(row_base_ + rows_.size(), 0);
    const auto known = options_.found->begin() + static_cast<std::ptrdiff_t>(row_base_);
    found_.assign(known, known + static_cast<std::ptrdiff_t>(rows_.size()));
  } else {
    found_.assign(rows_.size(), 0);
  }
  at_ = 0;
  offset_ = 0;
  pairs_per_batch_ = PairsPerBatch();
  pending_ = true;
  return Continue();
}

// Writes the rows whose partners are on disk and leaves the others. What equals nothing stays: it has no
// partner anywhere.
Status JoinProbe::SpillRows(const Batch& batch) {
  HashRows(key_values_, Selection::Of(rows_), &hashes_);
  std::vector<std::uint32_t> written;
  std::vector<std::uint64_t> written_hashes;
  std::size_t left = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (unequal_[i] == 0 && PartitionOf(hashes_[i], 0) < options_.resident_from) {
      written.push_back(rows_[i]);
      written_hashes.push_back(hashes_[i]);
      continue;
    }
    rows_[left] = rows_[i];
    unequal_[left++] = unequal_[i];
  }
  rows_.resize(left);
  unequal_.resize(left);
  if (written.empty()) return OkStatus();
  Batch out;
  out.row_count = batch.row_count;
  out.columns.assign(batch.columns.begin(),
                     batch.columns.begin() + static_cast<std::ptrdiff_t>(plan_->probe.outputs.size()));
  out.columns.insert(out.columns.end(), key_values_.begin(), key_values_.end());
  return writer_->Add(out, Selection::Of(written), written_hashes);
}

Result<std::vector<SpilledRows>> JoinProbe::TakeSpilled() {
  if (writer_ == nullptr) return std::vector<SpilledRows>();
  return writer_->Finish();
}

// Pairs of wide rows go out in batches that a small memory can hold.
std::size_t JoinProbe::PairsPerBatch() const {
  constexpr std::size_t kWideRowBytes = 4 << 10;  // looking at each text is worth it only when memory is small
  const std::size_t bytes_max = plan_->own->BatchBytesMax();
  if (bytes_max >= kWideRowBytes * kBatchRowsMax || batch_.row_count == 0) return kBatchRowsMax;
  std::size_t probe_bytes = 0;
  for (const Vector& column : batch_.columns) probe_bytes += KeptBytes(column);
  const std::size_t pair_bytes = 1 + probe_bytes / batch_.row_count + build_->row_bytes();
  return std::clamp<std::size_t>(bytes_max / pair_bytes, 1, kBatchRowsMax);
}

Status JoinProbe::Continue() {
  if (pushed_ < pair_items_.size()) return PushPairs();
  CollectPairs();
  if (!pair_items_.empty()) return TakePairs();
  pending_ = false;
  if (options_.found != nullptr) {
    std::copy(found_.begin(), found_.end(),
              options_.found->begin() + static_cast<std::ptrdiff_t>(row_base_));
  }
  row_base_ += rows_.size();
  if (!options_.last_block) return OkStatus();
  if (plan_->kind == JoinKind::kMark) return PushMarks();
  if (plan_->preserves_probe) return PushLonely();
  return OkStatus();
}

// The next pairs, a batch at most: item of rows_ and row of the kept side.
void JoinProbe::CollectPairs() {
  pair_items_.clear();
  pair_build_.clear();
  pushed_ = 0;
  const bool once = plan_->any_pair_marks || plan_->mark_by_key;
  while (at_ < rows_.size() && pair_items_.size() < kBatchRowsMax) {
    const std::uint32_t group = groups_[at_];
    const bool settled = plan_->kind == JoinKind::kMark && (found_[at_] & kFound) != 0;
    if (group == GroupLookup::kNone || settled) {
      NextRow();
      continue;
    }
    const std::span<const std::uint32_t> candidates = build_->RowsOfGroup(group);
    if (once) {
      if (!candidates.empty()) found_[at_] |= kFound;
      NextRow();
      continue;
    }
    const std::size_t take = std::min(kBatchRowsMax - pair_items_.size(), candidates.size() - offset_);
    pair_items_.insert(pair_items_.end(), take, static_cast<std::uint32_t>(at_));
    pair_build_.insert(pair_build_.end(), candidates.begin() + static_cast<std::ptrdiff_t>(offset_),
                       candidates.begin() + static_cast<std::ptrdiff_t>(offset_ + take));
    offset_ += take;
    if (offset_ == candidates.size()) NextRow();
  }
}

// Column `place` of the pairs of `rows` of the batch and `build` of the kept side.
Vector JoinProbe::PairColumn(std::uint32_t place, const std::vector<std::uint32_t>& rows,
                             const std::vector<std::uint32_t>& build) const {
  const std::size_t probe_count = plan_->probe.outputs.size();
  if (place >= probe_count) return GatherRows(build_->columns()[place - probe_count], build);
  // Rows come in order, so that the ends tell whether a row with many partners is alone here.
  if (rows.front() == rows.back()) return Vector::ConstantOf(batch_.columns[place], rows.front(), rows.size());
  return TakeRows(batch_.columns[place], rows);
}

void JoinProbe::FillPairRows() {
  pair_rows_.resize(pair_items_.size());
  for (std::size_t i = 0; i < pair_items_.size(); ++i) pair_rows_[i] = rows_[pair_items_[i]];
}

// The columns that conditions read.
Batch JoinProbe::ConditionBatch() {
  FillPairRows();
  Batch pairs;
  pairs.row_count = pair_items_.size();
  pairs.columns.resize(plan_->probe.outputs.size() + plan_->build.outputs.size());
  for (const std::uint32_t place : read_places_) pairs.columns[place] = PairColumn(place, pair_rows_, pair_build_);
  return pairs;
}

Status JoinProbe::TakePairs() {
  if (!residual_.empty() || !test_.empty()) TL_TRY(TryPairs());
  if (plan_->kind == JoinKind::kMark || pair_items_.empty()) {
    pushed_ = pair_items_.size();
    return OkStatus();
  }
  for (std::size_t i = 0; i < pair_items_.size(); ++i) {
    std::uint8_t& found = found_[pair_items_[i]];
    if (plan_->kind == JoinKind::kSingle && found != 0) {
      return ExecutionFailed("Scalar sub-query has returned multiple rows");
    }
    found |= kFound;
    if (plan_->preserves_build) build_->MarkMatched(pair_build_[i]);
  }
  FillPairRows();
  return PushPairs();
}

// The next of the pairs that passed.
Status JoinProbe::PushPairs() {
  const std::size_t count = std::min(pairs_per_batch_, pair_items_.size() - pushed_);
  Batch out;
  out.row_count = count;
  if (count == pair_items_.size()) {
    for (const std::uint32_t place : plan_->places) out.columns.push_back(PairColumn(place, pair_rows_, pair_build_));
  } else {
    const auto piece = [&](const std::vector<std::uint32_t>& of) {
      const auto first = of.begin() + static_cast<std::ptrdiff_t>(pushed_);
      return std::vector<std::uint32_t>(first, first + static_cast<std::ptrdiff_t>(count));
    };
    const std::vector<std::uint32_t> rows = piece(pair_rows_);
    const std::vector<std::uint32_t> build = piece(pair_build_);
    for (const std::uint32_t place : plan_->places) out.columns.push_back(PairColumn(place, rows, build));
  }
  pushed_ += count;
  return next_->Push(out, Selection::All(count));
}

// Drops pairs that the condition is not true of; notes what the test of a mark join says.
Status JoinProbe::TryPairs() {
  const Batch pairs = ConditionBatch();
  passed_.clear();
  if (residual_.empty()) {
    for (std::uint32_t i = 0; i < pairs.row_count; ++i) passed_.push_back(i);
  } else {
    TL_TRY(residual_[0].Select(pairs, Selection::All(pairs.row_count), &passed_));
  }
  if (!test_.empty() && !passed_.empty()) {
    Vector value;
    TL_TRY(test_[0].Evaluate(pairs, SelectionOf(passed_, pairs.row_count), &value));
    const Reader<std::uint8_t> reader(value);
    for (const std::uint32_t i : passed_) {
      if (reader.IsNull(i)) {
        found_[pair_items_[i]] |= kUnknown;
      } else if (reader[i] != 0) {
        found_[pair_items_[i]] |= kFound;
      }
    }
    return OkStatus();
  }
  for (std::size_t i = 0; i < passed_.size(); ++i) {
    pair_items_[i] = pair_items_[passed_[i]];
    pair_build_[i] = pair_build_[passed_[i]];
  }
  pair_items_.resize(passed_.size());
  pair_build_.resize(passed_.size());
  return OkStatus();
}

// Rows of the batch without a partner, nulls beside them.
Status JoinProbe::PushLonely() {
  std::vector<std::uint32_t> lonely;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (found_[i] == 0) lonely.push_back(rows_[i]);
  }
  if (lonely.empty()) return OkStatus();
  Batch out;
  out.row_count = batch_.row_count;
  for (std::size_t i = 0; i < plan_->places.size(); ++i) {
    const std::uint32_t place = plan_->places[i];
    out.columns.push_back(place < plan_->probe.outputs.size()
                              ? batch_.columns[place]
                              : Vector::ConstantNull(plan_->outputs[i].type, batch_.row_count));
  }
  return next_->Push(out, SelectionOf(lonely, batch_.row_count));
}

Status JoinProbe::PushMarks() {
  Vector mark = Vector::Flat(Type::Boolean(), batch_.row_count);
  std::fill_n(mark.mutable_values<std::uint8_t>(), batch_.row_count, std::uint8_t{0});
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if ((found_[i] & kFound) != 0) {
      mark.mutable_values<std::uint8_t>()[rows_[i]] = 1;
      continue;
    }
    // IN by key: a null on either side leaves open what else is there.
    const bool open = plan_->mark_by_key && facts_->rows.load() > 0 &&
                      ((unequal_[i] & 1) != 0 || facts_->null_key_rows.load() > 0);
    if (open || (found_[i] & kUnknown) != 0) mark.SetNull(rows_[i]);
  }
  Batch out;
  out.row_count = batch_.row_count;
  for (const std::uint32_t place : plan_->places) {
    out.columns.push_back(place == JoinPlan::kMarkPlace ? mark : batch_.columns[place]);
  }
  return next_->Push(out, SelectionOf(rows_, batch_.row_count));
}

}  // namespace tideline::exec
