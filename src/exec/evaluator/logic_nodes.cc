// AND, OR, IS NULL, NULLIF and IN: three-valued logic, each operand only where it can matter.

#include <absl/container/flat_hash_set.h>

#include <algorithm>

#include "exec/evaluator/expr_node.h"
#include "exec/values/compare.h"
#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

// AND and OR are one thing with true and false exchanged: a row is settled by the first operand that
// has the deciding value (AND: false, OR: true); an unknown operand is remembered meanwhile.
class ConjunctionNode final : public ExprNode {
 public:
  ConjunctionNode(bool deciding, std::vector<ExprNodePtr> parts)
      : deciding_(deciding ? 1 : 0), parts_(std::move(parts)) {}

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    Vector out = Vector::Flat(Type::Boolean(), input.row_count);
    auto* values = out.mutable_values<std::uint8_t>();
    rows.ForEach([&](std::uint32_t row) { values[row] = deciding_ ^ 1U; });
    std::vector<std::uint32_t> open = RowsOf(rows);
    for (const ExprNodePtr& part : parts_) {
      if (open.empty()) break;
      const std::size_t errors_before = errors->entries().size();
      Vector value;
      TL_TRY(part->Eval(input, Selection::Of(open), &value, errors));
      for (std::size_t i = errors_before; i < errors->entries().size(); ++i) {
        out.SetNull(errors->entries()[i].row);
      }
      DropFailed(*errors, errors_before, &open);
      const Reader<std::uint8_t> reader(value);
      std::size_t kept = 0;
      for (const std::uint32_t row : open) {
        if (reader.IsNull(row)) {
          out.SetNull(row);
        } else if (reader[row] == deciding_) {
          out.SetValid(row);
          values[row] = deciding_;
          continue;
        }
        open[kept++] = row;
      }
      open.resize(kept);
    }
    *result = std::move(out);
    return OkStatus();
  }

 private:
  const std::uint8_t deciding_;
  const std::vector<ExprNodePtr> parts_;
};

class IsNullNode final : public ExprNode {
 public:
  explicit IsNullNode(ExprNodePtr child) : child_(std::move(child)) {}
  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    Vector value;
    TL_TRY(child_->Eval(input, rows, &value, errors));
    if (!value.may_have_nulls()) {
      *result = Vector::Constant(Type::Boolean(), Value::Boolean(false), input.row_count);
      return OkStatus();
    }
    Vector out = Vector::Flat(Type::Boolean(), input.row_count);
    auto* values = out.mutable_values<std::uint8_t>();
    const Reader<std::uint8_t> reader(value);
    rows.ForEach([&](std::uint32_t row) { values[row] = reader.IsNull(row) ? 1 : 0; });
    *result = std::move(out);
    return OkStatus();
  }

 private:
  const ExprNodePtr child_;
};

// NULLIF(a, b, [equality]): the binder gives a and b one type.
class NullIfNode final : public ExprNode {
 public:
  explicit NullIfNode(std::vector<ExprNodePtr> children) : children_(std::move(children)) {}
  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    Vector value;
    Vector other;
    TL_TRY(children_[0]->Eval(input, rows, &value, errors));
    TL_TRY(children_[1]->Eval(input, rows, &other, errors));
    const bool comparable = value.type().physical() == other.type().physical();
    std::vector<RowPlace> places(input.row_count);
    rows.ForEach([&](std::uint32_t row) {
      if (!comparable || SqlEqual(value, row, other, row) != Tri::kTrue) places[row] = {0, row};
    });
    const Vector* source = &value;
    *result = Gather(value.type(), {&source, 1}, places);
    return OkStatus();
  }

 private:
  const std::vector<ExprNodePtr> children_;
};

// x IN (constants): a hash set, made once.
template <typename T, typename Key>
class InSetNode final : public ExprNode {
 public:
  InSetNode(ExprNodePtr child, absl::flat_hash_set<Key> set, bool has_null)
      : child_(std::move(child)), set_(std::move(set)), has_null_(has_null) {}
  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    Vector value;
    TL_TRY(child_->Eval(input, rows, &value, errors));
    Vector out = Vector::Flat(Type::Boolean(), input.row_count);
    auto* values = out.mutable_values<std::uint8_t>();
    const Reader<T> reader(value);
    rows.ForEach([&](std::uint32_t row) {
      if (reader.IsNull(row)) {
        out.SetNull(row);
        return;
      }
      bool found;
      if constexpr (std::is_same_v<T, StringRef>) {
        found = set_.contains(std::string(reader[row].view()));
      } else {
        found = set_.contains(reader[row]);
      }
      values[row] = found ? 1 : 0;
      if (!found && has_null_) out.SetNull(row);
    });
    *result = std::move(out);
    return OkStatus();
  }

 private:
  const ExprNodePtr child_;
  const absl::flat_hash_set<Key> set_;
  const bool has_null_;
};

// x IN (a, b, …) in general. All elements are computed, so that one that fails does so whatever stands before it.
class InListNode final : public ExprNode {
 public:
  explicit InListNode(std::vector<ExprNodePtr> children) : children_(std::move(children)) {}
  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    Vector value;
    TL_TRY(children_[0]->Eval(input, rows, &value, errors));
    Vector out = Vector::Flat(Type::Boolean(), input.row_count);
    auto* values = out.mutable_values<std::uint8_t>();
    rows.ForEach([&](std::uint32_t row) { values[row] = 0; });
    std::vector<std::uint32_t> open = RowsOf(rows);  // not failed
    for (std::size_t i = 1; i < children_.size() && !open.empty(); ++i) {
      const std::size_t errors_before = errors->entries().size();
      Vector element;
      TL_TRY(children_[i]->Eval(input, Selection::Of(open), &element, errors));
      DropFailed(*errors, errors_before, &open);
      for (const std::uint32_t row : open) {
        if (values[row] != 0) continue;
        const Tri equal = SqlEqual(value, row, element, row);
        if (equal == Tri::kUnknown) out.SetNull(row);
        if (equal != Tri::kTrue) continue;
        out.SetValid(row);
        values[row] = 1;
      }
    }
    *result = std::move(out);
    return OkStatus();
  }

 private:
  const std::vector<ExprNodePtr> children_;
};

template <typename T, typename Key, typename KeyOf>
ExprNodePtr MakeInSet(const sql::Expr& expr, ExprNodePtr child, const KeyOf& key_of) {
  absl::flat_hash_set<Key> set;
  bool has_null = false;
  for (std::size_t i = 1; i < expr.children.size(); ++i) {
    const Value& value = expr.children[i]->constant;
    if (value.is_null()) {
      has_null = true;
    } else if (const Key key = key_of(value); key == key) {  // NaN equals nothing
      set.insert(key);
    }
  }
  return std::make_unique<InSetNode<T, Key>>(std::move(child), std::move(set), has_null);
}

bool AllConstants(const sql::Expr& expr) {
  return std::all_of(expr.children.begin() + 1, expr.children.end(), [&](const sql::ExprPtr& child) {
    return child->kind == sql::ExprKind::kConstant &&
           (child->constant.is_null() ||
            child->type.physical() == expr.children[0]->type.physical());
  });
}

}  // namespace

Result<ExprNodePtr> MakeLogicNode(const sql::Expr& expr, const CompileScope& scope,
                                  bool per_entry_allowed) {
  std::vector<ExprNodePtr> children = TL_TRY(CompileChildren(expr, scope, per_entry_allowed));
  switch (expr.kind) {
    case sql::ExprKind::kAnd:
      return ExprNodePtr(std::make_unique<ConjunctionNode>(false, std::move(children)));
    case sql::ExprKind::kOr:
      return ExprNodePtr(std::make_unique<ConjunctionNode>(true, std::move(children)));
    case sql::ExprKind::kIsNull:
      return ExprNodePtr(std::make_unique<IsNullNode>(std::move(children[0])));
    default:
      return ExprNodePtr(std::make_unique<NullIfNode>(std::move(children)));
  }
}

Result<ExprNodePtr> MakeInNode(const sql::Expr& expr, const CompileScope& scope,
                               bool per_entry_allowed) {
  const PhysicalType physical = expr.children[0]->type.physical();
  if (AllConstants(expr)) {
    const auto integer = [](const Value& value) { return value.integer(); };
    ExprNodePtr child = TL_TRY(Compile(*expr.children[0], scope, per_entry_allowed));
    switch (physical) {
      case PhysicalType::kInt32:
        return MakeInSet<std::int32_t, std::int64_t>(expr, std::move(child), integer);
      case PhysicalType::kInt64:
        return MakeInSet<std::int64_t, std::int64_t>(expr, std::move(child), integer);
      case PhysicalType::kDouble:
        return MakeInSet<double, double>(expr, std::move(child),
                                         [](const Value& value) { return value.floating(); });
      case PhysicalType::kString:
        return MakeInSet<StringRef, std::string>(expr, std::move(child),
                                                 [](const Value& value) { return value.text(); });
      default:
        break;
    }
  }
  std::vector<ExprNodePtr> children = TL_TRY(CompileChildren(expr, scope, per_entry_allowed));
  return ExprNodePtr(std::make_unique<InListNode>(std::move(children)));
}

}  // namespace tideline::exec
