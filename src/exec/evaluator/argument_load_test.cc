#include "exec/evaluator/argument_load.h"

#include <gtest/gtest.h>

#include "columnar/value.h"
#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

Value List(std::initializer_list<std::int64_t> items) {
  std::vector<Value> values;
  for (const std::int64_t item : items) values.push_back(Value::Bigint(item));
  return Value::Nested(Type::Array(Type::Bigint()), values);
}

TEST(ArgumentLoadTest, CountsWhatRowsLeadTo) {
  const Type list = Type::Array(Type::Bigint());
  const Vector lists = Vector::FromValues(list, std::vector<Value>{List({1, 2, 3}), Value::Null(list), List({})});
  const Vector text = Vector::Constant(Type::Varchar(), Value::Varchar("a text of twenty-four b."), 3);
  const std::vector<Vector> arguments{lists, text, Vector::Constant(Type::Bigint(), Value::Bigint(7), 3)};
  const ArgumentLoad load(arguments);
  EXPECT_FALSE(load.none());
  EXPECT_EQ(load.Of(0).elements, 3U);
  EXPECT_EQ(load.Of(1).elements, 0U);
  EXPECT_EQ(load.Of(Selection::All(3)).elements, 3U);
  EXPECT_EQ(load.Of(Selection::All(3)).text_bytes, 72U);
  EXPECT_TRUE(ArgumentLoad(std::span(arguments).subspan(2)).none());
}

TEST(GatherTest, ElementsAreCountedThroughEveryLevel) {
  const Type inner = Type::Array(Type::Bigint());
  const Type outer = Type::Array(inner);
  const Vector lists = Vector::FromValues(
      outer, std::vector<Value>{Value::Nested(outer, {List({1, 2}), List({3})}), Value::Nested(outer, {}),
                                Value::Null(outer)});
  EXPECT_EQ(ElementsOf(lists, Selection::All(3)), 5U);  // two lists, three numbers
  const std::vector<std::uint32_t> often(1'000, 0);
  EXPECT_EQ(ElementsOf(lists.Slice(often), Selection::All(1'000)), 5'000U);
}

// One long list behind many rows is copied once, not for each row.
TEST(GatherTest, RowsGoOnSharingALongList) {
  const Type type = Type::Array(Type::Bigint());
  std::vector<Value> items;
  for (std::int64_t i = 0; i < 1'000; ++i) items.push_back(Value::Bigint(i));
  const Vector one = Vector::FromValues(type, std::vector<Value>{List({-1}), Value::Nested(type, items),
                                                                 Value::Null(type)});
  std::vector<RowPlace> places;
  for (std::uint32_t i = 0; i < 2'000; ++i) places.push_back({0, i % 3});
  places.push_back({});
  const Vector* const sources[] = {&one};
  const Vector out = Gather(type, sources, places);
  EXPECT_EQ(out.child(0).size(), 1'001U);
  EXPECT_TRUE(out.IsNull(2));
  EXPECT_TRUE(out.IsNull(2'000));
  EXPECT_EQ(out.GetValue(0), List({-1}));
  EXPECT_EQ(out.GetValue(1), one.GetValue(1));
  EXPECT_EQ(out.GetValue(1'996), one.GetValue(1));
}

TEST(GatherTest, RowsWithinAreCutByTheirText) {
  std::vector<Value> texts;
  for (int i = 0; i < 10; ++i) texts.push_back(Value::Varchar(std::string(100, 'x')));
  Batch batch;
  batch.row_count = 10;
  batch.columns = {Vector::FromValues(Type::Varchar(), texts)};
  EXPECT_EQ(RowsWithin(batch, Iota().first(10), 1 << 20), 10U);
  EXPECT_EQ(RowsWithin(batch, Iota().first(10), 300), 3U);
  EXPECT_EQ(RowsWithin(batch, Iota().first(10), 0), 1U);
}

}  // namespace
}  // namespace tideline::exec
