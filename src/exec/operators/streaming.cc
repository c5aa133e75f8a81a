#include "exec/operators/streaming.h"

#include <algorithm>

#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

class FilterConsumer final : public Consumer {
 public:
  FilterConsumer(Evaluator predicate, Consumer* next)
      : predicate_(std::move(predicate)), next_(next) {}
  Status Push(const Batch& batch, const Selection& rows) override {
    passed_.clear();
    TL_TRY(predicate_.Select(batch, rows, &passed_));
    if (passed_.empty()) return OkStatus();
    // All of a batch is better said so: operators have dense paths for it.
    return next_->Push(batch, passed_.size() == batch.row_count ? Selection::All(batch.row_count)
                                                                : Selection::Of(passed_));
  }
  Status Finish() override { return next_->Finish(); }

 private:
  Evaluator predicate_;
  Consumer* const next_;
  std::vector<std::uint32_t> passed_;
};

class ProjectConsumer final : public Consumer {
 public:
  ProjectConsumer(std::vector<Evaluator> exprs, Consumer* next)
      : exprs_(std::move(exprs)), next_(next) {}
  Status Push(const Batch& batch, const Selection& rows) override {
    out_.columns.resize(exprs_.size());
    for (std::size_t i = 0; i < exprs_.size(); ++i) {
      TL_TRY(exprs_[i].Evaluate(batch, rows, &out_.columns[i]));
    }
    out_.row_count = batch.row_count;
    return next_->Push(out_, rows);
  }
  Status Finish() override { return next_->Finish(); }

 private:
  std::vector<Evaluator> exprs_;
  Consumer* const next_;
  Batch out_;
};

class PickConsumer final : public Consumer {
 public:
  PickConsumer(std::vector<std::size_t> positions, std::vector<Type> types, Consumer* next)
      : positions_(std::move(positions)), types_(std::move(types)), next_(next) {}
  Status Push(const Batch& batch, const Selection& rows) override {
    out_.columns.clear();
    for (std::size_t i = 0; i < positions_.size(); ++i) {
      const Vector& column = batch.columns[positions_[i]];
      out_.columns.push_back(column.type() == types_[i] ? column : column.WithType(types_[i]));
    }
    out_.row_count = batch.row_count;
    return next_->Push(out_, rows);
  }
  Status Finish() override { return next_->Finish(); }

 private:
  const std::vector<std::size_t> positions_;
  const std::vector<Type> types_;
  Consumer* const next_;
  Batch out_;
};

class LimitConsumer final : public Consumer {
 public:
  LimitConsumer(std::shared_ptr<LimitState> state, Consumer* next)
      : state_(std::move(state)), next_(next) {}
  Status Push(const Batch& batch, const Selection& rows) override {
    // This batch is rows [first, last) of all that come; of those [offset, offset + count) pass.
    const auto size = static_cast<std::int64_t>(rows.size());
    const std::int64_t first = state_->taken.fetch_add(size);
    const std::int64_t last = first + size;
    const std::int64_t end = state_->count > INT64_MAX - state_->offset
                                 ? INT64_MAX
                                 : state_->offset + state_->count;
    if (last >= end) state_->enough = true;
    const std::int64_t from = std::max(first, state_->offset);
    const std::int64_t to = std::min(last, end);
    if (from >= to) return OkStatus();
    if (from == first && to == last) return next_->Push(batch, rows);
    std::vector<std::uint32_t> kept;
    for (std::int64_t i = from; i < to; ++i) kept.push_back(rows[static_cast<std::size_t>(i - first)]);
    return next_->Push(batch, Selection::Of(kept));
  }
  bool has_enough() const override { return state_->enough; }
  Status Finish() override { return next_->Finish(); }

 private:
  const std::shared_ptr<LimitState> state_;
  Consumer* const next_;
};

// Batches made beforehand, dealt out one by one.
class BatchesSource final : public Source {
 public:
  explicit BatchesSource(std::vector<Batch> batches) : batches_(std::move(batches)) {}
  Result<std::unique_ptr<SourceReader>> NewReader() override;
  double EstimatedRows() const override {
    double rows = 0;
    for (const Batch& batch : batches_) rows += static_cast<double>(batch.row_count);
    return rows;
  }

  const std::vector<Batch> batches_;
  std::atomic<std::size_t> next_{0};
};

class BatchesReader final : public SourceReader {
 public:
  explicit BatchesReader(BatchesSource* source) : source_(source) {}
  Result<bool> Next(Batch* batch) override {
    const std::size_t index = source_->next_.fetch_add(1);
    if (index >= source_->batches_.size()) return false;
    *batch = source_->batches_[index];
    return true;
  }

 private:
  BatchesSource* const source_;
};

Result<std::unique_ptr<SourceReader>> BatchesSource::NewReader() {
  return std::unique_ptr<SourceReader>(std::make_unique<BatchesReader>(this));
}

Result<Vector> ValuesColumn(const std::vector<std::vector<sql::ExprPtr>>& rows, std::size_t first,
                            std::size_t count, std::size_t column, const Type& type,
                            const EvalContext& context) {
  std::vector<Vector> cells;
  cells.reserve(count);
  std::vector<const Vector*> sources;
  std::vector<RowPlace> places;
  for (std::size_t i = 0; i < count; ++i) {
    const sql::Expr& expr = *rows[first + i][column];
    if (expr.kind == sql::ExprKind::kConstant) {
      cells.push_back(Vector::Constant(type, expr.constant, 1));
    } else {
      Vector cell = TL_TRY(EvaluateConstant(expr, context));
      cells.push_back(std::move(cell));
    }
    sources.push_back(&cells.back());
    places.push_back({static_cast<std::uint32_t>(i), 0});
  }
  return Gather(type, sources, places);
}

}  // namespace

Result<std::unique_ptr<Consumer>> NewFilter(const sql::Expr& predicate,
                                            const ColumnPositions& columns,
                                            const EvalContext& context, Consumer* next) {
  Evaluator evaluator = TL_TRY(Evaluator::Make(predicate, columns, context));
  return std::unique_ptr<Consumer>(std::make_unique<FilterConsumer>(std::move(evaluator), next));
}

Result<std::unique_ptr<Consumer>> NewProject(std::span<const sql::ExprPtr> exprs,
                                             const ColumnPositions& columns,
                                             const EvalContext& context, Consumer* next) {
  std::vector<Evaluator> evaluators;
  for (const sql::ExprPtr& expr : exprs) {
    Evaluator evaluator = TL_TRY(Evaluator::Make(*expr, columns, context));
    evaluators.push_back(std::move(evaluator));
  }
  return std::unique_ptr<Consumer>(std::make_unique<ProjectConsumer>(std::move(evaluators), next));
}

std::unique_ptr<Consumer> NewPick(std::vector<std::size_t> positions, std::vector<Type> types,
                                  Consumer* next) {
  return std::make_unique<PickConsumer>(std::move(positions), std::move(types), next);
}

std::unique_ptr<Consumer> NewLimit(std::shared_ptr<LimitState> state, Consumer* next) {
  return std::make_unique<LimitConsumer>(std::move(state), next);
}

Result<std::shared_ptr<Source>> NewValuesSource(const std::vector<std::vector<sql::ExprPtr>>& rows,
                                                const std::vector<Type>& types,
                                                const EvalContext& context) {
  std::vector<Batch> batches;
  for (std::size_t first = 0; first < rows.size(); first += kBatchRowsMax) {
    Batch batch;
    batch.row_count = std::min(kBatchRowsMax, rows.size() - first);
    for (std::size_t c = 0; c < types.size(); ++c) {
      Vector column = TL_TRY(ValuesColumn(rows, first, batch.row_count, c, types[c], context));
      batch.columns.push_back(std::move(column));
    }
    batches.push_back(std::move(batch));
  }
  return std::shared_ptr<Source>(std::make_shared<BatchesSource>(std::move(batches)));
}

std::shared_ptr<Source> NewEmptySource() {
  return std::make_shared<BatchesSource>(std::vector<Batch>());
}

}  // namespace tideline::exec
