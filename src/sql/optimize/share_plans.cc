#include "sql/optimize/share_plans.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/hash.h"
#include "sql/plan/shared_node.h"

namespace tideline::sql {

namespace {

/// All parts of a plan that are alike.
struct PlanClass {
  PlanNodePtr first;
  NodeIdentity identity;
  std::vector<std::size_t> children;  // their classes
  bool costly = false;                // something in it is worth keeping
  bool steady = true;                 // it gives the same rows each time
  std::size_t uses = 0;
  SharedPlanPtr shared;               // once made
};

bool IsCostly(PlanKind kind) {
  switch (kind) {
    case PlanKind::kAggregate:
    case PlanKind::kLimit:
    case PlanKind::kTopN:
    case PlanKind::kJoin:
    case PlanKind::kUnnest:
    case PlanKind::kWindow:
      return true;
    case PlanKind::kScan:
    case PlanKind::kValues:
    case PlanKind::kFilter:
    case PlanKind::kProject:
    case PlanKind::kSort:
    case PlanKind::kSetOperation:
    case PlanKind::kShared:
      return false;
  }
  return false;
}

/// Columns of one plan by the columns of another that is alike.
using ColumnMap = std::map<ColumnRef, ColumnRef>;

void MapOutputs(const PlanNode& from, const PlanNode& to, ColumnMap* map) {
  for (std::size_t i = 0; i < from.outputs().size(); ++i) {
    (*map)[from.outputs()[i].column] = to.outputs()[i].column;
  }
}

ColumnRef Mapped(const ColumnMap& map, ColumnRef column) {
  const auto found = map.find(column);
  return found == map.end() ? column : found->second;
}

bool SameMapped(const ExprPtr& a, const ExprPtr& b, const ColumnMap& map) {
  if ((a == nullptr) != (b == nullptr)) return false;
  if (a == nullptr) return true;
  const ExprPtr renamed = RewriteExpr(b, [&](const ExprPtr& part) -> ExprPtr {
    if (part->kind != ExprKind::kColumn) return nullptr;
    const ColumnRef column = Mapped(map, part->column);
    return column == part->column ? nullptr : MakeColumn(column, part->type, part->name, part->position);
  });
  return SameExpr(*a, *renamed);
}

/// Where nothing branches nothing is there twice.
bool Branches(const PlanNode& node) {
  return node.children().size() > 1 || (node.children().size() == 1 && Branches(*node.child()));
}

class Sharer {
 public:
  explicit Sharer(std::uint32_t* column_count) : column_count_(column_count) {}

  PlanNodePtr Share(const PlanNodePtr& root) {
    const std::vector<SharedPlanPtr> plans = SharedPlansOf(*root);
    for (const SharedPlanPtr& plan : plans) Classify(plan->root);
    Classify(root);
    for (const SharedPlanPtr& plan : plans) Count(plan->root);
    Count(root);
    if (std::none_of(classes_.begin(), classes_.end(), [this](const PlanClass& c) { return IsShared(c); })) return root;
    return Replace(root);
  }

 private:
  bool IsShared(const PlanClass& c) const {
    return c.uses > 1 && c.costly && c.steady && c.first->EstimatedRows() <= kSharedRowsMax;
  }

  std::size_t Classify(const PlanNodePtr& node) {
    const auto known = class_of_.find(node.get());
    if (known != class_of_.end()) return known->second;
    PlanClass made;
    made.first = node;
    made.costly = IsCostly(node->kind());
    for (const PlanNodePtr& child : node->children()) {
      made.children.push_back(Classify(child));
      const PlanClass& below = classes_[made.children.back()];
      made.costly = made.costly || below.costly;
      made.steady = made.steady && below.steady;
    }
    node->AddIdentity(&made.identity);
    for (const ExprPtr& expr : made.identity.exprs()) {
      if (expr != nullptr && HasVolatileCall(*expr)) made.steady = false;
    }
    const std::uint64_t hash = HashOf(made);
    const auto range = by_hash_.equal_range(hash);
    for (auto at = range.first; at != range.second; ++at) {
      if (!Alike(classes_[at->second], made)) continue;
      class_of_[node.get()] = at->second;
      kept_.push_back(node);
      return at->second;
    }
    classes_.push_back(std::move(made));
    by_hash_.emplace(hash, classes_.size() - 1);
    class_of_[node.get()] = classes_.size() - 1;
    return classes_.size() - 1;
  }

  static std::uint64_t HashOf(const PlanClass& c) {
    std::uint64_t hash = MixHash(static_cast<std::uint64_t>(c.first->kind()) + 1);
    for (const OutputColumn& output : c.first->outputs()) {
      hash = CombineHash(hash, static_cast<std::uint64_t>(output.type.id()));
    }
    for (const std::size_t child : c.children) hash = CombineHash(hash, child);
    for (const std::uint64_t number : c.identity.numbers()) hash = CombineHash(hash, number);
    for (const std::string& text : c.identity.texts()) hash = CombineHash(hash, Hash64(text));
    for (const ExprPtr& expr : c.identity.exprs()) {
      hash = CombineHash(hash, expr == nullptr ? 0 : static_cast<std::uint64_t>(expr->kind) + 1);
    }
    return CombineHash(hash, c.identity.columns().size());
  }

  static bool Alike(const PlanClass& a, const PlanClass& b) {
    const PlanNode& x = *a.first;
    const PlanNode& y = *b.first;
    if (x.kind() != y.kind() || a.children != b.children || x.outputs().size() != y.outputs().size()) return false;
    const NodeIdentity& i = a.identity;
    const NodeIdentity& k = b.identity;
    if (i.numbers() != k.numbers() || i.texts() != k.texts() || i.exprs().size() != k.exprs().size() ||
        i.columns().size() != k.columns().size()) {
      return false;
    }
    ColumnMap map;
    for (std::size_t c = 0; c < x.children().size(); ++c) MapOutputs(*y.children()[c], *x.children()[c], &map);
    MapOutputs(y, x, &map);
    for (std::size_t o = 0; o < x.outputs().size(); ++o) {
      if (!(x.outputs()[o].type == y.outputs()[o].type)) return false;
    }
    for (std::size_t c = 0; c < i.columns().size(); ++c) {
      if (i.columns()[c] != Mapped(map, k.columns()[c])) return false;
    }
    for (std::size_t e = 0; e < i.exprs().size(); ++e) {
      if (!SameMapped(i.exprs()[e], k.exprs()[e], map)) return false;
    }
    return true;
  }

  /// How often each class would be computed; below one that is shared, once.
  void Count(const PlanNodePtr& node) {
    PlanClass& c = classes_[class_of_.at(node.get())];
    if (++c.uses > 1 && IsShared(c)) return;
    for (const PlanNodePtr& child : node->children()) Count(child);
  }

  PlanNodePtr Replace(const PlanNodePtr& node) {
    if (node->kind() == PlanKind::kShared) {
      const SharedNode& shared = As<SharedNode>(*node);
      SharedPlanPtr& plan = replaced_[shared.plan_ptr().get()];
      if (plan == nullptr) {
        SharedPlanPtr made =
            std::make_shared<SharedPlan>(SharedPlan{shared.plan().id, Replace(shared.plan().root)});
        replaced_[shared.plan_ptr().get()] = made;
        return shared.WithPlan(std::move(made));
      }
      return shared.WithPlan(plan);
    }
    const auto known = class_of_.find(node.get());
    if (known != class_of_.end() && IsShared(classes_[known->second])) return Use(node, known->second);
    return Below(node);
  }

  PlanNodePtr Below(const PlanNodePtr& node) {
    return RewriteChildren(node, [&](const PlanNodePtr& child) { return Replace(child); });
  }

  PlanNodePtr Use(const PlanNodePtr& node, std::size_t index) {
    if (classes_[index].shared == nullptr) {
      const PlanNodePtr root = Below(classes_[index].first);
      classes_[index].shared = std::make_shared<SharedPlan>(SharedPlan{(*column_count_)++, root});
    }
    const PlanClass& c = classes_[index];
    std::vector<ColumnRef> inputs;
    for (const OutputColumn& output : c.first->outputs()) inputs.push_back(output.column);
    return std::make_shared<SharedNode>(c.shared, node->outputs(), std::move(inputs));
  }

  std::uint32_t* const column_count_;
  std::vector<PlanClass> classes_;
  std::unordered_multimap<std::uint64_t, std::size_t> by_hash_;
  std::map<const PlanNode*, std::size_t> class_of_;
  std::map<const SharedPlan*, SharedPlanPtr> replaced_;  // those there were before
  std::vector<PlanNodePtr> kept_;  // so that addresses in class_of_ stay theirs
};

}  // namespace

PlanNodePtr SharePlans(const PlanNodePtr& root, std::uint32_t* column_count) {
  return Branches(*root) ? Sharer(column_count).Share(root) : root;
}

}  // namespace tideline::sql
