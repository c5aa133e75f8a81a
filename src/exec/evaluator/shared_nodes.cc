// Parts of an expression that need not be computed per row: constants once, parts over a single
// column once per dictionary entry or run of equal codes.

#include <algorithm>

#include "exec/evaluator/expr_node.h"

namespace tideline::exec {
namespace {

// A dictionary of at most this many entries is computed whole when it comes a second time.
constexpr std::size_t kWholeDictionaryRowsMax = 4 * kBatchRowsMax;

class OnceNode final : public ExprNode {
 public:
  OnceNode(ExprNodePtr inner, Type type) : inner_(std::move(inner)), type_(std::move(type)) {}

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    if (!known_) {
      RowErrors own;
      TL_TRY(inner_->Eval({{}, 1}, Selection::All(1), &one_, &own));
      if (!own.empty()) error_ = own.entries().front().status;
      known_ = true;
    }
    if (error_.ok()) {
      *result = Vector::ConstantOf(one_, 0, input.row_count);
    } else {
      rows.ForEach([&](std::uint32_t row) { errors->Add(row, error_); });
      *result = Vector::ConstantNull(type_, input.row_count);
    }
    return OkStatus();
  }

 private:
  const ExprNodePtr inner_;
  const Type type_;
  bool known_ = false;
  Vector one_;
  Status error_ = OkStatus();
};

class PerEntryNode final : public ExprNode {
 public:
  PerEntryNode(ExprNodePtr inner, std::uint32_t position, Type type)
      : inner_(std::move(inner)), position_(position), type_(std::move(type)) {}

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    const Vector& column = input.columns[position_];
    if (rows.empty()) {
      *result = Vector::ConstantNull(type_, input.row_count);
      return OkStatus();
    }
    switch (column.kind()) {
      case VectorKind::kFlat:
        return inner_->Eval(input, rows, result, errors);
      case VectorKind::kConstant:
        return EvalConstant(input, rows, result, errors);
      case VectorKind::kDictionary:
        break;
    }
    const std::shared_ptr<const Vector>& base = column.dictionary_base();
    if (base == computed_base_) return Lookup(column, rows, result, errors);
    const bool seen_before = base == last_base_;
    last_base_ = base;
    if ((seen_before && base->size() <= kWholeDictionaryRowsMax) || base->size() <= rows.size()) {
      TL_TRY(ComputeBase(input, base));
      return Lookup(column, rows, result, errors);
    }
    return EvalRuns(input, column, rows, result, errors);
  }

 private:
  // The columns that `inner_` may read, with `column` in its place; the others are never read.
  std::span<const Vector> Columns(const EvalInput& input, Vector column) {
    scratch_.resize(input.columns.size());
    scratch_[position_] = std::move(column);
    return scratch_;
  }

  Status EvalConstant(const EvalInput& input, const Selection& rows, Vector* result,
                      RowErrors* errors) {
    const Vector one = Vector::ConstantOf(input.columns[position_], 0, 1);
    RowErrors own;
    Vector value;
    TL_TRY(inner_->Eval({Columns(input, one), 1}, Selection::All(1), &value, &own));
    if (own.empty()) {
      *result = Vector::ConstantOf(value, 0, input.row_count);
      return OkStatus();
    }
    const Status& status = own.entries().front().status;
    rows.ForEach([&](std::uint32_t row) { errors->Add(row, status); });
    *result = Vector::ConstantNull(type_, input.row_count);
    return OkStatus();
  }

  // Entries that fail are remembered: they count only for rows that refer to them.
  Status ComputeBase(const EvalInput& input, const std::shared_ptr<const Vector>& base) {
    RowErrors own;
    Vector value;
    TL_TRY(inner_->Eval({Columns(input, *base), base->size()}, Selection::All(base->size()), &value,
                        &own));
    computed_ = std::make_shared<const Vector>(value.Flatten());
    computed_base_ = base;
    failed_ = own.entries();
    std::stable_sort(failed_.begin(), failed_.end(),
                     [](const auto& a, const auto& b) { return a.row < b.row; });
    return OkStatus();
  }

  Status Lookup(const Vector& column, const Selection& rows, Vector* result, RowErrors* errors) {
    // The column's codes serve as they are.
    auto codes = std::make_shared<Buffer>(column.size() * sizeof(std::uint32_t));
    std::memcpy(codes->data(), column.codes(), column.size() * sizeof(std::uint32_t));
    *result = Vector::Dictionary(computed_, std::move(codes), column.size());
    if (failed_.empty()) return OkStatus();
    rows.ForEach([&](std::uint32_t row) {
      const std::uint32_t code = column.codes()[row];
      const auto at = std::lower_bound(failed_.begin(), failed_.end(), code,
                                       [](const auto& entry, std::uint32_t c) { return entry.row < c; });
      if (at != failed_.end() && at->row == code) errors->Add(row, at->status);
    });
    return OkStatus();
  }

  // Rows come in runs of equal codes: computes the first row of each run.
  Status EvalRuns(const EvalInput& input, const Vector& column, const Selection& rows,
                  Vector* result, RowErrors* errors) {
    const std::uint32_t* codes = column.codes();
    auto run_of_row = std::make_shared<Buffer>(input.row_count * sizeof(std::uint32_t));
    auto* runs = reinterpret_cast<std::uint32_t*>(run_of_row->data());
    std::memset(runs, 0, input.row_count * sizeof(std::uint32_t));
    heads_.clear();
    std::uint32_t last_code = 0;
    rows.ForEach([&](std::uint32_t row) {
      if (heads_.empty() || codes[row] != last_code) {
        last_code = codes[row];
        heads_.push_back(row);
      }
      runs[row] = static_cast<std::uint32_t>(heads_.size() - 1);
    });
    if (heads_.size() > rows.size() / 2) return inner_->Eval(input, rows, result, errors);
    RowErrors own;
    Vector value;
    TL_TRY(inner_->Eval({Columns(input, column.Slice(heads_)), heads_.size()},
                        Selection::All(heads_.size()), &value, &own));
    if (!own.empty()) {
      std::vector<const Status*> status_of_run(heads_.size(), nullptr);
      for (const RowErrors::Entry& entry : own.entries()) status_of_run[entry.row] = &entry.status;
      rows.ForEach([&](std::uint32_t row) {
        if (status_of_run[runs[row]] != nullptr) errors->Add(row, *status_of_run[runs[row]]);
      });
    }
    *result = Vector::Dictionary(std::make_shared<const Vector>(value.Flatten()),
                                 std::move(run_of_row), input.row_count);
    return OkStatus();
  }

  const ExprNodePtr inner_;
  const std::uint32_t position_;
  const Type type_;
  std::vector<Vector> scratch_;
  std::vector<std::uint32_t> heads_;
  std::shared_ptr<const Vector> last_base_;
  std::shared_ptr<const Vector> computed_base_;
  std::shared_ptr<const Vector> computed_;
  std::vector<RowErrors::Entry> failed_;
};

}  // namespace

ExprNodePtr MakeOnceNode(ExprNodePtr inner, Type type) {
  return std::make_unique<OnceNode>(std::move(inner), std::move(type));
}

ExprNodePtr MakePerEntryNode(ExprNodePtr inner, std::uint32_t position, Type type) {
  return std::make_unique<PerEntryNode>(std::move(inner), position, std::move(type));
}

}  // namespace tideline::exec
