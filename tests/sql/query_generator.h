// tests/sql/query_generator.h: random statements over small tables, by the grammar of the language.
//
// A statement names only columns that are there, of types that fit, and its answer does not depend on the
// order in which rows are met: LIMIT stands on an order by every column, sums are exact, frames go by rank.
// Some statements fail when they run all the same (a division by zero, two rows where one may be).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "query_runner.h"

namespace tideline::slt {

class QueryGenerator {
 public:
  explicit QueryGenerator(std::uint64_t seed) : random_(seed) {}

  /// Rows of db.t: dimensions host and zone, attributes n and m (bigint), v (double), s (varchar), b (boolean);
  /// some absent.
  std::vector<Record> Records(std::size_t count);

  /// A whole query.
  std::string Query();
  /// `text` with some characters or words changed, doubled, moved or gone.
  std::string Mutate(std::string text);

 private:
  enum class Kind { kNumber, kFloat, kText, kFlag, kTime };
  struct Column {
    std::string name;
    Kind kind;
  };
  using Scope = std::vector<Column>;
  /// A query's text and the columns that it delivers.
  struct Part {
    std::string text;
    Scope columns;
  };

  std::size_t Below(std::size_t bound) { return static_cast<std::size_t>(random_.Below(bound)); }
  bool Chance(std::size_t percent) { return Below(100) < percent; }
  std::string Pick(const std::vector<std::string>& of) { return of[Below(of.size())]; }
  std::string NewName(std::string_view prefix) { return std::string(prefix) + std::to_string(next_name_++); }

  /// A query of `kinds` columns (any, if empty), at most `depth` levels of queries below it.
  Part Select(std::vector<Kind> kinds, int depth, bool may_limit);
  Part PlainSelect(const std::vector<Kind>& kinds, int depth);
  Part GroupedSelect(const std::vector<Kind>& kinds, int depth);
  Part SetOperation(const std::vector<Kind>& kinds, int depth);
  /// FROM, with its columns put into the innermost scope.
  std::string From(int depth);
  Part Relation(int depth);
  std::string Windowed(Kind kind);

  std::string Expr(Kind kind, int depth);
  std::string Number(int depth);
  std::string Float(int depth);
  std::string Text(int depth);
  std::string Flag(int depth);
  std::string Time(int depth);
  std::string Literal(Kind kind);
  /// A column of the kind from some scope; empty if there is none.
  std::string ColumnOf(Kind kind);
  std::string Aggregate(Kind kind, int depth);
  std::string ScalarSubquery(Kind kind, int depth);
  std::string FlagSubquery(int depth);
  Kind AnyKind();
  std::vector<Kind> AnyKinds();

  Random random_;
  std::vector<Scope> scopes_;  ///< innermost last
  std::vector<Part> with_;     ///< names from WITH
  std::size_t next_name_ = 0;
  int subqueries_left_ = 0;
};

}  // namespace tideline::slt
