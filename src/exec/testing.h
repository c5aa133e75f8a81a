// exec/testing.h: plans and rows made by hand, for tests and benchmarks of exec.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "columnar/text_format.h"
#include "exec/query.h"
#include "functions/registry.h"
#include "sql/plan/aggregate_node.h"
#include "sql/plan/scan_node.h"

namespace tideline::exec::testing {

/// A scan that hands out batches made beforehand, one per morsel.
class FakeScan final : public ScanSource {
 public:
  explicit FakeScan(const std::vector<Batch>* batches) : batches_(batches) {}
  Result<std::unique_ptr<SourceReader>> NewReader() override {
    return std::unique_ptr<SourceReader>(std::make_unique<Reader>(this));
  }
  std::size_t workers_max() const override { return batches_->size(); }
  double EstimatedRows() const override {
    double rows = 0;
    for (const Batch& batch : *batches_) rows += static_cast<double>(batch.row_count);
    return rows;
  }
  ScanFigures figures() const override { return {8 * rows_.load(), rows_.load(), ""}; }
  std::uint64_t rows_read() const { return rows_; }

 private:
  class Reader final : public SourceReader {
   public:
    explicit Reader(FakeScan* scan) : scan_(scan) {}
    Result<bool> Next(Batch* batch) override {
      const std::size_t index = scan_->next_.fetch_add(1);
      if (index >= scan_->batches_->size()) return false;
      *batch = (*scan_->batches_)[index];
      scan_->rows_ += batch->row_count;
      return true;
    }

   private:
    FakeScan* const scan_;
  };
  const std::vector<Batch>* batches_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> rows_{0};
};

class FakeScans final : public ScanProvider {
 public:
  std::vector<Batch> batches;
  /// Of scans whose first column has that number, in place of `batches`.
  std::map<std::uint32_t, std::vector<Batch>> others;
  std::shared_ptr<FakeScan> last;
  Result<std::shared_ptr<ScanSource>> OpenScan(const sql::ScanNode& scan, const EvalContext&) override {
    const auto other = others.find(scan.outputs().front().column.id);
    last = std::make_shared<FakeScan>(other == others.end() ? &batches : &other->second);
    return std::shared_ptr<ScanSource>(last);
  }
};

/// A scan node of columns #first, #first + 1, … of the given types.
inline sql::PlanNodePtr MakeScan(const std::vector<Type>& types, std::uint32_t first = 0) {
  auto schema = std::make_shared<catalog::TableSchema>();
  schema->database = "db";
  schema->table = "t";
  std::vector<sql::OutputColumn> outputs;
  sql::ScanNode::Spec spec;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const auto number = static_cast<std::uint32_t>(i);
    outputs.push_back({{first + number}, fmt::format("c{}", i), types[i]});
    spec.storage_columns.push_back({number + 10});
  }
  spec.table = std::move(schema);
  return std::make_shared<sql::ScanNode>(std::move(outputs), std::move(spec));
}

inline sql::ExprPtr Column(std::uint32_t id, Type type) {
  return sql::MakeColumn({id}, std::move(type), fmt::format("c{}", id));
}

/// Calls scalar `name`, resolved by its arguments' types, which must fit without casts.
inline sql::ExprPtr Call(std::string_view name, std::vector<sql::ExprPtr> arguments) {
  const functions::FunctionRegistry& registry = functions::FunctionRegistry::Get();
  const functions::ScalarFunction* function = registry.FindScalar(name);
  TL_CHECK(function != nullptr);
  std::vector<Type> types;
  for (const sql::ExprPtr& argument : arguments) types.push_back(argument->type);
  const std::vector<int> arity(types.size(), 0);
  const auto resolved =
      functions::ResolveOverload(name, registry.SignaturesOf(*function), types, arity);
  TL_CHECK(resolved.ok());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] = sql::MakeCast(arguments[i], resolved->argument_types[i]);
  }
  return sql::MakeCall(*function, resolved->overload, resolved->result_type, std::move(arguments));
}

inline sql::AggregateCall Aggregate(std::string_view name, std::vector<sql::ExprPtr> arguments,
                                    std::uint32_t output) {
  const functions::FunctionRegistry& registry = functions::FunctionRegistry::Get();
  sql::AggregateCall call;
  call.function = registry.FindAggregate(name);
  TL_CHECK(call.function != nullptr);
  std::vector<Type> types;
  for (const sql::ExprPtr& argument : arguments) types.push_back(argument->type);
  const std::vector<int> arity(types.size(), 0);
  const auto resolved =
      functions::ResolveOverload(name, registry.SignaturesOf(*call.function), types, arity);
  TL_CHECK(resolved.ok());
  call.overload = resolved->overload;
  call.arguments = std::move(arguments);
  call.output = {{output}, std::string(name), resolved->result_type};
  return call;
}

/// A batch of flat columns from boxed rows; NULL is Value().
inline Batch MakeBatch(const std::vector<Type>& types, const std::vector<std::vector<Value>>& rows) {
  Batch batch;
  batch.row_count = rows.size();
  for (std::size_t c = 0; c < types.size(); ++c) {
    std::vector<Value> values;
    for (const auto& row : rows) values.push_back(row[c].is_null() ? Value::Null(types[c]) : row[c]);
    batch.columns.push_back(Vector::FromValues(types[c], values));
  }
  return batch;
}

inline std::string RowText(const Batch& batch, std::size_t row) {
  std::string text;
  for (std::size_t c = 0; c < batch.columns.size(); ++c) {
    if (c > 0) text += '|';
    if (batch.columns[c].IsNull(row)) {
      text += "NULL";
    } else {
      AppendText(batch.columns[c], row, &text);
    }
  }
  return text;
}

/// All rows of a query as text, in the order they come.
inline Result<std::vector<std::string>> Drain(QueryExecution& query) {
  std::vector<std::string> rows;
  Batch batch;
  for (;;) {
    const bool more = TL_TRY(query.Next(&batch));
    if (!more) return rows;
    for (std::size_t row = 0; row < batch.row_count; ++row) rows.push_back(RowText(batch, row));
  }
}

}  // namespace tideline::exec::testing
