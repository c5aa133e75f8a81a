#include "exec/evaluator/evaluator.h"

#include <algorithm>
#include <cstring>

#include "exec/evaluator/expr_node.h"

namespace tideline::exec {
namespace {

Status FirstError(const RowErrors& errors) {
  const RowErrors::Entry* first = &errors.entries().front();
  for (const RowErrors::Entry& entry : errors.entries()) {
    if (entry.row < first->row) first = &entry;
  }
  return first->status;
}

class ColumnNode final : public ExprNode {
 public:
  explicit ColumnNode(std::uint32_t position) : position_(position) {}
  Status Eval(const EvalInput& input, const Selection&, Vector* result, RowErrors*) override {
    *result = input.columns[position_];
    return OkStatus();
  }

 private:
  const std::uint32_t position_;
};

class ConstantNode final : public ExprNode {
 public:
  ConstantNode(const Type& type, const Value& value)
      : one_(Vector::Constant(type, value, 1)) {}
  Status Eval(const EvalInput& input, const Selection&, Vector* result, RowErrors*) override {
    *result = Vector::ConstantOf(one_, 0, input.row_count);
    return OkStatus();
  }

 private:
  const Vector one_;
};

// The distinct columns an expression reads, those of lambda bodies included, lambda parameters not.
// `fixed` becomes false when a part of it may not be computed once for equal inputs.
void Inspect(const sql::Expr& expr, const ColumnPositions& columns,
             std::vector<std::uint32_t>* positions, bool* fixed) {
  if (expr.kind == sql::ExprKind::kColumn) {
    const std::uint32_t position = columns.Find(expr.column);
    if (position != ColumnPositions::kNone &&
        std::find(positions->begin(), positions->end(), position) == positions->end()) {
      positions->push_back(position);
    }
  }
  if (expr.kind == sql::ExprKind::kCall &&
      expr.scalar->volatility == functions::Volatility::kVolatile) {
    *fixed = false;
  }
  for (const sql::ExprPtr& child : expr.children) Inspect(*child, columns, positions, fixed);
}

Result<ExprNodePtr> CompilePlain(const sql::Expr& expr, const CompileScope& scope,
                                 bool per_entry_allowed) {
  using sql::ExprKind;
  switch (expr.kind) {
    case ExprKind::kColumn: {
      const std::uint32_t position = scope.columns.Find(expr.column);
      if (position == ColumnPositions::kNone) {
        return Internal("column '{}' (#{}) is not delivered to the expression that reads it",
                        expr.name, expr.column.id);
      }
      return ExprNodePtr(std::make_unique<ColumnNode>(position));
    }
    case ExprKind::kConstant:
      return ExprNodePtr(std::make_unique<ConstantNode>(expr.type, expr.constant));
    case ExprKind::kCall:
      return MakeCallNode(expr, scope, per_entry_allowed);
    case ExprKind::kCast:
      return MakeCastNode(expr, scope, per_entry_allowed);
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kIsNull:
    case ExprKind::kNullIf:
      return MakeLogicNode(expr, scope, per_entry_allowed);
    case ExprKind::kCase:
    case ExprKind::kCoalesce:
    case ExprKind::kTry:
    case ExprKind::kRow:
    case ExprKind::kField:
      return MakeBranchNode(expr, scope, per_entry_allowed);
    case ExprKind::kIn:
      return MakeInNode(expr, scope, per_entry_allowed);
    case ExprKind::kLambda:
      return Internal("a lambda expression is not an argument of a function");
    case ExprKind::kParameter:
      return InvalidArgument("line {}:{}: parameter @{} has no value", expr.position.line,
                             expr.position.column, expr.name);
    case ExprKind::kSubquery:
      return Unimplemented("line {}:{}: a sub-query here is not supported yet", expr.position.line,
                           expr.position.column);
  }
  return Internal("expression of unknown kind {}", static_cast<int>(expr.kind));
}

}  // namespace

Result<ExprNodePtr> Compile(const sql::Expr& expr, const CompileScope& scope,
                            bool per_entry_allowed) {
  const bool leaf = expr.kind == sql::ExprKind::kColumn || expr.kind == sql::ExprKind::kConstant;
  if (leaf) return CompilePlain(expr, scope, per_entry_allowed);
  std::vector<std::uint32_t> positions;
  bool fixed = true;
  Inspect(expr, scope.columns, &positions, &fixed);
  const bool per_entry = fixed && positions.size() == 1 && per_entry_allowed;
  ExprNodePtr node = TL_TRY(CompilePlain(expr, scope, per_entry_allowed && !per_entry));
  if (fixed && positions.empty()) return MakeOnceNode(std::move(node), expr.type);
  if (per_entry) return MakePerEntryNode(std::move(node), positions[0], expr.type);
  return node;
}

Result<std::vector<ExprNodePtr>> CompileChildren(const sql::Expr& expr, const CompileScope& scope,
                                                 bool per_entry_allowed) {
  std::vector<ExprNodePtr> nodes;
  nodes.reserve(expr.children.size());
  for (const sql::ExprPtr& child : expr.children) {
    ExprNodePtr node = TL_TRY(Compile(*child, scope, per_entry_allowed));
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::vector<std::uint32_t> RowsOf(const Selection& rows) {
  std::vector<std::uint32_t> list;
  list.reserve(rows.size());
  rows.ForEach([&](std::uint32_t row) { list.push_back(row); });
  return list;
}

void DropFailed(const RowErrors& errors, std::size_t errors_before,
                std::vector<std::uint32_t>* rows) {
  if (errors.entries().size() == errors_before) return;
  std::vector<std::uint32_t> failed;
  for (std::size_t i = errors_before; i < errors.entries().size(); ++i) {
    failed.push_back(errors.entries()[i].row);
  }
  std::sort(failed.begin(), failed.end());
  std::erase_if(*rows, [&](std::uint32_t row) {
    return std::binary_search(failed.begin(), failed.end(), row);
  });
}

Evaluator::Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;
Evaluator::~Evaluator() = default;

Result<Evaluator> Evaluator::Make(const sql::Expr& expr, const ColumnPositions& columns,
                                  const EvalContext& context) {
  Evaluator evaluator;
  evaluator.random_ = std::make_unique<Random>(context.random_seed);
  const CompileScope scope{columns, context, evaluator.random_.get()};
  if (expr.kind == sql::ExprKind::kAnd) {
    for (const sql::ExprPtr& part : expr.children) {
      ExprNodePtr node = TL_TRY(Compile(*part, scope, true));
      evaluator.parts_.push_back(std::move(node));
    }
  }
  evaluator.whole_ = TL_TRY(Compile(expr, scope, true));
  return evaluator;
}

Status Evaluator::Part(ExprNode& node, const Batch& batch, const Selection& rows, Vector* result) {
  RowErrors errors;
  TL_TRY(node.Eval({batch.columns, batch.row_count}, rows, result, &errors));
  return errors.empty() ? OkStatus() : FirstError(errors);
}

Status Evaluator::Evaluate(const Batch& batch, const Selection& rows, Vector* result) {
  return Part(*whole_, batch, rows, result);
}

namespace {

// All rows of flat booleans without nulls, eight at a time: conditions on what changes slowly are mostly true or
// mostly false of neighbours.
std::uint32_t* AppendTrueOfAll(const std::uint8_t* values, std::uint32_t count, std::uint32_t* out) {
  constexpr std::uint64_t kLow7 = 0x7f7f7f7f7f7f7f7f;
  std::uint32_t row = 0;
  for (; row + 8 <= count; row += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, values + row, sizeof(eight));
    if (eight == 0) continue;
    if ((((eight & kLow7) + kLow7) | eight | kLow7) == ~std::uint64_t{0}) {  // no byte is 0
      for (std::uint32_t i = 0; i < 8; ++i) out[i] = row + i;
      out += 8;
      continue;
    }
    for (std::uint32_t i = 0; i < 8; ++i) {
      *out = row + i;
      out += values[row + i] != 0 ? 1 : 0;
    }
  }
  for (; row < count; ++row) {
    *out = row;
    out += values[row] != 0 ? 1 : 0;
  }
  return out;
}

void AppendTrue(const Vector& vector, const Selection& rows, std::vector<std::uint32_t>* passed) {
  const Reader<std::uint8_t> reader(vector);
  if (vector.is_constant()) {
    if (rows.empty() || reader.IsNull(0) || reader[0] == 0) return;
    rows.ForEach([&](std::uint32_t row) { passed->push_back(row); });
    return;
  }
  const std::size_t before = passed->size();
  passed->resize(before + rows.size());
  std::uint32_t* out = passed->data() + before;
  if (rows.is_all() && vector.kind() == VectorKind::kFlat && !reader.may_have_nulls()) {
    out = AppendTrueOfAll(vector.values<std::uint8_t>(), static_cast<std::uint32_t>(rows.size()), out);
  } else if (reader.may_have_nulls()) {
    rows.ForEach([&](std::uint32_t row) {
      *out = row;
      out += (reader[row] != 0 && !reader.IsNull(row)) ? 1 : 0;
    });
  } else {
    rows.ForEach([&](std::uint32_t row) {
      *out = row;
      out += reader[row] != 0 ? 1 : 0;
    });
  }
  passed->resize(static_cast<std::size_t>(out - passed->data()));
}

}  // namespace

Status Evaluator::Select(const Batch& batch, const Selection& rows,
                         std::vector<std::uint32_t>* passed) {
  Vector result;
  if (parts_.empty()) {
    TL_TRY(Part(*whole_, batch, rows, &result));
    AppendTrue(result, rows, passed);
    return OkStatus();
  }
  std::vector<std::uint32_t> left;
  std::vector<std::uint32_t> next;
  bool first = true;
  for (const ExprNodePtr& part : parts_) {
    const Selection selection = first ? rows : Selection::Of(left);
    if (selection.empty()) break;
    TL_TRY(Part(*part, batch, selection, &result));
    next.clear();
    AppendTrue(result, selection, &next);
    left.swap(next);
    first = false;
  }
  passed->insert(passed->end(), left.begin(), left.end());
  return OkStatus();
}

Result<Vector> EvaluateConstant(const sql::Expr& expr, const EvalContext& context) {
  Evaluator evaluator = TL_TRY(Evaluator::Make(expr, ColumnPositions(), context));
  Batch batch;
  batch.row_count = 1;
  Vector result;
  TL_TRY(evaluator.Evaluate(batch, Selection::All(1), &result));
  return result.Flatten();
}

}  // namespace tideline::exec
