// sql/parse/parser.h: from the text of one statement to its syntax tree.
//
// Hand-written recursive descent; binary operators by precedence climbing. The grammar is the
// query language of Amazon Timestream (a dialect of Presto 0.2xx) and, in profile kExtended, what
// this server adds to it. sql/parse/README.md has the grammar and the rules for words that are
// keywords only in places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "sql/parse/ast.h"

namespace tideline::sql::ast {

/// Whose rules a statement is judged by: the original service's, or those and our extensions.
enum class Profile : std::uint8_t { kCompat, kExtended };

/// Longest statement, as the original service has it.
inline constexpr std::size_t kStatementBytesMax = 262'144;

/// Most brackets, subqueries and prefix operators open at one place. Chosen so that the parser
/// itself stays within 4 MiB of stack under AddressSanitizer; printing and comparing the deepest
/// tree needs less than 8 MiB there.
inline constexpr std::uint32_t kSyntaxNestingMax = 200;

/// Most expressions, relations and query bodies in one statement; bounds its memory.
inline constexpr std::uint32_t kSyntaxNodesMax = 100'000;

struct ParseOptions {
  Profile profile = Profile::kExtended;
  /// Whether `@name` may stand for a value (prepared and scheduled queries). If not, it is a
  /// syntax error.
  bool allow_parameters = true;
};

/// Parses exactly one statement; one `;` may follow it. `text` is UTF-8 and not kept.
///
/// Errors, each with the place of the first offending token:
///   kInvalidArgument  "The query syntax is invalid at line L:C", in kExtended followed by
///                     ": expected ..., found ..."; or a text of its own for bad number and
///                     interval literals and for the limits above.
///   kUnimplemented    kExtended only: a construct that we know by name but do not offer (ASOF
///                     JOIN, SAMPLE BY, QUALIFY, PIVOT ...). kCompat calls those a syntax error.
/// Thread-safe.
Result<StatementPtr> ParseStatement(std::string_view text, const ParseOptions& options);

/// Parses one expression and nothing after it. Errors as ParseStatement.
Result<ExprPtr> ParseExpression(std::string_view text, const ParseOptions& options);

}  // namespace tideline::sql::ast

namespace tideline::sql {
using ast::ParseOptions;
using ast::ParseStatement;
using ast::Profile;
}  // namespace tideline::sql
