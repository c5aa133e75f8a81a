#include "sql/optimize/time_set.h"

#include <algorithm>
#include <optional>

#include "base/time.h"
#include "columnar/text_format.h"

namespace tideline::sql {

namespace {

constexpr std::int64_t kFirstInstant = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLastInstant = std::numeric_limits<std::int64_t>::max();

enum class Comparison : std::uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

std::optional<Comparison> ComparisonOf(std::string_view function) {
  if (function == "$equal") return Comparison::kEqual;
  if (function == "$not_equal") return Comparison::kNotEqual;
  if (function == "$less") return Comparison::kLess;
  if (function == "$less_equal") return Comparison::kLessEqual;
  if (function == "$greater") return Comparison::kGreater;
  if (function == "$greater_equal") return Comparison::kGreaterEqual;
  return std::nullopt;
}

/// b op a, said as a op' b.
Comparison Mirrored(Comparison op) {
  switch (op) {
    case Comparison::kLess:
      return Comparison::kGreater;
    case Comparison::kLessEqual:
      return Comparison::kGreaterEqual;
    case Comparison::kGreater:
      return Comparison::kLess;
    case Comparison::kGreaterEqual:
      return Comparison::kLessEqual;
    case Comparison::kEqual:
    case Comparison::kNotEqual:
      break;
  }
  return op;
}

/// NOT (a op b), said as a op' b; both sides are not null.
Comparison Negated(Comparison op) {
  switch (op) {
    case Comparison::kEqual:
      return Comparison::kNotEqual;
    case Comparison::kNotEqual:
      return Comparison::kEqual;
    case Comparison::kLess:
      return Comparison::kGreaterEqual;
    case Comparison::kLessEqual:
      return Comparison::kGreater;
    case Comparison::kGreater:
      return Comparison::kLessEqual;
    case Comparison::kGreaterEqual:
      return Comparison::kLess;
  }
  return op;
}

/// (floor(time + shift + origin, width) - origin) / scale, all in nanoseconds.
struct TimeTerm {
  Int128 shift = 0;
  Int128 width = 1;
  Int128 scale = 1;
  Int128 origin = 0;  ///< weeks begin on a Monday, time on a Thursday
};

/// Monday, 1969-12-29, lies so far before 1970.
constexpr Int128 kMondayOrigin = static_cast<Int128>(3) * kNsPerDay;

/// Steps of the calendar that differ in length, numbered from 1970 on.
enum class CalendarUnit : std::uint8_t { kMonth, kQuarter, kYear };

std::optional<CalendarUnit> CalendarUnitOf(std::string_view name) {
  if (name == "month") return CalendarUnit::kMonth;
  if (name == "quarter") return CalendarUnit::kQuarter;
  if (name == "year") return CalendarUnit::kYear;
  return std::nullopt;
}

std::int64_t MonthsOf(CalendarUnit unit) {
  return unit == CalendarUnit::kMonth ? 1 : unit == CalendarUnit::kQuarter ? 3 : 12;
}

/// The first instant of step `index`.
Int128 StartOfStep(CalendarUnit unit, std::int64_t index) {
  const std::int64_t month = index * MonthsOf(unit);
  std::int64_t year = month / 12;
  if (year * 12 > month) --year;
  return static_cast<Int128>(
             DaysFromCivil(static_cast<int>(1970 + year), static_cast<int>(month - year * 12) + 1, 1)) *
         kNsPerDay;
}

/// The step that holds `ns`.
std::int64_t StepOf(CalendarUnit unit, std::int64_t ns) {
  std::int64_t days = ns / kNsPerDay;
  if (days * kNsPerDay > ns) --days;
  const CivilDate date = CivilFromDays(days);
  const std::int64_t month = (static_cast<std::int64_t>(date.year) - 1970) * 12 + date.month - 1;
  std::int64_t step = month / MonthsOf(unit);
  if (step * MonthsOf(unit) > month) --step;
  return step;
}

class TimeReader {
 public:
  TimeReader(ColumnRef time, const EvaluateOptions& options) : time_(time), options_(options) {}

  TimeSet Read(const Expr& condition, bool negated) const {
    switch (condition.kind) {
      case ExprKind::kConstant:
        return ReadConstant(condition, negated);
      case ExprKind::kAnd:
      case ExprKind::kOr:
        return ReadLogic(condition, negated);
      case ExprKind::kCall:
        return ReadCall(condition, negated);
      case ExprKind::kIn:
        return ReadIn(condition, negated);
      case ExprKind::kIsNull:
        if (!TermOf(*condition.children[0]).has_value()) return {};
        return negated ? TimeSet{{TimeRange{}}, true} : TimeSet{{}, true};
      case ExprKind::kCase:
        return ReadCase(condition, negated);
      case ExprKind::kCoalesce:
        return ReadCoalesce(condition, negated);
      default:
        return {};
    }
  }

 private:
  static TimeSet ReadConstant(const Expr& condition, bool negated) {
    if (condition.constant.is_null()) return {{}, true};
    const bool passes = condition.constant.boolean() != negated;
    return passes ? TimeSet{{TimeRange{}}, true} : TimeSet{{}, true};
  }

  TimeSet ReadLogic(const Expr& condition, bool negated) const {
    // NOT (a AND b) is NOT a OR NOT b, in three values as well.
    const bool unite = (condition.kind == ExprKind::kOr) != negated;
    TimeSet all{unite ? std::vector<TimeRange>{} : std::vector<TimeRange>{TimeRange{}}, true};
    for (const ExprPtr& child : condition.children) {
      TimeSet one = Read(*child, negated);
      all.exact = all.exact && one.exact;
      all.ranges = unite ? UniteRanges(std::move(all.ranges), one.ranges) : IntersectRanges(all.ranges, one.ranges);
    }
    return all;
  }

  /// Where a branch is taken and its value is true; a branch before it may have been taken instead.
  TimeSet ReadCase(const Expr& condition, bool negated) const {
    TimeSet any{{}, false};
    std::size_t i = 0;
    for (; i + 1 < condition.children.size(); i += 2) {
      const TimeSet when = Read(*condition.children[i], false);
      const TimeSet then = Read(*condition.children[i + 1], negated);
      any.ranges = UniteRanges(std::move(any.ranges), IntersectRanges(when.ranges, then.ranges));
    }
    if (i < condition.children.size()) {
      any.ranges = UniteRanges(std::move(any.ranges), Read(*condition.children[i], negated).ranges);
    }
    return any;
  }

  /// Some operand is true; those before it may be false.
  TimeSet ReadCoalesce(const Expr& condition, bool negated) const {
    TimeSet any{{}, false};
    for (const ExprPtr& child : condition.children) {
      any.ranges = UniteRanges(std::move(any.ranges), Read(*child, negated).ranges);
    }
    return any;
  }

  TimeSet ReadCall(const Expr& condition, bool negated) const {
    if (condition.scalar->name == "$not") return Read(*condition.children[0], !negated);
    if (condition.scalar->name == "$distinct_from") return ReadDistinct(condition, negated);
    std::optional<Comparison> op = ComparisonOf(condition.scalar->name);
    if (!op.has_value() || condition.children.size() != 2) return {};
    const Expr* term_side = condition.children[0].get();
    const Expr* constant_side = condition.children[1].get();
    if (!IsConstantExpr(*constant_side)) {
      std::swap(term_side, constant_side);
      op = Mirrored(*op);
    }
    if (!IsConstantExpr(*constant_side)) return {};
    if (negated) op = Negated(*op);
    const std::optional<TimeTerm> term = TermOf(*term_side);
    if (!term.has_value() && !CalendarOf(*term_side).has_value()) return {};
    const Result<Value> constant = EvaluateConstant(*constant_side, options_);
    if (!constant.ok()) return {};  // it fails when a row gets there
    if (constant->is_null()) return {{}, true};
    if (term.has_value()) return {Compare(*term, *op, constant->integer()), true};
    return ReadCalendar(*term_side, *op, constant->integer());
  }

  /// time IS DISTINCT FROM constant: as <> and =, since time is never null.
  TimeSet ReadDistinct(const Expr& condition, bool negated) const {
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const std::optional<TimeTerm> term = TermOf(*condition.children[side]);
      const Expr& other = *condition.children[1 - side];
      if (!term.has_value() || !IsConstantExpr(other)) continue;
      const Result<Value> constant = EvaluateConstant(other, options_);
      if (!constant.ok()) return {};
      if (constant->is_null()) return negated ? TimeSet{{}, true} : TimeSet{{TimeRange{}}, true};
      return {Compare(*term, negated ? Comparison::kEqual : Comparison::kNotEqual, constant->integer()), true};
    }
    return {};
  }

  /// date_trunc('month', time) and the like, and year(time): the unit and what it is applied to.
  struct Calendar {
    CalendarUnit unit;
    TimeTerm term;
    bool is_number = false;  ///< year(time), not its first instant
  };
  std::optional<Calendar> CalendarOf(const Expr& expr) const {
    if (expr.kind != ExprKind::kCall) return std::nullopt;
    std::optional<CalendarUnit> unit;
    const Expr* of = nullptr;
    const bool is_number = expr.scalar->name == "year" && expr.children.size() == 1;
    if (is_number) {
      unit = CalendarUnit::kYear;
      of = expr.children[0].get();
    } else if (expr.scalar->name == "date_trunc" && expr.children.size() == 2 && IsConstantExpr(*expr.children[0])) {
      const Result<Value> name = EvaluateConstant(*expr.children[0], options_);
      if (!name.ok() || name->is_null()) return std::nullopt;
      unit = CalendarUnitOf(name->text());
      of = expr.children[1].get();
    }
    if (!unit.has_value() || !of->type.is(TypeId::kTimestamp)) return std::nullopt;
    const std::optional<TimeTerm> term = TermOf(*of);
    if (!term.has_value() || term->width != 1) return std::nullopt;
    return Calendar{*unit, *term, is_number};
  }

  TimeSet ReadCalendar(const Expr& expr, Comparison op, std::int64_t constant) const {
    const Calendar calendar = *CalendarOf(expr);
    const CalendarUnit unit = calendar.unit;
    std::int64_t step = 0;
    bool on_grid = true;
    if (calendar.is_number) {
      constexpr std::int64_t kYearsAway = 1000;  // further than timestamps reach
      step = std::clamp<std::int64_t>(constant - 1970, -kYearsAway, kYearsAway);
    } else {
      step = StepOf(unit, constant);
      on_grid = StartOfStep(unit, step) == constant;
    }
    switch (op) {
      case Comparison::kGreaterEqual:
        return {Between(calendar.term, StartOfStep(unit, on_grid ? step : step + 1), std::nullopt), true};
      case Comparison::kGreater:
        return {Between(calendar.term, StartOfStep(unit, step + 1), std::nullopt), true};
      case Comparison::kLessEqual:
        return {Between(calendar.term, std::nullopt, StartOfStep(unit, step + 1) - 1), true};
      case Comparison::kLess:
        return {Between(calendar.term, std::nullopt, StartOfStep(unit, on_grid ? step : step + 1) - 1), true};
      case Comparison::kEqual:
      case Comparison::kNotEqual: {
        std::vector<TimeRange> equal;
        if (on_grid) equal = Between(calendar.term, StartOfStep(unit, step), StartOfStep(unit, step + 1) - 1);
        return {op == Comparison::kEqual ? equal : InvertRanges(equal), true};
      }
    }
    return {};
  }

  TimeSet ReadIn(const Expr& condition, bool negated) const {
    const std::optional<TimeTerm> term = TermOf(*condition.children[0]);
    if (!term.has_value()) return {};
    TimeSet set{{}, true};
    bool has_null = false;
    for (std::size_t i = 1; i < condition.children.size(); ++i) {
      if (!IsConstantExpr(*condition.children[i])) return {};
      const Result<Value> constant = EvaluateConstant(*condition.children[i], options_);
      if (!constant.ok()) return {};
      if (constant->is_null()) {
        has_null = true;
        continue;
      }
      set.ranges = UniteRanges(std::move(set.ranges), Compare(*term, Comparison::kEqual, constant->integer()));
    }
    if (!negated) return set;
    // NOT IN with a null among the items is never true.
    return has_null ? TimeSet{{}, true} : TimeSet{InvertRanges(set.ranges), true};
  }

  /// Values of `type` are int64 that the term's arithmetic can compare with.
  static bool IsWholeNumber(const Type& type) {
    return type.is(TypeId::kTimestamp) || type.is(TypeId::kDate) || type.is(TypeId::kBigint);
  }

  std::optional<TimeTerm> TermOf(const Expr& expr) const {
    if (!IsWholeNumber(expr.type)) return std::nullopt;
    if (expr.kind == ExprKind::kColumn) {
      return expr.column == time_ ? std::optional(TimeTerm{}) : std::nullopt;
    }
    if (expr.kind == ExprKind::kCast) return CastTerm(*expr.children[0], expr.type);
    if (expr.kind != ExprKind::kCall || expr.children.empty()) return std::nullopt;
    const std::string_view name = expr.scalar->name;
    if (name == "date" && expr.children.size() == 1) return CastTerm(*expr.children[0], Type::Date());
    if (name == "date_trunc" && expr.children.size() == 2) return TruncTerm(expr);
    std::optional<TimeTerm> term = TermOf(*expr.children[0]);
    if (name == "$add" && !term.has_value() && expr.children.size() == 2) {
      return ShiftTerm(TermOf(*expr.children[1]), *expr.children[0], 1);
    }
    if (name == "date_add" && expr.children.size() == 3) return DateAddTerm(expr);
    // What takes numbers back to instants undoes what made them of instants.
    if ((name == "from_milliseconds" || name == "from_nanoseconds") && term.has_value()) {
      const Int128 unit = name == "from_milliseconds" ? Int128{kNsPerMs} : Int128{1};
      if (!expr.children[0]->type.is(TypeId::kBigint) || term->scale != unit) return std::nullopt;
      term->scale = 1;
      return term;
    }
    // Everything else wants the instant itself below.
    if (!term.has_value() || term->width != 1 || !expr.children[0]->type.is(TypeId::kTimestamp)) return std::nullopt;
    if ((name == "$add" || name == "$subtract") && expr.children.size() == 2) {
      return ShiftTerm(term, *expr.children[1], name == "$add" ? 1 : -1);
    }
    if (name == "bin" && expr.children.size() == 2) {
      const std::optional<std::int64_t> width = IntervalOf(*expr.children[1]);
      if (!width.has_value() || *width <= 0) return std::nullopt;
      term->width = *width;
      return term;
    }
    if (name == "to_milliseconds" && expr.children.size() == 1) {
      term->width = term->scale = kNsPerMs;
      return term;
    }
    if (name == "to_nanoseconds" && expr.children.size() == 1) return term;
    return std::nullopt;
  }

  std::optional<TimeTerm> CastTerm(const Expr& child, const Type& to) const {
    std::optional<TimeTerm> term = TermOf(child);
    if (!term.has_value()) return std::nullopt;
    if (to.is(TypeId::kDate) && child.type.is(TypeId::kTimestamp) && term->width == 1) {
      term->width = term->scale = kNsPerDay;
      return term;
    }
    if (to.is(TypeId::kTimestamp) && child.type.is(TypeId::kDate)) {
      term->scale = 1;
      return term;
    }
    return std::nullopt;
  }

  std::optional<TimeTerm> TruncTerm(const Expr& expr) const {
    std::optional<TimeTerm> term = TermOf(*expr.children[1]);
    if (!term.has_value() || term->width != 1 || !expr.type.is(TypeId::kTimestamp) ||
        !IsConstantExpr(*expr.children[0])) {
      return std::nullopt;
    }
    const Result<Value> unit = EvaluateConstant(*expr.children[0], options_);
    if (!unit.ok() || unit->is_null()) return std::nullopt;
    if (unit->text() == "second") {
      term->width = kNsPerSecond;
    } else if (unit->text() == "minute") {
      term->width = kNsPerMinute;
    } else if (unit->text() == "hour") {
      term->width = kNsPerHour;
    } else if (unit->text() == "day") {
      term->width = kNsPerDay;
    } else if (unit->text() == "week") {
      term->width = 7 * static_cast<Int128>(kNsPerDay);
      term->origin = kMondayOrigin;
    } else {
      return std::nullopt;
    }
    return term;
  }

  /// date_add('hour', 3, time): a shift, for units of one length.
  std::optional<TimeTerm> DateAddTerm(const Expr& expr) const {
    std::optional<TimeTerm> term = TermOf(*expr.children[2]);
    if (!term.has_value() || term->width != 1 || !expr.children[2]->type.is(TypeId::kTimestamp) ||
        !IsConstantExpr(*expr.children[0]) || !IsConstantExpr(*expr.children[1])) {
      return std::nullopt;
    }
    const Result<Value> unit = EvaluateConstant(*expr.children[0], options_);
    const Result<Value> count = EvaluateConstant(*expr.children[1], options_);
    if (!unit.ok() || !count.ok() || unit->is_null() || count->is_null()) return std::nullopt;
    static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
        {"nanosecond", 1},          {"microsecond", kNsPerUs}, {"millisecond", kNsPerMs}, {"second", kNsPerSecond},
        {"minute", kNsPerMinute},   {"hour", kNsPerHour},      {"day", kNsPerDay},        {"week", 7 * kNsPerDay},
    };
    for (const auto& [name, ns] : kUnits) {
      if (name != unit->text()) continue;
      term->shift += static_cast<Int128>(count->integer()) * ns;
      return term;
    }
    return std::nullopt;
  }

  std::optional<TimeTerm> ShiftTerm(std::optional<TimeTerm> term, const Expr& by, int sign) const {
    if (!term.has_value() || term->width != 1) return std::nullopt;
    const std::optional<std::int64_t> interval = IntervalOf(by);
    if (!interval.has_value()) return std::nullopt;
    term->shift += static_cast<Int128>(sign) * *interval;
    return term;
  }

  std::optional<std::int64_t> IntervalOf(const Expr& expr) const {
    if (!expr.type.is(TypeId::kIntervalDayToSecond) || !IsConstantExpr(expr)) return std::nullopt;
    const Result<Value> value = EvaluateConstant(expr, options_);
    if (!value.ok() || value->is_null()) return std::nullopt;
    return value->integer();
  }

  /// Instants at which `term` op `constant`.
  static std::vector<TimeRange> Compare(const TimeTerm& term, Comparison op, Int128 constant) {
    const Int128 target = constant * term.scale + term.origin;
    // The greatest multiple of width at or below the target, and the least at or above it.
    Int128 below = target / term.width * term.width;
    if (below > target) below -= term.width;
    const bool on_grid = below == target;
    const Int128 above = on_grid ? below : below + term.width;
    switch (op) {
      case Comparison::kGreaterEqual:
        return Between(term, above, std::nullopt);
      case Comparison::kGreater:
        return Between(term, below + term.width, std::nullopt);
      case Comparison::kLessEqual:
        return Between(term, std::nullopt, below + term.width - 1);
      case Comparison::kLess:
        return Between(term, std::nullopt, above - 1);
      case Comparison::kEqual:
        if (!on_grid) return {};
        return Between(term, below, below + term.width - 1);
      case Comparison::kNotEqual:
        return InvertRanges(Compare(term, Comparison::kEqual, constant));
    }
    return {TimeRange{}};
  }

  /// first <= time + shift <= last, cut to what an instant can be.
  static std::vector<TimeRange> Between(const TimeTerm& term, std::optional<Int128> first,
                                        std::optional<Int128> last) {
    TimeRange range;
    if (first.has_value()) {
      const Int128 bound = *first - term.origin - term.shift;
      if (bound > kLastInstant) return {};
      range.first_ns = static_cast<std::int64_t>(std::max<Int128>(bound, kFirstInstant));
    }
    if (last.has_value()) {
      const Int128 bound = *last - term.origin - term.shift;
      if (bound < kFirstInstant) return {};
      range.last_ns = static_cast<std::int64_t>(std::min<Int128>(bound, kLastInstant));
    }
    if (range.first_ns > range.last_ns) return {};
    return {range};
  }

  ColumnRef time_;
  const EvaluateOptions& options_;
};

}  // namespace

TimeSet TimesPassing(const Expr& condition, ColumnRef time, const EvaluateOptions& options) {
  return TimeReader(time, options).Read(condition, false);
}

std::vector<TimeRange> IntersectRanges(const std::vector<TimeRange>& a, const std::vector<TimeRange>& b) {
  std::vector<TimeRange> out;
  for (std::size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    const TimeRange both{std::max(a[i].first_ns, b[k].first_ns), std::min(a[i].last_ns, b[k].last_ns)};
    if (both.first_ns <= both.last_ns) out.push_back(both);
    if (a[i].last_ns < b[k].last_ns) {
      ++i;
    } else {
      ++k;
    }
  }
  return out;
}

std::vector<TimeRange> UniteRanges(std::vector<TimeRange> a, const std::vector<TimeRange>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end(), [](const TimeRange& x, const TimeRange& y) { return x.first_ns < y.first_ns; });
  std::vector<TimeRange> out;
  for (const TimeRange& range : a) {
    const bool joins = !out.empty() && (out.back().last_ns == kLastInstant || range.first_ns <= out.back().last_ns + 1);
    if (joins) {
      out.back().last_ns = std::max(out.back().last_ns, range.last_ns);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

std::vector<TimeRange> InvertRanges(const std::vector<TimeRange>& ranges) {
  std::vector<TimeRange> out;
  std::int64_t next = kFirstInstant;
  for (const TimeRange& range : ranges) {
    if (range.first_ns > next) out.push_back({next, range.first_ns - 1});
    if (range.last_ns == kLastInstant) return out;
    next = range.last_ns + 1;
  }
  out.push_back({next, kLastInstant});
  return out;
}

}  // namespace tideline::sql
