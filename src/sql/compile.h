// sql/compile.h: the text of a statement to a plan that can run, in one call.
#pragma once

#include "sql/bind/bind.h"
#include "sql/optimize/optimizer.h"

namespace tideline::sql {

struct CompileOptions {
  BindOptions bind;
  /// False: rules are left out; answers stay the same.
  bool optimizer_enabled = true;
};

/// Parses, binds and optimizes. For EXPLAIN without ANALYZE `root` delivers the text, one line a
/// row; with ANALYZE `root` is null and the caller runs `explained`. Errors as ParseStatement and
/// BindStatement. Thread-safe.
Result<BoundStatement> CompileStatement(std::string_view text, const CatalogView& catalog,
                                        const CompileOptions& options);

/// What CompileStatement does after parsing.
Result<BoundStatement> CompileStatement(const ast::Statement& statement, const CatalogView& catalog,
                                        const CompileOptions& options);

}  // namespace tideline::sql
