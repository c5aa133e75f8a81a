// sql/parse/ast.h: the syntax tree of one statement, as written and before any name is resolved.
//
// A tree is made of plain structs. Each has a `kind` to switch over, a `position` to report errors
// at, and owns what hangs below it. `As<T>(node)` goes from a base to the struct of its kind:
//
//   switch (expr.kind) {
//     case ExprKind::kBinary: return BindBinary(As<BinaryExpr>(expr));
//     ...
//
// Families: Statement > Query > QueryBody (select, values, set operation) > Relation, Expr.
// `Fields()` names every field that carries meaning (position is not one of them), so equality and
// walks (sql/parse/walk.h) are written once. A new field that is left out of Fields() is invisible
// to both.
//
// What the parser has already settled, so that no reader of a tree needs to:
//   * words: function, type and unit names are lower case; all other names are as written, without
//     their quotes. Whether a name was quoted has no meaning after parsing (spec: quoting never
//     makes a match case-sensitive), so it is not kept.
//   * POSITION(a IN b) is the call strpos(b, a); SUBSTRING(a FROM b FOR c) is substring(a, b, c);
//     NORMALIZE(a, NFD) is normalize(a, 'NFD'); IF, COALESCE, NULLIF, TRY are ordinary calls.
//   * intervals and time literals are numbers already (IntervalLiteral); 1d equals INTERVAL '1' DAY.
//   * parentheses are gone; `a AND b AND c` is one node with three operands, `(a AND b) AND c` two.
//   * what profile `compat` refuses is refused: a tree parsed under it holds no extension.
//
// Limits: no path from the root is longer than kSyntaxDepthMax nodes, so plain recursion is safe.
// Trees are built by one thread and immutable afterwards; reading one is thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"

namespace tideline::sql::ast {

/// Longest path from a root to a leaf. A chain of n `+` is n deep; AND, OR, lists and CASE are not.
inline constexpr std::uint32_t kSyntaxDepthMax = 500;

/// A place in the statement's text. Lines and columns count from 1, columns in characters.
struct SourcePosition {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::uint32_t offset_bytes = 0;
};

/// One name, without quotes. Case is as written.
struct Identifier {
  std::string text;
  SourcePosition position;
  auto Fields() const { return std::tie(text); }
};

/// A name of one or more parts; never empty. How many parts make sense is the binder's to say.
struct QualifiedName {
  std::vector<Identifier> parts;
  const SourcePosition& position() const { return parts.front().position; }
  auto Fields() const { return std::tie(parts); }
};

/// The struct of `node`'s kind. The kind is checked.
template <typename T, typename Base>
const T& As(const Base& node) {
  TL_CHECK(node.kind == T::kKind);
  return static_cast<const T&>(node);
}
template <typename T, typename Base>
T& As(Base& node) {
  TL_CHECK(node.kind == T::kKind);
  return static_cast<T&>(node);
}

// ---------------------------------------------------------------------------------------------
// Types

struct TypeName;

/// A parameter of a type: a number (`varchar(10)`) or a type (`array(bigint)`, a row's field).
struct TypeParameter {
  std::optional<Identifier> field_name;  ///< of a row's field, if it is named
  std::unique_ptr<TypeName> type;        ///< null for a number
  std::int64_t number = 0;               ///< only without `type`
  auto Fields() const { return std::tie(field_name, type, number); }
};

/// A type as written, lower case, synonyms kept except for the spelling of spaces: "bigint", "int",
/// "double" (also for DOUBLE PRECISION), "varchar", "interval day to second",
/// "interval year to month", "timestamp with time zone", "time with time zone",
/// and with type parameters "array" (1), "map" (2), "row" (1 or more), "timeseries" (1).
struct TypeName {
  std::string name;
  std::vector<TypeParameter> parameters;
  SourcePosition position;
  auto Fields() const { return std::tie(name, parameters); }
};

// ---------------------------------------------------------------------------------------------
// Expressions

enum class ExprKind : std::uint8_t {
  // Leaves
  kNullLiteral,
  kBooleanLiteral,
  kIntegerLiteral,
  kDoubleLiteral,
  kStringLiteral,
  kBinaryLiteral,
  kIntervalLiteral,
  kTypedLiteral,
  kColumnRef,
  kParameter,
  kCurrentTime,
  // Operators
  kUnary,
  kBinary,
  kComparison,
  kLogical,
  kNot,
  kBetween,
  kInList,
  kInSubquery,
  kLike,
  kIsNull,
  kIsDistinctFrom,
  kQuantified,
  kAtTimeZone,
  kSubscript,
  kFieldAccess,
  // Constructors and forms
  kRow,
  kArray,
  kCase,
  kCast,
  kExtract,
  kFunctionCall,
  kLambda,
  kGrouping,
  kScalarSubquery,
  kExists,
};

/// Base of all expressions. `position` is the first character of the operator for kBinary,
/// kComparison, kLogical (its first operator), kBetween, kIn*, kLike, kIs*, kQuantified and
/// kAtTimeZone, and of the expression for all others: that is where the service points.
struct Expr {
  Expr(ExprKind k, SourcePosition p) : kind(k), position(p) {}
  virtual ~Expr() = default;
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;

  const ExprKind kind;
  std::uint16_t depth = 1;  ///< longest path down to a leaf, subqueries included; kept by the parser
  SourcePosition position;
};
using ExprPtr = std::unique_ptr<Expr>;

struct Query;
using QueryPtr = std::unique_ptr<Query>;

/// Gives a struct its kind and its constructor from a position.
template <ExprKind kind_value>
struct ExprOf : Expr {
  static constexpr ExprKind kKind = kind_value;
  explicit ExprOf(SourcePosition p) : Expr(kind_value, p) {}
};

struct NullLiteral : ExprOf<ExprKind::kNullLiteral> {
  using ExprOf::ExprOf;
  auto Fields() const { return std::tie(); }
};

struct BooleanLiteral : ExprOf<ExprKind::kBooleanLiteral> {
  using ExprOf::ExprOf;
  bool value = false;
  auto Fields() const { return std::tie(value); }
};

/// Never negative. Type integer if it fits 31 bits, else bigint.
struct IntegerLiteral : ExprOf<ExprKind::kIntegerLiteral> {
  using ExprOf::ExprOf;
  std::int64_t value = 0;
  auto Fields() const { return std::tie(value); }
};

/// Never negative, never NaN; infinity if the text is too large for a double (1e999).
struct DoubleLiteral : ExprOf<ExprKind::kDoubleLiteral> {
  using ExprOf::ExprOf;
  double value = 0;
  auto Fields() const { return std::tie(value); }
};

/// '...' or U&'...', decoded; valid UTF-8.
struct StringLiteral : ExprOf<ExprKind::kStringLiteral> {
  using ExprOf::ExprOf;
  std::string value;
  auto Fields() const { return std::tie(value); }
};

/// X'65 66': the bytes.
struct BinaryLiteral : ExprOf<ExprKind::kBinaryLiteral> {
  using ExprOf::ExprOf;
  std::string value;
  auto Fields() const { return std::tie(value); }
};

enum class IntervalFamily : std::uint8_t { kDayToSecond, kYearToMonth };

/// A time literal (5m) or INTERVAL '5' MINUTE. Time literals are never negative, INTERVALs may be.
struct IntervalLiteral : ExprOf<ExprKind::kIntervalLiteral> {
  using ExprOf::ExprOf;
  IntervalFamily family = IntervalFamily::kDayToSecond;
  std::int64_t value = 0;  ///< nanoseconds; for kYearToMonth months (fits int32)
  auto Fields() const { return std::tie(family, value); }
};

/// TIMESTAMP '2022-06-17 01:00', DOUBLE '1.5', BIGINT '7': the cast of a text. Not yet checked.
struct TypedLiteral : ExprOf<ExprKind::kTypedLiteral> {
  using ExprOf::ExprOf;
  TypeName type;
  std::string text;
  auto Fields() const { return std::tie(type, text); }
};

/// A dotted chain of names: column, alias.column, column.field, alias.column.field ... Which part
/// is what, only scopes can tell. `(a).b` is a kFieldAccess, never this.
struct ColumnRef : ExprOf<ExprKind::kColumnRef> {
  using ExprOf::ExprOf;
  std::vector<Identifier> parts;  ///< at least one
  auto Fields() const { return std::tie(parts); }
};

/// @name, without the @.
struct Parameter : ExprOf<ExprKind::kParameter> {
  using ExprOf::ExprOf;
  std::string name;
  auto Fields() const { return std::tie(name); }
};

enum class CurrentTimeKind : std::uint8_t { kDate, kTime, kTimestamp, kLocalTime, kLocalTimestamp };

/// CURRENT_DATE, CURRENT_TIME, CURRENT_TIMESTAMP, LOCALTIME, LOCALTIMESTAMP.
struct CurrentTimeExpr : ExprOf<ExprKind::kCurrentTime> {
  using ExprOf::ExprOf;
  CurrentTimeKind which = CurrentTimeKind::kDate;
  auto Fields() const { return std::tie(which); }
};

enum class UnaryOperator : std::uint8_t { kPlus, kMinus };

struct UnaryExpr : ExprOf<ExprKind::kUnary> {
  using ExprOf::ExprOf;
  UnaryOperator op = UnaryOperator::kMinus;
  ExprPtr operand;
  auto Fields() const { return std::tie(op, operand); }
};

enum class BinaryOperator : std::uint8_t { kAdd, kSubtract, kMultiply, kDivide, kModulo, kConcat };

/// "+", "-", "*", "/", "%", "||". Static storage.
std::string_view BinaryOperatorText(BinaryOperator op);

struct BinaryExpr : ExprOf<ExprKind::kBinary> {
  using ExprOf::ExprOf;
  BinaryOperator op = BinaryOperator::kAdd;
  ExprPtr left;
  ExprPtr right;
  auto Fields() const { return std::tie(op, left, right); }
};

enum class ComparisonOperator : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual
};

/// "=", "<>", "<", "<=", ">", ">=". Static storage.
std::string_view ComparisonOperatorText(ComparisonOperator op);

struct ComparisonExpr : ExprOf<ExprKind::kComparison> {
  using ExprOf::ExprOf;
  ComparisonOperator op = ComparisonOperator::kEqual;
  ExprPtr left;
  ExprPtr right;
  auto Fields() const { return std::tie(op, left, right); }
};

enum class LogicalOperator : std::uint8_t { kAnd, kOr };

/// Two or more operands joined by the same word, in order.
struct LogicalExpr : ExprOf<ExprKind::kLogical> {
  using ExprOf::ExprOf;
  LogicalOperator op = LogicalOperator::kAnd;
  std::vector<ExprPtr> operands;
  auto Fields() const { return std::tie(op, operands); }
};

struct NotExpr : ExprOf<ExprKind::kNot> {
  using ExprOf::ExprOf;
  ExprPtr operand;
  auto Fields() const { return std::tie(operand); }
};

struct BetweenExpr : ExprOf<ExprKind::kBetween> {
  using ExprOf::ExprOf;
  bool negated = false;
  ExprPtr value;
  ExprPtr low;
  ExprPtr high;
  auto Fields() const { return std::tie(negated, value, low, high); }
};

struct InListExpr : ExprOf<ExprKind::kInList> {
  using ExprOf::ExprOf;
  bool negated = false;
  ExprPtr value;
  std::vector<ExprPtr> items;  ///< at least one
  auto Fields() const { return std::tie(negated, value, items); }
};

struct InSubqueryExpr : ExprOf<ExprKind::kInSubquery> {
  using ExprOf::ExprOf;
  bool negated = false;
  ExprPtr value;
  QueryPtr query;
  auto Fields() const { return std::tie(negated, value, query); }
};

struct LikeExpr : ExprOf<ExprKind::kLike> {
  using ExprOf::ExprOf;
  bool negated = false;
  ExprPtr value;
  ExprPtr pattern;
  ExprPtr escape;  ///< null without ESCAPE
  auto Fields() const { return std::tie(negated, value, pattern, escape); }
};

struct IsNullExpr : ExprOf<ExprKind::kIsNull> {
  using ExprOf::ExprOf;
  bool negated = false;  ///< IS NOT NULL
  ExprPtr value;
  auto Fields() const { return std::tie(negated, value); }
};

struct IsDistinctFromExpr : ExprOf<ExprKind::kIsDistinctFrom> {
  using ExprOf::ExprOf;
  bool negated = false;  ///< IS NOT DISTINCT FROM
  ExprPtr left;
  ExprPtr right;
  auto Fields() const { return std::tie(negated, left, right); }
};

enum class Quantifier : std::uint8_t { kAll, kAny };

/// value op ALL|ANY (query); SOME is ANY.
struct QuantifiedExpr : ExprOf<ExprKind::kQuantified> {
  using ExprOf::ExprOf;
  ComparisonOperator op = ComparisonOperator::kEqual;
  Quantifier quantifier = Quantifier::kAny;
  ExprPtr value;
  QueryPtr query;
  auto Fields() const { return std::tie(op, quantifier, value, query); }
};

/// Extension. `zone` is a string or an interval.
struct AtTimeZoneExpr : ExprOf<ExprKind::kAtTimeZone> {
  using ExprOf::ExprOf;
  ExprPtr value;
  ExprPtr zone;
  auto Fields() const { return std::tie(value, zone); }
};

struct SubscriptExpr : ExprOf<ExprKind::kSubscript> {
  using ExprOf::ExprOf;
  ExprPtr base;
  ExprPtr index;
  auto Fields() const { return std::tie(base, index); }
};

/// A field of anything but a chain of names (that is a ColumnRef): f(x).value, a[1].b, (a).b.
struct FieldAccessExpr : ExprOf<ExprKind::kFieldAccess> {
  using ExprOf::ExprOf;
  ExprPtr base;
  Identifier field;
  auto Fields() const { return std::tie(base, field); }
};

/// ROW(a) or (a, b).
struct RowExpr : ExprOf<ExprKind::kRow> {
  using ExprOf::ExprOf;
  std::vector<ExprPtr> items;  ///< at least one
  auto Fields() const { return std::tie(items); }
};

/// ARRAY[a, b]; may be empty.
struct ArrayExpr : ExprOf<ExprKind::kArray> {
  using ExprOf::ExprOf;
  std::vector<ExprPtr> items;
  auto Fields() const { return std::tie(items); }
};

struct CaseBranch {
  ExprPtr when;
  ExprPtr then;
  auto Fields() const { return std::tie(when, then); }
};

struct CaseExpr : ExprOf<ExprKind::kCase> {
  using ExprOf::ExprOf;
  ExprPtr operand;                   ///< null for CASE WHEN condition ...
  std::vector<CaseBranch> branches;  ///< at least one
  ExprPtr otherwise;                 ///< null without ELSE
  auto Fields() const { return std::tie(operand, branches, otherwise); }
};

struct CastExpr : ExprOf<ExprKind::kCast> {
  using ExprOf::ExprOf;
  bool try_cast = false;
  ExprPtr value;
  TypeName type;
  auto Fields() const { return std::tie(try_cast, value, type); }
};

/// EXTRACT(field FROM value); `field` is lower case and not yet checked.
struct ExtractExpr : ExprOf<ExprKind::kExtract> {
  using ExprOf::ExprOf;
  Identifier field;
  ExprPtr value;
  auto Fields() const { return std::tie(field, value); }
};

/// GROUPING(c1, ...): each argument is a ColumnRef.
struct GroupingExpr : ExprOf<ExprKind::kGrouping> {
  using ExprOf::ExprOf;
  std::vector<ExprPtr> arguments;
  auto Fields() const { return std::tie(arguments); }
};

struct ScalarSubquery : ExprOf<ExprKind::kScalarSubquery> {
  using ExprOf::ExprOf;
  QueryPtr query;
  auto Fields() const { return std::tie(query); }
};

struct ExistsExpr : ExprOf<ExprKind::kExists> {
  using ExprOf::ExprOf;
  QueryPtr query;
  auto Fields() const { return std::tie(query); }
};

/// (x, y) -> body. The grammar allows it anywhere; only a function argument may be one (binder).
struct LambdaExpr : ExprOf<ExprKind::kLambda> {
  using ExprOf::ExprOf;
  std::vector<Identifier> parameters;
  ExprPtr body;
  auto Fields() const { return std::tie(parameters, body); }
};

struct SortItem {
  ExprPtr expr;
  bool descending = false;
  std::optional<bool> nulls_first;  ///< as written; the default (last, always) is the binder's
  auto Fields() const { return std::tie(expr, descending, nulls_first); }
};

enum class FrameUnit : std::uint8_t { kRows, kRange, kGroups };
enum class FrameBoundKind : std::uint8_t {
  kUnboundedPreceding,
  kPreceding,
  kCurrentRow,
  kFollowing,
  kUnboundedFollowing
};

struct FrameBound {
  FrameBoundKind kind = FrameBoundKind::kCurrentRow;
  ExprPtr offset;  ///< of kPreceding and kFollowing, else null
  SourcePosition position;
  auto Fields() const { return std::tie(kind, offset); }
};

/// `ROWS start` is written as BETWEEN start AND CURRENT ROW.
struct WindowFrame {
  FrameUnit unit = FrameUnit::kRange;
  FrameBound start;
  FrameBound end;
  SourcePosition position;
  auto Fields() const { return std::tie(unit, start, end); }
};

struct WindowSpec {
  std::vector<ExprPtr> partition_by;
  std::vector<SortItem> order_by;
  std::optional<WindowFrame> frame;
  SourcePosition position;
  auto Fields() const { return std::tie(partition_by, order_by, frame); }
};

/// OVER name (extension) or OVER (spec).
struct OverClause {
  std::optional<Identifier> name;  ///< of a window in the WINDOW clause; `spec` is then empty
  WindowSpec spec;
  auto Fields() const { return std::tie(name, spec); }
};

enum class NullTreatment : std::uint8_t { kUnstated, kIgnore, kRespect };

struct Argument {
  std::optional<Identifier> name;  ///< f(x, name => value), an extension
  ExprPtr value;
  auto Fields() const { return std::tie(name, value); }
};

struct FunctionCall : ExprOf<ExprKind::kFunctionCall> {
  using ExprOf::ExprOf;
  std::string name;  ///< lower case; the parts of a dotted name joined by '.'
  std::vector<Argument> arguments;
  bool star = false;  ///< count(*); no arguments then
  bool distinct = false;
  std::vector<SortItem> order_by;      ///< inside the parentheses
  std::vector<SortItem> within_group;  ///< WITHIN GROUP (ORDER BY ...), an extension
  ExprPtr filter;                      ///< null without FILTER (WHERE ...)
  NullTreatment nulls = NullTreatment::kUnstated;
  std::optional<OverClause> over;
  auto Fields() const {
    return std::tie(name, arguments, star, distinct, order_by, within_group, filter, nulls, over);
  }
};

// ---------------------------------------------------------------------------------------------
// Relations

enum class RelationKind : std::uint8_t { kTable, kSubquery, kUnnest, kJoin, kParenthesized };

enum class SampleMethod : std::uint8_t { kBernoulli, kSystem };

struct TableSample {
  SampleMethod method = SampleMethod::kBernoulli;
  ExprPtr percentage;
  auto Fields() const { return std::tie(method, percentage); }
};

/// Base of everything in FROM; any of it may carry an alias and a sample (taken after the alias).
struct Relation {
  Relation(RelationKind k, SourcePosition p) : kind(k), position(p) {}
  virtual ~Relation() = default;
  Relation(const Relation&) = delete;
  Relation& operator=(const Relation&) = delete;

  const RelationKind kind;
  std::uint16_t depth = 1;
  SourcePosition position;
  std::optional<Identifier> alias;
  std::vector<Identifier> column_aliases;  ///< only with `alias`
  std::optional<TableSample> sample;
  auto BaseFields() const { return std::tie(alias, column_aliases, sample); }
};
using RelationPtr = std::unique_ptr<Relation>;

template <RelationKind kind_value>
struct RelationOf : Relation {
  static constexpr RelationKind kKind = kind_value;
  explicit RelationOf(SourcePosition p) : Relation(kind_value, p) {}
};

/// database.table, or one part: a name from WITH.
struct TableRelation : RelationOf<RelationKind::kTable> {
  using RelationOf::RelationOf;
  QualifiedName name;
  auto Fields() const { return std::tie(name); }
};

struct SubqueryRelation : RelationOf<RelationKind::kSubquery> {
  using RelationOf::RelationOf;
  bool lateral = false;
  QueryPtr query;
  auto Fields() const { return std::tie(lateral, query); }
};

struct UnnestRelation : RelationOf<RelationKind::kUnnest> {
  using RelationOf::RelationOf;
  std::vector<ExprPtr> items;  ///< at least one
  bool with_ordinality = false;
  auto Fields() const { return std::tie(items, with_ordinality); }
};

enum class JoinType : std::uint8_t { kCross, kInner, kLeft, kRight, kFull };

/// CROSS has no condition; every other type has exactly one of `on` and `using_columns`.
struct JoinRelation : RelationOf<RelationKind::kJoin> {
  using RelationOf::RelationOf;
  JoinType type = JoinType::kInner;
  RelationPtr left;
  RelationPtr right;
  ExprPtr on;
  std::vector<Identifier> using_columns;
  auto Fields() const { return std::tie(type, left, right, on, using_columns); }
};

/// (t AS a) AS b: only where `inner` has an alias or sample of its own and gets another.
struct ParenthesizedRelation : RelationOf<RelationKind::kParenthesized> {
  using RelationOf::RelationOf;
  RelationPtr inner;
  auto Fields() const { return std::tie(inner); }
};

// ---------------------------------------------------------------------------------------------
// Queries

enum class QueryBodyKind : std::uint8_t { kSelect, kValues, kTable, kSetOperation, kSubquery };

struct QueryBody {
  QueryBody(QueryBodyKind k, SourcePosition p) : kind(k), position(p) {}
  virtual ~QueryBody() = default;
  QueryBody(const QueryBody&) = delete;
  QueryBody& operator=(const QueryBody&) = delete;

  const QueryBodyKind kind;
  std::uint16_t depth = 1;
  SourcePosition position;
};
using QueryBodyPtr = std::unique_ptr<QueryBody>;

template <QueryBodyKind kind_value>
struct QueryBodyOf : QueryBody {
  static constexpr QueryBodyKind kKind = kind_value;
  explicit QueryBodyOf(SourcePosition p) : QueryBody(kind_value, p) {}
};

enum class SelectItemKind : std::uint8_t { kExpr, kStar, kQualifiedStar };

struct SelectItem {
  SelectItemKind kind = SelectItemKind::kExpr;
  ExprPtr expr;                     ///< kExpr
  std::optional<Identifier> alias;  ///< kExpr
  QualifiedName qualifier;          ///< kQualifiedStar: the t of t.*
  SourcePosition position;
  auto Fields() const { return std::tie(kind, expr, alias, qualifier); }
};

enum class GroupingKind : std::uint8_t { kSimple, kRollup, kCube, kGroupingSets };

/// One element of GROUP BY. kSimple holds one set: `a` is {a}, `(a, b)` is {a, b}, `()` is {}.
/// The others hold each of their arguments: ROLLUP (a, (b, c)) is {a}, {b, c}.
struct GroupingElement {
  GroupingKind kind = GroupingKind::kSimple;
  std::vector<std::vector<ExprPtr>> sets;
  SourcePosition position;
  auto Fields() const { return std::tie(kind, sets); }
};

struct GroupBy {
  bool distinct = false;                  ///< GROUP BY DISTINCT: drops duplicate grouping sets
  std::vector<GroupingElement> elements;  ///< at least one
  SourcePosition position;
  auto Fields() const { return std::tie(distinct, elements); }
};

/// WINDOW name AS (spec), an extension.
struct NamedWindow {
  Identifier name;
  WindowSpec spec;
  auto Fields() const { return std::tie(name, spec); }
};

struct SelectBody : QueryBodyOf<QueryBodyKind::kSelect> {
  using QueryBodyOf::QueryBodyOf;
  bool distinct = false;
  std::vector<SelectItem> items;  ///< at least one
  std::vector<RelationPtr> from;  ///< cross joined; empty without FROM
  ExprPtr where;                  ///< null without WHERE
  std::optional<GroupBy> group_by;
  ExprPtr having;  ///< null without HAVING
  std::vector<NamedWindow> windows;
  auto Fields() const {
    return std::tie(distinct, items, from, where, group_by, having, windows);
  }
};

/// VALUES a, (b), ...: a row that is a RowExpr has as many columns as items, any other has one.
struct ValuesBody : QueryBodyOf<QueryBodyKind::kValues> {
  using QueryBodyOf::QueryBodyOf;
  std::vector<ExprPtr> rows;  ///< at least one
  auto Fields() const { return std::tie(rows); }
};

/// TABLE name: the same as SELECT * FROM name.
struct TableBody : QueryBodyOf<QueryBodyKind::kTable> {
  using QueryBodyOf::QueryBodyOf;
  QualifiedName name;
  auto Fields() const { return std::tie(name); }
};

enum class SetOperator : std::uint8_t { kUnion, kIntersect, kExcept };

struct SetOperationBody : QueryBodyOf<QueryBodyKind::kSetOperation> {
  using QueryBodyOf::QueryBodyOf;
  SetOperator op = SetOperator::kUnion;
  bool all = false;  ///< default is DISTINCT
  QueryBodyPtr left;
  QueryBodyPtr right;
  auto Fields() const { return std::tie(op, all, left, right); }
};

/// A parenthesised query with WITH, ORDER BY, LIMIT or OFFSET of its own. Without any of them the
/// parentheses vanish and the inner body stands here itself.
struct SubqueryBody : QueryBodyOf<QueryBodyKind::kSubquery> {
  using QueryBodyOf::QueryBodyOf;
  QueryPtr query;
  auto Fields() const { return std::tie(query); }
};

/// name (columns) AS (query)
struct CommonTableExpr {
  Identifier name;
  std::vector<Identifier> column_aliases;  ///< empty: the query's own names
  QueryPtr query;
  auto Fields() const { return std::tie(name, column_aliases, query); }
};

enum class LimitKind : std::uint8_t { kNone, kAll, kLimit, kFetchFirst };

struct Query {
  std::vector<CommonTableExpr> with;
  QueryBodyPtr body;
  std::vector<SortItem> order_by;
  std::optional<std::int64_t> offset;  ///< extension
  LimitKind limit_kind = LimitKind::kNone;
  std::int64_t limit = 0;  ///< kLimit, kFetchFirst; not negative. FETCH FIRST ROW ONLY is 1
  bool with_ties = false;  ///< kFetchFirst only, an extension as FETCH itself
  std::uint16_t depth = 1;
  SourcePosition position;
  auto Fields() const {
    return std::tie(with, body, order_by, offset, limit_kind, limit, with_ties);
  }
};

// ---------------------------------------------------------------------------------------------
// Statements

enum class StatementKind : std::uint8_t { kQuery, kShow, kDescribe, kUnload, kExplain, kDelete };

struct Statement {
  Statement(StatementKind k, SourcePosition p) : kind(k), position(p) {}
  virtual ~Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  const StatementKind kind;
  SourcePosition position;
  /// The distinct names of @parameters anywhere in the statement, in order of first appearance,
  /// each at its first position. Not part of Fields().
  std::vector<Identifier> parameters;
};
using StatementPtr = std::unique_ptr<Statement>;

template <StatementKind kind_value>
struct StatementOf : Statement {
  static constexpr StatementKind kKind = kind_value;
  explicit StatementOf(SourcePosition p) : Statement(kind_value, p) {}
};

struct QueryStatement : StatementOf<StatementKind::kQuery> {
  using StatementOf::StatementOf;
  QueryPtr query;
  auto Fields() const { return std::tie(query); }
};

enum class ShowSubject : std::uint8_t { kDatabases, kTables, kMeasures, kFunctions };

/// LIKE 'pattern' ESCAPE 'c'; `escape` is empty or one character as text, not yet checked.
struct LikeClause {
  std::string pattern;
  std::optional<std::string> escape;
  SourcePosition position;
  auto Fields() const { return std::tie(pattern, escape); }
};

struct ShowStatement : StatementOf<StatementKind::kShow> {
  using StatementOf::StatementOf;
  ShowSubject subject = ShowSubject::kDatabases;
  std::optional<QualifiedName> from;  ///< kTables: a database, optional; kMeasures: a table
  std::optional<LikeClause> like;
  auto Fields() const { return std::tie(subject, from, like); }
};

struct DescribeStatement : StatementOf<StatementKind::kDescribe> {
  using StatementOf::StatementOf;
  QualifiedName table;
  auto Fields() const { return std::tie(table); }
};

/// name = value in UNLOAD's WITH; `name` lower case, `value` any expression, neither checked yet.
struct UnloadOption {
  Identifier name;
  ExprPtr value;
  auto Fields() const { return std::tie(name, value); }
};

struct UnloadStatement : StatementOf<StatementKind::kUnload> {
  using StatementOf::StatementOf;
  QueryPtr query;
  std::string location;  ///< 's3://bucket/prefix/', not yet checked
  SourcePosition location_position;
  std::vector<UnloadOption> options;
  auto Fields() const { return std::tie(query, location, options); }
};

enum class ExplainFormat : std::uint8_t { kText, kJson };

/// EXPLAIN [ANALYZE] [(FORMAT TEXT|JSON)] statement, an extension; also EXPLAIN (ANALYZE, FORMAT JSON) statement.
struct ExplainStatement : StatementOf<StatementKind::kExplain> {
  using StatementOf::StatementOf;
  bool analyze = false;
  ExplainFormat format = ExplainFormat::kText;
  StatementPtr statement;  ///< a query, UNLOAD or DELETE
  auto Fields() const { return std::tie(analyze, format, statement); }
};

/// DELETE FROM table WHERE condition [DRY RUN], an extension. WHERE is required by the grammar, so
/// that nobody empties a table by leaving a line out.
struct DeleteStatement : StatementOf<StatementKind::kDelete> {
  using StatementOf::StatementOf;
  QualifiedName table;
  ExprPtr where;
  bool dry_run = false;
  auto Fields() const { return std::tie(table, where, dry_run); }
};

}  // namespace tideline::sql::ast
