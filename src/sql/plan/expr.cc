#include "sql/plan/expr.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/hash.h"
#include "columnar/text_format.h"
#include "columnar/vector.h"
#include "sql/plan/plan_node.h"

namespace tideline::sql {

namespace {

bool SameConstant(const Value& a, const Value& b) {
  if (!(a.type() == b.type()) || !(a == b)) return false;
  // Value equality merges the two zeros, which 1e0 / x tells apart.
  return a.is_null() || !a.type().is(TypeId::kDouble) ||
         std::signbit(a.floating()) == std::signbit(b.floating());
}

std::uint64_t HashText(std::string_view text) { return Hash64(text); }

std::uint64_t HashConstant(const Value& value) {
  std::uint64_t hash = MixHash(static_cast<std::uint64_t>(value.type().id()) + 1);
  if (value.is_null()) return hash;
  switch (value.type().physical()) {
    case PhysicalType::kBool8:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
      return CombineHash(hash, static_cast<std::uint64_t>(value.integer()));
    case PhysicalType::kString:
      return CombineHash(hash, HashText(value.text()));
    case PhysicalType::kList:
    case PhysicalType::kRow:
      for (const Value& item : value.items()) hash = CombineHash(hash, HashConstant(item));
      return hash;
    case PhysicalType::kDouble:
    case PhysicalType::kInt128:
      return hash;  // rare as keys; equality settles it
  }
  return hash;
}

std::string QuoteText(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  out += '\'';
  return out;
}

std::string PrintConstant(const Value& value) {
  if (value.is_null()) {
    return value.type().is(TypeId::kUnknown) ? "NULL"
                                             : fmt::format("CAST(NULL AS {})", value.type().ToString());
  }
  if (value.type().is(TypeId::kVarchar)) return QuoteText(value.text());
  std::string text;
  AppendText(Vector::Constant(value.type(), value, 1), 0, &text);
  switch (value.type().id()) {
    case TypeId::kBoolean:
    case TypeId::kInteger:
    case TypeId::kBigint:
    case TypeId::kDouble:
    case TypeId::kDecimal:
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kRow:
    case TypeId::kTimeseries:
      return text;
    default:
      return fmt::format("{} {}", value.type().ToString(), QuoteText(text));
  }
}

struct OperatorText {
  std::string_view function;
  std::string_view text;
};
constexpr OperatorText kInfixOperators[] = {
    {"$add", "+"},           {"$subtract", "-"},   {"$multiply", "*"},
    {"$divide", "/"},        {"$modulus", "%"},    {"$equal", "="},
    {"$not_equal", "<>"},    {"$less", "<"},       {"$less_equal", "<="},
    {"$greater", ">"},       {"$greater_equal", ">="},
    {"$distinct_from", "IS DISTINCT FROM"},        {"$concat", "||"},
    {"$like", "LIKE"},
};

std::string JoinPrinted(const std::vector<ExprPtr>& parts, std::size_t first, std::string_view separator) {
  std::string out;
  for (std::size_t i = first; i < parts.size(); ++i) {
    if (i > first) out += separator;
    out += PrintExpr(*parts[i]);
  }
  return out;
}

std::string PrintCall(const Expr& expr) {
  const std::string_view name = expr.scalar->name;
  if (expr.children.size() >= 2) {
    for (const OperatorText& op : kInfixOperators) {
      if (op.function != name) continue;
      std::string out = fmt::format("({} {} {}", PrintExpr(*expr.children[0]), op.text,
                                    PrintExpr(*expr.children[1]));
      if (expr.children.size() > 2) out += " ESCAPE " + PrintExpr(*expr.children[2]);
      return out + ")";
    }
  }
  if (name == "$not") return fmt::format("(NOT {})", PrintExpr(*expr.children[0]));
  if (name == "$negate") return fmt::format("(- {})", PrintExpr(*expr.children[0]));
  if (name == "$array") return fmt::format("ARRAY[{}]", JoinPrinted(expr.children, 0, ", "));
  if (name == "$subscript") {
    return fmt::format("{}[{}]", PrintExpr(*expr.children[0]), PrintExpr(*expr.children[1]));
  }
  return fmt::format("{}({})", name, JoinPrinted(expr.children, 0, ", "));
}

std::string PrintCase(const Expr& expr) {
  std::string out = "CASE";
  std::size_t i = 0;
  for (; i + 1 < expr.children.size(); i += 2) {
    out += fmt::format(" WHEN {} THEN {}", PrintExpr(*expr.children[i]), PrintExpr(*expr.children[i + 1]));
  }
  if (i < expr.children.size()) out += fmt::format(" ELSE {}", PrintExpr(*expr.children[i]));
  return out + " END";
}

std::string ColumnText(ColumnRef column, const std::string& name) {
  return name.empty() ? fmt::format("_c{}", column.id) : name;
}

std::string PrintLambda(const Expr& expr) {
  std::string out = "(";
  for (std::size_t i = 0; i < expr.parameters.size(); ++i) {
    if (i > 0) out += ", ";
    out += fmt::format("_c{}", expr.parameters[i].id);
  }
  return out + ") -> " + PrintExpr(*expr.children[0]);
}

void CollectFree(const Expr& expr, std::vector<ColumnRef>* bound, std::vector<ColumnRef>* out) {
  if (expr.kind == ExprKind::kColumn) {
    if (std::find(bound->begin(), bound->end(), expr.column) == bound->end()) out->push_back(expr.column);
    return;
  }
  const std::size_t bound_before = bound->size();
  if (expr.kind == ExprKind::kLambda) {
    bound->insert(bound->end(), expr.parameters.begin(), expr.parameters.end());
  }
  for (const ExprPtr& child : expr.children) CollectFree(*child, bound, out);
  bound->resize(bound_before);
}

/// Parameters are unique in the query: the same lambda written twice differs in them alone.
bool SameLambda(const Expr& a, const Expr& b) {
  if (!(a.parameter_types == b.parameter_types)) return false;
  const ExprPtr renamed = RewriteExpr(b.children[0], [&](const ExprPtr& part) -> ExprPtr {
    if (part->kind != ExprKind::kColumn) return nullptr;
    for (std::size_t i = 0; i < b.parameters.size(); ++i) {
      if (b.parameters[i] == part->column) return MakeColumn(a.parameters[i], part->type, part->name);
    }
    return nullptr;
  });
  return SameExpr(*a.children[0], *renamed);
}

}  // namespace

bool SameExpr(const Expr& a, const Expr& b) {
  if (&a == &b) return true;
  if (a.kind != b.kind || a.children.size() != b.children.size() || !(a.type == b.type)) return false;
  switch (a.kind) {
    case ExprKind::kColumn:
      return a.column == b.column;
    case ExprKind::kConstant:
      return SameConstant(a.constant, b.constant);
    case ExprKind::kCall:
      if (a.scalar != b.scalar || a.overload != b.overload) return false;
      break;
    case ExprKind::kCast:
      if (a.try_cast != b.try_cast) return false;
      break;
    case ExprKind::kField:
      if (a.field_index != b.field_index) return false;
      break;
    case ExprKind::kLambda:
      return SameLambda(a, b);
    case ExprKind::kParameter:
      return a.name == b.name;
    case ExprKind::kSubquery:
      if (a.subquery != b.subquery || a.subquery_kind != b.subquery_kind ||
          a.comparison != b.comparison || a.quantified_all != b.quantified_all) {
        return false;
      }
      break;
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kCase:
    case ExprKind::kCoalesce:
    case ExprKind::kNullIf:
    case ExprKind::kIn:
    case ExprKind::kIsNull:
    case ExprKind::kTry:
    case ExprKind::kRow:
      break;
  }
  for (std::size_t i = 0; i < a.children.size(); ++i) {
    if (!SameExpr(*a.children[i], *b.children[i])) return false;
  }
  return true;
}

std::uint64_t HashExpr(const Expr& expr) {
  std::uint64_t hash = MixHash(static_cast<std::uint64_t>(expr.kind) + 17);
  switch (expr.kind) {
    case ExprKind::kColumn:
      return CombineHash(hash, expr.column.id);
    case ExprKind::kConstant:
      return CombineHash(hash, HashConstant(expr.constant));
    case ExprKind::kCall:
      hash = CombineHash(hash, HashText(expr.scalar->name));
      break;
    case ExprKind::kParameter:
      return CombineHash(hash, HashText(expr.name));
    case ExprKind::kField:
      hash = CombineHash(hash, expr.field_index);
      break;
    case ExprKind::kLambda:
      return hash;  // equal lambdas name their parameters differently
    default:
      break;
  }
  for (const ExprPtr& child : expr.children) hash = CombineHash(hash, HashExpr(*child));
  return hash;
}

std::string PrintExpr(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kColumn:
      return ColumnText(expr.column, expr.name);
    case ExprKind::kConstant:
      return PrintConstant(expr.constant);
    case ExprKind::kCall:
      return PrintCall(expr);
    case ExprKind::kCast:
      return fmt::format("{}({} AS {})", expr.try_cast ? "TRY_CAST" : "CAST", PrintExpr(*expr.children[0]),
                         expr.type.ToString());
    case ExprKind::kAnd:
      return fmt::format("({})", JoinPrinted(expr.children, 0, " AND "));
    case ExprKind::kOr:
      return fmt::format("({})", JoinPrinted(expr.children, 0, " OR "));
    case ExprKind::kCase:
      return PrintCase(expr);
    case ExprKind::kCoalesce:
      return fmt::format("COALESCE({})", JoinPrinted(expr.children, 0, ", "));
    case ExprKind::kNullIf:
      return fmt::format("NULLIF({})", JoinPrinted(expr.children, 0, ", "));
    case ExprKind::kIn:
      return fmt::format("({} IN ({}))", PrintExpr(*expr.children[0]), JoinPrinted(expr.children, 1, ", "));
    case ExprKind::kIsNull:
      return fmt::format("({} IS NULL)", PrintExpr(*expr.children[0]));
    case ExprKind::kTry:
      return fmt::format("TRY({})", PrintExpr(*expr.children[0]));
    case ExprKind::kRow:
      return fmt::format("ROW({})", JoinPrinted(expr.children, 0, ", "));
    case ExprKind::kField: {
      const Type& row = expr.children[0]->type;
      const std::string& name = row.fields()[expr.field_index].name;
      return name.empty() ? fmt::format("{}[{}]", PrintExpr(*expr.children[0]), expr.field_index + 1)
                          : fmt::format("{}.{}", PrintExpr(*expr.children[0]), name);
    }
    case ExprKind::kLambda:
      return PrintLambda(expr);
    case ExprKind::kParameter:
      return "@" + expr.name;
    case ExprKind::kSubquery:
      return "(sub-query)";
  }
  return {};
}

bool IsConstantExpr(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kColumn:
    case ExprKind::kParameter:
    case ExprKind::kLambda:
    case ExprKind::kSubquery:
      return false;
    case ExprKind::kCall:
      if (expr.scalar->volatility == functions::Volatility::kVolatile) return false;
      break;
    default:
      break;
  }
  return std::all_of(expr.children.begin(), expr.children.end(),
                     [](const ExprPtr& child) { return IsConstantExpr(*child); });
}

bool HasVolatileCall(const Expr& expr) {
  if (expr.kind == ExprKind::kCall && expr.scalar->volatility == functions::Volatility::kVolatile) return true;
  return std::any_of(expr.children.begin(), expr.children.end(),
                     [](const ExprPtr& child) { return HasVolatileCall(*child); });
}

std::size_t CountNodes(const Expr& expr, std::size_t limit) {
  std::size_t count = 1;
  for (const ExprPtr& child : expr.children) {
    if (count > limit) break;
    count += CountNodes(*child, limit - count);
  }
  return count;
}

void CollectColumns(const Expr& expr, std::vector<ColumnRef>* out) {
  std::vector<ColumnRef> bound;
  CollectFree(expr, &bound, out);
}

ExprPtr RewriteExpr(const ExprPtr& expr, const std::function<ExprPtr(const ExprPtr&)>& rewrite) {
  if (ExprPtr replaced = rewrite(expr)) return replaced;
  std::shared_ptr<Expr> copy;
  for (std::size_t i = 0; i < expr->children.size(); ++i) {
    ExprPtr child = RewriteExpr(expr->children[i], rewrite);
    if (child == expr->children[i]) continue;
    if (copy == nullptr) copy = std::make_shared<Expr>(*expr);
    copy->children[i] = std::move(child);
  }
  return copy == nullptr ? expr : copy;
}

void AppendConjuncts(const ExprPtr& predicate, std::vector<ExprPtr>* out) {
  if (predicate == nullptr) return;
  if (predicate->kind != ExprKind::kAnd) {
    out->push_back(predicate);
    return;
  }
  for (const ExprPtr& child : predicate->children) AppendConjuncts(child, out);
}

ExprPtr MakeColumn(ColumnRef column, Type type, std::string name, Position position) {
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kColumn;
  expr->type = std::move(type);
  expr->column = column;
  expr->name = std::move(name);
  expr->position = position;
  return expr;
}

ExprPtr MakeConstant(Value value, Position position) {
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kConstant;
  expr->type = value.type();
  expr->constant = std::move(value);
  expr->position = position;
  return expr;
}

ExprPtr MakeCall(const functions::ScalarFunction& scalar, std::size_t overload, Type type,
                 std::vector<ExprPtr> arguments, Position position) {
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kCall;
  expr->type = std::move(type);
  expr->scalar = &scalar;
  expr->overload = overload;
  expr->children = std::move(arguments);
  expr->position = position;
  return expr;
}

ExprPtr MakeExpr(ExprKind kind, Type type, std::vector<ExprPtr> children, Position position) {
  auto expr = std::make_shared<Expr>();
  expr->kind = kind;
  expr->type = std::move(type);
  expr->children = std::move(children);
  expr->position = position;
  return expr;
}

ExprPtr MakeCast(ExprPtr child, Type type, bool try_cast, Position position) {
  if (child->type == type) return child;
  if (child->kind == ExprKind::kConstant && child->constant.is_null()) {
    return MakeConstant(Value::Null(std::move(type)), child->position);
  }
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kCast;
  expr->type = std::move(type);
  expr->try_cast = try_cast;
  expr->position = position.line == 0 ? child->position : position;
  expr->children.push_back(std::move(child));
  return expr;
}

ExprPtr MakeAnd(std::vector<ExprPtr> parts) {
  if (parts.empty()) return nullptr;
  if (parts.size() == 1) return std::move(parts.front());
  const Position position = parts.front()->position;
  return MakeExpr(ExprKind::kAnd, Type::Boolean(), std::move(parts), position);
}

}  // namespace tideline::sql
