#include "functions/signature.h"

#include <algorithm>

#include "functions/cast.h"

namespace tideline::functions {
namespace {

using Kind = TypePattern::Kind;
using Constraint = TypePattern::Constraint;

constexpr std::size_t kSignatureDepthMax = 8;

// ---- parsing --------------------------------------------------------------------------------

class SignatureParser {
 public:
  explicit SignatureParser(std::string_view text) : text_(text) {}

  Result<Signature> Parse() {
    Signature signature;
    signature.text = text_;
    if (!Take("(")) return Fail("'(' expected");
    if (!Take(")")) {
      do {
        signature.arguments.push_back(TL_TRY(Pattern(0)));
        if (Take("...")) {
          signature.variadic = true;
          break;
        }
      } while (Take(","));
      if (!Take(")")) return Fail("')' expected");
    }
    if (!Take("->")) return Fail("'->' expected");
    signature.result = TL_TRY(Pattern(0));
    Blanks();
    if (at_ != text_.size()) return Fail("end expected");
    return signature;
  }

 private:
  Status Fail(std::string_view what) const {
    return InvalidArgument("bad signature '{}' at {}: {}", text_, at_, what);
  }
  void Blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool Take(std::string_view token) {
    Blanks();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  std::string_view Word() {
    Blanks();
    const std::size_t first = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
      ++at_;
    }
    return text_.substr(first, at_ - first);
  }

  Result<TypePattern> Pattern(std::size_t depth) {
    if (depth > kSignatureDepthMax) return Fail("nested too deep");
    const std::string_view word = Word();
    if (word.size() == 1 && word[0] >= 'A' && word[0] <= 'Z') return Variable(word[0]);
    TypePattern pattern;
    if (word == "array") return Nested(Kind::kArray, 1, 1, depth);
    if (word == "map") return Nested(Kind::kMap, 2, 2, depth);
    if (word == "timeseries") return Nested(Kind::kTimeseries, 1, 1, depth);
    if (word == "function") return Nested(Kind::kLambda, 1, 9, depth);
    if (word == "row") return RowPattern(depth);
    if (word == "interval") {
      if (Take("day to second")) {
        pattern.concrete = Type::IntervalDayToSecond();
      } else if (Take("year to month")) {
        pattern.concrete = Type::IntervalYearToMonth();
      } else {
        return Fail("unknown interval");
      }
      return pattern;
    }
    static const std::pair<std::string_view, Type> kScalars[] = {
        {"unknown", Type::Unknown()}, {"boolean", Type::Boolean()},
        {"integer", Type::Integer()}, {"bigint", Type::Bigint()},
        {"double", Type::Double()},   {"decimal", Type(TypeId::kDecimal)},
        {"varchar", Type::Varchar()}, {"varbinary", Type::Varbinary()},
        {"json", Type::Json()},       {"date", Type::Date()},
        {"time", Type::Time()},       {"timestamp", Type::Timestamp()},
    };
    for (const auto& [name, type] : kScalars) {
      if (word == name) {
        pattern.concrete = type;
        return pattern;
      }
    }
    return Fail("unknown type");
  }

  Result<TypePattern> Variable(char name) {
    TypePattern pattern;
    pattern.kind = Kind::kVariable;
    pattern.variable = name;
    if (Take(":")) {
      const std::string_view constraint = Word();
      if (constraint == "comparable") {
        pattern.constraint = Constraint::kComparable;
      } else if (constraint == "orderable") {
        pattern.constraint = Constraint::kOrderable;
      } else if (constraint == "numeric") {
        pattern.constraint = Constraint::kNumeric;
      } else {
        return Fail("unknown constraint");
      }
    }
    return pattern;
  }

  Result<TypePattern> Nested(Kind kind, std::size_t min, std::size_t max, std::size_t depth) {
    TypePattern pattern;
    pattern.kind = kind;
    if (!Take("(")) return Fail("'(' expected");
    do {
      pattern.children.push_back(TL_TRY(Pattern(depth + 1)));
    } while (Take(","));
    if (!Take(")")) return Fail("')' expected");
    if (pattern.children.size() < min || pattern.children.size() > max) {
      return Fail("wrong number of type parameters");
    }
    return pattern;
  }

  // Fields are "name type" or a type alone; a lower-case word before another type is a name.
  Result<TypePattern> RowPattern(std::size_t depth) {
    TypePattern pattern;
    pattern.kind = Kind::kRow;
    if (!Take("(")) return Fail("'(' expected");
    do {
      const std::size_t before = at_;
      std::string name(Word());
      Blanks();
      const char next = at_ < text_.size() ? text_[at_] : ')';
      if (next == ',' || next == ')' || next == '(' || name == "interval") {
        at_ = before;
        name.clear();
      }
      pattern.names.push_back(name);
      pattern.children.push_back(TL_TRY(Pattern(depth + 1)));
    } while (Take(","));
    if (!Take(")")) return Fail("')' expected");
    return pattern;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// ---- matching -------------------------------------------------------------------------------

bool Satisfies(Constraint constraint, const Type& type) {
  if (type.is(TypeId::kUnknown)) return true;
  switch (constraint) {
    case Constraint::kNone:
      return true;
    case Constraint::kComparable:
      return type.is_comparable();
    case Constraint::kOrderable:
      return type.is_orderable();
    case Constraint::kNumeric:
      return type.is_numeric();
  }
  return false;
}

bool IsArithmetic(std::string_view name) {
  return name == "$add" || name == "$subtract" || name == "$multiply" || name == "$divide" ||
         name == "$modulus" || name == "$negate";
}

// One attempt to fit a signature to the arguments of a call.
class Match {
 public:
  Match(const Signature& signature, bool text_becomes_time)
      : signature_(signature), text_becomes_time_(text_becomes_time) {}

  // Cost of the implicit casts; nothing when the signature does not fit.
  std::optional<int> Fit(std::string_view name, std::span<const Type> arguments,
                         std::span<const int> arity) {
    const std::size_t fixed = signature_.arguments.size() - (signature_.variadic ? 1 : 0);
    if (arguments.size() < fixed) return std::nullopt;
    if (!signature_.variadic && arguments.size() > fixed) return std::nullopt;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const TypePattern& pattern = PatternOf(i);
      const bool is_lambda = i < arity.size() && arity[i] > 0;
      if (is_lambda != (pattern.kind == Kind::kLambda)) return std::nullopt;
      if (is_lambda) {
        if (pattern.children.size() != static_cast<std::size_t>(arity[i])) return std::nullopt;
        continue;
      }
      if (!Bind(pattern, arguments[i])) return std::nullopt;
    }
    BindUnknowns();
    int cost = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const TypePattern& pattern = PatternOf(i);
      if (pattern.kind == Kind::kLambda) {
        resolved_.argument_types.push_back(Type::Unknown());
        continue;
      }
      const std::optional<int> step = FitArgument(pattern, arguments[i]);
      if (!step) return std::nullopt;
      cost += *step;
    }
    if (signature_.result.kind == Kind::kConcrete &&
        signature_.result.concrete.is(TypeId::kDecimal)) {
      resolved_.result_type = DecimalResult(name, resolved_.argument_types);
    } else {
      resolved_.result_type = Substitute(signature_.result, resolved_.variables).value_or(Type());
    }
    return cost;
  }

  ResolvedTypes& resolved() { return resolved_; }

 private:
  const TypePattern& PatternOf(std::size_t index) const {
    return signature_.arguments[std::min(index, signature_.arguments.size() - 1)];
  }
  std::optional<Type>& Variable(char name) {
    return resolved_.variables[static_cast<std::size_t>(name - 'A')];
  }

  // Widens the variables of `pattern` so that `type` fits; false when the shapes differ.
  bool Bind(const TypePattern& pattern, const Type& type) {
    if (type.is(TypeId::kUnknown)) {
      CollectUnbound(pattern);
      return true;
    }
    switch (pattern.kind) {
      case Kind::kConcrete:
      case Kind::kLambda:
        return true;  // FitArgument decides
      case Kind::kVariable: {
        std::optional<Type>& bound = Variable(pattern.variable);
        if (!bound) {
          bound = type;
        } else {
          const std::optional<Type> common = text_becomes_time_ ? CommonComparisonType(*bound, type)
                                                                : CommonSuperType(*bound, type);
          if (!common) return false;
          bound = common;
        }
        return Satisfies(pattern.constraint, *bound);
      }
      case Kind::kArray:
        return type.is(TypeId::kArray) && Bind(pattern.children[0], type.element());
      case Kind::kTimeseries:
        return type.is(TypeId::kTimeseries) && Bind(pattern.children[0], type.element());
      case Kind::kMap:
        return type.is(TypeId::kMap) && Bind(pattern.children[0], type.map_key()) &&
               Bind(pattern.children[1], type.map_value());
      case Kind::kRow: {
        if (!type.is(TypeId::kRow) || type.fields().size() != pattern.children.size()) return false;
        for (std::size_t i = 0; i < pattern.children.size(); ++i) {
          if (!Bind(pattern.children[i], type.fields()[i].type)) return false;
        }
        return true;
      }
    }
    return false;
  }

  // Variables that only NULL arguments mention stand for unknown, unless a lambda binds them.
  void CollectUnbound(const TypePattern& pattern) {
    if (pattern.kind == Kind::kVariable) waiting_.push_back(pattern.variable);
    for (const TypePattern& child : pattern.children) CollectUnbound(child);
  }
  void BindUnknowns() {
    for (const char name : waiting_) {
      if (!Variable(name)) Variable(name) = Type::Unknown();
    }
  }

  std::optional<int> FitArgument(const TypePattern& pattern, const Type& type) {
    std::optional<Type> wanted = Substitute(pattern, resolved_.variables);
    if (!wanted) return std::nullopt;
    if (pattern.kind == Kind::kRow && type.is(TypeId::kRow)) {
      // Field names of an argument do not matter.
      wanted = type;
    }
    if (wanted->is(TypeId::kDecimal) && pattern.kind == Kind::kConcrete) {
      if (type.is(TypeId::kDecimal) || type.is(TypeId::kUnknown)) {
        wanted = type.is(TypeId::kDecimal) ? type : Type::Decimal(1, 0);
      } else if (type.is(TypeId::kInteger)) {
        wanted = Type::Decimal(10, 0);
      } else if (type.is(TypeId::kBigint)) {
        wanted = Type::Decimal(19, 0);
      } else {
        return std::nullopt;
      }
      resolved_.argument_types.push_back(*wanted);
      return wanted->id() == type.id() ? 0 : 103;
    }
    if (*wanted == type) {
      resolved_.argument_types.push_back(type);
      return 0;
    }
    if (wanted->is(TypeId::kVarchar) && type.is(TypeId::kVarchar)) {
      resolved_.argument_types.push_back(type);  // a shorter varchar is a varchar already
      return 0;
    }
    if (!CanCoerce(type, *wanted, text_becomes_time_)) return std::nullopt;
    resolved_.argument_types.push_back(*wanted);
    return Cost(type, *wanted);
  }

  // Fewer casts win; of as many, the nearer type.
  static int Cost(const Type& from, const Type& to) {
    static constexpr int kCast = 100;
    if (from.is(TypeId::kUnknown)) return kCast;
    if (from.is(TypeId::kVarchar)) return kCast + (to.is(TypeId::kTimestamp) ? 10 : 20);
    if (from.is(TypeId::kInteger) && to.is(TypeId::kDouble)) return kCast + 4;
    if (from.is(TypeId::kBigint) && to.is(TypeId::kDouble)) return kCast + 4;
    return kCast + 1;
  }

  const Signature& signature_;
  const bool text_becomes_time_;
  ResolvedTypes resolved_;
  std::vector<char> waiting_;
};

std::string_view OperatorSign(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kSigns[] = {
      {"$add", "+"},         {"$subtract", "-"},   {"$multiply", "*"},
      {"$divide", "/"},      {"$modulus", "%"},    {"$negate", "-"},
      {"$equal", "="},       {"$less", "<"},       {"$not_equal", "<>"},
      {"$less_equal", "<="}, {"$greater", ">"},    {"$greater_equal", ">="},
      {"$concat", "||"},     {"$like", "LIKE"},    {"$distinct_from", "IS DISTINCT FROM"},
      {"$not", "NOT"},       {"$subscript", "[]"},
  };
  for (const auto& [operator_name, sign] : kSigns) {
    if (operator_name == name) return sign;
  }
  return {};
}

std::string JoinTypes(std::span<const Type> arguments, std::span<const int> arity) {
  std::string text;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) text += ", ";
    text += i < arity.size() && arity[i] > 0 ? std::string("function") : arguments[i].ToString();
  }
  return text;
}

}  // namespace

std::optional<Type> Substitute(const TypePattern& pattern, const VariableTypes& variables) {
  std::vector<Type> children;
  if (pattern.kind != Kind::kConcrete && pattern.kind != Kind::kVariable) {
    for (const TypePattern& child : pattern.children) {
      std::optional<Type> type = Substitute(child, variables);
      if (!type) return std::nullopt;
      children.push_back(*std::move(type));
    }
  }
  switch (pattern.kind) {
    case Kind::kConcrete:
      return pattern.concrete;
    case Kind::kVariable:
      return variables[static_cast<std::size_t>(pattern.variable - 'A')];
    case Kind::kArray:
      return Type::Array(children[0]);
    case Kind::kTimeseries:
      return Type::Timeseries(children[0]);
    case Kind::kMap:
      return Type::Map(children[0], children[1]);
    case Kind::kRow: {
      std::vector<Type::Field> fields;
      for (std::size_t i = 0; i < children.size(); ++i) {
        fields.push_back({pattern.names[i], children[i]});
      }
      return Type::Row(std::move(fields));
    }
    case Kind::kLambda:
      return Type::Unknown();
  }
  return std::nullopt;
}

Type DecimalResult(std::string_view name, std::span<const Type> arguments) {
  static constexpr int kPrecisionMax = 38;
  if (arguments.size() < 2) return arguments.empty() ? Type::Decimal(38, 0) : arguments[0];
  const int p1 = arguments[0].precision();
  const int s1 = arguments[0].scale();
  const int p2 = arguments[1].precision();
  const int s2 = arguments[1].scale();
  int precision = 0;
  int scale = std::max(s1, s2);
  if (name == "$multiply") {
    scale = std::min(s1 + s2, kPrecisionMax);
    precision = p1 + p2;
  } else if (name == "$divide") {
    precision = p1 + s2 + std::max(0, s2 - s1);
  } else if (name == "$modulus") {
    precision = std::min(p1 - s1, p2 - s2) + scale;
  } else {
    precision = std::max(p1 - s1, p2 - s2) + scale + 1;
  }
  precision = std::clamp(precision, std::max(scale, 1), kPrecisionMax);
  return Type::Decimal(precision, scale);
}

std::string DescribeSignature(std::string_view name, const Signature& signature) {
  const std::string_view text = signature.text;
  std::string described = fmt::format("{}{}", name, text.substr(0, text.rfind(" ->")));
  return described;
}

Result<Signature> ParseSignature(std::string_view text) { return SignatureParser(text).Parse(); }

Result<ResolvedTypes> ResolveOverload(std::string_view name, std::span<const Signature> signatures,
                                      std::span<const Type> arguments,
                                      std::span<const int> lambda_arity) {
  std::optional<int> best;
  ResolvedTypes resolved;
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    Match match(signatures[i], !IsArithmetic(name) && name != "$concat" && name != "$array");
    const std::optional<int> cost = match.Fit(name, arguments, lambda_arity);
    if (!cost || (best && *best <= *cost)) continue;
    best = cost;
    resolved = std::move(match.resolved());
    resolved.overload = i;
  }
  if (best) return resolved;
  const std::string types = JoinTypes(arguments, lambda_arity);
  if (const std::string_view sign = OperatorSign(name); !sign.empty()) {
    return InvalidArgument("'{}' cannot be applied to {}", sign, types);
  }
  if (name == "concat" && arguments.size() < 2) {
    return InvalidArgument("There must be two or more concatenation arguments");
  }
  std::string expected;
  for (const Signature& signature : signatures) {
    if (!expected.empty()) expected += ", ";
    expected += DescribeSignature(name, signature);
  }
  return InvalidArgument("Unexpected parameters ({}) for function {}. Expected: {}", types, name,
                         expected);
}

std::vector<Type> LambdaParameterTypes(const Signature& signature, std::size_t argument,
                                       const ResolvedTypes& resolved) {
  const TypePattern& lambda =
      signature.arguments[std::min(argument, signature.arguments.size() - 1)];
  std::vector<Type> types;
  for (std::size_t i = 0; i + 1 < lambda.children.size(); ++i) {
    types.push_back(Substitute(lambda.children[i], resolved.variables).value_or(Type::Unknown()));
  }
  return types;
}

Result<Type> BindLambdaResult(const Signature& signature, std::size_t argument, const Type& body,
                              ResolvedTypes* resolved) {
  const TypePattern& lambda =
      signature.arguments[std::min(argument, signature.arguments.size() - 1)];
  const TypePattern& result = lambda.children.back();
  if (result.kind == Kind::kVariable) {
    std::optional<Type>& bound =
        resolved->variables[static_cast<std::size_t>(result.variable - 'A')];
    if (!bound) bound = body;
  }
  const std::optional<Type> wanted = Substitute(result, resolved->variables);
  if (!wanted || (*wanted != body && !CanCoerce(body, *wanted, false))) {
    return InvalidArgument("lambda of argument {} must return {}, but returns {}", argument + 1,
                           wanted ? wanted->ToString() : std::string("another type"),
                           body.ToString());
  }
  if (const std::optional<Type> type = Substitute(signature.result, resolved->variables)) {
    resolved->result_type = *type;
  }
  return *wanted;
}

}  // namespace tideline::functions
