// sql/plan/plan_node.h: a node of a logical plan, and what every node can say about itself.
//
// A plan is a tree of immutable nodes, shared freely. A node delivers rows with the columns of
// `outputs()`, in that order; columns are known by ColumnRef, unique within one query, names serve
// people only. Expressions inside a node speak of its children's outputs.
//
// A node answers for itself: which columns it needs, which predicates may be evaluated below it,
// which order it delivers, how many rows it expects. The rules of sql/optimize ask nodes and do not
// switch over kinds, so that a new operator is a new pair of files here and in exec.
//
//   scan         rows of a table                     scan_node.h
//   values       rows written in the statement       values_node.h
//   filter       rows for which a predicate is true  filter_node.h
//   project      new columns, row by row             project_node.h
//   aggregate    one row per group                   aggregate_node.h
//   sort         the same rows in order              sort_node.h
//   limit        some of the rows                    limit_node.h
//   topn         sort and limit at once              topn_node.h
//   set_operation  rows of several children          set_operation_node.h
//   join         pairs of rows of two children       join_node.h
//   unnest       a row per element of nested values  unnest_node.h
//   window       its rows with columns over others  window_node.h
//   shared       a plan's rows, computed once       shared_node.h
//
// A node may have no outputs at all (`SELECT count(*)` reads no column): rows still count.
// Threads: immutable, any. Lifetime: shared_ptr.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "sql/plan/expr.h"

namespace tideline::sql {

enum class PlanKind : std::uint8_t {
  kScan,
  kValues,
  kFilter,
  kProject,
  kAggregate,
  kSort,
  kLimit,
  kTopN,
  kSetOperation,
  kJoin,
  kUnnest,
  kWindow,
  kShared,
};

/// One column that a node delivers.
struct OutputColumn {
  ColumnRef column;
  std::string name;  ///< for people: messages, EXPLAIN, result headers; need not be unique
  Type type;
};

/// One key of an order. Nulls come last by default whatever the direction.
struct SortKey {
  ColumnRef column;
  bool descending = false;
  bool nulls_first = false;
  bool operator==(const SortKey&) const = default;
};

/// A set of columns of one query. Ids are dense, so this is a bitmap.
class ColumnSet {
 public:
  void Add(ColumnRef column) {
    if (column.id >= bits_.size()) bits_.resize(column.id + 1);
    bits_[column.id] = true;
  }
  bool Has(ColumnRef column) const { return column.id < bits_.size() && bits_[column.id]; }
  /// Adds every column that `expr` reads.
  void AddColumnsOf(const Expr& expr);
  /// Whether every column that `expr` reads is in the set.
  bool Covers(const Expr& expr) const;

 private:
  std::vector<bool> bits_;
};

/// What a node is, apart from its children and the columns that it makes: two nodes over children that do
/// the same do the same if this is equal. Columns of the children are compared by place.
class NodeIdentity {
 public:
  void Add(const ExprPtr& expr) { exprs_.push_back(expr); }  ///< may be null
  void Add(ColumnRef column) { columns_.push_back(column); }
  void Add(std::uint64_t number) { numbers_.push_back(number); }
  void Add(std::string_view text) { texts_.emplace_back(text); }

  const std::vector<ExprPtr>& exprs() const { return exprs_; }
  const std::vector<ColumnRef>& columns() const { return columns_; }
  const std::vector<std::uint64_t>& numbers() const { return numbers_; }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<ExprPtr> exprs_;
  std::vector<ColumnRef> columns_;
  std::vector<std::uint64_t> numbers_;
  std::vector<std::string> texts_;
};

class PlanNode;
using PlanNodePtr = std::shared_ptr<const PlanNode>;
using ExprRewrite = std::function<ExprPtr(const ExprPtr&)>;

class PlanNode {
 public:
  virtual ~PlanNode() = default;
  PlanNode(const PlanNode&) = delete;
  PlanNode& operator=(const PlanNode&) = delete;

  PlanKind kind() const { return kind_; }
  const std::vector<PlanNodePtr>& children() const { return children_; }
  const PlanNodePtr& child() const { return children_.front(); }
  const std::vector<OutputColumn>& outputs() const { return outputs_; }
  /// Nodes on the longest way down, this one included.
  std::uint32_t depth() const { return depth_; }
  /// Every column of outputs().
  ColumnSet OutputSet() const;

  /// One line for EXPLAIN, without estimates and children: "Filter (x > 1)".
  virtual std::string Describe() const = 0;

  /// The same node over other children, which deliver at least the columns that it reads.
  virtual PlanNodePtr WithChildren(std::vector<PlanNodePtr> children) const = 0;

  /// The same node with every expression in it replaced by `rewrite`. The node itself (shared) when
  /// nothing changed is not promised. Nodes without expressions return a copy.
  virtual PlanNodePtr WithExpressions(const ExprRewrite& rewrite) const = 0;

  /// The columns that child `index` must deliver so that this node can deliver `wanted`.
  virtual ColumnSet Required(const ColumnSet& wanted, std::size_t index) const = 0;

  /// This node over `children` (which deliver what Required() said) without those outputs that are
  /// not in `wanted` and can be left out. Rows stay the same rows.
  virtual PlanNodePtr Narrowed(const ColumnSet& wanted, std::vector<PlanNodePtr> children) const = 0;

  /// `predicate` (over this node's outputs) as a predicate over the outputs of child `index`, if
  /// dropping the rows of all children for which it is not true changes nothing but to drop the
  /// rows of this node for which it is not true; null pointer if it must stay above.
  virtual ExprPtr PassDown(const ExprPtr& predicate, std::size_t index) const = 0;

  /// The order that rows come in; empty when none is promised.
  virtual std::vector<SortKey> Order() const { return {}; }

  /// Rows expected; a guess unless rows can be counted at plan time. Kept: every level above asks again.
  double EstimatedRows() const;

  /// Distinct values of an output, if that is known; a child's answer by default.
  virtual std::optional<double> EstimatedDistinct(ColumnRef column) const;

  /// Tells `identity` everything that decides about the rows, children aside.
  virtual void AddIdentity(NodeIdentity* identity) const = 0;

 protected:
  virtual double EstimateRows() const = 0;
  /// `depth_inside`: of a plan that the node holds without it being a child.
  PlanNode(PlanKind kind, std::vector<PlanNodePtr> children, std::vector<OutputColumn> outputs,
           std::uint32_t depth_inside = 0)
      : kind_(kind), depth_(depth_inside + 1), children_(std::move(children)), outputs_(std::move(outputs)) {
    for (const PlanNodePtr& child : children_) depth_ = std::max(depth_, child->depth() + 1);
  }

 private:
  PlanKind kind_;
  std::uint32_t depth_;
  mutable std::atomic<double> estimated_rows_{-1};
  std::vector<PlanNodePtr> children_;
  std::vector<OutputColumn> outputs_;
};

/// `node` over what `rewrite` makes of each child; `node` itself when no child changes.
PlanNodePtr RewriteChildren(const PlanNodePtr& node, const std::function<PlanNodePtr(const PlanNodePtr&)>& rewrite);

/// Tells `identity` of `keys`.
void AddSortKeys(const std::vector<SortKey>& keys, NodeIdentity* identity);

/// The node as its kind's class; the kind is checked.
template <typename T>
const T& As(const PlanNode& node) {
  TL_CHECK(node.kind() == T::kKind);
  return static_cast<const T&>(node);
}

/// The plan as text, one node a line, children indented by two blanks below their parent, each with
/// its columns and expected rows when `verbose`. Ends in a newline.
std::string PrintPlan(const PlanNode& root, bool verbose = false);

/// "[host#1, time#2]": columns with their ids, for Describe().
std::string PrintColumns(const std::vector<OutputColumn>& columns);
/// "[time#2 DESC NULLS FIRST]"; names are looked up in `columns`.
std::string PrintSortKeys(const std::vector<SortKey>& keys, const std::vector<OutputColumn>& columns);

}  // namespace tideline::sql
