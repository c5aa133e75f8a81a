#include "sql/optimize/fold_constants.h"

#include <algorithm>

#include "sql/plan/filter_node.h"
#include "sql/plan/values_node.h"

namespace tideline::sql {

namespace {

/// Functions whose result can be far larger than their arguments: not while planning.
constexpr std::string_view kGrowingFunctions[] = {"lpad",   "rpad",           "replace",   "repeat", "format",
                                                  "concat", "regexp_replace", "translate", "$concat"};
/// Text longer than this is left to the executor, which accounts for it.
constexpr std::size_t kFoldedTextBytesMax = 4096;

bool IsGrowing(std::string_view name) {
  return std::find(std::begin(kGrowingFunctions), std::end(kGrowingFunctions), name) != std::end(kGrowingFunctions);
}

bool IsLong(const Expr& constant) {
  return !constant.constant.is_null() && constant.type.physical() == PhysicalType::kString &&
         constant.constant.text().size() > kFoldedTextBytesMax;
}

/// Whether this one node may be computed, all its children being constants.
bool IsFoldable(const Expr& expr) {
  if (expr.type.is_nested()) return false;
  switch (expr.kind) {
    case ExprKind::kCall:
      return expr.scalar->volatility == functions::Volatility::kImmutable &&
             (!IsGrowing(expr.scalar->name) || expr.scalar->name == "$concat");
    case ExprKind::kCast:
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kCase:
    case ExprKind::kCoalesce:
    case ExprKind::kNullIf:
    case ExprKind::kIn:
    case ExprKind::kIsNull:
    case ExprKind::kTry:
      return true;
    default:
      return false;
  }
}

bool IsBooleanConstant(const Expr& expr, bool value) {
  return expr.kind == ExprKind::kConstant && expr.type.is(TypeId::kBoolean) && !expr.constant.is_null() &&
         expr.constant.boolean() == value;
}

/// AND without its trues, OR without its falses; the deciding value if there is one.
ExprPtr SimplifyLogic(const ExprPtr& expr) {
  const bool decides = expr->kind == ExprKind::kOr;
  std::vector<ExprPtr> kept;
  for (const ExprPtr& child : expr->children) {
    if (IsBooleanConstant(*child, decides)) return MakeConstant(Value::Boolean(decides), expr->position);
    if (!IsBooleanConstant(*child, !decides)) kept.push_back(child);
  }
  if (kept.empty()) return MakeConstant(Value::Boolean(!decides), expr->position);
  if (kept.size() == expr->children.size()) return expr;
  if (kept.size() == 1) return kept.front();
  return MakeExpr(expr->kind, expr->type, std::move(kept), expr->position);
}

/// CASE without branches that cannot be taken.
ExprPtr SimplifyCase(const ExprPtr& expr) {
  std::vector<ExprPtr> kept;
  std::size_t i = 0;
  for (; i + 1 < expr->children.size(); i += 2) {
    const Expr& when = *expr->children[i];
    if (when.kind == ExprKind::kConstant && !IsBooleanConstant(when, true)) continue;
    if (IsBooleanConstant(when, true)) {
      kept.push_back(expr->children[i + 1]);  // the rest is out of reach
      break;
    }
    kept.push_back(expr->children[i]);
    kept.push_back(expr->children[i + 1]);
  }
  if (i + 1 >= expr->children.size() && i < expr->children.size()) kept.push_back(expr->children[i]);
  if (kept.size() == expr->children.size()) return expr;
  if (kept.empty()) return MakeConstant(Value::Null(expr->type), expr->position);
  if (kept.size() == 1) return kept.front();
  return MakeExpr(ExprKind::kCase, expr->type, std::move(kept), expr->position);
}

}  // namespace

ExprPtr FoldExpr(const ExprPtr& expr, const EvaluateOptions& options) {
  if (expr->children.empty() && expr->kind != ExprKind::kCall) return expr;
  std::shared_ptr<Expr> copy;
  bool all_constant = true;
  for (std::size_t i = 0; i < expr->children.size(); ++i) {
    ExprPtr child = FoldExpr(expr->children[i], options);
    all_constant = all_constant && child->kind == ExprKind::kConstant && !IsLong(*child);
    if (child == expr->children[i]) continue;
    if (copy == nullptr) copy = std::make_shared<Expr>(*expr);
    copy->children[i] = std::move(child);
  }
  const ExprPtr folded = copy == nullptr ? expr : ExprPtr(std::move(copy));
  if (all_constant && IsFoldable(*folded)) {
    Result<Value> value = EvaluateConstant(*folded, options);
    if (value.ok()) {
      // The value's type may be narrower in writing (varchar(3)); the expression's is what counts.
      auto constant = std::make_shared<Expr>();
      constant->kind = ExprKind::kConstant;
      constant->type = folded->type;
      constant->position = folded->position;
      constant->constant = value->is_null() ? Value::Null(folded->type) : *std::move(value);
      if (!constant->constant.is_null() && folded->type.is(TypeId::kVarchar)) {
        constant->constant = Value::Text(folded->type, constant->constant.text());
      }
      return constant;
    }
  }
  if (folded->kind == ExprKind::kAnd || folded->kind == ExprKind::kOr) return SimplifyLogic(folded);
  if (folded->kind == ExprKind::kCase) return SimplifyCase(folded);
  return folded;
}

PlanNodePtr FoldConstants(const PlanNodePtr& node, const EvaluateOptions& options) {
  std::vector<PlanNodePtr> children;
  for (const PlanNodePtr& child : node->children()) children.push_back(FoldConstants(child, options));
  const PlanNodePtr rebuilt = node->children().empty() ? node : node->WithChildren(std::move(children));
  PlanNodePtr folded =
      rebuilt->WithExpressions([&](const ExprPtr& expr) { return FoldExpr(expr, options); });
  if (folded->kind() != PlanKind::kFilter) return folded;
  const Expr& predicate = *As<FilterNode>(*folded).predicate();
  if (predicate.kind != ExprKind::kConstant) return folded;
  if (IsBooleanConstant(predicate, true)) return folded->child();
  return std::make_shared<ValuesNode>(folded->outputs(), std::vector<std::vector<ExprPtr>>{});
}

}  // namespace tideline::sql
