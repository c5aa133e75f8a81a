#include "front/aws_json/page_json_encoder.h"

#include <gtest/gtest.h>

#include "columnar/value.h"

namespace tideline::aws_json {
namespace {

std::string Datum(const Value& value) {
  const Vector vector = Vector::FromValues(value.type(), std::vector<Value>{value});
  std::string out;
  AppendDatum(vector, 0, &out);
  return out;
}

std::string TypeText(const Type& type) {
  std::string out;
  JsonWriter json(&out);
  WriteType(&json, type);
  return out;
}

TEST(PageJsonEncoderTest, EncodesEveryDatum) {
  EXPECT_EQ(Datum(Value::Integer(-1)), R"({"ScalarValue":"-1"})");
  EXPECT_EQ(Datum(Value::Double(1)), R"({"ScalarValue":"1.0"})");
  EXPECT_EQ(Datum(Value::Boolean(true)), R"({"ScalarValue":"true"})");
  EXPECT_EQ(Datum(Value::Varchar("a\"b")), R"({"ScalarValue":"a\"b"})");
  EXPECT_EQ(Datum(Value::Null(Type::Bigint())), R"({"NullValue":true})");
  EXPECT_EQ(Datum(Value::Timestamp(1)), R"({"ScalarValue":"1970-01-01 00:00:00.000000001"})");
  const Type array = Type::Array(Type::Double());
  EXPECT_EQ(Datum(Value::Nested(array, {Value::Double(1), Value::Null(Type::Double())})),
            R"({"ArrayValue":[{"ScalarValue":"1.0"},{"NullValue":true}]})");
  EXPECT_EQ(Datum(Value::Nested(array, {})), R"({"ArrayValue":[]})");
  const Type row = Type::Row({{"a", Type::Bigint()}, {"b", Type::Varchar()}});
  EXPECT_EQ(Datum(Value::Nested(row, {Value::Bigint(1), Value::Varchar("x")})),
            R"({"RowValue":{"Data":[{"ScalarValue":"1"},{"ScalarValue":"x"}]}})");
  const Type series = Type::Timeseries(Type::Double());
  EXPECT_EQ(Datum(Value::Nested(series, {Value::Timestamp(0), Value::Double(2)})),
            R"({"TimeSeriesValue":[{"Time":"1970-01-01 00:00:00.000000000","Value":{"ScalarValue":"2.0"}}]})");
  const Type map = Type::Map(Type::Varchar(), Type::Bigint());
  EXPECT_EQ(Datum(Value::Nested(map, {Value::Varchar("k"), Value::Bigint(1)})),
            R"({"ArrayValue":[{"RowValue":{"Data":[{"ScalarValue":"k"},{"ScalarValue":"1"}]}}]})");
}

TEST(PageJsonEncoderTest, DescribesEveryType) {
  EXPECT_EQ(TypeText(Type::Varchar(3)), R"({"ScalarType":"VARCHAR"})");
  EXPECT_EQ(TypeText(Type::IntervalDayToSecond()), R"({"ScalarType":"INTERVAL_DAY_TO_SECOND"})");
  EXPECT_EQ(TypeText(Type::Unknown()), R"({"ScalarType":"UNKNOWN"})");
  EXPECT_EQ(TypeText(Type::Array(Type::Double())),
            R"({"ArrayColumnInfo":{"Type":{"ScalarType":"DOUBLE"}}})");
  EXPECT_EQ(TypeText(Type::Timeseries(Type::Bigint())),
            R"({"TimeSeriesMeasureValueColumnInfo":{"Type":{"ScalarType":"BIGINT"}}})");
  EXPECT_EQ(TypeText(Type::Row({{"a", Type::Bigint()}, {"", Type::Double()}})),
            R"({"RowColumnInfo":[{"Name":"a","Type":{"ScalarType":"BIGINT"}},{"Type":{"ScalarType":"DOUBLE"}}]})");
}

TEST(PageJsonEncoderTest, DictionariesReadAsTheirRows) {
  const std::vector<Value> entries = {Value::Null(Type::Varchar()), Value::Varchar("a"), Value::Varchar("\"q\"")};
  const auto base = std::make_shared<const Vector>(Vector::FromValues(Type::Varchar(), entries));
  const std::vector<std::uint32_t> codes = {1, 2, 0, 1};
  auto buffer = std::make_shared<Buffer>(codes.size() * sizeof(std::uint32_t));
  std::memcpy(buffer->data(), codes.data(), buffer->size());
  Batch batch;
  batch.row_count = codes.size();
  batch.columns.push_back(Vector::Dictionary(base, buffer, codes.size()));
  batch.columns.push_back(batch.columns[0].Flatten());
  PageJsonEncoder encoder;
  encoder.Begin({{"a", Type::Varchar()}, {"b", Type::Varchar()}});
  ASSERT_EQ(encoder.Append(batch, 0, 4, 1'000'000), 4U);
  EXPECT_EQ(encoder.Finish(),
            R"([{"Data":[{"ScalarValue":"a"},{"ScalarValue":"a"}]},)"
            R"({"Data":[{"ScalarValue":"\"q\""},{"ScalarValue":"\"q\""}]},)"
            R"({"Data":[{"NullValue":true},{"NullValue":true}]},)"
            R"({"Data":[{"ScalarValue":"a"},{"ScalarValue":"a"}]}])");
}

TEST(PageJsonEncoderTest, CutsPagesByRowsAndBytes) {
  std::vector<Value> values;
  for (int i = 0; i < 10; ++i) values.push_back(Value::Bigint(i));
  Batch batch;
  batch.columns.push_back(Vector::FromValues(Type::Bigint(), values));
  batch.row_count = values.size();
  PageJsonEncoder encoder;
  encoder.Begin({});
  EXPECT_EQ(encoder.Append(batch, 0, 2, 1'000), 2U);
  EXPECT_EQ(encoder.Append(batch, 2, 8, 120), 1U);
  EXPECT_EQ(encoder.Append(batch, 3, 7, 120), 0U);
  EXPECT_EQ(encoder.Finish(),
            R"([{"Data":[{"ScalarValue":"0"}]},{"Data":[{"ScalarValue":"1"}]},{"Data":[{"ScalarValue":"2"}]}])");
  encoder.Begin({});
  EXPECT_EQ(encoder.Finish(), "[]");
}

// A value that fits no page is not written out to be refused.
TEST(PageJsonEncoderTest, ALongListIsNotWrittenToItsEnd) {
  constexpr std::size_t kElements = 1'000'000;
  Vector elements = Vector::Flat(Type::Bigint(), kElements);
  Vector list = Vector::Flat(Type::Array(Type::Bigint()), 1);
  list.mutable_values<ListEntry>()[0] = {0, kElements};
  list.SetChild(0, std::move(elements));
  std::string text;
  AppendDatum(list, 0, &text);
  EXPECT_GT(text.size(), 1'000'000U);
  EXPECT_LT(text.size(), 5'000'000U);
  Batch batch;
  batch.row_count = 1;
  batch.columns.push_back(list);
  PageJsonEncoder encoder;
  encoder.Begin({});
  EXPECT_EQ(encoder.Append(batch, 0, 1, 1'000'000), 0U);
}

}  // namespace
}  // namespace tideline::aws_json
