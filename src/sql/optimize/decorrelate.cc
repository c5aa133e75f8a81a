#include "sql/optimize/decorrelate.h"

#include <algorithm>
#include <map>

#include "functions/registry.h"
#include "sql/optimize/pull_correlation.h"
#include "sql/optimize/push_domain.h"
#include "sql/plan/aggregate_node.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/free_columns.h"
#include "sql/plan/join_node.h"
#include "sql/plan/limit_node.h"
#include "sql/plan/make_call.h"
#include "sql/plan/project_node.h"
#include "sql/plan/shared_node.h"
#include "sql/plan/topn_node.h"
#include "sql/plan/window_node.h"

namespace tideline::sql {

namespace {

/// Whether values of `type` that are equal are the same, and can be hashed.
bool EqualIsIdentical(const Type& type) {
  switch (type.physical()) {
    case PhysicalType::kBool8:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
    case PhysicalType::kString:
      return type.is_comparable() && !type.is(TypeId::kUnknown);
    default:
      return false;
  }
}

bool IsTrueTest(const ExprPtr& expr) {
  return expr != nullptr && expr->kind == ExprKind::kConstant && !expr->constant.is_null() &&
         expr->type.is(TypeId::kBoolean) && expr->constant.boolean();
}

/// EXISTS asks for one row: orders and limits above it do not matter.
PlanNodePtr WithoutLimits(PlanNodePtr plan) {
  for (;;) {
    if (plan->kind() == PlanKind::kSort || plan->kind() == PlanKind::kProject) {
      plan = plan->child();
    } else if (plan->kind() == PlanKind::kLimit && As<LimitNode>(*plan).offset() == 0 &&
               As<LimitNode>(*plan).count().value_or(1) > 0) {
      plan = plan->child();
    } else if (plan->kind() == PlanKind::kTopN && As<TopNNode>(*plan).offset() == 0 &&
               As<TopNNode>(*plan).count() > 0) {
      plan = plan->child();
    } else {
      return plan;
    }
  }
}

class Decorrelator {
 public:
  Decorrelator(const DecorrelateOptions& options, std::uint32_t* column_count)
      : options_(options), column_count_(column_count) {}

  Result<PlanNodePtr> Run(const PlanNodePtr& node) {
    if (++node_count_ > kDecorrelatedNodesMax) {
      return ResourceExhausted("The query is too complex: taking its sub-queries apart needs more than {} steps",
                               kDecorrelatedNodesMax);
    }
    if (!HasDependentJoin(*node)) return node;
    if (node->kind() == PlanKind::kJoin && As<JoinNode>(*node).spec().dependent) {
      return RunJoin(As<JoinNode>(*node));
    }
    std::vector<PlanNodePtr> children;
    for (const PlanNodePtr& child : node->children()) {
      PlanNodePtr done = TL_TRY(Run(child));
      children.push_back(std::move(done));
    }
    return node->WithChildren(std::move(children));
  }

 private:
  ColumnRef NewColumn() { return {(*column_count_)++}; }

  Result<PlanNodePtr> RunJoin(const JoinNode& join) {
    const PlanNodePtr left = TL_TRY(Run(join.children()[0]));
    PlanNodePtr right = TL_TRY(Run(join.children()[1]));
    JoinNode::Spec spec = join.spec();
    spec.dependent = false;
    if (spec.kind == JoinKind::kMark && IsTrueTest(spec.test) && spec.condition == nullptr) right = WithoutLimits(right);
    const std::vector<ColumnRef> outer = free_.Of(right);
    const ColumnSet delivered = left->OutputSet();
    const auto is_left = [&](ColumnRef column) { return delivered.Has(column); };
    if (std::none_of(outer.begin(), outer.end(), is_left)) return Plain(left, right, std::move(spec));
    std::optional<PulledPlan> pulled = PullCorrelation(right, outer, options_, column_count_);
    if (pulled.has_value()) {
      PlanNodePtr joined = JoinPulled(left, *std::move(pulled), spec);
      if (joined != nullptr) return joined;
    }
    const bool closed = free_.Of(left).empty() && std::all_of(outer.begin(), outer.end(), is_left);
    if (!closed) {
      // Something here reads columns of a query further out. Its domain will come in from the left.
      spec.dependent = true;
      return Plain(left, right, std::move(spec));
    }
    return JoinPushed(left, right, std::move(spec), outer);
  }

  static PlanNodePtr Plain(const PlanNodePtr& left, const PlanNodePtr& right, JoinNode::Spec spec) {
    return std::make_shared<JoinNode>(left, right, std::move(spec));
  }

  /// Null pointer if that way is not open.
  PlanNodePtr JoinPulled(const PlanNodePtr& left, PulledPlan pulled, const JoinNode::Spec& spec) {
    if (pulled.defaults.empty()) {
      AppendConjuncts(spec.condition, &pulled.condition);
      JoinNode::Spec joined = spec;
      joined.condition = MakeAnd(std::move(pulled.condition));
      return Plain(left, pulled.plan, std::move(joined));
    }
    if (spec.condition != nullptr && spec.kind != JoinKind::kInner) return nullptr;
    // An aggregate over no rows is a row all the same; the join has none and says so by a null in `present`.
    const OutputColumn present{NewColumn(), "present", Type::Boolean()};
    const ExprPtr absent = MakeExpr(ExprKind::kIsNull, Type::Boolean(), {ReadColumn(present)});
    std::vector<ProjectNode::Item> below{{present, MakeConstant(Value::Boolean(true))}};
    std::vector<ProjectNode::Item> above;
    for (const OutputColumn& output : left->outputs()) above.push_back({output, ReadColumn(output)});
    std::map<ColumnRef, ColumnRef> renamed;
    for (const OutputColumn& output : pulled.plan->outputs()) {
      const OutputColumn inner{NewColumn(), output.name, output.type};
      renamed[output.column] = inner.column;
      below.push_back({inner, ReadColumn(output)});
      const auto found = std::find_if(pulled.defaults.begin(), pulled.defaults.end(),
                                      [&](const auto& entry) { return entry.first == output.column; });
      above.push_back({output, found == pulled.defaults.end()
                                   ? ReadColumn(inner)
                                   : MakeExpr(ExprKind::kCase, output.type, {absent, found->second, ReadColumn(inner)})});
    }
    for (ExprPtr& part : pulled.condition) {
      part = RewriteExpr(part, [&](const ExprPtr& at) -> ExprPtr {
        if (at->kind != ExprKind::kColumn) return nullptr;
        const auto found = renamed.find(at->column);
        return found == renamed.end() ? nullptr : MakeColumn(found->second, at->type, at->name, at->position);
      });
    }
    JoinNode::Spec single;
    single.kind = JoinKind::kSingle;
    single.condition = MakeAnd(std::move(pulled.condition));
    PlanNodePtr plan = Plain(left, std::make_shared<ProjectNode>(std::move(pulled.plan), std::move(below)),
                             std::move(single));
    plan = std::make_shared<ProjectNode>(std::move(plan), std::move(above));
    // There is exactly one right row now for each left row.
    if (spec.kind == JoinKind::kMark) {
      std::vector<ProjectNode::Item> marked;
      for (const OutputColumn& output : left->outputs()) marked.push_back({output, ReadColumn(output)});
      marked.push_back({spec.mark, spec.test});
      return std::make_shared<ProjectNode>(std::move(plan), std::move(marked));
    }
    if (spec.condition != nullptr) plan = std::make_shared<FilterNode>(std::move(plan), spec.condition);
    return plan;
  }

  Result<PlanNodePtr> JoinPushed(const PlanNodePtr& left, const PlanNodePtr& right, JoinNode::Spec spec,
                                 const std::vector<ColumnRef>& outer) {
    std::vector<OutputColumn> read;
    for (const ColumnRef column : outer) {
      for (const OutputColumn& output : left->outputs()) {
        if (output.column != column) continue;
        read.push_back(output);
        break;
      }
    }
    Domain domain;
    domain.numbered =
        std::any_of(read.begin(), read.end(), [](const OutputColumn& c) { return !EqualIsIdentical(c.type); });
    PlanNodePtr rows = left;
    if (domain.numbered) {
      WindowCall call;
      call.window = functions::FunctionRegistry::Get().FindWindow("row_number");
      if (call.window == nullptr) return Internal("window function row_number is not registered");
      call.output = {NewColumn(), "row", Type::Bigint()};
      read.insert(read.begin(), call.output);
      rows = std::make_shared<WindowNode>(rows, WindowNode::Spec{}, std::vector<WindowCall>{std::move(call)});
    }
    const auto shared = std::make_shared<SharedPlan>(SharedPlan{(*column_count_)++, rows});
    std::vector<OutputColumn> domain_inputs;
    std::vector<ColumnRef> inputs;
    for (const OutputColumn& column : read) {
      inputs.push_back(column.column);
      domain_inputs.push_back({NewColumn(), column.name, column.type});
      domain.outer.push_back(column.column);
    }
    PlanNodePtr values = std::make_shared<SharedNode>(shared, domain_inputs, std::move(inputs));
    if (!domain.numbered) {
      std::vector<AggregateNode::Key> keys;
      for (const OutputColumn& column : domain_inputs) keys.push_back({column, ReadColumn(column)});
      values = std::make_shared<AggregateNode>(std::move(values), std::move(keys), std::vector<AggregateCall>{});
    }
    domain.columns = domain_inputs;
    domain.plan = std::make_shared<SharedPlan>(SharedPlan{(*column_count_)++, std::move(values)});
    DomainPusher pusher(domain, options_, column_count_, [this](const PlanNodePtr& node) { return Run(node); });
    PushedPlan pushed = TL_TRY(pusher.Push(right));
    std::vector<ExprPtr> condition = TL_TRY(pusher.SameRow(read, pushed.refs));
    AppendConjuncts(spec.condition, &condition);
    spec.condition = MakeAnd(std::move(condition));
    std::vector<ColumnRef> all;
    for (const OutputColumn& output : rows->outputs()) all.push_back(output.column);
    return Plain(std::make_shared<SharedNode>(shared, rows->outputs(), std::move(all)), pushed.plan, std::move(spec));
  }

  const DecorrelateOptions& options_;
  std::uint32_t* const column_count_;
  FreeColumns free_;
  std::size_t node_count_ = 0;
};

}  // namespace

bool HasDependentJoin(const PlanNode& node) {
  if (node.kind() == PlanKind::kJoin && As<JoinNode>(node).spec().dependent) return true;
  return std::any_of(node.children().begin(), node.children().end(),
                     [](const PlanNodePtr& child) { return HasDependentJoin(*child); });
}

Result<PlanNodePtr> Decorrelate(const PlanNodePtr& root, const DecorrelateOptions& options,
                                std::uint32_t* column_count) {
  PlanNodePtr done = TL_TRY(Decorrelator(options, column_count).Run(root));
  if (HasDependentJoin(*done)) return Internal("a sub-query reads columns that no query around it has");
  return done;
}

}  // namespace tideline::sql
