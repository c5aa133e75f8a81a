// sql/parse/print.h: a syntax tree back to SQL, in one canonical form on one line.
//
// Parsing the result (profile kExtended) gives an equal tree. Keywords are upper case, function
// names lower case, parentheses only where the grammar needs them, names quoted only where they
// must be, intervals in their largest whole unit (90000ms is 90s). Two expressions print alike
// exactly when StructurallyEqual (sql/parse/walk.h) says so.
#pragma once

#include <string>
#include <string_view>

#include "sql/parse/ast.h"

namespace tideline::sql::ast {

std::string Print(const Statement& statement);
std::string Print(const Query& query);
std::string Print(const Relation& relation);
std::string Print(const Expr& expr);
std::string Print(const TypeName& type);

/// `name` as it must be written in SQL: quoted unless it is a plain, non-reserved word.
std::string QuoteIdentifier(std::string_view name);

}  // namespace tideline::sql::ast
