// Queries of shapes that nobody writes: nested ten thousand deep, a hundred thousand elements long, doubling at
// each step. Each is answered, or refused with an error that names the limit; none takes the process down.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "query_runner.h"

namespace tideline::slt {
namespace {

std::string Repeat(std::string_view piece, std::size_t count) {
  std::string out;
  out.reserve(piece.size() * count);
  for (std::size_t i = 0; i < count; ++i) out += piece;
  return out;
}

/// make(0), make(1), … with `separator` between.
std::string List(std::size_t count, std::string_view separator, const std::function<std::string(std::size_t)>& make) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += separator;
    out += make(i);
  }
  return out;
}

class HostileTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_ = *NewInProcessRunner({1, true, true});
    ASSERT_TRUE(runner_->CreateDatabase("db").ok());
    ASSERT_TRUE(runner_->CreateTable("db", "t").ok());
    Record record;
    record.multi = true;
    record.measure_name = "m";
    record.dimensions.push_back({"k", "a"});
    record.time_ns = 1'704'067'200'000'000'000;
    record.measures.push_back({"x", "bigint", "1"});
    ASSERT_TRUE(runner_->Write("db", "t", {record}).ok());
  }

  void Answers(const std::string& sql, const std::string& first_cell) {
    const Result<Answer> answer = runner_->Query(sql, false);
    ASSERT_TRUE(answer.ok()) << sql.substr(0, 200) << "\n" << answer.status();
    ASSERT_FALSE(answer->rows.empty()) << sql.substr(0, 200);
    EXPECT_EQ(answer->rows[0][0].value_or("NULL"), first_cell) << sql.substr(0, 200);
  }

  void Refused(const std::string& sql, std::string_view text) {
    const Result<Answer> answer = runner_->Query(sql, false);
    ASSERT_FALSE(answer.ok()) << sql.substr(0, 200);
    const bool by_limit = CodeOf(answer.status()) == ErrorCode::kResourceExhausted ||
                          CodeOf(answer.status()) == ErrorCode::kInvalidArgument;
    EXPECT_TRUE(by_limit) << answer.status();
    EXPECT_NE(MessageOf(answer.status()).find(text), std::string_view::npos) << answer.status();
  }

  /// Answered or refused, whichever; not crashed, not our fault.
  void Survives(const std::string& sql) {
    const Result<Answer> answer = runner_->Query(sql, false);
    if (answer.ok()) return;
    EXPECT_NE(CodeOf(answer.status()), ErrorCode::kInternal) << answer.status();
    EXPECT_NE(CodeOf(answer.status()), ErrorCode::kUnimplemented) << answer.status();
  }

  std::unique_ptr<QueryRunner> runner_;
};

TEST_F(HostileTest, Nesting) {
  Answers("SELECT " + Repeat("(", 100) + "1" + Repeat(")", 100), "1");
  Refused("SELECT " + Repeat("(", 10'000) + "1" + Repeat(")", 10'000), "deep");
  Refused("SELECT " + Repeat("NOT ", 10'000) + "TRUE", "deep");
  Refused("SELECT " + Repeat("- ", 10'000) + "1", "deep");
  Refused(Repeat("SELECT * FROM (", 5'000) + "SELECT 1" + Repeat(")", 5'000), "deep");
  Refused("SELECT " + Repeat("ARRAY[", 10'000) + "1" + Repeat("]", 10'000), "deep");
  Refused("SELECT " + Repeat("CASE WHEN TRUE THEN ", 5'000) + "1" + Repeat(" END", 5'000), "deep");
  Refused("SELECT " + Repeat("abs(", 10'000) + "1" + Repeat(")", 10'000), "deep");
  Refused("SELECT CAST(NULL AS " + Repeat("array(", 10'000) + "bigint" + Repeat(")", 10'000) + ")", "deep");
  Refused("SELECT " + Repeat("EXISTS (SELECT 1 WHERE ", 3'000) + "TRUE" + Repeat(")", 3'000), "deep");
  Survives("SELECT 1" + Repeat(" + 1", 20'000));
  Survives("SELECT 'a'" + Repeat(" || 'a'", 20'000));
  Survives("SELECT a" + Repeat(".b", 20'000));
  Survives("SELECT x" + Repeat("[1]", 20'000) + " FROM db.t");
  Survives("(" + Repeat("(SELECT 1) UNION ALL ", 5'000) + "SELECT 2)");
}

TEST_F(HostileTest, Lists) {
  const auto number = [](std::size_t i) { return std::to_string(i % 10); };
  Answers("SELECT 7 IN (" + List(90'000, ",", number) + ")", "true");
  Answers("SELECT count(*) FROM db.t WHERE x IN (" + List(50'000, ",", number) + ")", "1");
  Refused("SELECT 7 IN (" + List(100'000, ",", number) + ")", "100000");
  Answers("SELECT " + List(5'000, ",", [](std::size_t i) { return fmt::format("{} AS c{}", i, i); }), "0");
  Answers("SELECT c4999 FROM (SELECT " +
              List(5'000, ",", [](std::size_t i) { return fmt::format("{} AS c{}", i, i); }) + ")",
          "4999");
  Answers("SELECT count(*) FROM (VALUES " + List(20'000, ",", number) + ")", "20000");
  Answers("SELECT " + List(5'000, " OR ", [](std::size_t) { return "x = 2"; }) + " FROM db.t", "false");
  Answers("SELECT CASE " + List(5'000, " ", [](std::size_t i) { return fmt::format("WHEN x = {} THEN {}", i, i); }) +
              " END FROM db.t",
          "1");
  Survives("SELECT 1 FROM db.t GROUP BY CUBE (" + List(30, ",", [](std::size_t) { return "x"; }) + ")");
  Survives("SELECT 1 FROM db.t GROUP BY " + List(40, ",", [](std::size_t) { return "ROLLUP (x, k)"; }));
}

TEST_F(HostileTest, WhatDoubles) {
  std::string with = "WITH w0 AS (SELECT x FROM db.t)";
  for (int i = 1; i <= 30; ++i) {
    with += fmt::format(", w{} AS (SELECT a.x FROM w{} a JOIN w{} b ON a.x = b.x)", i, i - 1, i - 1);
  }
  Refused(with + " SELECT count(*) FROM w30", "WITH");
  std::string sums = "SELECT x FROM db.t";
  for (int i = 0; i < 60; ++i) sums = "SELECT x + x AS x FROM (" + sums + ")";
  Answers("SELECT x > 0 FROM (" + sums + ")", "true");
  std::string between = "x";
  for (int i = 0; i < 40; ++i) between = "CASE WHEN (" + between + ") BETWEEN 0 AND 5 THEN x END";
  Survives("SELECT " + between + " FROM db.t");
  Survives("SELECT 1 FROM db.t a0" + List(300, "", [](std::size_t i) {
             return fmt::format(" JOIN db.t a{} ON a{}.x = a{}.x", i + 1, i, i + 1);
           }));
  Survives("SELECT 1 FROM " + List(800, ", ", [](std::size_t i) { return fmt::format("(VALUES 1) AS v{}(x)", i); }));
}

TEST_F(HostileTest, CorrelatedLevels) {
  // Each level reads the columns of all levels around it.
  const std::function<std::string(int, int)> level = [&](int i, int levels) -> std::string {
    std::string condition = "TRUE";
    for (int k = 0; k < i; ++k) condition += fmt::format(" AND t{}.x <= t{}.x", k, i);
    if (i < levels) condition += " AND (SELECT count(*) FROM " + level(i + 1, levels) + ") >= 0";
    return fmt::format("db.t t{} WHERE {}", i, condition);
  };
  for (const int levels : {3, 6, 10}) {
    const Result<Answer> answer = runner_->Query("SELECT count(*) FROM " + level(0, levels), false);
    if (answer.ok()) {
      EXPECT_EQ(answer->rows[0][0].value_or("NULL"), "1");
    } else {
      EXPECT_EQ(CodeOf(answer.status()), ErrorCode::kResourceExhausted) << answer.status();
    }
  }
  Survives("SELECT " + List(100, ", ", [](std::size_t i) {
             return fmt::format("(SELECT max(u.x) FROM db.t u WHERE u.x < t.x + {})", i);
           }) + " FROM db.t t");
}

}  // namespace
}  // namespace tideline::slt
