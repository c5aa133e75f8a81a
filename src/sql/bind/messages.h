// sql/bind/messages.h: errors with their place in the text, and hints for misspelt names.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/parse/ast.h"
#include "sql/plan/expr.h"

namespace tideline::sql {

inline Position PlaceOf(const ast::SourcePosition& position) { return {position.line, position.column}; }

/// kInvalidArgument "line L:C: text".
template <typename... Args>
Status ErrorAt(Position at, fmt::format_string<Args...> text, Args&&... args) {
  return InvalidArgument("line {}:{}: {}", at.line, at.column,
                         fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
Status ErrorAt(const ast::SourcePosition& at, fmt::format_string<Args...> text, Args&&... args) {
  return ErrorAt(PlaceOf(at), text, std::forward<Args>(args)...);
}

/// kUnimplemented "line L:C: <construct> is not supported yet".
Status NotSupportedYet(const ast::SourcePosition& at, std::string_view construct);

/// "; did you mean 'host'?" for the one of `candidates` that `name` is a slip of; else empty.
std::string NameHint(std::string_view name, const std::vector<std::string>& candidates);

/// ASCII case folding: the only folding that names know.
std::string FoldCase(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

/// Unicode code points in valid UTF-8.
std::int32_t CodePointCount(std::string_view text);

}  // namespace tideline::sql
