// sql/plan/make_call.h: expressions that rules write: calls by the name of the function, plain columns.
#pragma once

#include "base/status.h"
#include "sql/plan/plan_node.h"

namespace tideline::sql {

/// The call of scalar `name`, arguments cast as its overload wants. kInternal when there is none: rules
/// call what they know.
Result<ExprPtr> MakeScalarCall(std::string_view name, std::vector<ExprPtr> arguments, Position position = {});

/// The column that `output` is, read by a node above.
ExprPtr ReadColumn(const OutputColumn& output);

}  // namespace tideline::sql
