#include "exec/scan/runtime_filter.h"

#include <gtest/gtest.h>

#include "columnar/value.h"

namespace tideline::exec {
namespace {

constexpr catalog::ColumnId kHost{10};

// A table with one dimension; column #0 is the host, #1 the time.
std::shared_ptr<const sql::ScanNode> MakeScan(sql::ScanNode::Spec spec = {}) {
  auto schema = std::make_shared<catalog::TableSchema>();
  schema->dimensions.push_back({.id = kHost, .name = "host", .kind = catalog::ColumnKind::kDimension, .type = Type::Varchar()});
  spec.table = std::move(schema);
  spec.storage_columns = {kHost, catalog::kTimeColumn};
  std::vector<sql::OutputColumn> outputs = {{{0}, "host", Type::Varchar()}, {{1}, "time", Type::Timestamp()}};
  return std::make_shared<sql::ScanNode>(std::move(outputs), std::move(spec));
}

Vector Times(const std::vector<std::int64_t>& times) {
  std::vector<Value> values;
  for (const std::int64_t time : times) values.push_back(Value::Timestamp(time));
  return Vector::FromValues(Type::Timestamp(), values);
}
Vector Texts(const std::vector<std::string>& texts) {
  std::vector<Value> values;
  for (const std::string& text : texts) {
    values.push_back(text.empty() ? Value::Null(Type::Varchar()) : Value::Varchar(text));
  }
  return Vector::FromValues(Type::Varchar(), values);
}
void AddAll(RuntimeFilter& filter, const Vector& keys) { filter.Add(keys, Selection::All(keys.size())); }

TEST(RuntimeFilterTest, FewTimesBecomeRangesWithinThoseAskedFor) {
  sql::ScanNode::Spec asked;
  asked.time_ranges = {{0, 150}, {190, 1'000}};
  const auto scan = MakeScan(std::move(asked));
  RuntimeFilter filter({1}, 0);
  AddAll(filter, Times({200, 100, 101, 100, 170}));
  AddAll(filter, Times({200, 5'000}));
  sql::ScanNode::Spec spec = scan->spec();
  filter.Narrow(*scan, &spec);
  EXPECT_EQ(spec.time_ranges, (std::vector<sql::TimeRange>{{100, 101}, {200, 200}}));
}

TEST(RuntimeFilterTest, ManyTimesBecomeOneRange) {
  const auto scan = MakeScan();
  RuntimeFilter filter({1}, 0);
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < 3 * static_cast<std::int64_t>(RuntimeFilter::kValuesMax); ++i) times.push_back(7 + 10 * i);
  AddAll(filter, Times(times));
  sql::ScanNode::Spec spec = scan->spec();
  filter.Narrow(*scan, &spec);
  EXPECT_EQ(spec.time_ranges, (std::vector<sql::TimeRange>{{7, times.back()}}));
}

TEST(RuntimeFilterTest, TextsBecomeValuesOfTheDimension) {
  sql::SeriesPredicate before;
  before.column = kHost;
  before.name = "host";
  before.has_values = true;
  before.values = {"a", "b", "z"};
  before.includes_null = true;
  sql::ScanNode::Spec asked;
  asked.series_predicates = {before};
  const auto scan = MakeScan(std::move(asked));
  RuntimeFilter filter({0}, 0);
  AddAll(filter, Texts({"z", "c", "", "a", "a"}));
  sql::ScanNode::Spec spec = scan->spec();
  filter.Narrow(*scan, &spec);
  ASSERT_EQ(spec.series_predicates.size(), 1U);
  EXPECT_EQ(spec.series_predicates[0].values, (std::vector<std::string>{"a", "z"}));
  EXPECT_FALSE(spec.series_predicates[0].includes_null);
}

TEST(RuntimeFilterTest, TooManyTextsSayNothing) {
  const auto scan = MakeScan();
  RuntimeFilter filter({0}, 0);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i <= RuntimeFilter::kValuesMax; ++i) texts.push_back(std::to_string(i));
  AddAll(filter, Texts(texts));
  sql::ScanNode::Spec spec = scan->spec();
  filter.Narrow(*scan, &spec);
  EXPECT_TRUE(spec.series_predicates.empty());
}

TEST(RuntimeFilterTest, NothingKeptMeansNothingToRead) {
  const auto scan = MakeScan();
  for (const std::uint32_t column : {0U, 1U}) {
    RuntimeFilter filter({column}, 0);
    sql::ScanNode::Spec spec = scan->spec();
    filter.Narrow(*scan, &spec);
    EXPECT_TRUE(column == 1 ? spec.time_ranges.empty()
                            : spec.series_predicates.size() == 1 && spec.series_predicates[0].values.empty());
  }
}

}  // namespace
}  // namespace tideline::exec
