// sql/bind/unload.h: UNLOAD's location and options, checked.
#pragma once

#include "sql/parse/ast.h"
#include "sql/plan/statement.h"

namespace tideline::sql {

/// `columns` are those of the query. `extended`: errors may carry hints. kInvalidArgument names the option,
/// its value and what is allowed.
Result<UnloadOptions> BindUnloadOptions(const ast::UnloadStatement& unload, const std::vector<ResultColumn>& columns,
                                        bool extended);

}  // namespace tideline::sql
