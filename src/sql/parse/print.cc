#include "sql/parse/print.h"

#include <cmath>

#include "base/time.h"
#include "sql/parse/fields.h"
#include "sql/parse/lexer.h"

namespace tideline::sql::ast {

std::string_view BinaryOperatorText(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kAdd: return "+";
    case BinaryOperator::kSubtract: return "-";
    case BinaryOperator::kMultiply: return "*";
    case BinaryOperator::kDivide: return "/";
    case BinaryOperator::kModulo: return "%";
    case BinaryOperator::kConcat: return "||";
  }
  TL_CHECK(false);
}

std::string_view ComparisonOperatorText(ComparisonOperator op) {
  switch (op) {
    case ComparisonOperator::kEqual: return "=";
    case ComparisonOperator::kNotEqual: return "<>";
    case ComparisonOperator::kLess: return "<";
    case ComparisonOperator::kLessOrEqual: return "<=";
    case ComparisonOperator::kGreater: return ">";
    case ComparisonOperator::kGreaterOrEqual: return ">=";
  }
  TL_CHECK(false);
}

namespace {

// How tightly a printed expression holds together, loosest first. An operand is put in parentheses
// when it holds looser than its place asks for.
enum Tightness : int {
  kLambdaTightness,
  kOrTightness,
  kAndTightness,
  kNotTightness,
  kPredicateTightness,
  kConcatTightness,
  kAddTightness,
  kMultiplyTightness,
  kUnaryTightness,
  kZonedTightness,
  kPrimaryTightness,
};

Tightness TightnessOf(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kConcat: return kConcatTightness;
    case BinaryOperator::kAdd:
    case BinaryOperator::kSubtract: return kAddTightness;
    case BinaryOperator::kMultiply:
    case BinaryOperator::kDivide:
    case BinaryOperator::kModulo: return kMultiplyTightness;
  }
  TL_CHECK(false);
}

Tightness TightnessOf(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLambda: return kLambdaTightness;
    case ExprKind::kLogical:
      return As<LogicalExpr>(expr).op == LogicalOperator::kOr ? kOrTightness : kAndTightness;
    case ExprKind::kNot: return kNotTightness;
    case ExprKind::kComparison:
    case ExprKind::kBetween:
    case ExprKind::kInList:
    case ExprKind::kInSubquery:
    case ExprKind::kLike:
    case ExprKind::kIsNull:
    case ExprKind::kIsDistinctFrom:
    case ExprKind::kQuantified: return kPredicateTightness;
    case ExprKind::kBinary: return TightnessOf(As<BinaryExpr>(expr).op);
    case ExprKind::kUnary: return kUnaryTightness;
    case ExprKind::kAtTimeZone: return kZonedTightness;
    default: return kPrimaryTightness;
  }
}

// Words that are no reserved ones but would be read as something else at some place where a name
// may stand.
bool MisreadsAsName(Keyword keyword) {
  switch (keyword) {
    case Keyword::kAll:
    case Keyword::kAny:
    case Keyword::kArray:
    case Keyword::kCurrent:
    case Keyword::kInterval:
    case Keyword::kLateral:
    case Keyword::kPosition:
    case Keyword::kRow:
    case Keyword::kSome:
    case Keyword::kTryCast:
    case Keyword::kUnbounded:
      return true;
    default:
      return false;
  }
}

bool IsPlainWord(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (name.empty() || !is_letter(name.front())) return false;
  for (const char c : name) {
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '@' && c != ':') return false;
  }
  return true;
}

std::string Quote(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    quoted.push_back(c);
    if (c == quote) quoted.push_back(c);
  }
  quoted.push_back(quote);
  return quoted;
}

// Appends to one string; each Put writes one kind of node.
class Printer {
 public:
  std::string Take() { return std::move(out_); }

  void Put(const Statement& statement) {
    internal::WithKind(statement, [&](const auto& of_kind) { PutKind(of_kind); });
  }
  void Put(const Query& query);
  void Put(const QueryBody& body) {
    internal::WithKind(body, [&](const auto& of_kind) { PutKind(of_kind); });
  }
  void Put(const Relation& relation);
  void Put(const TypeName& type);
  void Put(const Expr& expr) {
    internal::WithKind(expr, [&](const auto& of_kind) { PutKind(of_kind); });
  }
  // In parentheses if it holds looser than `tightness`.
  void PutOperand(const Expr& expr, int tightness) {
    if (TightnessOf(expr) >= tightness) return Put(expr);
    PutParenthesized(expr);
  }

 private:
  template <typename Node>
  void PutParenthesized(const Node& node) {
    out_ += '(';
    Put(node);
    out_ += ')';
  }
  template <typename Items, typename PutItem>
  void PutList(const Items& items, PutItem&& put_item) {
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ += ", ";
      first = false;
      put_item(item);
    }
  }
  void PutExprs(const std::vector<ExprPtr>& items) {
    PutList(items, [&](const ExprPtr& item) { Put(*item); });
  }
  void PutName(const Identifier& name) { out_ += QuoteIdentifier(name.text); }
  void PutNames(const std::vector<Identifier>& names) {
    PutList(names, [&](const Identifier& name) { PutName(name); });
  }
  void PutDotted(const std::vector<Identifier>& parts);
  void PutString(std::string_view text) { out_ += Quote(text, '\''); }
  void PutOrderBy(const std::vector<SortItem>& items);
  void PutWindow(const WindowSpec& spec);
  void PutFrame(const WindowFrame& frame);
  void PutBound(const FrameBound& bound);
  void PutGroupBy(const GroupBy& group_by);
  void PutGroupingSet(const std::vector<ExprPtr>& set);
  void PutSelectItem(const SelectItem& item);
  void PutLike(const std::optional<LikeClause>& like);
  void PutSetOperand(const QueryBody& operand, const SetOperationBody& parent, bool is_right);

  void PutKind(const QueryStatement& statement) { Put(*statement.query); }
  void PutKind(const ShowStatement& statement);
  void PutKind(const DescribeStatement& statement);
  void PutKind(const UnloadStatement& statement);
  void PutKind(const ExplainStatement& statement);
  void PutKind(const DeleteStatement& statement);

  void PutKind(const SelectBody& select);
  void PutKind(const ValuesBody& values);
  void PutKind(const TableBody& table);
  void PutKind(const SetOperationBody& operation);
  void PutKind(const SubqueryBody& subquery) { PutParenthesized(*subquery.query); }

  void PutKind(const TableRelation& table) { PutDotted(table.name.parts); }
  void PutKind(const SubqueryRelation& subquery);
  void PutKind(const UnnestRelation& unnest);
  void PutKind(const JoinRelation& join);
  void PutKind(const ParenthesizedRelation& relation) { PutParenthesized(*relation.inner); }

  void PutKind(const NullLiteral&) { out_ += "NULL"; }
  void PutKind(const BooleanLiteral& literal) { out_ += literal.value ? "TRUE" : "FALSE"; }
  void PutKind(const IntegerLiteral& literal) { out_ += fmt::format("{}", literal.value); }
  void PutKind(const DoubleLiteral& literal);
  void PutKind(const StringLiteral& literal) { PutString(literal.value); }
  void PutKind(const BinaryLiteral& literal);
  void PutKind(const IntervalLiteral& literal);
  void PutKind(const TypedLiteral& literal);
  void PutKind(const ColumnRef& column) { PutDotted(column.parts); }
  void PutKind(const Parameter& parameter) { out_ += '@' + parameter.name; }
  void PutKind(const CurrentTimeExpr& expr);
  void PutKind(const UnaryExpr& expr);
  void PutKind(const BinaryExpr& expr);
  void PutKind(const ComparisonExpr& expr);
  void PutKind(const LogicalExpr& expr);
  void PutKind(const NotExpr& expr);
  void PutKind(const BetweenExpr& expr);
  void PutKind(const InListExpr& expr);
  void PutKind(const InSubqueryExpr& expr);
  void PutKind(const LikeExpr& expr);
  void PutKind(const IsNullExpr& expr);
  void PutKind(const IsDistinctFromExpr& expr);
  void PutKind(const QuantifiedExpr& expr);
  void PutKind(const AtTimeZoneExpr& expr);
  void PutKind(const SubscriptExpr& expr);
  void PutKind(const FieldAccessExpr& expr);
  void PutKind(const RowExpr& expr);
  void PutKind(const ArrayExpr& expr);
  void PutKind(const CaseExpr& expr);
  void PutKind(const CastExpr& expr);
  void PutKind(const ExtractExpr& expr);
  void PutKind(const FunctionCall& call);
  void PutKind(const LambdaExpr& lambda);
  void PutKind(const GroupingExpr& expr);
  void PutKind(const ScalarSubquery& expr) { PutParenthesized(*expr.query); }
  void PutKind(const ExistsExpr& expr);

  std::string out_;
};

void Printer::PutDotted(const std::vector<Identifier>& parts) {
  bool first = true;
  for (const Identifier& part : parts) {
    if (!first) out_ += '.';
    first = false;
    PutName(part);
  }
}

// --- Statements

void Printer::PutKind(const ShowStatement& statement) {
  switch (statement.subject) {
    case ShowSubject::kDatabases: out_ += "SHOW DATABASES"; break;
    case ShowSubject::kTables: out_ += "SHOW TABLES"; break;
    case ShowSubject::kMeasures: out_ += "SHOW MEASURES"; break;
    case ShowSubject::kFunctions: out_ += "SHOW FUNCTIONS"; break;
  }
  if (statement.from.has_value()) {
    out_ += " FROM ";
    PutDotted(statement.from->parts);
  }
  PutLike(statement.like);
}

void Printer::PutLike(const std::optional<LikeClause>& like) {
  if (!like.has_value()) return;
  out_ += " LIKE ";
  PutString(like->pattern);
  if (like->escape.has_value()) {
    out_ += " ESCAPE ";
    PutString(*like->escape);
  }
}

void Printer::PutKind(const DescribeStatement& statement) {
  out_ += "DESCRIBE ";
  PutDotted(statement.table.parts);
}

void Printer::PutKind(const UnloadStatement& statement) {
  out_ += "UNLOAD ";
  PutParenthesized(*statement.query);
  out_ += " TO ";
  PutString(statement.location);
  if (statement.options.empty()) return;
  out_ += " WITH (";
  PutList(statement.options, [&](const UnloadOption& option) {
    PutName(option.name);
    out_ += " = ";
    Put(*option.value);
  });
  out_ += ')';
}

void Printer::PutKind(const ExplainStatement& statement) {
  out_ += statement.analyze ? "EXPLAIN ANALYZE " : "EXPLAIN ";
  if (statement.format == ExplainFormat::kJson) out_ += "(FORMAT JSON) ";
  Put(*statement.statement);
}

void Printer::PutKind(const DeleteStatement& statement) {
  out_ += "DELETE FROM ";
  PutDotted(statement.table.parts);
  out_ += " WHERE ";
  Put(*statement.where);
  if (statement.dry_run) out_ += " DRY RUN";
}

// --- Queries

void Printer::Put(const Query& query) {
  if (!query.with.empty()) {
    out_ += "WITH ";
    PutList(query.with, [&](const CommonTableExpr& item) {
      PutName(item.name);
      if (!item.column_aliases.empty()) {
        out_ += " (";
        PutNames(item.column_aliases);
        out_ += ')';
      }
      out_ += " AS ";
      PutParenthesized(*item.query);
    });
    out_ += ' ';
  }
  Put(*query.body);
  if (!query.order_by.empty()) {
    out_ += ' ';
    PutOrderBy(query.order_by);
  }
  if (query.offset.has_value()) out_ += fmt::format(" OFFSET {}", *query.offset);
  switch (query.limit_kind) {
    case LimitKind::kNone: break;
    case LimitKind::kAll: out_ += " LIMIT ALL"; break;
    case LimitKind::kLimit: out_ += fmt::format(" LIMIT {}", query.limit); break;
    case LimitKind::kFetchFirst:
      out_ += fmt::format(" FETCH FIRST {} ROWS {}", query.limit,
                          query.with_ties ? "WITH TIES" : "ONLY");
      break;
  }
}

void Printer::PutOrderBy(const std::vector<SortItem>& items) {
  out_ += "ORDER BY ";
  PutList(items, [&](const SortItem& item) {
    Put(*item.expr);
    if (item.descending) out_ += " DESC";
    if (item.nulls_first.has_value()) out_ += *item.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  });
}

void Printer::PutKind(const SelectBody& select) {
  out_ += select.distinct ? "SELECT DISTINCT " : "SELECT ";
  PutList(select.items, [&](const SelectItem& item) { PutSelectItem(item); });
  if (!select.from.empty()) {
    out_ += " FROM ";
    PutList(select.from, [&](const RelationPtr& relation) { Put(*relation); });
  }
  if (select.where != nullptr) {
    out_ += " WHERE ";
    Put(*select.where);
  }
  if (select.group_by.has_value()) PutGroupBy(*select.group_by);
  if (select.having != nullptr) {
    out_ += " HAVING ";
    Put(*select.having);
  }
  if (select.windows.empty()) return;
  out_ += " WINDOW ";
  PutList(select.windows, [&](const NamedWindow& window) {
    PutName(window.name);
    out_ += " AS (";
    PutWindow(window.spec);
    out_ += ')';
  });
}

void Printer::PutSelectItem(const SelectItem& item) {
  switch (item.kind) {
    case SelectItemKind::kStar:
      out_ += '*';
      return;
    case SelectItemKind::kQualifiedStar:
      PutDotted(item.qualifier.parts);
      out_ += ".*";
      return;
    case SelectItemKind::kExpr:
      break;
  }
  Put(*item.expr);
  if (!item.alias.has_value()) return;
  // An alias with ':' is accepted in quotes only, other than a column's name.
  const std::string& alias = item.alias->text;
  out_ += " AS ";
  out_ += alias.find(':') == std::string::npos ? QuoteIdentifier(alias) : Quote(alias, '"');
}

void Printer::PutGroupBy(const GroupBy& group_by) {
  out_ += group_by.distinct ? " GROUP BY DISTINCT " : " GROUP BY ";
  PutList(group_by.elements, [&](const GroupingElement& element) {
    switch (element.kind) {
      case GroupingKind::kSimple:
        PutGroupingSet(element.sets.front());
        return;
      case GroupingKind::kRollup:
      case GroupingKind::kCube:
        out_ += element.kind == GroupingKind::kRollup ? "ROLLUP (" : "CUBE (";
        break;
      case GroupingKind::kGroupingSets:
        out_ += "GROUPING SETS (";
        break;
    }
    PutList(element.sets, [&](const std::vector<ExprPtr>& set) { PutGroupingSet(set); });
    out_ += ')';
  });
}

// A single row must not look like a list: ROW(a, b), not (a, b).
void Printer::PutGroupingSet(const std::vector<ExprPtr>& set) {
  if (set.size() != 1) {
    out_ += '(';
    PutExprs(set);
    out_ += ')';
  } else if (set.front()->kind == ExprKind::kRow) {
    out_ += "ROW(";
    PutExprs(As<RowExpr>(*set.front()).items);
    out_ += ')';
  } else {
    Put(*set.front());
  }
}

void Printer::PutKind(const ValuesBody& values) {
  out_ += "VALUES ";
  PutExprs(values.rows);
}

void Printer::PutKind(const TableBody& table) {
  out_ += "TABLE ";
  PutDotted(table.name.parts);
}

void Printer::PutKind(const SetOperationBody& operation) {
  PutSetOperand(*operation.left, operation, false);
  switch (operation.op) {
    case SetOperator::kUnion: out_ += " UNION "; break;
    case SetOperator::kIntersect: out_ += " INTERSECT "; break;
    case SetOperator::kExcept: out_ += " EXCEPT "; break;
  }
  if (operation.all) out_ += "ALL ";
  PutSetOperand(*operation.right, operation, true);
}

// INTERSECT binds tighter than the other two; each goes left.
void Printer::PutSetOperand(const QueryBody& operand, const SetOperationBody& parent,
                            bool is_right) {
  bool parentheses = false;
  if (operand.kind == QueryBodyKind::kSetOperation) {
    const bool parent_intersects = parent.op == SetOperator::kIntersect;
    const bool operand_intersects =
        As<SetOperationBody>(operand).op == SetOperator::kIntersect;
    parentheses = is_right ? parent_intersects || !operand_intersects
                           : parent_intersects && !operand_intersects;
  }
  if (parentheses) return PutParenthesized(operand);
  Put(operand);
}

// --- Relations

void Printer::Put(const Relation& relation) {
  const bool is_named_join = relation.kind == RelationKind::kJoin &&
                             (relation.alias.has_value() || relation.sample.has_value());
  if (is_named_join) out_ += '(';
  internal::WithKind(relation, [&](const auto& of_kind) { PutKind(of_kind); });
  if (is_named_join) out_ += ')';
  if (relation.alias.has_value()) {
    out_ += " AS ";
    PutName(*relation.alias);
  }
  if (!relation.column_aliases.empty()) {
    out_ += " (";
    PutNames(relation.column_aliases);
    out_ += ')';
  }
  if (relation.sample.has_value()) {
    out_ += relation.sample->method == SampleMethod::kBernoulli ? " TABLESAMPLE BERNOULLI ("
                                                                : " TABLESAMPLE SYSTEM (";
    Put(*relation.sample->percentage);
    out_ += ')';
  }
}

void Printer::PutKind(const SubqueryRelation& subquery) {
  if (subquery.lateral) out_ += "LATERAL ";
  PutParenthesized(*subquery.query);
}

void Printer::PutKind(const UnnestRelation& unnest) {
  out_ += "UNNEST(";
  PutExprs(unnest.items);
  out_ += ')';
  if (unnest.with_ordinality) out_ += " WITH ORDINALITY";
}

void Printer::PutKind(const JoinRelation& join) {
  Put(*join.left);
  switch (join.type) {
    case JoinType::kCross: out_ += " CROSS JOIN "; break;
    case JoinType::kInner: out_ += " JOIN "; break;
    case JoinType::kLeft: out_ += " LEFT JOIN "; break;
    case JoinType::kRight: out_ += " RIGHT JOIN "; break;
    case JoinType::kFull: out_ += " FULL JOIN "; break;
  }
  const bool nested = join.right->kind == RelationKind::kJoin &&
                      !join.right->alias.has_value() && !join.right->sample.has_value();
  if (nested) {
    PutParenthesized(*join.right);
  } else {
    Put(*join.right);
  }
  if (join.on != nullptr) {
    out_ += " ON ";
    Put(*join.on);
  } else if (!join.using_columns.empty()) {
    out_ += " USING (";
    PutNames(join.using_columns);
    out_ += ')';
  }
}

// --- Types

void Printer::Put(const TypeName& type) {
  // "timestamp with time zone" takes its precision after the first word.
  const std::size_t word_end = type.parameters.empty() ? std::string::npos : type.name.find(' ');
  out_ += type.name.substr(0, word_end);
  if (type.parameters.empty()) return;
  out_ += '(';
  PutList(type.parameters, [&](const TypeParameter& parameter) {
    if (parameter.field_name.has_value()) {
      // Any keyword is quoted here: TIME, DOUBLE and INTERVAL could start a type instead.
      const std::string& name = parameter.field_name->text;
      out_ += FindKeyword(name) == Keyword::kNone ? QuoteIdentifier(name) : Quote(name, '"');
      out_ += ' ';
    }
    if (parameter.type != nullptr) {
      Put(*parameter.type);
    } else {
      out_ += fmt::format("{}", parameter.number);
    }
  });
  out_ += ')';
  if (word_end != std::string::npos) out_ += type.name.substr(word_end);
}

// --- Literals

void Printer::PutKind(const DoubleLiteral& literal) {
  if (std::isinf(literal.value)) {
    out_ += "1e999";
    return;
  }
  const std::string text = fmt::format("{}", literal.value);
  out_ += text;
  if (text.find_first_of(".e") == std::string::npos) out_ += ".0";
}

void Printer::PutKind(const BinaryLiteral& literal) {
  out_ += "X'";
  for (const char c : literal.value) {
    out_ += fmt::format("{:02X}", static_cast<unsigned char>(c));
  }
  out_ += '\'';
}

// As a time literal in its largest whole unit, or as INTERVAL if negative: 5m means INTERVAL '5'
// MINUTE, but -5m is the operator.
void Printer::PutKind(const IntervalLiteral& literal) {
  if (literal.family == IntervalFamily::kYearToMonth) {
    if (literal.value < 0) {
      out_ += fmt::format("INTERVAL '{}' MONTH", literal.value);
    } else if (literal.value != 0 && literal.value % 12 == 0) {
      out_ += fmt::format("{}y", literal.value / 12);
    } else {
      out_ += fmt::format("{}month", literal.value);
    }
    return;
  }
  if (literal.value < 0) {
    const std::int64_t magnitude = -literal.value;  // the parser makes no INT64_MIN
    out_ += fmt::format("INTERVAL '-{}.{:09}' SECOND", magnitude / kNsPerSecond,
                        magnitude % kNsPerSecond);
    return;
  }
  struct Unit {
    std::int64_t worth;
    std::string_view name;
  };
  static constexpr Unit kUnits[] = {{kNsPerDay, "d"}, {kNsPerHour, "h"}, {kNsPerMinute, "m"},
                                    {kNsPerSecond, "s"}, {kNsPerMs, "ms"}, {kNsPerUs, "us"}};
  if (literal.value == 0) {
    out_ += "0s";
    return;
  }
  for (const Unit& unit : kUnits) {
    if (literal.value % unit.worth != 0) continue;
    out_ += fmt::format("{}{}", literal.value / unit.worth, unit.name);
    return;
  }
  out_ += fmt::format("{}ns", literal.value);
}

void Printer::PutKind(const TypedLiteral& literal) {
  Put(literal.type);
  out_ += ' ';
  PutString(literal.text);
}

void Printer::PutKind(const CurrentTimeExpr& expr) {
  switch (expr.which) {
    case CurrentTimeKind::kDate: out_ += "CURRENT_DATE"; return;
    case CurrentTimeKind::kTime: out_ += "CURRENT_TIME"; return;
    case CurrentTimeKind::kTimestamp: out_ += "CURRENT_TIMESTAMP"; return;
    case CurrentTimeKind::kLocalTime: out_ += "LOCALTIME"; return;
    case CurrentTimeKind::kLocalTimestamp: out_ += "LOCALTIMESTAMP"; return;
  }
}

// --- Operators

void Printer::PutKind(const UnaryExpr& expr) {
  out_ += expr.op == UnaryOperator::kMinus ? '-' : '+';
  // Two minus signs in a row would begin a comment.
  if (expr.operand->kind == ExprKind::kUnary) out_ += ' ';
  PutOperand(*expr.operand, kUnaryTightness);
}

void Printer::PutKind(const BinaryExpr& expr) {
  const Tightness tightness = TightnessOf(expr.op);
  PutOperand(*expr.left, tightness);
  out_ += fmt::format(" {} ", BinaryOperatorText(expr.op));
  PutOperand(*expr.right, tightness + 1);
}

void Printer::PutKind(const ComparisonExpr& expr) {
  PutOperand(*expr.left, kConcatTightness);
  out_ += fmt::format(" {} ", ComparisonOperatorText(expr.op));
  PutOperand(*expr.right, kConcatTightness);
}

void Printer::PutKind(const LogicalExpr& expr) {
  const bool is_or = expr.op == LogicalOperator::kOr;
  bool first = true;
  for (const ExprPtr& operand : expr.operands) {
    if (!first) out_ += is_or ? " OR " : " AND ";
    first = false;
    PutOperand(*operand, is_or ? kAndTightness : kNotTightness);
  }
}

void Printer::PutKind(const NotExpr& expr) {
  out_ += "NOT ";
  PutOperand(*expr.operand, kNotTightness);
}

void Printer::PutKind(const BetweenExpr& expr) {
  PutOperand(*expr.value, kConcatTightness);
  out_ += expr.negated ? " NOT BETWEEN " : " BETWEEN ";
  PutOperand(*expr.low, kConcatTightness);
  out_ += " AND ";
  PutOperand(*expr.high, kConcatTightness);
}

void Printer::PutKind(const InListExpr& expr) {
  PutOperand(*expr.value, kConcatTightness);
  out_ += expr.negated ? " NOT IN (" : " IN (";
  // One scalar subquery alone would be read as IN (query).
  const bool lone_subquery =
      expr.items.size() == 1 && expr.items.front()->kind == ExprKind::kScalarSubquery;
  TL_CHECK(!lone_subquery);
  PutExprs(expr.items);
  out_ += ')';
}

void Printer::PutKind(const InSubqueryExpr& expr) {
  PutOperand(*expr.value, kConcatTightness);
  out_ += expr.negated ? " NOT IN " : " IN ";
  PutParenthesized(*expr.query);
}

void Printer::PutKind(const LikeExpr& expr) {
  PutOperand(*expr.value, kConcatTightness);
  out_ += expr.negated ? " NOT LIKE " : " LIKE ";
  PutOperand(*expr.pattern, kConcatTightness);
  if (expr.escape == nullptr) return;
  out_ += " ESCAPE ";
  PutOperand(*expr.escape, kConcatTightness);
}

void Printer::PutKind(const IsNullExpr& expr) {
  PutOperand(*expr.value, kConcatTightness);
  out_ += expr.negated ? " IS NOT NULL" : " IS NULL";
}

void Printer::PutKind(const IsDistinctFromExpr& expr) {
  PutOperand(*expr.left, kConcatTightness);
  out_ += expr.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ";
  PutOperand(*expr.right, kConcatTightness);
}

void Printer::PutKind(const QuantifiedExpr& expr) {
  PutOperand(*expr.value, kConcatTightness);
  out_ += fmt::format(" {} {} ", ComparisonOperatorText(expr.op),
                      expr.quantifier == Quantifier::kAll ? "ALL" : "ANY");
  PutParenthesized(*expr.query);
}

void Printer::PutKind(const AtTimeZoneExpr& expr) {
  PutOperand(*expr.value, kZonedTightness);
  out_ += " AT TIME ZONE ";
  Put(*expr.zone);
}

void Printer::PutKind(const SubscriptExpr& expr) {
  PutOperand(*expr.base, kPrimaryTightness);
  out_ += '[';
  Put(*expr.index);
  out_ += ']';
}

// a.b would be a chain of names, 1.b a number.
void Printer::PutKind(const FieldAccessExpr& expr) {
  const ExprKind base = expr.base->kind;
  if (base == ExprKind::kColumnRef || base == ExprKind::kIntegerLiteral ||
      base == ExprKind::kDoubleLiteral) {
    PutParenthesized(*expr.base);
  } else {
    PutOperand(*expr.base, kPrimaryTightness);
  }
  out_ += '.';
  PutName(expr.field);
}

// --- Forms

void Printer::PutKind(const RowExpr& expr) {
  out_ += expr.items.size() == 1 ? "ROW(" : "(";
  PutExprs(expr.items);
  out_ += ')';
}

void Printer::PutKind(const ArrayExpr& expr) {
  out_ += "ARRAY[";
  PutExprs(expr.items);
  out_ += ']';
}

void Printer::PutKind(const CaseExpr& expr) {
  out_ += "CASE";
  if (expr.operand != nullptr) {
    out_ += ' ';
    Put(*expr.operand);
  }
  for (const CaseBranch& branch : expr.branches) {
    out_ += " WHEN ";
    Put(*branch.when);
    out_ += " THEN ";
    Put(*branch.then);
  }
  if (expr.otherwise != nullptr) {
    out_ += " ELSE ";
    Put(*expr.otherwise);
  }
  out_ += " END";
}

void Printer::PutKind(const CastExpr& expr) {
  out_ += expr.try_cast ? "TRY_CAST(" : "CAST(";
  Put(*expr.value);
  out_ += " AS ";
  Put(expr.type);
  out_ += ')';
}

void Printer::PutKind(const ExtractExpr& expr) {
  out_ += "EXTRACT(";
  PutName(expr.field);
  out_ += " FROM ";
  Put(*expr.value);
  out_ += ')';
}

void Printer::PutKind(const GroupingExpr& expr) {
  out_ += "GROUPING(";
  PutExprs(expr.arguments);
  out_ += ')';
}

void Printer::PutKind(const ExistsExpr& expr) {
  out_ += "EXISTS ";
  PutParenthesized(*expr.query);
}

void Printer::PutKind(const LambdaExpr& lambda) {
  if (lambda.parameters.size() == 1) {
    PutName(lambda.parameters.front());
  } else {
    out_ += '(';
    PutNames(lambda.parameters);
    out_ += ')';
  }
  out_ += " -> ";
  Put(*lambda.body);
}

void Printer::PutKind(const FunctionCall& call) {
  out_ += QuoteIdentifier(call.name);
  out_ += call.distinct ? "(DISTINCT " : "(";
  if (call.star) out_ += '*';
  PutList(call.arguments, [&](const Argument& argument) {
    if (argument.name.has_value()) {
      PutName(*argument.name);
      out_ += " => ";
    }
    Put(*argument.value);
  });
  if (!call.order_by.empty()) {
    out_ += ' ';
    PutOrderBy(call.order_by);
  }
  out_ += ')';
  if (!call.within_group.empty()) {
    out_ += " WITHIN GROUP (";
    PutOrderBy(call.within_group);
    out_ += ')';
  }
  if (call.filter != nullptr) {
    out_ += " FILTER (WHERE ";
    Put(*call.filter);
    out_ += ')';
  }
  switch (call.nulls) {
    case NullTreatment::kUnstated: break;
    case NullTreatment::kIgnore: out_ += " IGNORE NULLS"; break;
    case NullTreatment::kRespect: out_ += " RESPECT NULLS"; break;
  }
  if (!call.over.has_value()) return;
  out_ += " OVER ";
  if (call.over->name.has_value()) {
    PutName(*call.over->name);
    return;
  }
  out_ += '(';
  PutWindow(call.over->spec);
  out_ += ')';
}

void Printer::PutWindow(const WindowSpec& spec) {
  std::string_view separator = "";
  if (!spec.partition_by.empty()) {
    out_ += "PARTITION BY ";
    PutExprs(spec.partition_by);
    separator = " ";
  }
  if (!spec.order_by.empty()) {
    out_ += separator;
    PutOrderBy(spec.order_by);
    separator = " ";
  }
  if (!spec.frame.has_value()) return;
  out_ += separator;
  PutFrame(*spec.frame);
}

void Printer::PutFrame(const WindowFrame& frame) {
  switch (frame.unit) {
    case FrameUnit::kRows: out_ += "ROWS"; break;
    case FrameUnit::kRange: out_ += "RANGE"; break;
    case FrameUnit::kGroups: out_ += "GROUPS"; break;
  }
  out_ += " BETWEEN ";
  PutBound(frame.start);
  out_ += " AND ";
  PutBound(frame.end);
}

void Printer::PutBound(const FrameBound& bound) {
  switch (bound.kind) {
    case FrameBoundKind::kUnboundedPreceding: out_ += "UNBOUNDED PRECEDING"; return;
    case FrameBoundKind::kUnboundedFollowing: out_ += "UNBOUNDED FOLLOWING"; return;
    case FrameBoundKind::kCurrentRow: out_ += "CURRENT ROW"; return;
    case FrameBoundKind::kPreceding:
    case FrameBoundKind::kFollowing: break;
  }
  PutOperand(*bound.offset, kConcatTightness);
  out_ += bound.kind == FrameBoundKind::kPreceding ? " PRECEDING" : " FOLLOWING";
}

template <typename Node>
std::string PrintNode(const Node& node) {
  Printer printer;
  printer.Put(node);
  return printer.Take();
}

}  // namespace

std::string QuoteIdentifier(std::string_view name) {
  const Keyword keyword = FindKeyword(name);
  if (IsPlainWord(name) && !IsReserved(keyword) && !MisreadsAsName(keyword)) {
    return std::string(name);
  }
  return Quote(name, '"');
}

std::string Print(const Statement& statement) { return PrintNode(statement); }
std::string Print(const Query& query) { return PrintNode(query); }
std::string Print(const Relation& relation) { return PrintNode(relation); }
std::string Print(const Expr& expr) { return PrintNode(expr); }
std::string Print(const TypeName& type) { return PrintNode(type); }

}  // namespace tideline::sql::ast
