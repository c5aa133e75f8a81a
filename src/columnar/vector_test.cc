#include "columnar/vector.h"

#include <gtest/gtest.h>

#include "columnar/value.h"

namespace tideline {
namespace {

TEST(TypeTest, PrintsAsTypeof) {
  EXPECT_EQ(Type::Varchar(3).ToString(), "varchar(3)");
  EXPECT_EQ(Type::Row({{"a", Type::Bigint()}, {"", Type::Array(Type::Double())}}).ToString(),
            "row(a bigint, array(double))");
  EXPECT_EQ(Type::Timeseries(Type::Double()).ToString(), "timeseries(double)");
  EXPECT_TRUE(Type::Array(Type::Bigint()) == Type::Array(Type::Bigint()));
  EXPECT_FALSE(Type::Array(Type::Bigint()) == Type::Array(Type::Double()));
  EXPECT_FALSE(Type::Timeseries(Type::Double()).is_comparable());
}

TEST(VectorTest, FlatConstantAndDictionaryReadAlike) {
  const std::vector<Value> values = {Value::Bigint(5), Value::Null(Type::Bigint()), Value::Bigint(7)};
  const Vector flat = Vector::FromValues(Type::Bigint(), values);
  const std::vector<std::uint32_t> rows = {2, 1, 0, 2};
  const Vector sliced = flat.Slice(rows);
  const Reader<std::int64_t> reader(sliced);
  EXPECT_EQ(reader[0], 7);
  EXPECT_TRUE(reader.IsNull(1));
  EXPECT_EQ(reader[3], 7);
  const Vector again = sliced.Slice(std::vector<std::uint32_t>{3, 2});
  EXPECT_EQ(again.GetValue(0), Value::Bigint(7));
  EXPECT_EQ(again.Flatten().GetValue(1), Value::Bigint(5));
  const Vector constant = Vector::Constant(Type::Bigint(), Value::Bigint(9), 100);
  EXPECT_EQ(Reader<std::int64_t>(constant)[99], 9);
  EXPECT_EQ(constant.Flatten().GetValue(99), Value::Bigint(9));
}

TEST(VectorTest, NoBytesOfTextAreSomewhere) {
  StringHeap heap;
  EXPECT_NE(heap.Allocate(0), nullptr);
  EXPECT_EQ(heap.bytes(), 0U);
}

TEST(VectorTest, TextOutlivesItsSource) {
  Vector copy;
  {
    const std::vector<Value> values = {Value::Varchar("short"),
                                       Value::Varchar("a text longer than twelve bytes")};
    const Vector flat = Vector::FromValues(Type::Varchar(), values);
    copy = flat.Slice(std::vector<std::uint32_t>{1, 0}).Flatten();
  }
  EXPECT_EQ(copy.GetValue(0), Value::Varchar("a text longer than twelve bytes"));
  EXPECT_EQ(copy.GetValue(1), Value::Varchar("short"));
}

TEST(VectorTest, SharedTextIsHeldOnceHoweverOftenItIsShared) {
  std::vector<Vector> batches;
  for (int i = 0; i < 3; ++i) {
    Vector batch = Vector::Flat(Type::Varchar(), 1);
    batch.SetString(0, "text that is too long to lie in its reference");
    batches.push_back(std::move(batch));
  }
  const Vector* const all[] = {&batches[0], &batches[1], &batches[2], &batches[1], &batches[0]};
  Vector first = Vector::Flat(Type::Varchar(), 1);
  first.ShareText(all);
  EXPECT_EQ(first.owner_count(), 3U);
  // As joins of joins do: what one shares is shared by the next, many times over.
  for (int round = 0; round < 40; ++round) {
    Vector next = Vector::Flat(Type::Varchar(), 1);
    next.ShareText(first);
    next.ShareText(batches[0]);
    const Vector* const both[] = {&next, &first};
    first.ShareText(both);
  }
  EXPECT_EQ(first.owner_count(), 3U);
  first.KeepAlive(std::make_shared<int>(1));
  EXPECT_EQ(first.owner_count(), 4U);
}

TEST(VectorTest, NestedValuesRoundTrip) {
  const Type row = Type::Row({{"a", Type::Bigint()}, {"b", Type::Varchar()}});
  const Type type = Type::Array(row);
  const Value item = Value::Nested(row, {Value::Bigint(1), Value::Null(Type::Varchar())});
  const std::vector<Value> values = {Value::Nested(type, {item, item}), Value::Null(type),
                                     Value::Nested(type, {})};
  const Vector flat = Vector::FromValues(type, values);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(flat.GetValue(i), values[i]);
  const Type series = Type::Timeseries(Type::Double());
  const Value points = Value::Nested(
      series, {Value::Timestamp(1), Value::Double(0.5), Value::Timestamp(2), Value::Double(1.5)});
  const Vector constant = Vector::Constant(series, points, 3);
  EXPECT_EQ(constant.GetValue(2), points);
}

}  // namespace
}  // namespace tideline
