// sql/parse/walk.h: what can be done with every node alike: compare trees, visit children.
#pragma once

#include <functional>

#include "sql/parse/ast.h"

namespace tideline::sql::ast {

/// Same shape, words and values; positions do not count. Names compare by bytes (function names are
/// lower case in a tree already), so `Time` and `time` differ: the binder knows whether they are
/// one column.
bool StructurallyEqual(const Expr& left, const Expr& right);
bool StructurallyEqual(const Query& left, const Query& right);
bool StructurallyEqual(const Statement& left, const Statement& right);

/// Calls `visit` for each expression directly below `expr`, in the order written. With
/// `into_queries` false (usual) subqueries are not entered; with true their top expressions
/// (select items, WHERE, ON and so on, of nested queries too) count as children.
void ForEachChild(const Expr& expr, bool into_queries, const std::function<void(const Expr&)>& visit);

/// True if `predicate` holds for `expr` or any expression below it; subqueries are not entered.
bool AnyOf(const Expr& expr, const std::function<bool(const Expr&)>& predicate);

}  // namespace tideline::sql::ast
