// sql/bind/bind.h: from a syntax tree to a logical plan: every name resolved, every type known.
//
// Errors carry the service's texts, most with their place in front: "line 1:76: Column 'x' does not
// exist". Profile kExtended may append a hint after them ("; did you mean 'host'?"). Codes:
//   kInvalidArgument   the statement is wrong (types, names, groups)
//   kPermissionDenied  from the AccessChecker, as it came
//   kUnimplemented     the construct is known and not offered yet; named, with its place
//   kResourceExhausted a limit below
#pragma once

#include <map>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "sql/bind/catalog_view.h"
#include "sql/parse/parser.h"
#include "sql/plan/statement.h"

namespace tideline::sql {

/// Most expressions that binding may make for one statement. WITH queries are bound once for each
/// use, so that a short chain of them, each using the one before twice, would otherwise double a
/// statement thirty times over.
inline constexpr std::uint32_t kBoundExpressionsMax = 200'000;

/// Most columns that one statement's plan may have in all, for the same reason.
inline constexpr std::uint32_t kBoundColumnsMax = 500'000;

/// Most times in all that WITH queries are bound again, which is once for each use but the first.
inline constexpr std::uint32_t kWithUsesMax = 2'000;

/// Most nodes on one way down a plan, so that plain recursion over plans is safe: a chain of WITH
/// queries is as deep as it is long.
inline constexpr std::uint32_t kPlanDepthMax = 600;

struct BindOptions {
  Profile profile = Profile::kExtended;
  /// now() of this execution; the caller has cut it to milliseconds.
  TimestampNs now;
  /// Values for @names. A name without one is an error unless allow_unbound_parameters.
  std::map<std::string, Value, std::less<>> parameters;
  /// For PrepareQuery: such names become kParameter with an inferred type.
  bool allow_unbound_parameters = false;
  /// Null: everything is allowed.
  const AccessChecker* access = nullptr;
};

/// Binds one statement. `statement` and `catalog` are used during the call only.
/// EXPLAIN leaves `root` null; sql/compile.h fills it in after optimizing. Thread-safe.
Result<BoundStatement> BindStatement(const ast::Statement& statement, const CatalogView& catalog,
                                     const BindOptions& options);

}  // namespace tideline::sql
