// sql/plan/expr.h: a bound expression: every name resolved, every type known, every cast written.
//
// The binder makes these from syntax trees, the optimizer rewrites them, the evaluator of exec runs
// them over batches. Columns are named by a ColumnId that is unique within one query, so that an
// expression keeps its meaning wherever the optimizer moves it; exec turns ids into positions last.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "columnar/value.h"
#include "functions/function.h"

namespace tideline::sql {

/// One column somewhere in one query's plan.
struct ColumnRef {
  std::uint32_t id = 0;
  auto operator<=>(const ColumnRef&) const = default;
};

/// Line and column, 1-based, of the text an expression came from; 0 when it came from none.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

enum class ExprKind : std::uint8_t {
  kColumn,       ///< column
  kConstant,     ///< constant
  kCall,         ///< scalar->overloads[overload] over children; lambda children are kLambda
  kCast,         ///< child 0 to `type`; try_cast makes failures null
  kAnd,          ///< n-ary, three-valued
  kOr,           ///< n-ary, three-valued
  kCase,         ///< children: when, then, when, then, …, [else]; first true wins, lazily
  kCoalesce,     ///< first non-null, lazily
  kNullIf,       ///< children a, b: null when a = b (compared after cast, see compare), else a
  kIn,           ///< child 0 among the rest, three-valued; all of one type
  kIsNull,       ///< child 0; never null itself
  kTry,          ///< child 0; execution errors become null
  kRow,          ///< children are the fields
  kField,        ///< field `field_index` of the row child 0
  kLambda,       ///< parameters (ColumnRefs) and child 0 the body; only as a kCall argument
  kParameter,    ///< @name, typed by inference; a value is bound before execution
  kSubquery,     ///< a sub-query in an expression; the optimizer turns it into a join or a value
};

class PlanNode;  // sql/plan/plan_node.h

enum class SubqueryKind : std::uint8_t { kScalar, kExists, kIn, kQuantified };

/// Immutable once built and shared freely between plans.
struct Expr {
  ExprKind kind = ExprKind::kConstant;
  Type type;
  Position position;
  std::vector<std::shared_ptr<const Expr>> children;

  ColumnRef column;                                      // kColumn
  Value constant;                                        // kConstant
  const functions::ScalarFunction* scalar = nullptr;     // kCall
  std::size_t overload = 0;                              // kCall
  bool try_cast = false;                                 // kCast
  std::uint32_t field_index = 0;                         // kField
  std::vector<ColumnRef> parameters;                     // kLambda
  std::vector<Type> parameter_types;                     // kLambda
  std::string name;                                      // kParameter; kColumn: for messages
  SubqueryKind subquery_kind = SubqueryKind::kScalar;    // kSubquery
  std::shared_ptr<const PlanNode> subquery;              // kSubquery
  std::string_view comparison;                           // kSubquery kQuantified: "$less", …
  bool quantified_all = false;                           // kSubquery kQuantified: ALL rather than ANY
};
using ExprPtr = std::shared_ptr<const Expr>;

/// Structural equality, positions and column spellings aside: GROUP BY matching, plan reuse.
bool SameExpr(const Expr& a, const Expr& b);
/// A hash that agrees with SameExpr.
std::uint64_t HashExpr(const Expr& expr);
/// SQL-like text for EXPLAIN and messages.
std::string PrintExpr(const Expr& expr);
/// True when no column, parameter, lambda parameter, sub-query or volatile call is inside.
bool IsConstantExpr(const Expr& expr);
/// True when some call inside differs per row (random()).
bool HasVolatileCall(const Expr& expr);
/// Nodes in `expr`, shared parts counted at each use; stops counting past `limit`.
std::size_t CountNodes(const Expr& expr, std::size_t limit);
/// Most nodes that an expression may grow to when others are put in the place of its columns.
/// Sub-expressions are shared, so memory would not stop a chain of doublings, but walks would not end.
inline constexpr std::size_t kExprNodesMax = 50'000;
/// Adds every column that `expr` reads (lambda parameters excluded).
void CollectColumns(const Expr& expr, std::vector<ColumnRef>* out);
/// `expr` with sub-expressions replaced, from the top: what `rewrite` answers stands for the node it
/// was given and is not entered; where it answers null the node stays and its children are next.
ExprPtr RewriteExpr(const ExprPtr& expr, const std::function<ExprPtr(const ExprPtr&)>& rewrite);
/// Adds the parts of a (nested) kAnd in order, anything else as itself, nothing for null.
void AppendConjuncts(const ExprPtr& predicate, std::vector<ExprPtr>* out);

ExprPtr MakeColumn(ColumnRef column, Type type, std::string name, Position position = {});
ExprPtr MakeConstant(Value value, Position position = {});
ExprPtr MakeCall(const functions::ScalarFunction& scalar, std::size_t overload, Type type,
                 std::vector<ExprPtr> arguments, Position position = {});
/// Every kind that `kind`, `type` and `children` describe whole: kAnd, kCase, kIn, kRow, ...
ExprPtr MakeExpr(ExprKind kind, Type type, std::vector<ExprPtr> children, Position position = {});
/// `child` itself when it already has `type`; a null constant of `type` for a null constant.
ExprPtr MakeCast(ExprPtr child, Type type, bool try_cast = false, Position position = {});
/// The conjunction of `parts`; null pointer for none, the part itself for one.
ExprPtr MakeAnd(std::vector<ExprPtr> parts);

}  // namespace tideline::sql
