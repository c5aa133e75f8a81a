#include "exec/operators/aggregate.h"

#include <algorithm>

#include "base/mutex.h"
#include "exec/operators/aggregate_state.h"

namespace tideline::exec {
namespace {

constexpr std::size_t kStateAlignment = 16;

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

class GroupBreaker final : public AggregateBreaker {
 public:
  GroupBreaker(const sql::AggregateNode& node, ColumnPositions columns, const EvalContext& context,
          AggregateLayout layout, OperatorStats* stats)
      : keys_(node.keys()),
        calls_(node.calls()),
        columns_(std::move(columns)),
        context_(context),
        layout_(std::move(layout)),
        stats_(stats) {}

  Result<std::unique_ptr<Consumer>> NewConsumer() override;
  Status Finish() override;
  Result<std::unique_ptr<SourceReader>> NewReader() override;
  std::size_t workers_max() const override {
    // Kernels keep state per call site; without calls groups are plain rows.
    return layout_.calls.empty() ? 1 + merged_->group_count() / (8 * kBatchRowsMax) : 1;
  }
  double EstimatedRows() const override { return static_cast<double>(merged_->group_count()); }
  double progress() const override {
    const auto count = static_cast<double>(std::max<std::size_t>(merged_->group_count(), 1));
    return std::min(1.0, static_cast<double>(next_group_.load()) / count);
  }

  std::unique_ptr<AggregateGroups> NewGroups() const {
    std::vector<Type> key_types;
    for (const sql::AggregateNode::Key& key : keys_) key_types.push_back(key.output.type);
    return std::make_unique<AggregateGroups>(&layout_, std::move(key_types), &context_);
  }
  Status Merge(std::unique_ptr<AggregateGroups> groups);

  const std::vector<sql::AggregateNode::Key> keys_;
  const std::vector<sql::AggregateCall> calls_;
  const ColumnPositions columns_;
  const EvalContext& context_;
  const AggregateLayout layout_;
  OperatorStats* const stats_;
  std::atomic<std::size_t> next_group_{0};
  std::atomic<std::uint64_t> rows_in_{0};
  std::atomic<std::uint64_t> runs_in_{0};

 private:
  Mutex mutex_;
  std::unique_ptr<AggregateGroups> merged_;  // guarded by mutex_ until Finish, then read only
};

struct CallInputs {
  std::vector<Evaluator> arguments;
  std::vector<Evaluator> order_keys;
  std::vector<Evaluator> filter;  // none or one
};

class AggregateConsumer final : public Consumer {
 public:
  explicit AggregateConsumer(GroupBreaker* breaker)
      : breaker_(breaker), groups_(breaker->NewGroups()) {}

  Status Prepare() {
    TL_TRY(groups_->Prepare());
    const auto make = [&](const sql::Expr& expr) {
      return Evaluator::Make(expr, breaker_->columns_, breaker_->context_);
    };
    for (const sql::AggregateNode::Key& key : breaker_->keys_) {
      Evaluator evaluator = TL_TRY(make(*key.expr));
      keys_.push_back(std::move(evaluator));
    }
    for (const sql::AggregateCall& call : breaker_->calls_) {
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
      calls_.push_back(std::move(inputs));
    }
    return OkStatus();
  }

  Status Push(const Batch& batch, const Selection& rows) override {
    key_values_.resize(keys_.size());
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      TL_TRY(keys_[i].Evaluate(batch, rows, &key_values_[i]));
    }
    TL_TRY(groups_->FindGroups(key_values_, batch.row_count, rows, &runs_));
    rows_in_ += rows.size();
    runs_in_ += runs_.first_row.size();
    for (std::size_t i = 0; i < calls_.size(); ++i) TL_TRY(PushCall(i, batch, rows));
    return OkStatus();
  }

  Status Finish() override {
    breaker_->rows_in_ += rows_in_;
    breaker_->runs_in_ += runs_in_;
    return breaker_->Merge(std::move(groups_));
  }

 private:
  Status PushCall(std::size_t index, const Batch& batch, const Selection& rows) {
    CallInputs& inputs = calls_[index];
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

  GroupBreaker* const breaker_;
  std::unique_ptr<AggregateGroups> groups_;
  std::vector<Evaluator> keys_;
  std::vector<CallInputs> calls_;
  RunsOfBatch runs_;
  std::vector<Vector> key_values_;
  std::vector<Vector> arguments_;
  std::vector<Vector> order_keys_;
  std::vector<std::uint32_t> passed_;
  std::uint64_t rows_in_ = 0;
  std::uint64_t runs_in_ = 0;
};

class GroupReader final : public SourceReader {
 public:
  GroupReader(GroupBreaker* breaker, const AggregateGroups* groups) : breaker_(breaker), groups_(groups) {}
  Result<bool> Next(Batch* batch) override {
    const std::size_t first = breaker_->next_group_.fetch_add(kBatchRowsMax);
    if (first >= groups_->group_count()) return false;
    TL_TRY(groups_->Emit(first, std::min(kBatchRowsMax, groups_->group_count() - first), batch));
    return true;
  }

 private:
  GroupBreaker* const breaker_;
  const AggregateGroups* const groups_;
};

Result<std::unique_ptr<Consumer>> GroupBreaker::NewConsumer() {
  auto consumer = std::make_unique<AggregateConsumer>(this);
  TL_TRY(consumer->Prepare());
  return std::unique_ptr<Consumer>(std::move(consumer));
}

Status GroupBreaker::Merge(std::unique_ptr<AggregateGroups> groups) {
  const MutexLock lock(mutex_);
  if (merged_ == nullptr) {
    merged_ = std::move(groups);
    return OkStatus();
  }
  // The smaller one moves.
  if (merged_->group_count() < groups->group_count()) merged_.swap(groups);
  return merged_->Merge(*groups);
}

Status GroupBreaker::Finish() {
  if (merged_ == nullptr) {
    merged_ = NewGroups();
    TL_TRY(merged_->Prepare());
  }
  if (stats_ != nullptr && !keys_.empty()) {
    stats_->note = fmt::format("{} rows in {} runs", rows_in_.load(), runs_in_.load());
  }
  return merged_->Complete();
}

Result<std::unique_ptr<SourceReader>> GroupBreaker::NewReader() {
  return std::unique_ptr<SourceReader>(std::make_unique<GroupReader>(this, merged_.get()));
}

}  // namespace

Result<std::shared_ptr<AggregateBreaker>> AggregateBreaker::Make(const sql::AggregateNode& node,
                                                                 ColumnPositions columns,
                                                                 const EvalContext& context,
                                                                 OperatorStats* stats) {
  AggregateLayout layout = TL_TRY(MakeLayout(node));
  return std::shared_ptr<AggregateBreaker>(
      std::make_shared<GroupBreaker>(node, std::move(columns), context, std::move(layout), stats));
}

}  // namespace tideline::exec
