#include "query_generator.h"

#include <algorithm>
#include <set>

#include "base/time.h"

namespace tideline::slt {

namespace {

constexpr std::int64_t kStart = 1'704'067'200'000'000'000;  // 2024-01-01
/// Relations side by side in one FROM; each has some twenty rows.
constexpr std::size_t kRelationsMax = 3;
/// Sub-queries in one statement.
constexpr int kSubqueriesMax = 4;

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

}  // namespace

std::vector<Record> QueryGenerator::Records(std::size_t count) {
  std::vector<Record> records;
  std::set<std::string> taken;  // of two records of one identity the store would refuse one
  for (std::size_t i = 0; i < count; ++i) {
    Record record;
    record.multi = true;
    record.measure_name = Pick({"load", "disk"});
    record.dimensions.push_back({"host", Pick({"a", "b", "c"})});
    const bool whole = i == 0;  // so that the table has every column, however few its rows
    if (whole || Chance(70)) record.dimensions.push_back({"zone", Pick({"x", "y"})});
    record.time_ns = kStart + static_cast<std::int64_t>(Below(40)) * 10 * kNsPerMinute;
    record.measures.push_back({"n", "bigint", std::to_string(Below(6))});
    if (whole || Chance(75)) record.measures.push_back({"m", "bigint", std::to_string(Below(10))});
    if (whole || Chance(75)) record.measures.push_back({"v", "double", std::to_string(Below(8)) + ".5"});
    if (whole || Chance(60)) record.measures.push_back({"s", "varchar", Pick({"up", "down", "a", ""})});
    if (whole || Chance(60)) record.measures.push_back({"b", "boolean", Pick({"true", "false"})});
    std::string identity = record.measure_name + std::to_string(record.time_ns);
    for (const Dimension& dimension : record.dimensions) identity += dimension.name + dimension.value;
    if (taken.insert(identity).second) records.push_back(std::move(record));
  }
  return records;
}

QueryGenerator::Kind QueryGenerator::AnyKind() {
  constexpr Kind kKinds[] = {Kind::kNumber, Kind::kNumber, Kind::kFloat, Kind::kText, Kind::kFlag, Kind::kTime};
  return kKinds[Below(6)];
}

std::vector<QueryGenerator::Kind> QueryGenerator::AnyKinds() {
  std::vector<Kind> kinds;
  for (std::size_t i = 1 + Below(3); i-- > 0;) kinds.push_back(AnyKind());
  return kinds;
}

std::string QueryGenerator::Query() {
  scopes_.clear();
  with_.clear();
  next_name_ = 0;
  subqueries_left_ = kSubqueriesMax;
  std::string with;
  for (std::size_t count = Chance(25) ? 1 + Below(2) : 0; count-- > 0;) {
    Part query = Select({}, 1, true);
    const std::string name = NewName("w");
    with += (with.empty() ? "WITH " : ", ") + name + " AS (" + query.text + ")";
    query.text = name;
    with_.push_back(std::move(query));
  }
  const std::string body = Select({}, 2, true).text;
  return with.empty() ? body : with + " " + body;
}

QueryGenerator::Part QueryGenerator::Select(std::vector<Kind> kinds, int depth, bool may_limit) {
  if (kinds.empty()) kinds = AnyKinds();
  const std::size_t form = Below(10);
  Part part = form < 2 && depth > 0 ? SetOperation(kinds, depth)
              : form < 5            ? GroupedSelect(kinds, depth)
                                    : PlainSelect(kinds, depth);
  if (!may_limit || Chance(60)) return part;
  // By every column: rows that tie are the same row.
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < part.columns.size(); ++i) {
    keys.push_back(std::to_string(i + 1) + Pick({"", " DESC", " ASC", " NULLS FIRST", " DESC NULLS FIRST"}));
  }
  part.text += " ORDER BY " + Join(keys, ", ");
  if (Chance(20)) part.text += " OFFSET " + std::to_string(Below(3));
  if (Chance(70)) part.text += " LIMIT " + std::to_string(Below(8));
  return part;
}

QueryGenerator::Part QueryGenerator::PlainSelect(const std::vector<Kind>& kinds, int depth) {
  scopes_.emplace_back();
  const std::string from = From(depth);
  const std::string where = Chance(65) ? " WHERE " + Flag(2) : "";
  Part part;
  std::vector<std::string> items;
  const bool distinct = Chance(20);
  for (const Kind kind : kinds) {
    const std::string name = NewName("c");
    const bool windowed = !distinct && Chance(12);
    items.push_back((windowed ? Windowed(kind) : Expr(kind, 2)) + " AS " + name);
    part.columns.push_back({name, kind});
  }
  scopes_.pop_back();
  part.text = std::string("SELECT ") + (distinct ? "DISTINCT " : "") + Join(items, ", ") + from + where;
  return part;
}

QueryGenerator::Part QueryGenerator::GroupedSelect(const std::vector<Kind>& kinds, int depth) {
  scopes_.emplace_back();
  const std::string from = From(depth);
  const std::string where = Chance(50) ? " WHERE " + Flag(1) : "";
  // Keys: columns, and what is made of them. Each kind wanted may be a key or an aggregate.
  std::vector<std::string> keys;
  Scope grouped;
  for (std::size_t count = Below(3); count-- > 0;) {
    const Scope& columns = scopes_.back();
    const Column& column = columns[Below(columns.size())];
    if (column.kind == Kind::kFloat) continue;  // zeros of two signs are one group
    keys.push_back(column.name);
    grouped.push_back(column);
  }
  if (Chance(25)) keys.push_back(Chance(50) ? "bin(" + Time(0) + ", 1h)" : "(" + Number(0) + ") % 2");
  Part part;
  std::vector<std::string> items;
  for (const Kind kind : kinds) {
    const std::string name = NewName("c");
    std::string item;
    for (const Column& key : grouped) {
      if (key.kind == kind && Chance(50)) item = key.name;
    }
    if (item.empty()) item = Aggregate(kind, 1);
    items.push_back(item + " AS " + name);
    part.columns.push_back({name, kind});
  }
  const std::string having = Chance(30) ? " HAVING " + Aggregate(Kind::kNumber, 0) + Pick({" > ", " < ", " = "}) +
                                              std::to_string(Below(5))
                                        : "";
  std::string group_by;
  if (!keys.empty()) {
    const std::string list = Join(keys, ", ");
    switch (Below(6)) {
      case 0:
        group_by = " GROUP BY ROLLUP (" + list + ")";
        break;
      case 1:
        group_by = " GROUP BY GROUPING SETS ((" + list + "), (" + keys.front() + "), ())";
        break;
      case 2:
        group_by = " GROUP BY CUBE (" + list + ")";
        break;
      default:
        group_by = " GROUP BY " + list;
    }
  }
  scopes_.pop_back();
  part.text = "SELECT " + Join(items, ", ") + from + where + group_by + having;
  return part;
}

QueryGenerator::Part QueryGenerator::SetOperation(const std::vector<Kind>& kinds, int depth) {
  Part part = Select(kinds, depth - 1, false);
  const std::string op = Pick({" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ", " EXCEPT ALL ", " INTERSECT ALL "});
  part.text = "(" + part.text + ")" + op + "(" + Select(kinds, depth - 1, true).text + ")";
  return part;
}

QueryGenerator::Part QueryGenerator::Relation(int depth) {
  Part part;
  const std::string alias = NewName("r");
  const std::size_t form = Below(10);
  if (!with_.empty() && form < 2) {
    const Part& query = with_[Below(with_.size())];
    part.text = query.text + " AS " + alias;
    part.columns = query.columns;
  } else if (depth > 0 && form < 5) {
    part = Select({}, depth - 1, true);
    part.text = "(" + part.text + ") AS " + alias;
  } else if (form == 5) {
    part.text = "(VALUES (1, 'a'), (2, 'x'), (NULL, 'up'), (3, NULL)) AS " + alias + "(p, q)";
    part.columns = {{"p", Kind::kNumber}, {"q", Kind::kText}};
  } else {
    part.text = "db.t AS " + alias;
    part.columns = {{"host", Kind::kText}, {"zone", Kind::kText},   {"measure_name", Kind::kText}, {"time", Kind::kTime},
                    {"n", Kind::kNumber},  {"m", Kind::kNumber},    {"v", Kind::kFloat},           {"s", Kind::kText},
                    {"b", Kind::kFlag}};
  }
  for (Column& column : part.columns) column.name = alias + "." + column.name;
  return part;
}

std::string QueryGenerator::From(int depth) {
  // A relation that is being made does not see those to its left, but for LATERAL.
  Scope own = std::move(scopes_.back());
  scopes_.pop_back();
  Part first = Relation(depth);
  std::string text = " FROM " + first.text;
  own.insert(own.end(), first.columns.begin(), first.columns.end());
  for (std::size_t count = 1; count < kRelationsMax && Chance(30); ++count) {
    if (Chance(15)) {
      const std::string alias = NewName("e");
      scopes_.push_back(own);
      text += " CROSS JOIN UNNEST(ARRAY[" + Number(1) + ", " + Number(0) + "]) AS " + alias + "(x)";
      own = std::move(scopes_.back());
      scopes_.pop_back();
      own.push_back({alias + ".x", Kind::kNumber});
      continue;
    }
    const bool lateral = depth > 0 && subqueries_left_ > 0 && Chance(20);
    Part part;
    if (lateral) {
      --subqueries_left_;
      scopes_.push_back(own);
      part = Select({}, depth - 1, true);
      own = std::move(scopes_.back());
      scopes_.pop_back();
      const std::string alias = NewName("l");
      part.text = "LATERAL (" + part.text + ") AS " + alias;
      for (Column& column : part.columns) column.name = alias + "." + column.name;
    } else {
      part = Relation(depth);
    }
    own.insert(own.end(), part.columns.begin(), part.columns.end());
    const std::string join = lateral ? Pick({" CROSS JOIN ", " JOIN ", " LEFT JOIN "})
                                     : Pick({" CROSS JOIN ", " JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN "});
    text += join + part.text;
    if (join == " CROSS JOIN ") continue;
    scopes_.push_back(own);
    const int allowed = subqueries_left_;
    if (join == " FULL JOIN ") subqueries_left_ = 0;
    text += " ON " + Flag(1);
    subqueries_left_ = std::min(allowed, join == " FULL JOIN " ? allowed : subqueries_left_);
    own = std::move(scopes_.back());
    scopes_.pop_back();
  }
  scopes_.push_back(std::move(own));
  return text;
}

std::string QueryGenerator::Windowed(Kind kind) {
  std::vector<std::string> all;
  for (const Column& column : scopes_.back()) all.push_back(column.name);
  const std::string partition = Chance(60) ? "PARTITION BY " + all[Below(all.size())] + " " : "";
  const std::string total = partition + "ORDER BY " + Join(all, ", ");
  if (kind == Kind::kNumber && Chance(60)) {
    const std::string some = partition + "ORDER BY " + all[Below(all.size())] + Pick({"", " DESC"});
    return Pick({"rank()", "dense_rank()", "count(*)", "sum(" + Number(0) + ")", "max(" + Number(0) + ")"}) +
           " OVER (" + some + ")";
  }
  return Pick({"lag", "lead", "first_value", "last_value", "max"}) + "(" + Expr(kind, 0) + ") OVER (" + total + ")";
}

std::string QueryGenerator::Literal(Kind kind) {
  switch (kind) {
    case Kind::kNumber:
      return Chance(8) ? "CAST(NULL AS bigint)" : std::to_string(Below(6));
    case Kind::kFloat:
      return Chance(8) ? "CAST(NULL AS double)" : std::to_string(Below(6)) + ".5";
    case Kind::kText:
      return Chance(8) ? "CAST(NULL AS varchar)" : Pick({"'a'", "'x'", "'up'", "''", "'load'"});
    case Kind::kFlag:
      return Pick({"TRUE", "FALSE", "CAST(NULL AS boolean)"});
    case Kind::kTime:
      return "TIMESTAMP '2024-01-01 0" + std::to_string(Below(7)) + ":00:00'";
  }
  return {};
}

std::string QueryGenerator::ColumnOf(Kind kind) {
  // Mostly of this query, sometimes of one around it.
  for (std::size_t i = scopes_.size(); i-- > 0;) {
    std::vector<std::string> names;
    for (const Column& column : scopes_[i]) {
      if (column.kind == kind) names.push_back(column.name);
    }
    const bool go_on = i > 0 && Chance(35);
    if (!names.empty() && !go_on) return Pick(names);
  }
  return {};
}

std::string QueryGenerator::Expr(Kind kind, int depth) {
  if (depth <= 0 || Chance(35)) {
    const std::string column = Chance(80) ? ColumnOf(kind) : std::string();
    return column.empty() ? Literal(kind) : column;
  }
  if (subqueries_left_ > 0 && Chance(8)) return ScalarSubquery(kind, depth);
  if (Chance(10)) {
    return "CASE WHEN " + Flag(depth - 1) + " THEN " + Expr(kind, depth - 1) +
           (Chance(70) ? " ELSE " + Expr(kind, depth - 1) : "") + " END";
  }
  if (Chance(8)) return "COALESCE(" + Expr(kind, depth - 1) + ", " + Expr(kind, depth - 1) + ")";
  if (Chance(4)) return "NULLIF(" + Expr(kind, depth - 1) + ", " + Expr(kind, depth - 1) + ")";
  switch (kind) {
    case Kind::kNumber:
      return Number(depth);
    case Kind::kFloat:
      return Float(depth);
    case Kind::kText:
      return Text(depth);
    case Kind::kFlag:
      return "(" + Flag(depth) + ")";
    case Kind::kTime:
      return Time(depth);
  }
  return {};
}

std::string QueryGenerator::Number(int depth) {
  if (depth <= 0) return Expr(Kind::kNumber, 0);
  switch (Below(6)) {
    case 0:
      return "length(" + Expr(Kind::kText, depth - 1) + ")";
    case 1:
      return Chance(30) ? "10 / " + Expr(Kind::kNumber, depth - 1) : "TRY(10 / " + Expr(Kind::kNumber, depth - 1) + ")";
    case 2:
      return "hour(" + Expr(Kind::kTime, depth - 1) + ")";
    case 3:
      return "(" + Expr(Kind::kNumber, depth - 1) + " % 3)";
    default:
      return "(" + Expr(Kind::kNumber, depth - 1) + Pick({" + ", " - ", " * "}) + Expr(Kind::kNumber, depth - 1) + ")";
  }
}

std::string QueryGenerator::Float(int depth) {
  if (depth <= 0) return Expr(Kind::kFloat, 0);
  if (Chance(30)) return "CAST(" + Expr(Kind::kNumber, depth - 1) + " AS double)";
  return "(" + Expr(Kind::kFloat, depth - 1) + Pick({" + ", " - ", " * "}) + Expr(Kind::kFloat, depth - 1) + ")";
}

std::string QueryGenerator::Text(int depth) {
  if (depth <= 0) return Expr(Kind::kText, 0);
  switch (Below(4)) {
    case 0:
      return "(" + Expr(Kind::kText, depth - 1) + " || " + Expr(Kind::kText, depth - 1) + ")";
    case 1:
      return "upper(" + Expr(Kind::kText, depth - 1) + ")";
    case 2:
      return "substr(" + Expr(Kind::kText, depth - 1) + ", " + Expr(Kind::kNumber, 0) + ")";
    default:
      return "CAST(" + Expr(Kind::kNumber, depth - 1) + " AS varchar)";
  }
}

std::string QueryGenerator::Time(int depth) {
  if (depth <= 0) return Expr(Kind::kTime, 0);
  switch (Below(4)) {
    case 0:
      return "bin(" + Expr(Kind::kTime, depth - 1) + ", " + Pick({"1h", "30m", "1d"}) + ")";
    case 1:
      return "date_trunc('" + Pick({"hour", "day", "month"}) + "', " + Expr(Kind::kTime, depth - 1) + ")";
    default:
      return "(" + Expr(Kind::kTime, depth - 1) + Pick({" + ", " - "}) + Pick({"1h", "20m", "1d"}) + ")";
  }
}

std::string QueryGenerator::Flag(int depth) {
  if (subqueries_left_ > 0 && depth > 0 && Chance(14)) return FlagSubquery(depth);
  if (depth > 0 && Chance(40)) {
    const std::string left = Flag(depth - 1);
    if (Chance(25)) return "NOT (" + left + ")";
    return "(" + left + Pick({" AND ", " AND ", " OR "}) + Flag(depth - 1) + ")";
  }
  const int below = depth - 1;
  const Kind kind = AnyKind();
  switch (Below(9)) {
    case 0:
      return Expr(kind, below) + Pick({" IS NULL", " IS NOT NULL"});
    case 1:
      if (kind == Kind::kFlag) return Expr(kind, below);
      return Expr(kind, below) + Pick({" BETWEEN ", " NOT BETWEEN "}) + Expr(kind, 0) + " AND " + Expr(kind, below);
    case 2:
      return Expr(kind, below) + Pick({" IN (", " NOT IN ("}) + Literal(kind) + ", " + Literal(kind) + ")";
    case 3:
      return Expr(Kind::kText, below) + Pick({" LIKE ", " NOT LIKE "}) + Pick({"'%a%'", "'u_'", "'l%'", "''"});
    case 4:
      return Expr(kind, below) + Pick({" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "}) + Expr(kind, below);
    case 5:
      return Time(depth) + Pick({" >= ", " < ", " = ", " <> "}) + Literal(Kind::kTime);
    default:
      return Expr(kind, below) + Pick({" = ", " = ", " <> ", " < ", " <= ", " > ", " >= "}) + Expr(kind, below);
  }
}

std::string QueryGenerator::Aggregate(Kind kind, int depth) {
  const auto of = [&](Kind k) { return Expr(k, depth); };
  std::string call;
  switch (kind) {
    case Kind::kNumber:
      call = Pick({"count(*)", "count(" + of(AnyKind()) + ")", "count(DISTINCT " + of(Kind::kNumber) + ")",
                   "sum(" + of(Kind::kNumber) + ")", "min(" + of(Kind::kNumber) + ")", "max(" + of(Kind::kNumber) + ")",
                   "count_if(" + of(Kind::kFlag) + ")"});
      break;
    case Kind::kFloat:
      call = Pick({"sum", "min", "max", "avg"}) + "(" + of(Kind::kFloat) + ")";
      break;
    case Kind::kText:
      call = Pick({"min", "max"}) + "(" + of(Kind::kText) + ")";
      if (Chance(20)) {
        const std::string value = of(Kind::kText);
        call = "array_join(array_agg(" + value + " ORDER BY " + value + "), ',')";
        return call;
      }
      break;
    case Kind::kFlag:
      call = Pick({"bool_and", "bool_or"}) + "(" + of(Kind::kFlag) + ")";
      break;
    case Kind::kTime:
      call = Pick({"min", "max"}) + "(" + of(Kind::kTime) + ")";
      break;
  }
  if (Chance(15)) call += " FILTER (WHERE " + Flag(0) + ")";
  return call;
}

std::string QueryGenerator::ScalarSubquery(Kind kind, int depth) {
  --subqueries_left_;
  scopes_.emplace_back();
  const std::string from = From(depth > 1 ? 1 : 0);
  const std::string where = Chance(85) ? " WHERE " + Flag(1) : "";
  std::string text;
  switch (Below(4)) {
    case 0: {
      const std::string item = Expr(kind, 1);
      text = "SELECT " + item + from + where + " ORDER BY 1 LIMIT 1";
      break;
    }
    case 1:
      text = "SELECT " + Expr(kind, 1) + from + where;  // more than one row fails
      break;
    default:
      text = "SELECT " + Aggregate(kind, 1) + from + where;
  }
  scopes_.pop_back();
  return "(" + text + ")";
}

std::string QueryGenerator::FlagSubquery(int depth) {
  --subqueries_left_;
  const int below = depth > 1 ? 1 : 0;
  switch (Below(4)) {
    case 0:
    case 1:
      return Pick({"EXISTS (", "NOT EXISTS ("}) + Select({}, below, true).text + ")";
    case 2: {
      const Kind kind = AnyKind();
      const std::string value = Expr(kind, depth - 1);
      return value + Pick({" IN (", " NOT IN ("}) + Select({kind}, below, true).text + ")";
    }
    default: {
      const Kind kind = AnyKind();
      if (kind == Kind::kFlag) return "TRUE";
      const std::string value = Expr(kind, depth - 1);
      return value + Pick({" = ", " <> ", " < ", " >= "}) + Pick({"ANY (", "ALL ("}) +
             Select({kind}, below, true).text + ")";
    }
  }
}

std::string QueryGenerator::Mutate(std::string text) {
  static const std::vector<std::string> kPieces = {"(",     ")",      ",",     "SELECT", "FROM", "WHERE", "'",  "\"",
                                                   "NULL",  "GROUP BY", "1e999", "-",    "JOIN", "ON",    "IN", "--",
                                                   "/*",    "::",     "@p",    "OVER",  "ARRAY[", "]",    "->", ".",
                                                   "99999999999999999999", "LATERAL", "UNNEST(", "1m",    "\xc3\xa9", ";"};
  for (std::size_t changes = 1 + Below(4); changes-- > 0 && !text.empty();) {
    const std::size_t at = Below(text.size());
    const std::size_t length = std::min(1 + Below(12), text.size() - at);
    switch (Below(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(at, length));
        break;
      case 2:
        text.insert(at, " " + Pick(kPieces) + " ");
        break;
      case 3: {
        const std::string moved = text.substr(at, length);
        text.erase(at, length);
        text.insert(text.empty() ? 0 : Below(text.size()), moved);
        break;
      }
      default:
        text[at] = static_cast<char>(Below(256));
    }
  }
  return text;
}

}  // namespace tideline::slt
