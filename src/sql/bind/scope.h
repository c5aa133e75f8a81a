// sql/bind/scope.h: the columns that names can mean at one place, and the rules by which they do.
//
// A name means a column if it is equal by bytes; if no column is, then the one that is equal when
// ASCII case is ignored. More than one at the same step is ambiguous. Quotes change nothing.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "sql/parse/ast.h"
#include "sql/plan/expr.h"

namespace tideline::sql {

struct ScopeColumn {
  std::string name;
  std::string relation;     ///< alias, or the table's name; empty for none
  ExprPtr expr;             ///< kColumn; a null constant for a measure_value::T never written
  bool in_star = true;      ///< part of SELECT *
  std::string database;     ///< of the table it comes from, unchanged; else empty
  std::string table;
  bool aliased = false;     ///< named by AS or a column alias list
};

class Scope {
 public:
  std::vector<ScopeColumn> columns;
  /// Of the query around this sub-query, where a name that means nothing here is looked up next.
  const Scope* outer = nullptr;

  /// A column that a chain of names starts with, and how many of the names that took.
  struct Match {
    const ScopeColumn* column;
    std::size_t parts;
  };
  /// `extended`: database.table.column is tried too, and hints are given.
  /// kInvalidArgument "line L:C: Column 'a.b' does not exist", "… is ambiguous". A column of
  /// an outer scope makes the sub-query a correlated one (decorrelate.h).
  Result<Match> Resolve(const std::vector<ast::Identifier>& parts, const ast::SourcePosition& at,
                        bool extended) const;
  /// Columns of the relation that `qualifier.*` names, in order; empty when there is none.
  std::vector<const ScopeColumn*> OfRelation(const ast::QualifiedName& qualifier) const;
};

}  // namespace tideline::sql
