// exec/evaluator/expr_node.h: one node of a compiled expression; private to the evaluator.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "exec/evaluator/evaluator.h"
#include "functions/function.h"

namespace tideline::exec {

using functions::RowErrors;

/// The columns a node may read, all of `row_count` rows.
struct EvalInput {
  std::span<const Vector> columns;
  std::size_t row_count = 0;
};

class ExprNode {
 public:
  virtual ~ExprNode() = default;
  /// Computes `rows` into `*result` (input.row_count rows, any encoding). A row that failed is in
  /// `errors` and null in the result, so that nodes above see no half-made value. A Status is for
  /// failures of the whole evaluation.
  virtual Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
                      RowErrors* errors) = 0;
};
using ExprNodePtr = std::unique_ptr<ExprNode>;

/// What every node is made with.
struct CompileScope {
  const ColumnPositions& columns;
  const EvalContext& context;
  Random* random;
};

/// Compiles `expr`. `whole_column` is false inside a part that is already computed once per
/// dictionary entry.
Result<ExprNodePtr> Compile(const sql::Expr& expr, const CompileScope& scope, bool per_entry_allowed);
Result<std::vector<ExprNodePtr>> CompileChildren(const sql::Expr& expr, const CompileScope& scope,
                                                 bool per_entry_allowed);

// Makers, one per family of nodes; each file states its own rules.
Result<ExprNodePtr> MakeCallNode(const sql::Expr& expr, const CompileScope& scope,
                                 bool per_entry_allowed);
Result<ExprNodePtr> MakeCastNode(const sql::Expr& expr, const CompileScope& scope,
                                 bool per_entry_allowed);
Result<ExprNodePtr> MakeLogicNode(const sql::Expr& expr, const CompileScope& scope,
                                  bool per_entry_allowed);
Result<ExprNodePtr> MakeBranchNode(const sql::Expr& expr, const CompileScope& scope,
                                   bool per_entry_allowed);
Result<ExprNodePtr> MakeInNode(const sql::Expr& expr, const CompileScope& scope,
                               bool per_entry_allowed);
/// Computes `inner`, which reads no column, once.
ExprNodePtr MakeOnceNode(ExprNodePtr inner, Type type);
/// Computes `inner`, which reads column `position` alone, once per distinct value where that is known.
ExprNodePtr MakePerEntryNode(ExprNodePtr inner, std::uint32_t position, Type type);

/// Rows of a selection as a list that can be edited.
std::vector<std::uint32_t> RowsOf(const Selection& rows);
/// Moves rows that `errors` names from `rows` (ascending) away. Cheap when there are none.
void DropFailed(const RowErrors& errors, std::size_t errors_before, std::vector<std::uint32_t>* rows);

}  // namespace tideline::exec
