#include "sql/parse/walk.h"

#include "sql/parse/fields.h"

namespace tideline::sql::ast {
namespace {

using internal::HasFields;
using internal::kIsNode;
using internal::VisitNodes;
using internal::WithKind;

// One overload per shape of a field. Nodes with a base compare their kinds first.
struct Equal {
  template <typename T>
    requires(!HasFields<T> && !kIsNode<T>)
  static bool Of(const T& left, const T& right) {
    return left == right;
  }

  template <typename T>
  static bool Of(const std::unique_ptr<T>& left, const std::unique_ptr<T>& right) {
    if (left == nullptr || right == nullptr) return left == right;
    return Of(*left, *right);
  }

  template <typename T>
  static bool Of(const std::vector<T>& left, const std::vector<T>& right) {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!Of(left[i], right[i])) return false;
    }
    return true;
  }

  template <typename T>
  static bool Of(const std::optional<T>& left, const std::optional<T>& right) {
    if (left.has_value() != right.has_value()) return false;
    return !left.has_value() || Of(*left, *right);
  }

  template <HasFields T>
  static bool Of(const T& left, const T& right) {
    return OfTuples(left.Fields(), right.Fields());
  }

  template <typename T>
    requires(kIsNode<T> && !HasFields<T>)
  static bool Of(const T& left, const T& right) {
    if (left.kind != right.kind) return false;
    if constexpr (std::is_same_v<T, Relation>) {
      if (!OfTuples(left.BaseFields(), right.BaseFields())) return false;
    }
    return WithKind(left, [&](const auto& of_kind) {
      using Kind = std::remove_cvref_t<decltype(of_kind)>;
      return OfTuples(of_kind.Fields(), As<Kind>(right).Fields());
    });
  }

  template <typename... T>
  static bool OfTuples(const std::tuple<T...>& left, const std::tuple<T...>& right) {
    return OfElements(left, right, std::index_sequence_for<T...>());
  }

  template <typename Tuple, std::size_t... index>
  static bool OfElements(const Tuple& left, const Tuple& right, std::index_sequence<index...>) {
    return (Of(std::get<index>(left), std::get<index>(right)) && ...);
  }
};

using Visit = std::function<void(const Expr&)>;

// Stops at expressions; passes through everything else if `into_queries`.
struct ChildVisitor {
  bool into_queries;
  const Visit& visit;

  void operator()(const Expr& expr) const { visit(expr); }
  void operator()(const Query& query) const {
    if (into_queries) VisitNodes(query, *this);
  }
  template <typename T>
  void operator()(const T& node) const {
    WithKind(node, [&](const auto& of_kind) { VisitNodes(of_kind, *this); });
  }
};

}  // namespace

bool StructurallyEqual(const Expr& left, const Expr& right) { return Equal::Of(left, right); }
bool StructurallyEqual(const Query& left, const Query& right) { return Equal::Of(left, right); }
bool StructurallyEqual(const Statement& left, const Statement& right) {
  return Equal::Of(left, right);
}

void ForEachChild(const Expr& expr, bool into_queries, const Visit& visit) {
  const ChildVisitor visitor{into_queries, visit};
  WithKind(expr, [&](const auto& of_kind) { VisitNodes(of_kind, visitor); });
}

bool AnyOf(const Expr& expr, const std::function<bool(const Expr&)>& predicate) {
  if (predicate(expr)) return true;
  bool found = false;
  ForEachChild(expr, false, [&](const Expr& child) { found = found || AnyOf(child, predicate); });
  return found;
}

}  // namespace tideline::sql::ast
