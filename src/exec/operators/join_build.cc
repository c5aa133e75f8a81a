#include "exec/operators/join_build.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

using sql::JoinKind;

bool IsTrueConstant(const sql::Expr& expr) {
  return expr.kind == sql::ExprKind::kConstant && !expr.constant.is_null() &&
         expr.type.is(TypeId::kBoolean) && expr.constant.boolean();
}

// What a row costs in the index, at most about: its number twice, an entry of the table of keys, a slot.
std::size_t IndexBytesPerRow(std::size_t key_count) { return 40 + 12 * (key_count + 1); }

// Bytes of the rows once they lie flat.
std::size_t FlatBytes(const Vector& column) {
  const std::size_t values = column.size() * column.type().value_bytes();
  return column.kind() == VectorKind::kFlat ? std::max(values, KeptBytes(column)) : values;
}

// What keeping the batch costs: its rows in the form that takes more, and their part of the index.
void SetCharge(BuildSide::Kept* kept) {
  kept->charged_bytes = kept->index_bytes = 0;
  if (kept->rows.row_count == 0) return;
  std::size_t kept_bytes = 0;
  std::size_t flat_bytes = 0;
  for (const Vector& column : kept->rows.columns) {
    kept_bytes += KeptBytes(column);
    flat_bytes += FlatBytes(column);
  }
  for (const Vector& key : kept->keys) kept_bytes += KeptBytes(key);
  kept->index_bytes = kept->rows.row_count * IndexBytesPerRow(kept->keys.size());
  kept->charged_bytes = std::max(kept_bytes, flat_bytes) + kept->index_bytes;
}

}  // namespace

Selection SelectionOf(const std::vector<std::uint32_t>& rows, std::size_t row_count) {
  return rows.size() == row_count ? Selection::All(row_count) : Selection::Of(rows);
}

Vector TakeRows(const Vector& column, const std::vector<std::uint32_t>& rows) {
  return column.kind() == VectorKind::kFlat ? GatherRows(column, rows) : column.Slice(rows);
}

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

// ---- JoinPlan -------------------------------------------------------------------------------------

JoinPlan::Side::Side(const sql::PlanNode& child, bool left) : outputs(child.outputs()), is_left(left) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    positions.Set(outputs[i].column, i);
    spilled_types.push_back(outputs[i].type);
  }
}

JoinPlan::JoinPlan(const sql::JoinNode& node, bool build_left, OperatorContext* operator_context)
    : kind(node.spec().kind),
      build(*node.children()[build_left ? 0 : 1], build_left),
      probe(*node.children()[build_left ? 1 : 0], !build_left),
      outputs(node.outputs()),
      residual(node.residual()),
      test(node.spec().test),
      mark(node.spec().mark),
      own(operator_context) {
  mark_by_key = node.test_key().has_value();
  std::vector<sql::JoinNode::Key> keys = node.keys();
  if (mark_by_key) {
    keys.push_back(*node.test_key());
    test = nullptr;
  }
  for (const sql::JoinNode::Key& key : keys) {
    build.keys.push_back(build_left ? key.left : key.right);
    probe.keys.push_back(build_left ? key.right : key.left);
    build.spilled_types.push_back(build.keys.back()->type);
    probe.spilled_types.push_back(probe.keys.back()->type);
  }
  preserves_probe = (build_left ? node.preserves_right() : node.preserves_left()) && kind != JoinKind::kMark;
  preserves_build = build_left ? node.preserves_left() : node.preserves_right();
  at_most_one = node.spec().at_most_one;
  any_pair_marks = kind == JoinKind::kMark && test != nullptr && IsTrueConstant(*test) && residual == nullptr;
  for (std::size_t i = 0; i < probe.outputs.size(); ++i) pair.Set(probe.outputs[i].column, i);
  for (std::size_t i = 0; i < build.outputs.size(); ++i) {
    pair.Set(build.outputs[i].column, probe.outputs.size() + i);
  }
}

Result<std::shared_ptr<const JoinPlan>> JoinPlan::Make(const sql::JoinNode& node, bool build_left,
                                                       OperatorContext* own) {
  std::shared_ptr<JoinPlan> plan(new JoinPlan(node, build_left, own));
  for (const sql::OutputColumn& output : plan->outputs) {
    if (plan->kind == JoinKind::kMark && output.column == plan->mark.column) {
      plan->places.push_back(kMarkPlace);
      continue;
    }
    const std::uint32_t place = plan->pair.Find(output.column);
    if (place == ColumnPositions::kNone) return Internal("a column of a join is not delivered");
    plan->places.push_back(place);
  }
  return std::shared_ptr<const JoinPlan>(std::move(plan));
}

// ---- BuildSide ------------------------------------------------------------------------------------

Status BuildSide::Keep(Kept kept) {
  SetCharge(&kept);
  const MutexLock lock(mutex_);
  return Add(std::move(kept), 0);
}

Status BuildSide::Add(Kept kept, std::size_t charged_before) {
  TL_TRY(memory_.Resize(memory_.bytes() - charged_before + kept.charged_bytes));
  if (kept.rows.row_count == 0) return OkStatus();
  index_bytes_ += kept.index_bytes;
  row_count_ += kept.rows.row_count;
  kept_.push_back(std::move(kept));
  return OkStatus();
}

void BuildSide::BeginRound() {
  const MutexLock lock(mutex_);
  std::move(kept_.begin(), kept_.end(), std::back_inserter(waiting_));
  kept_.clear();
}

bool BuildSide::is_in_round() const {
  const MutexLock lock(mutex_);
  return !waiting_.empty() || in_hands_ > 0;
}

std::optional<BuildSide::Kept> BuildSide::TakeNext() {
  const MutexLock lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  Kept kept = std::move(waiting_.back());
  waiting_.pop_back();
  ++in_hands_;
  index_bytes_ -= kept.index_bytes;
  row_count_ -= kept.rows.row_count;
  return kept;
}

Status BuildSide::Return(Kept kept) {
  const std::size_t before = kept.charged_bytes;
  SetCharge(&kept);
  const MutexLock lock(mutex_);
  --in_hands_;
  returned_.NotifyAll();
  return Add(std::move(kept), before);
}

void BuildSide::Abandon() {
  const MutexLock lock(mutex_);
  --in_hands_;
  returned_.NotifyAll();
}

void BuildSide::AwaitReturns() {
  const MutexLock lock(mutex_);
  while (waiting_.empty() && in_hands_ > 0) returned_.Wait(mutex_);
}

Status BuildSide::Finish() {
  if (row_count_ >= UINT32_MAX - 1) return ResourceExhausted("a join keeps more than {} rows", UINT32_MAX - 2);
  TL_TRY(memory_.Resize(memory_.bytes() - index_bytes_));
  TL_TRY(Index());
  TL_TRY(LayOut());
  kept_.clear();
  if (!plan_->preserves_build) return OkStatus();
  TL_TRY(memory_.Grow(row_count_));
  matched_ = std::make_unique<std::atomic<std::uint8_t>[]>(row_count_);
  return OkStatus();
}

Status BuildSide::Index() {
  TL_TRY(memory_.Grow(row_count_ * 2 * sizeof(std::uint32_t)));
  order_.resize(row_count_);
  if (plan_->build.keys.empty()) {
    for (std::size_t i = 0; i < row_count_; ++i) order_[i] = static_cast<std::uint32_t>(i);
    offsets_ = {0, row_count_};
    return OkStatus();
  }
  std::vector<Type> types;
  for (const sql::ExprPtr& key : plan_->build.keys) types.push_back(key->type);
  table_ = std::make_unique<GroupTable>(std::move(types), &plan_->own->memory);
  std::vector<std::uint32_t> group_of_row(row_count_, GroupLookup::kNone);
  std::vector<std::uint8_t> marks;
  std::vector<std::uint32_t> usable;
  std::vector<std::uint32_t> groups;
  std::size_t first = 0;
  for (const Kept& kept : kept_) {
    TL_TRY(plan_->own->eval.CheckStillWanted());
    const std::size_t count = kept.rows.row_count;
    MarkUnequal(kept.keys, Selection::All(count), &marks);
    usable.clear();
    for (std::uint32_t row = 0; row < count; ++row) {
      if (marks[row] == 0) usable.push_back(row);
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
  TL_TRY(plan_->own->eval.CheckStillWanted());
  std::vector<std::size_t> at(offsets_.begin(), offsets_.end() - 1);
  for (std::size_t row = 0; row < row_count_; ++row) {
    if (group_of_row[row] != GroupLookup::kNone) order_[at[group_of_row[row]]++] = static_cast<std::uint32_t>(row);
  }
  return OkStatus();
}

// Column by column, so that only one is there in both forms at a time.
Status BuildSide::LayOut() {
  std::vector<RowPlace> places;
  places.reserve(row_count_);
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    kept_[i].keys.clear();
    for (std::uint32_t row = 0; row < kept_[i].rows.row_count; ++row) {
      places.push_back({static_cast<std::uint32_t>(i), row});
    }
  }
  for (std::size_t c = 0; c < plan_->build.outputs.size(); ++c) {
    TL_TRY(plan_->own->eval.CheckStillWanted());
    std::vector<const Vector*> sources;
    for (const Kept& kept : kept_) sources.push_back(&kept.rows.columns[c]);
    columns_.push_back(Gather(plan_->build.outputs[c].type, sources, places));
    for (Kept& kept : kept_) kept.rows.columns[c] = Vector();
    if (row_count_ > 0) row_bytes_ += KeptBytes(columns_.back()) / row_count_;
  }
  return OkStatus();
}

Result<bool> BuildSide::NextUnmatched(std::size_t* at, Batch* batch) const {
  std::vector<std::uint32_t> rows;
  for (std::size_t looked = 0; *at < row_count_ && rows.size() < kBatchRowsMax; ++*at) {
    if (!IsMatched(*at)) rows.push_back(static_cast<std::uint32_t>(*at));
    if (++looked % (16 * kBatchRowsMax) == 0) TL_TRY(plan_->own->eval.CheckStillWanted());
  }
  if (rows.empty()) return false;
  batch->row_count = rows.size();
  batch->columns.clear();
  const std::size_t probe_count = plan_->probe.outputs.size();
  for (std::size_t i = 0; i < plan_->places.size(); ++i) {
    const std::uint32_t place = plan_->places[i];
    batch->columns.push_back(place < probe_count
                                 ? Vector::ConstantNull(plan_->outputs[i].type, rows.size())
                                 : GatherRows(columns_[place - probe_count], rows));
  }
  return true;
}

}  // namespace tideline::exec
