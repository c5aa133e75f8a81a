// sql/optimize/plan_testing.h: plans as text, for the tests of rules.
#pragma once

#include <string>

#include "sql/compile.h"
#include "sql/fake_catalog.h"

namespace tideline::sql {

/// 2024-01-10 12:00:00, which is now().
inline constexpr std::int64_t kTestNoon = 1'704'888'000'000'000'000;

/// The optimized plan of `text`, or the error.
inline std::string PlanOf(std::string_view text, bool optimizer_enabled = true) {
  const FakeCatalog catalog;
  CompileOptions options;
  options.bind.now = {kTestNoon};
  options.optimizer_enabled = optimizer_enabled;
  const Result<BoundStatement> bound = CompileStatement(text, catalog, options);
  if (!bound.ok()) return std::string(MessageOf(bound.status()));
  return PrintPlan(*bound->root);
}

/// How often `part` is in `text`.
inline std::size_t CountOf(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace tideline::sql
