// sql/bind/type_names.h: types as statements spell them.
#pragma once

#include "base/status.h"
#include "columnar/type.h"
#include "sql/parse/ast.h"

namespace tideline::sql {

/// The type that `name` spells. kInvalidArgument "line L:C: Unknown type: foo" and the like.
Result<Type> ResolveTypeName(const ast::TypeName& name);

}  // namespace tideline::sql
