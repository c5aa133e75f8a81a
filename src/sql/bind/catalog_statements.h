// sql/bind/catalog_statements.h: SHOW and DESCRIBE, answered from the catalog while binding.
#pragma once

#include "sql/bind/bind_context.h"
#include "sql/parse/ast.h"

namespace tideline::sql {

Result<BoundStatement> BindShow(const ast::ShowStatement& show, BindContext* context);
Result<BoundStatement> BindDescribe(const ast::DescribeStatement& describe, BindContext* context);

/// SQL LIKE over whole texts: `%` any run, `_` one code point; `escape` (a code point, or empty)
/// makes the next one plain. kInvalidArgument for a pattern that breaks the rules of ESCAPE.
Result<bool> MatchesLike(std::string_view text, std::string_view pattern, std::string_view escape);

}  // namespace tideline::sql
