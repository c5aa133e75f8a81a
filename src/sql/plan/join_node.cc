#include "sql/plan/join_node.h"

#include <fmt/format.h>

#include "sql/plan/may_fail.h"

namespace tideline::sql {

namespace {

/// Guess of what a condition without keys lets through.
constexpr double kPairSelectivity = 0.25;

std::vector<OutputColumn> OutputsOfJoin(const PlanNode& left, const PlanNode& right, const JoinNode::Spec& spec) {
  std::vector<OutputColumn> outputs = left.outputs();
  if (spec.kind == JoinKind::kMark) {
    outputs.push_back(spec.mark);
  } else {
    outputs.insert(outputs.end(), right.outputs().begin(), right.outputs().end());
  }
  return outputs;
}

bool ReadsAnything(const Expr& expr) {
  std::vector<ColumnRef> columns;
  CollectColumns(expr, &columns);
  return !columns.empty();
}

bool IsTrue(const Expr& expr) {
  return expr.kind == ExprKind::kConstant && expr.type.is(TypeId::kBoolean) && !expr.constant.is_null() &&
         expr.constant.boolean();
}

}  // namespace

std::string_view JoinKindName(JoinKind kind) {
  switch (kind) {
    case JoinKind::kInner:
      return "Inner";
    case JoinKind::kLeft:
      return "Left";
    case JoinKind::kRight:
      return "Right";
    case JoinKind::kFull:
      return "Full";
    case JoinKind::kSingle:
      return "Single";
    case JoinKind::kMark:
      return "Mark";
  }
  return {};
}

JoinNode::JoinNode(PlanNodePtr left, PlanNodePtr right, Spec spec)
    : JoinNode(left, right, spec, OutputsOfJoin(*left, *right, spec)) {}

JoinNode::JoinNode(PlanNodePtr left, PlanNodePtr right, Spec spec, std::vector<OutputColumn> outputs)
    : PlanNode(kKind, {std::move(left), std::move(right)}, std::move(outputs)), spec_(std::move(spec)) {
  SplitCondition();
}

bool JoinNode::preserves_left() const { return spec_.kind != JoinKind::kInner && spec_.kind != JoinKind::kRight; }

void JoinNode::SplitCondition() {
  std::vector<ExprPtr> conjuncts;
  AppendConjuncts(spec_.condition, &conjuncts);
  std::vector<ExprPtr> rest;
  for (const ExprPtr& conjunct : conjuncts) {
    if (IsTrue(*conjunct)) continue;
    std::optional<Key> key;
    if (rest.empty() || !MayFail(*conjunct)) key = AsKey(*conjunct);
    if (key.has_value()) {
      keys_.push_back(*std::move(key));
    } else {
      rest.push_back(conjunct);
    }
  }
  residual_ = MakeAnd(std::move(rest));
  if (spec_.kind == JoinKind::kMark && keys_.empty() && residual_ == nullptr) test_key_ = AsKey(*spec_.test);
}

std::optional<JoinNode::Key> JoinNode::AsKey(const Expr& conjunct) const {
  if (conjunct.kind != ExprKind::kCall || conjunct.scalar->name != "$equal" || HasVolatileCall(conjunct)) {
    return std::nullopt;
  }
  const ExprPtr& a = conjunct.children[0];
  const ExprPtr& b = conjunct.children[1];
  // Elements of nested values may be null, which hashing knows nothing of.
  if (a->type.is_nested() || a->type.is(TypeId::kUnknown)) return std::nullopt;
  if (a->type.physical() != b->type.physical() || a->type.id() != b->type.id()) return std::nullopt;
  if (!ReadsAnything(*a) || !ReadsAnything(*b)) return std::nullopt;
  const ColumnSet left = children()[0]->OutputSet();
  const ColumnSet right = children()[1]->OutputSet();
  if (left.Covers(*a) && right.Covers(*b)) return Key{a, b};
  if (left.Covers(*b) && right.Covers(*a)) return Key{b, a};
  return std::nullopt;
}

std::string JoinNode::Describe() const {
  std::string out = fmt::format("{} join", JoinKindName(spec_.kind));
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    out += fmt::format("{}{} = {}", i == 0 ? " on " : ", ", PrintExpr(*keys_[i].left), PrintExpr(*keys_[i].right));
  }
  if (residual_ != nullptr) out += fmt::format(" where {}", PrintExpr(*residual_));
  if (spec_.test != nullptr) out += fmt::format(" marks {}", PrintExpr(*spec_.test));
  return out;
}

PlanNodePtr JoinNode::WithChildren(std::vector<PlanNodePtr> children) const {
  return std::shared_ptr<JoinNode>(new JoinNode(std::move(children[0]), std::move(children[1]), spec_, outputs()));
}

PlanNodePtr JoinNode::WithExpressions(const ExprRewrite& rewrite) const {
  Spec spec = spec_;
  if (spec.condition != nullptr) spec.condition = rewrite(spec.condition);
  if (spec.test != nullptr) spec.test = rewrite(spec.test);
  return std::shared_ptr<JoinNode>(new JoinNode(children()[0], children()[1], std::move(spec), outputs()));
}

ColumnSet JoinNode::Required(const ColumnSet& wanted, std::size_t /*index*/) const {
  ColumnSet required = wanted;
  if (spec_.condition != nullptr) required.AddColumnsOf(*spec_.condition);
  if (spec_.test != nullptr) required.AddColumnsOf(*spec_.test);
  return required;
}

PlanNodePtr JoinNode::Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const {
  std::vector<OutputColumn> kept;
  for (const OutputColumn& output : outputs()) {
    if (wanted.Has(output.column)) kept.push_back(output);
  }
  return std::shared_ptr<JoinNode>(
      new JoinNode(std::move(children[0]), std::move(children[1]), spec_, std::move(kept)));
}

PlanNodePtr JoinNode::WithCondition(ExprPtr condition, std::vector<PlanNodePtr> children) const {
  Spec spec = spec_;
  spec.condition = std::move(condition);
  return std::shared_ptr<JoinNode>(
      new JoinNode(std::move(children[0]), std::move(children[1]), std::move(spec), outputs()));
}

ExprPtr JoinNode::PassDown(const ExprPtr& predicate, std::size_t index) const {
  if (HasVolatileCall(*predicate)) return nullptr;
  const bool to_left = !preserves_right() && children()[0]->OutputSet().Covers(*predicate);
  const bool to_right = !to_left && !preserves_left() && children()[1]->OutputSet().Covers(*predicate);
  if (!to_left && !to_right) return nullptr;
  return to_left == (index == 0) ? predicate : MakeConstant(Value::Boolean(true), predicate->position);
}

bool JoinNode::ConditionPasses(const Expr& conjunct, std::size_t index) const {
  if (HasVolatileCall(conjunct) || (index == 0 ? preserves_left() : preserves_right())) return false;
  return ReadsAnything(conjunct) && children()[index]->OutputSet().Covers(conjunct);
}

double JoinNode::EstimateRows() const {
  const double left = children()[0]->EstimatedRows();
  const double right = children()[1]->EstimatedRows();
  if (spec_.kind == JoinKind::kMark || spec_.kind == JoinKind::kSingle) return left;
  double rows = left * right;
  if (!keys_.empty()) {
    // The key with the most values on either side says how many pairs there are; without one, each row of
    // the larger side finds one of the other.
    double distinct = 0;
    for (const Key& key : keys_) {
      for (std::size_t side = 0; side < 2; ++side) {
        const Expr* expr = side == 0 ? key.left.get() : key.right.get();
        // A text of another length has as many values.
        while (expr->kind == ExprKind::kCast && expr->type.is(expr->children[0]->type.id())) {
          expr = expr->children[0].get();
        }
        if (expr->kind != ExprKind::kColumn) continue;
        distinct = std::max(distinct, children()[side]->EstimatedDistinct(expr->column).value_or(0));
      }
    }
    rows = distinct > 0 ? rows / distinct : std::max(left, right);
  }
  if (residual_ != nullptr) rows *= kPairSelectivity;
  if (preserves_left()) rows = std::max(rows, left);
  if (preserves_right()) rows = std::max(rows, right);
  return rows;
}

void JoinNode::AddIdentity(NodeIdentity* identity) const {
  identity->Add(static_cast<std::uint64_t>(spec_.kind));
  identity->Add(spec_.condition);
  identity->Add(spec_.test);
  identity->Add(static_cast<std::uint64_t>(spec_.at_most_one));
  // Which columns it hands on.
  for (const OutputColumn& output : outputs()) {
    if (spec_.kind != JoinKind::kMark || output.column != spec_.mark.column) identity->Add(output.column);
  }
}

}  // namespace tideline::sql
