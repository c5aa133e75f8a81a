// CASE, COALESCE, TRY: parts that run only for the rows that take them. ROW and field access.

#include <algorithm>

#include "exec/evaluator/expr_node.h"
#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

// Collects, for each row, from which of several branch results it takes its value.
class BranchResult {
 public:
  BranchResult(Type type, std::size_t row_count) : type_(std::move(type)), places_(row_count) {}
  void Take(Vector value, std::span<const std::uint32_t> rows) {
    const auto source = static_cast<std::uint32_t>(values_.size());
    values_.push_back(std::move(value));
    for (const std::uint32_t row : rows) places_[row] = {source, row};
  }
  Vector Finish() const {
    std::vector<const Vector*> sources;
    for (const Vector& value : values_) sources.push_back(&value);
    return Gather(type_, sources, places_);
  }

 private:
  const Type type_;
  std::vector<RowPlace> places_;
  std::vector<Vector> values_;
};

class CaseNode final : public ExprNode {
 public:
  CaseNode(Type type, std::vector<ExprNodePtr> children)
      : type_(std::move(type)), children_(std::move(children)) {}

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    // Conditions on what is the same for all rows of a batch, such as its one measure name, settle all
    // rows at once: the branch's own vector is the answer.
    std::size_t first = 0;
    Vector condition;
    for (; first + 1 < children_.size(); first += 2) {
      const std::size_t errors_before = errors->entries().size();
      TL_TRY(children_[first]->Eval(input, rows, &condition, errors));
      if (!condition.is_constant() || errors->entries().size() != errors_before) {
        return EvalRows(first, std::move(condition), errors_before, input, rows, result, errors);
      }
      if (condition.IsNull(0) || condition.values<std::uint8_t>()[0] == 0) continue;
      return EvalBranch(*children_[first + 1], input, rows, result, errors);
    }
    if (children_.size() % 2 == 1) return EvalBranch(*children_.back(), input, rows, result, errors);
    *result = Vector::ConstantNull(type_, input.row_count);
    return OkStatus();
  }

 private:
  // The one branch that all rows take.
  Status EvalBranch(ExprNode& branch, const EvalInput& input, const Selection& rows, Vector* result,
                    RowErrors* errors) {
    TL_TRY(branch.Eval(input, rows, result, errors));
    if (result->type() == type_) return OkStatus();
    BranchResult branches(type_, input.row_count);
    branches.Take(std::move(*result), RowsOf(rows));
    *result = branches.Finish();
    return OkStatus();
  }

  // Row by row, from condition `first` on, which is evaluated already.
  Status EvalRows(std::size_t first, Vector condition, std::size_t errors_before, const EvalInput& input,
                  const Selection& rows, Vector* result, RowErrors* errors) {
    BranchResult branches(type_, input.row_count);
    std::vector<std::uint32_t> open = RowsOf(rows);
    std::vector<std::uint32_t> taken;
    for (std::size_t i = first; i + 1 < children_.size() && !open.empty(); i += 2) {
      if (i != first) {
        errors_before = errors->entries().size();
        condition = Vector();
        TL_TRY(children_[i]->Eval(input, Selection::Of(open), &condition, errors));
      }
      DropFailed(*errors, errors_before, &open);
      const Reader<std::uint8_t> reader(condition);
      taken.clear();
      std::erase_if(open, [&](std::uint32_t row) {
        const bool take = !reader.IsNull(row) && reader[row] != 0;
        if (take) taken.push_back(row);
        return take;
      });
      TL_TRY(TakeBranch(*children_[i + 1], input, taken, &branches, errors));
    }
    if (children_.size() % 2 == 1) {
      TL_TRY(TakeBranch(*children_.back(), input, open, &branches, errors));
    }
    *result = branches.Finish();
    return OkStatus();
  }

  static Status TakeBranch(ExprNode& branch, const EvalInput& input,
                           std::span<const std::uint32_t> rows, BranchResult* branches,
                           RowErrors* errors) {
    if (rows.empty()) return OkStatus();
    Vector value;
    TL_TRY(branch.Eval(input, Selection::Of(rows), &value, errors));
    branches->Take(std::move(value), rows);
    return OkStatus();
  }

  const Type type_;
  const std::vector<ExprNodePtr> children_;
};

class CoalesceNode final : public ExprNode {
 public:
  CoalesceNode(Type type, std::vector<ExprNodePtr> children)
      : type_(std::move(type)), children_(std::move(children)) {}

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    BranchResult branches(type_, input.row_count);
    std::vector<std::uint32_t> open = RowsOf(rows);
    std::vector<std::uint32_t> taken;
    for (const ExprNodePtr& child : children_) {
      if (open.empty()) break;
      const std::size_t errors_before = errors->entries().size();
      Vector value;
      TL_TRY(child->Eval(input, Selection::Of(open), &value, errors));
      DropFailed(*errors, errors_before, &open);
      const Reader<std::uint8_t> reader(value);
      taken.clear();
      std::erase_if(open, [&](std::uint32_t row) {
        if (reader.IsNull(row)) return false;
        taken.push_back(row);
        return true;
      });
      if (!taken.empty()) branches.Take(std::move(value), taken);
    }
    *result = branches.Finish();
    return OkStatus();
  }

 private:
  const Type type_;
  const std::vector<ExprNodePtr> children_;
};

class TryNode final : public ExprNode {
 public:
  TryNode(Type type, ExprNodePtr child) : type_(std::move(type)), child_(std::move(child)) {}

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    RowErrors own;
    TL_TRY(child_->Eval(input, rows, result, &own));
    if (own.empty()) return OkStatus();
    std::vector<RowPlace> places(input.row_count);
    rows.ForEach([&](std::uint32_t row) { places[row] = {0, row}; });
    for (const RowErrors::Entry& entry : own.entries()) {
      places[entry.row] = RowPlace();
      // Only a failure on data is TRY's to swallow.
      if (CodeOf(entry.status) != ErrorCode::kExecutionFailed) errors->Add(entry.row, entry.status);
    }
    const Vector* source = result;
    Vector out = Gather(type_, {&source, 1}, places);
    *result = std::move(out);
    return OkStatus();
  }

 private:
  const Type type_;
  const ExprNodePtr child_;
};

class RowNode final : public ExprNode {
 public:
  RowNode(Type type, std::vector<ExprNodePtr> children)
      : type_(std::move(type)), children_(std::move(children)) {}

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    Vector out = Vector::Flat(type_, input.row_count);
    for (std::size_t i = 0; i < children_.size(); ++i) {
      Vector value;
      TL_TRY(children_[i]->Eval(input, rows, &value, errors));
      out.SetChild(i, value.Flatten());
    }
    *result = std::move(out);
    return OkStatus();
  }

 private:
  const Type type_;
  const std::vector<ExprNodePtr> children_;
};

class FieldNode final : public ExprNode {
 public:
  FieldNode(Type type, std::uint32_t field_index, ExprNodePtr child)
      : type_(std::move(type)), field_index_(field_index), child_(std::move(child)) {}

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    Vector value;
    TL_TRY(child_->Eval(input, rows, &value, errors));
    if (value.kind() == VectorKind::kFlat && !value.may_have_nulls()) {
      *result = value.child(field_index_);
      return OkStatus();
    }
    // A field of a null row is null, whatever the child vector holds there.
    std::vector<RowPlace> places(input.row_count);
    rows.ForEach([&](std::uint32_t row) {
      if (!value.IsNull(row)) places[row] = {0, static_cast<std::uint32_t>(value.Index(row))};
    });
    const Vector* source = &value.child(field_index_);
    *result = Gather(type_, {&source, 1}, places);
    return OkStatus();
  }

 private:
  const Type type_;
  const std::uint32_t field_index_;
  const ExprNodePtr child_;
};

}  // namespace

Result<ExprNodePtr> MakeBranchNode(const sql::Expr& expr, const CompileScope& scope,
                                   bool per_entry_allowed) {
  std::vector<ExprNodePtr> children = TL_TRY(CompileChildren(expr, scope, per_entry_allowed));
  switch (expr.kind) {
    case sql::ExprKind::kCase:
      return ExprNodePtr(std::make_unique<CaseNode>(expr.type, std::move(children)));
    case sql::ExprKind::kCoalesce:
      return ExprNodePtr(std::make_unique<CoalesceNode>(expr.type, std::move(children)));
    case sql::ExprKind::kTry:
      return ExprNodePtr(std::make_unique<TryNode>(expr.type, std::move(children[0])));
    case sql::ExprKind::kRow:
      return ExprNodePtr(std::make_unique<RowNode>(expr.type, std::move(children)));
    default:
      return ExprNodePtr(std::make_unique<FieldNode>(expr.type, expr.field_index,
                                                     std::move(children[0])));
  }
}

}  // namespace tideline::exec
