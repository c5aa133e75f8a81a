#include "exec/operators/group_builder.h"

#include <algorithm>

#include "exec/values/hash_rows.h"

namespace tideline::exec {
namespace {

constexpr std::size_t kStateAlignment = 16;
// However small its share, a table below this is not divided again.
constexpr std::size_t kTableBytesMin = std::size_t{64} << 10;

Result<AggregateLayout> MakeLayout(const sql::AggregateNode& node) {
  AggregateLayout layout;
  for (const sql::AggregateCall& call : node.calls()) {
    AggregateLayout::Call planned;
    planned.overload = &call.function->overloads[call.overload];
    planned.skips_nulls = call.function->skips_nulls;
    planned.distinct = call.distinct;
    planned.order_by = call.order_by;
    for (const sql::ExprPtr& argument : call.arguments) planned.argument_types.push_back(argument->type);
    if (call.distinct) {
      for (const sql::AggregateOrder& order : call.order_by) {
        const auto same = std::find_if(call.arguments.begin(), call.arguments.end(),
                                       [&](const sql::ExprPtr& a) { return SameExpr(*a, *order.expr); });
        if (same == call.arguments.end()) {
          return InvalidArgument("line {}:{}: For aggregate function with DISTINCT, ORDER BY expressions "
                                 "must appear in arguments", order.expr->position.line,
                                 order.expr->position.column);
        }
        planned.order_arguments.push_back(static_cast<std::size_t>(same - call.arguments.begin()));
      }
    }
    planned.lambdas = call.lambdas;
    planned.result_type = call.output.type;
    planned.state_offset = layout.group_bytes;
    layout.group_bytes += (planned.overload->state_bytes + kStateAlignment - 1) / kStateAlignment * kStateAlignment;
    layout.calls.push_back(std::move(planned));
  }
  return layout;
}

// The ids of all columns that calls read, each once.
std::vector<sql::ColumnRef> ColumnsOfCalls(const std::vector<sql::AggregateCall>& calls) {
  std::vector<sql::ColumnRef> columns;
  for (const sql::AggregateCall& call : calls) {
    for (const sql::ExprPtr& argument : call.arguments) sql::CollectColumns(*argument, &columns);
    for (const sql::AggregateOrder& order : call.order_by) sql::CollectColumns(*order.expr, &columns);
    if (call.filter != nullptr) sql::CollectColumns(*call.filter, &columns);
  }
  const auto by_id = [](sql::ColumnRef a, sql::ColumnRef b) { return a.id < b.id; };
  std::sort(columns.begin(), columns.end(), by_id);
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

/// `column = 'text'`, which holds for every row that a call takes.
struct Guard {
  sql::ColumnRef column;
  std::string text;
};

std::optional<Guard> GuardIn(const sql::Expr& condition) {
  if (condition.kind == sql::ExprKind::kAnd) return GuardIn(*condition.children[0]);
  if (condition.kind != sql::ExprKind::kCall || condition.scalar->name != "$equal") return std::nullopt;
  const bool swapped = condition.children[0]->kind == sql::ExprKind::kConstant;
  const sql::Expr& column = *condition.children[swapped ? 1 : 0];
  const sql::Expr& constant = *condition.children[swapped ? 0 : 1];
  if (column.kind != sql::ExprKind::kColumn || constant.kind != sql::ExprKind::kConstant) return std::nullopt;
  if (!column.type.is(TypeId::kVarchar) || !constant.type.is(TypeId::kVarchar)) return std::nullopt;
  if (constant.constant.is_null()) return std::nullopt;
  return Guard{column.column, std::string(constant.constant.text())};
}

// Of `f(CASE WHEN column = 'text' THEN … END)` where f skips NULLs, and of `FILTER (WHERE column = 'text')`:
// how Timestream's users pick one measure of many, so that of ten calls nine have nothing in a batch.
std::optional<Guard> GuardOf(const sql::AggregateCall& call, bool skips_nulls) {
  if (call.filter != nullptr) {
    if (std::optional<Guard> guard = GuardIn(*call.filter)) return guard;
  }
  if (!skips_nulls) return std::nullopt;
  for (const sql::ExprPtr& argument : call.arguments) {
    if (argument->kind != sql::ExprKind::kCase || argument->children.size() > 3) continue;
    if (argument->children.size() == 3) {
      const sql::Expr& otherwise = *argument->children[2];
      if (otherwise.kind != sql::ExprKind::kConstant || !otherwise.constant.is_null()) continue;
    }
    if (std::optional<Guard> guard = GuardIn(*argument->children[0])) return guard;
  }
  return std::nullopt;
}

// The column whose summary tells all that `call` asks of rows, kNone for those of count(*); nothing when it asks
// for more. Of a CASE, the guard has been found already (GuardOf).
std::optional<std::uint32_t> SummarizedColumn(const sql::AggregateCall& call, const ColumnPositions& columns) {
  const functions::AggregateOverload& overload = call.function->overloads[call.overload];
  if (call.distinct || !call.order_by.empty() || call.filter != nullptr || !call.lambdas.empty()) return std::nullopt;
  if (overload.update_summary == nullptr || !call.function->skips_nulls || call.arguments.size() > 1) return std::nullopt;
  if (call.arguments.empty()) return ColumnPositions::kNone;
  const sql::Expr* value = call.arguments[0].get();
  if (value->kind == sql::ExprKind::kCase) {
    const sql::Expr& when = *value->children[0];
    if (when.kind == sql::ExprKind::kAnd || !GuardOf(call, true).has_value()) return std::nullopt;
    value = value->children[1].get();
  }
  if (value->kind != sql::ExprKind::kColumn || !(value->type == call.arguments[0]->type)) return std::nullopt;
  const std::uint32_t position = columns.Find(value->column);
  if (position == ColumnPositions::kNone) return std::nullopt;
  return position;
}

// Runs will do where every call is told enough by summaries, and keys and guards are the same all along a run:
// storage sees to that for all columns that are not summarized.
std::shared_ptr<SummaryOffer> MakeOffer(const AggregatePlan& plan) {
  std::vector<sql::ColumnRef> alike;
  for (const sql::AggregateNode::Key& key : plan.keys) {
    if (HasVolatileCall(*key.expr)) return nullptr;
    sql::CollectColumns(*key.expr, &alike);
  }
  if (plan.calls.empty()) return nullptr;
  auto offer = std::make_shared<SummaryOffer>();
  for (const sql::AggregateCall& call : plan.calls) {
    const std::optional<std::uint32_t> position = SummarizedColumn(call, plan.columns);
    if (!position.has_value()) return nullptr;
    if (*position != ColumnPositions::kNone) offer->summarized.push_back(*position);
    if (const std::optional<Guard> guard = GuardOf(call, true)) alike.push_back(guard->column);
  }
  std::sort(offer->summarized.begin(), offer->summarized.end());
  offer->summarized.erase(std::unique(offer->summarized.begin(), offer->summarized.end()), offer->summarized.end());
  for (const sql::ColumnRef column : alike) {
    const std::uint32_t position = plan.columns.Find(column);
    if (std::binary_search(offer->summarized.begin(), offer->summarized.end(), position)) return nullptr;
  }
  return offer;
}

}  // namespace

// ---- AggregatePlan --------------------------------------------------------------------------------

Result<AggregatePlan> AggregatePlan::Make(const sql::AggregateNode& node, ColumnPositions columns,
                                          OperatorContext* own) {
  AggregatePlan plan;
  plan.keys = node.keys();
  plan.calls = node.calls();
  plan.columns = std::move(columns);
  plan.layout = TL_TRY(MakeLayout(node));
  plan.own = own;
  for (const sql::ColumnRef column : ColumnsOfCalls(plan.calls)) {
    const std::uint32_t position = plan.columns.Find(column);
    if (position == ColumnPositions::kNone) return Internal("a column of an aggregate is not delivered");
    plan.spilled_columns.Set(column, plan.kept.size());
    plan.kept.push_back(position);
    plan.spilled_types.push_back(node.child()->outputs()[position].type);
  }
  for (const sql::AggregateNode::Key& key : plan.keys) plan.spilled_types.push_back(key.output.type);
  plan.fixed_states = std::all_of(plan.layout.calls.begin(), plan.layout.calls.end(),
                                  [](const AggregateLayout::Call& call) {
                                    return !call.deferred() && call.overload->destroy == nullptr;
                                  });
  plan.offer = MakeOffer(plan);
  return plan;
}

std::unique_ptr<AggregateGroups> AggregatePlan::NewGroups() const {
  std::vector<Type> key_types;
  for (const sql::AggregateNode::Key& key : keys) key_types.push_back(key.output.type);
  return std::make_unique<AggregateGroups>(&layout, std::move(key_types), own);
}

// ---- GroupBuilder ---------------------------------------------------------------------------------

GroupBuilder::GroupBuilder(const AggregatePlan* plan, std::size_t level)
    : plan_(plan), level_(level), groups_(plan->NewGroups()) {}

Status GroupBuilder::Prepare() {
  TL_TRY(groups_->Prepare());
  const ColumnPositions& columns = level_ == 0 ? plan_->columns : plan_->spilled_columns;
  const auto make = [&](const sql::Expr& expr) {
    return Evaluator::Make(expr, columns, plan_->own->eval);
  };
  for (const sql::AggregateNode::Key& key : plan_->keys) {
    if (level_ > 0) break;
    Evaluator evaluator = TL_TRY(make(*key.expr));
    keys_.push_back(std::move(evaluator));
  }
  for (const sql::AggregateCall& call : plan_->calls) {
    CallInputs inputs;
    for (const sql::ExprPtr& argument : call.arguments) {
      Evaluator evaluator = TL_TRY(make(*argument));
      inputs.arguments.push_back(std::move(evaluator));
    }
    for (const sql::AggregateOrder& order : call.order_by) {
      if (call.distinct) break;
      Evaluator evaluator = TL_TRY(make(*order.expr));
      inputs.order_keys.push_back(std::move(evaluator));
    }
    if (call.filter != nullptr) {
      Evaluator evaluator = TL_TRY(make(*call.filter));
      inputs.filter.push_back(std::move(evaluator));
    }
    if (std::optional<Guard> guard = GuardOf(call, plan_->layout.calls[calls_.size()].skips_nulls)) {
      inputs.guard_position = columns.Find(guard->column);
      inputs.guard_text = std::move(guard->text);
    }
    if (plan_->offer != nullptr) {
      inputs.summary_position = SummarizedColumn(call, plan_->columns).value_or(ColumnPositions::kNone);
    }
    calls_.push_back(std::move(inputs));
  }
  // A test wants everything on disk.
  if (plan_->own->spill_eagerly && plan_->own->spill != nullptr && level_ == 0 && !plan_->keys.empty()) Freeze();
  return OkStatus();
}

Status GroupBuilder::Push(const Batch& batch, const Selection& rows) {
  const std::size_t key_count = plan_->keys.size();
  key_values_.resize(key_count);
  for (std::size_t i = 0; i < key_count; ++i) {
    if (level_ > 0) {
      key_values_[i] = batch.columns[plan_->kept.size() + i];
    } else {
      TL_TRY(keys_[i].Evaluate(batch, rows, &key_values_[i]));
    }
  }
  if (batch.summaries != nullptr) return PushSummaries(batch, rows);
  rows_in_ += rows.size();
  if (writer_ != nullptr) return PushFrozen(batch, rows);
  TL_TRY(groups_->FindGroups(key_values_, batch.row_count, rows, &runs_));
  runs_in_ += runs_.first_row.size();
  TL_TRY(PushCalls(batch, rows));
  return MakeRoom();
}

Status GroupBuilder::PushCalls(const Batch& batch, const Selection& rows) {
  for (std::size_t i = 0; i < calls_.size(); ++i) TL_TRY(PushCall(i, batch, rows));
  return OkStatus();
}

Status GroupBuilder::PushCall(std::size_t index, const Batch& batch, const Selection& rows) {
  CallInputs& inputs = calls_[index];
  if (inputs.guard_position != ColumnPositions::kNone) {
    const Vector& guard = batch.columns[inputs.guard_position];
    // NULL is neither: what else an AND holds may still fail.
    if (guard.is_constant() && !guard.IsNull(0) && guard.values<StringRef>()[0].view() != inputs.guard_text) {
      return OkStatus();
    }
  }
  Selection run = rows;
  if (!inputs.filter.empty()) {
    passed_.clear();
    TL_TRY(inputs.filter[0].Select(batch, rows, &passed_));
    run = Selection::Of(passed_);
    if (run.empty()) return OkStatus();
  }
  arguments_.resize(inputs.arguments.size());
  for (std::size_t i = 0; i < inputs.arguments.size(); ++i) {
    TL_TRY(inputs.arguments[i].Evaluate(batch, run, &arguments_[i]));
  }
  order_keys_.resize(inputs.order_keys.size());
  for (std::size_t i = 0; i < inputs.order_keys.size(); ++i) {
    TL_TRY(inputs.order_keys[i].Evaluate(batch, run, &order_keys_[i]));
  }
  return groups_->Update(index, arguments_, order_keys_, run, runs_);
}

// A frozen table takes them too: they have no other place, and no more of them come.
Status GroupBuilder::PushSummaries(const Batch& batch, const Selection& rows) {
  const BatchSummaries& summaries = *batch.summaries;
  TL_TRY(groups_->FindGroups(key_values_, batch.row_count, rows, &runs_));
  runs_in_ += runs_.first_row.size();
  counts_.clear();
  for (const std::uint64_t count : summaries.row_counts) {
    rows_in_ += count;
    counts_.push_back({.count = count});
  }
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    const CallInputs& inputs = calls_[i];
    Selection run = rows;
    if (inputs.guard_position != ColumnPositions::kNone) {
      const Reader<StringRef> guard(batch.columns[inputs.guard_position]);
      const auto passes = [&](std::uint32_t row) { return !guard.IsNull(row) && guard[row].view() == inputs.guard_text; };
      if (batch.columns[inputs.guard_position].is_constant()) {
        if (!passes(0)) continue;
      } else {
        passed_.clear();
        rows.ForEach([&](std::uint32_t row) {
          if (passes(row)) passed_.push_back(row);
        });
        run = Selection::Of(passed_);
      }
    }
    const bool of_rows = inputs.summary_position == ColumnPositions::kNone;
    TL_TRY(groups_->UpdateSummaries(i, of_rows ? counts_ : summaries.columns[inputs.summary_position], run, runs_));
  }
  return MakeRoom();
}

Status GroupBuilder::PushFrozen(const Batch& batch, const Selection& rows) {
  if (!plan_->fixed_states || groups_->group_count() == 0) return Write(batch, rows);
  groups_->LookUp(key_values_, rows, &found_);
  known_.clear();
  unknown_.clear();
  runs_.scattered = true;
  runs_.group_of_row.resize(batch.row_count);
  std::size_t i = 0;
  rows.ForEach([&](std::uint32_t row) {
    const std::uint32_t group = found_[i++];
    runs_.group_of_row[row] = group;
    (group == GroupLookup::kNone ? unknown_ : known_).push_back(row);
  });
  if (!known_.empty()) TL_TRY(PushCalls(batch, Selection::Of(known_)));
  return unknown_.empty() ? OkStatus() : Write(batch, Selection::Of(unknown_));
}

Status GroupBuilder::Write(const Batch& batch, const Selection& rows) {
  Batch out;
  out.row_count = batch.row_count;
  for (std::size_t i = 0; i < plan_->kept.size(); ++i) {
    out.columns.push_back(batch.columns[level_ == 0 ? plan_->kept[i] : i]);
  }
  out.columns.insert(out.columns.end(), key_values_.begin(), key_values_.end());
  HashRows(key_values_, rows, &hashes_);
  return writer_->Add(out, rows, hashes_);
}

std::size_t GroupBuilder::BytesMax() const {
  return std::max(plan_->own->share_bytes >> (level_ + 1), kTableBytesMin);
}

// Tables of workers share the first half of the operator's memory; a level below, one table at a time
// has half of what is left.
bool GroupBuilder::MemoryIsShort() const {
  const std::size_t bytes = level_ == 0 ? plan_->own->memory.used_bytes() : groups_->memory_bytes();
  return plan_->own->MemoryIsShort(bytes, BytesMax());
}

Status GroupBuilder::MakeRoom() {
  if (writer_ != nullptr || !MemoryIsShort()) return OkStatus();
  const bool spilled = TL_TRY(groups_->SpillDistinct());
  if (spilled) {
    plan_->own->stats.Adapt("keeps distinct values on disk",
                            fmt::format("its share of the memory is {} bytes", plan_->own->share_bytes));
    if (!MemoryIsShort()) return OkStatus();
  }
  // Dividing helps only where there is something to divide, and a test need not go all the way down.
  if (plan_->keys.empty() || groups_->group_count() < 2 || level_ + 1 >= kPartitionLevelsMax) return OkStatus();
  if (plan_->own->spill_eagerly && level_ > 1) return OkStatus();
  Freeze();
  return OkStatus();
}

void GroupBuilder::Freeze() {
  if (plan_->offer != nullptr) plan_->offer->open = false;
  writer_ = std::make_unique<PartitionWriter>(plan_->spilled_types, plan_->own, level_);
  plan_->own->stats.Adapt("aggregates on disk",
                          fmt::format("{} groups in {} bytes, its share of the memory is {}",
                                      groups_->group_count(), groups_->memory_bytes(), plan_->own->share_bytes));
}

Status GroupBuilder::Finish(std::unique_ptr<AggregateGroups>* groups, std::vector<SpilledRows>* parts) {
  if (writer_ != nullptr && writer_->row_count() > 0) *parts = TL_TRY(writer_->Finish());
  writer_.reset();
  *groups = std::move(groups_);
  return OkStatus();
}

}  // namespace tideline::exec
