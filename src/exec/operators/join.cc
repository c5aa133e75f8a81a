#include "exec/operators/join.h"

#include <algorithm>

#include "base/mutex.h"
#include "exec/operators/group_table.h"
#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

using sql::JoinKind;

// An outer join reads its preserved side first only if that is so many times smaller.
constexpr double kPreservedBuildFactor = 4;

Selection SelectionOf(const std::vector<std::uint32_t>& rows, std::size_t row_count) {
  return rows.size() == row_count ? Selection::All(row_count) : Selection::Of(rows);
}

// Rows `rows` of a column that streams by; a dictionary stays one.
Vector TakeRows(const Vector& column, const std::vector<std::uint32_t>& rows) {
  return column.kind() == VectorKind::kFlat ? GatherRows(column, rows) : column.Slice(rows);
}

bool IsTrueConstant(const sql::Expr& expr) {
  return expr.kind == sql::ExprKind::kConstant && !expr.constant.is_null() &&
         expr.type.is(TypeId::kBoolean) && expr.constant.boolean();
}

// Key columns without what equals nothing: `nulls[i]` is 1 for a null, 2 for a NaN in row i of `rows`.
void MarkUnequal(std::span<const Vector> keys, const Selection& rows, std::vector<std::uint8_t>* marks) {
  marks->assign(rows.size(), 0);
  for (const Vector& key : keys) {
    const bool floating = key.type().physical() == PhysicalType::kDouble;
    if (!floating && !key.may_have_nulls()) continue;
    const Reader<double> reader(key);
    std::size_t i = 0;
    rows.ForEach([&](std::uint32_t row) {
      if (reader.IsNull(row)) {
        (*marks)[i] |= 1;
      } else if (floating && std::isnan(reader[row])) {
        (*marks)[i] |= 2;
      }
      ++i;
    });
  }
}

// The child that is kept. Filled by workers under a mutex, put in order by Finish, then read only.
class HashJoin final : public JoinBreaker {
 public:
  HashJoin(const sql::JoinNode& node, bool build_left, const EvalContext& context, OperatorStats* stats)
      : kind_(node.spec().kind),
        build_(*node.children()[build_left ? 0 : 1], build_left),
        probe_(*node.children()[build_left ? 1 : 0], !build_left),
        outputs_(node.outputs()),
        residual_(node.residual()),
        test_(node.spec().test),
        mark_(node.spec().mark),
        context_(context),
        stats_(stats),
        memory_(context.memory) {
    const bool by_test = node.test_key().has_value();
    std::vector<sql::JoinNode::Key> keys = node.keys();
    if (by_test) {
      keys.push_back(*node.test_key());
      test_ = nullptr;
    }
    for (const sql::JoinNode::Key& key : keys) {
      build_keys_.push_back(build_left ? key.left : key.right);
      probe_keys_.push_back(build_left ? key.right : key.left);
    }
    mark_by_key_ = by_test;
    preserves_probe_ = (build_left ? node.preserves_right() : node.preserves_left()) && kind_ != JoinKind::kMark;
    preserves_build_ = build_left ? node.preserves_left() : node.preserves_right();
    any_pair_marks_ = kind_ == JoinKind::kMark && test_ != nullptr && IsTrueConstant(*test_) && residual_ == nullptr;
    for (std::size_t i = 0; i < probe_.outputs.size(); ++i) pair_.Set(probe_.outputs[i].column, i);
    for (std::size_t i = 0; i < build_.outputs.size(); ++i) {
      pair_.Set(build_.outputs[i].column, probe_.outputs.size() + i);
    }
  }

  Status Prepare() {
    for (const sql::OutputColumn& output : outputs_) {
      if (kind_ == JoinKind::kMark && output.column == mark_.column) {
        places_.push_back(kMarkPlace);
        continue;
      }
      const std::uint32_t place = pair_.Find(output.column);
      if (place == ColumnPositions::kNone) return Internal("a column of a join is not delivered");
      places_.push_back(place);
    }
    return OkStatus();
  }

  void AddFilter(std::shared_ptr<RuntimeFilter> filter) override { filters_.push_back(std::move(filter)); }
  Result<std::unique_ptr<Consumer>> NewConsumer() override;
  Result<std::unique_ptr<Consumer>> NewProbe(Consumer* next) override;
  std::shared_ptr<Source> Unmatched() override;
  Status Finish() override;

  // Where an output lies in a pair's columns: the probe side's, then the kept side's.
  static constexpr std::uint32_t kMarkPlace = UINT32_MAX - 1;

  struct Side {
    Side(const sql::PlanNode& child, bool left) : outputs(child.outputs()), is_left(left) {
      for (std::size_t i = 0; i < outputs.size(); ++i) positions.Set(outputs[i].column, i);
    }
    const std::vector<sql::OutputColumn> outputs;
    const bool is_left;
    ColumnPositions positions;
  };
  // A batch as it came, flat or by dictionary, only the rows that matter.
  struct Kept {
    Batch rows;
    std::vector<Vector> keys;
  };

  Status Keep(Kept kept, std::size_t bytes) {
    const MutexLock lock(mutex_);
    TL_TRY(memory_.Grow(bytes));
    row_count_ += kept.rows.row_count;
    kept_.push_back(std::move(kept));
    return OkStatus();
  }

  // Rows of the kept side whose keys are those of `group`; without keys all.
  std::span<const std::uint32_t> RowsOfGroup(std::uint32_t group) const {
    return {order_.data() + offsets_[group], offsets_[group + 1] - offsets_[group]};
  }

  const JoinKind kind_;
  const Side build_;
  const Side probe_;
  const std::vector<sql::OutputColumn> outputs_;
  const sql::ExprPtr residual_;
  sql::ExprPtr test_;  // of a mark join, unless a key says it
  const sql::OutputColumn mark_;
  const EvalContext& context_;
  OperatorStats* const stats_;
  std::vector<sql::ExprPtr> build_keys_;
  std::vector<sql::ExprPtr> probe_keys_;
  std::vector<std::shared_ptr<RuntimeFilter>> filters_;
  ColumnPositions pair_;
  std::vector<std::uint32_t> places_;
  bool mark_by_key_ = false;
  bool any_pair_marks_ = false;  // EXISTS: one row is as good as many
  bool preserves_probe_ = false;
  bool preserves_build_ = false;

  // After Finish.
  std::size_t row_count_ = 0;
  std::size_t null_key_rows_ = 0;
  std::vector<Vector> columns_;  // of all kept rows, flat
  std::unique_ptr<GroupTable> table_;
  std::vector<std::uint32_t> order_;    // rows, by group
  std::vector<std::size_t> offsets_;    // of each group in order_, and the end
  std::unique_ptr<std::atomic<std::uint8_t>[]> matched_;  // by kept row, if preserves_build_

 private:
  Status LayOut();
  Status Index();

  Mutex mutex_;
  std::vector<Kept> kept_;
  MemoryReservation memory_;
};

// ---- the kept side ------------------------------------------------------------------------------

class BuildConsumer final : public Consumer {
 public:
  explicit BuildConsumer(HashJoin* join) : join_(join) {}
  Status Prepare() {
    for (const sql::ExprPtr& key : join_->build_keys_) {
      Evaluator evaluator = TL_TRY(Evaluator::Make(*key, join_->build_.positions, join_->context_));
      keys_.push_back(std::move(evaluator));
    }
    return OkStatus();
  }
  Status Push(const Batch& batch, const Selection& rows) override {
    std::vector<std::uint32_t> list;
    list.reserve(rows.size());
    rows.ForEach([&](std::uint32_t row) { list.push_back(row); });
    HashJoin::Kept kept;
    kept.rows.row_count = list.size();
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      Vector value;
      TL_TRY(keys_[i].Evaluate(batch, rows, &value));
      for (const auto& filter : join_->filters_) {
        if (filter->key() == i) filter->Add(value, rows);
      }
      kept.keys.push_back(TakeRows(value, list));
      bytes += KeptBytes(kept.keys.back());
    }
    for (const Vector& column : batch.columns) {
      kept.rows.columns.push_back(TakeRows(column, list));
      bytes += KeptBytes(kept.rows.columns.back());
    }
    return join_->Keep(std::move(kept), bytes);
  }
  Status Finish() override { return OkStatus(); }

 private:
  HashJoin* const join_;
  std::vector<Evaluator> keys_;
};

Result<std::unique_ptr<Consumer>> HashJoin::NewConsumer() {
  auto consumer = std::make_unique<BuildConsumer>(this);
  TL_TRY(consumer->Prepare());
  return std::unique_ptr<Consumer>(std::move(consumer));
}

Status HashJoin::Finish() {
  if (row_count_ >= UINT32_MAX - 1) return ResourceExhausted("a join keeps more than {} rows", UINT32_MAX - 2);
  const bool without_condition = build_keys_.empty() && residual_ == nullptr;
  if (kind_ == JoinKind::kSingle && without_condition && row_count_ > 1) {
    return ExecutionFailed("Scalar sub-query has returned multiple rows");
  }
  TL_TRY(Index());
  TL_TRY(LayOut());
  kept_.clear();
  if (preserves_build_) {
    TL_TRY(memory_.Grow(row_count_));
    matched_ = std::make_unique<std::atomic<std::uint8_t>[]>(row_count_);
  }
  if (stats_ != nullptr) {
    stats_->note = fmt::format("kept {} side, {} rows", build_.is_left ? "left" : "right", row_count_);
  }
  return OkStatus();
}

Status HashJoin::Index() {
  TL_TRY(memory_.Grow(row_count_ * 2 * sizeof(std::uint32_t)));
  order_.resize(row_count_);
  if (build_keys_.empty()) {
    for (std::size_t i = 0; i < row_count_; ++i) order_[i] = static_cast<std::uint32_t>(i);
    offsets_ = {0, row_count_};
    return OkStatus();
  }
  std::vector<Type> types;
  for (const sql::ExprPtr& key : build_keys_) types.push_back(key->type);
  table_ = std::make_unique<GroupTable>(std::move(types), context_.memory);
  std::vector<std::uint32_t> group_of_row(row_count_, GroupLookup::kNone);
  std::vector<std::uint8_t> marks;
  std::vector<std::uint32_t> usable;
  std::vector<std::uint32_t> groups;
  std::size_t first = 0;
  for (const Kept& kept : kept_) {
    TL_TRY(context_.CheckStillWanted());
    const std::size_t count = kept.rows.row_count;
    MarkUnequal(kept.keys, Selection::All(count), &marks);
    usable.clear();
    for (std::uint32_t row = 0; row < count; ++row) {
      if (marks[row] == 0) usable.push_back(row);
      if ((marks[row] & 1) != 0) ++null_key_rows_;
    }
    if (!usable.empty()) {
      TL_TRY(table_->FindOrAdd(kept.keys, SelectionOf(usable, count), &groups));
      for (std::size_t i = 0; i < usable.size(); ++i) group_of_row[first + usable[i]] = groups[i];
    }
    first += count;
  }
  const std::size_t group_count = table_->group_count();
  TL_TRY(memory_.Grow((group_count + 1) * sizeof(std::size_t)));
  offsets_.assign(group_count + 1, 0);
  for (const std::uint32_t group : group_of_row) {
    if (group != GroupLookup::kNone) ++offsets_[group + 1];
  }
  for (std::size_t i = 0; i < group_count; ++i) offsets_[i + 1] += offsets_[i];
  std::vector<std::size_t> at(offsets_.begin(), offsets_.end() - 1);
  for (std::size_t row = 0; row < row_count_; ++row) {
    if (group_of_row[row] != GroupLookup::kNone) order_[at[group_of_row[row]]++] = static_cast<std::uint32_t>(row);
  }
  return OkStatus();
}

Status HashJoin::LayOut() {
  // For a moment both forms are there.
  const std::size_t bytes = memory_.bytes();
  TL_TRY(memory_.Grow(bytes + row_count_ * sizeof(RowPlace)));
  std::vector<RowPlace> places;
  places.reserve(row_count_);
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    for (std::uint32_t row = 0; row < kept_[i].rows.row_count; ++row) {
      places.push_back({static_cast<std::uint32_t>(i), row});
    }
  }
  for (std::size_t c = 0; c < build_.outputs.size(); ++c) {
    std::vector<const Vector*> sources;
    for (const Kept& kept : kept_) sources.push_back(&kept.rows.columns[c]);
    columns_.push_back(Gather(build_.outputs[c].type, sources, places));
  }
  return memory_.Resize(bytes);
}

// ---- the other side -----------------------------------------------------------------------------

class ProbeConsumer final : public Consumer {
 public:
  ProbeConsumer(HashJoin* join, Consumer* next) : join_(join), next_(next) {}

  Status Prepare() {
    for (const sql::ExprPtr& key : join_->probe_keys_) {
      Evaluator evaluator = TL_TRY(Evaluator::Make(*key, join_->probe_.positions, join_->context_));
      keys_.push_back(std::move(evaluator));
    }
    if (join_->table_ != nullptr) lookup_ = std::make_unique<GroupLookup>(join_->table_.get());
    for (const sql::Expr* expr : {join_->residual_.get(), join_->test_.get()}) {
      if (expr == nullptr) continue;
      Evaluator evaluator = TL_TRY(Evaluator::Make(*expr, join_->pair_, join_->context_));
      (expr == join_->residual_.get() ? residual_ : test_).push_back(std::move(evaluator));
      std::vector<sql::ColumnRef> read;
      sql::CollectColumns(*expr, &read);
      for (const sql::ColumnRef column : read) read_places_.push_back(join_->pair_.Find(column));
    }
    std::sort(read_places_.begin(), read_places_.end());
    read_places_.erase(std::unique(read_places_.begin(), read_places_.end()), read_places_.end());
    return OkStatus();
  }

  Status Push(const Batch& batch, const Selection& rows) override {
    batch_ = batch;
    rows_.clear();
    rows.ForEach([&](std::uint32_t row) { rows_.push_back(row); });
    const Selection selection = Selection::Of(rows_);
    key_values_.resize(keys_.size());
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      TL_TRY(keys_[i].Evaluate(batch, selection, &key_values_[i]));
    }
    MarkUnequal(key_values_, selection, &unequal_);
    if (lookup_ != nullptr) {
      lookup_->Find(key_values_, selection, &groups_);
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (unequal_[i] != 0) groups_[i] = GroupLookup::kNone;
      }
    } else {
      groups_.assign(rows_.size(), 0);
    }
    found_.assign(rows_.size(), 0);
    at_ = 0;
    offset_ = 0;
    pending_ = true;
    return Continue();
  }

  bool pending() const override { return pending_; }

  Status Continue() override {
    CollectPairs();
    if (!pair_items_.empty()) return TakePairs();
    pending_ = false;
    if (join_->kind_ == JoinKind::kMark) return PushMarks();
    if (join_->preserves_probe_) return PushLonely();
    return OkStatus();
  }

  Status Finish() override { return next_->Finish(); }

 private:
  // What is known of a row of the batch so far.
  static constexpr std::uint8_t kFound = 1;    // a pair passed (of a mark join: its test is true)
  static constexpr std::uint8_t kUnknown = 2;  // a mark join's test is null of a pair

  // The next pairs, a batch at most: item of rows_ and row of the kept side.
  void CollectPairs() {
    pair_items_.clear();
    pair_build_.clear();
    const bool once = join_->any_pair_marks_ || join_->mark_by_key_;
    while (at_ < rows_.size() && pair_items_.size() < kBatchRowsMax) {
      const std::uint32_t group = groups_[at_];
      const bool settled = join_->kind_ == JoinKind::kMark && (found_[at_] & kFound) != 0;
      if (group == GroupLookup::kNone || settled) {
        NextRow();
        continue;
      }
      const std::span<const std::uint32_t> candidates = join_->RowsOfGroup(group);
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
  void NextRow() {
    ++at_;
    offset_ = 0;
  }

  // Column `place` of the collected pairs.
  Vector PairColumn(std::uint32_t place) const {
    const std::size_t probe_count = join_->probe_.outputs.size();
    if (place >= probe_count) return GatherRows(join_->columns_[place - probe_count], pair_build_);
    return TakeRows(batch_.columns[place], pair_rows_);
  }

  void FillPairRows() {
    pair_rows_.resize(pair_items_.size());
    for (std::size_t i = 0; i < pair_items_.size(); ++i) pair_rows_[i] = rows_[pair_items_[i]];
  }

  // The columns that conditions read.
  Batch ConditionBatch() {
    FillPairRows();
    Batch pairs;
    pairs.row_count = pair_items_.size();
    pairs.columns.resize(join_->probe_.outputs.size() + join_->build_.outputs.size());
    for (const std::uint32_t place : read_places_) pairs.columns[place] = PairColumn(place);
    return pairs;
  }

  Status TakePairs() {
    if (!residual_.empty() || !test_.empty()) TL_TRY(TryPairs());
    if (join_->kind_ == JoinKind::kMark || pair_items_.empty()) return OkStatus();
    for (std::size_t i = 0; i < pair_items_.size(); ++i) {
      std::uint8_t& found = found_[pair_items_[i]];
      if (join_->kind_ == JoinKind::kSingle && found != 0) {
        return ExecutionFailed("Scalar sub-query has returned multiple rows");
      }
      found |= kFound;
      if (join_->preserves_build_) join_->matched_[pair_build_[i]].store(1, std::memory_order_relaxed);
    }
    FillPairRows();
    Batch out;
    out.row_count = pair_items_.size();
    for (const std::uint32_t place : join_->places_) out.columns.push_back(PairColumn(place));
    return next_->Push(out, Selection::All(out.row_count));
  }

  // Drops pairs that the condition is not true of; notes what the test of a mark join says.
  Status TryPairs() {
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
  Status PushLonely() {
    std::vector<std::uint32_t> lonely;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (found_[i] == 0) lonely.push_back(rows_[i]);
    }
    if (lonely.empty()) return OkStatus();
    Batch out;
    out.row_count = batch_.row_count;
    for (std::size_t i = 0; i < join_->places_.size(); ++i) {
      const std::uint32_t place = join_->places_[i];
      out.columns.push_back(place < batch_.columns.size()
                                ? batch_.columns[place]
                                : Vector::ConstantNull(join_->outputs_[i].type, batch_.row_count));
    }
    return next_->Push(out, SelectionOf(lonely, batch_.row_count));
  }

  Status PushMarks() {
    Vector mark = Vector::Flat(Type::Boolean(), batch_.row_count);
    std::fill_n(mark.mutable_values<std::uint8_t>(), batch_.row_count, std::uint8_t{0});
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if ((found_[i] & kFound) != 0) {
        mark.mutable_values<std::uint8_t>()[rows_[i]] = 1;
        continue;
      }
      // IN by key: a null on either side leaves open what else is there.
      const bool open = join_->mark_by_key_ && join_->row_count_ > 0 &&
                        ((unequal_[i] & 1) != 0 || join_->null_key_rows_ > 0);
      if (open || (found_[i] & kUnknown) != 0) mark.SetNull(rows_[i]);
    }
    Batch out;
    out.row_count = batch_.row_count;
    for (const std::uint32_t place : join_->places_) {
      out.columns.push_back(place == HashJoin::kMarkPlace ? mark : batch_.columns[place]);
    }
    return next_->Push(out, SelectionOf(rows_, batch_.row_count));
  }

  HashJoin* const join_;
  Consumer* const next_;
  std::vector<Evaluator> keys_;
  std::vector<Evaluator> residual_;  // none or one
  std::vector<Evaluator> test_;      // none or one
  std::vector<std::uint32_t> read_places_;
  std::unique_ptr<GroupLookup> lookup_;

  Batch batch_;
  std::vector<std::uint32_t> rows_;     // of the batch
  std::vector<Vector> key_values_;
  std::vector<std::uint8_t> unequal_;   // by item of rows_
  std::vector<std::uint32_t> groups_;   // by item of rows_
  std::vector<std::uint8_t> found_;     // by item of rows_
  std::size_t at_ = 0;                  // item of rows_ that is next
  std::size_t offset_ = 0;              // among its candidates
  bool pending_ = false;
  std::vector<std::uint32_t> pair_items_;
  std::vector<std::uint32_t> pair_build_;
  std::vector<std::uint32_t> pair_rows_;
  std::vector<std::uint32_t> passed_;
};

Result<std::unique_ptr<Consumer>> HashJoin::NewProbe(Consumer* next) {
  auto consumer = std::make_unique<ProbeConsumer>(this, next);
  TL_TRY(consumer->Prepare());
  return std::unique_ptr<Consumer>(std::move(consumer));
}

// ---- kept rows without a partner ----------------------------------------------------------------

class UnmatchedSource final : public Source {
 public:
  /// The planner's pipelines own `join` as a sink for as long.
  explicit UnmatchedSource(const HashJoin* join) : join_(join) {}
  Result<std::unique_ptr<SourceReader>> NewReader() override;
  double EstimatedRows() const override { return static_cast<double>(join_->row_count_); }

 private:
  const HashJoin* const join_;
};

class UnmatchedReader final : public SourceReader {
 public:
  explicit UnmatchedReader(const HashJoin* join) : join_(join) {}
  Result<bool> Next(Batch* batch) override {
    std::vector<std::uint32_t> rows;
    while (next_ < join_->row_count_ && rows.size() < kBatchRowsMax) {
      if (join_->matched_[next_].load(std::memory_order_relaxed) == 0) rows.push_back(static_cast<std::uint32_t>(next_));
      ++next_;
    }
    if (rows.empty()) return false;
    batch->row_count = rows.size();
    batch->columns.clear();
    const std::size_t probe_count = join_->probe_.outputs.size();
    for (std::size_t i = 0; i < join_->places_.size(); ++i) {
      const std::uint32_t place = join_->places_[i];
      batch->columns.push_back(place < probe_count
                                   ? Vector::ConstantNull(join_->outputs_[i].type, rows.size())
                                   : GatherRows(join_->columns_[place - probe_count], rows));
    }
    return true;
  }

 private:
  const HashJoin* const join_;
  std::size_t next_ = 0;
};

Result<std::unique_ptr<SourceReader>> UnmatchedSource::NewReader() {
  return std::unique_ptr<SourceReader>(std::make_unique<UnmatchedReader>(join_));
}

std::shared_ptr<Source> HashJoin::Unmatched() {
  if (!preserves_build_) return nullptr;
  return std::make_shared<UnmatchedSource>(this);
}

}  // namespace

bool JoinBreaker::ShouldBuildLeft(const sql::JoinNode& node) {
  const double left = node.children()[0]->EstimatedRows();
  const double right = node.children()[1]->EstimatedRows();
  switch (node.spec().kind) {
    case JoinKind::kInner:
    case JoinKind::kFull:
      return left < right;
    case JoinKind::kLeft:
      return left * kPreservedBuildFactor < right;
    case JoinKind::kRight:
      return left < right * kPreservedBuildFactor;
    case JoinKind::kSingle:
    case JoinKind::kMark:
      return false;
  }
  return false;
}

Result<std::shared_ptr<JoinBreaker>> JoinBreaker::Make(const sql::JoinNode& node, bool build_left,
                                                       const EvalContext& context, OperatorStats* stats) {
  auto join = std::make_shared<HashJoin>(node, build_left, context, stats);
  TL_TRY(join->Prepare());
  return std::shared_ptr<JoinBreaker>(std::move(join));
}

}  // namespace tideline::exec
