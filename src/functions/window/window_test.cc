// Window kernels over one partition.
#include <gtest/gtest.h>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using Texts = std::vector<std::string>;
using Column = std::vector<Value>;
using Places = std::vector<std::uint32_t>;

Column Numbers(std::vector<std::optional<int>> values) {
  Column column;
  for (const auto& v : values) {
    column.push_back(v ? Value::Bigint(*v) : Value::Null(Type::Bigint()));
  }
  return column;
}
Column Repeated(int value, std::size_t count) { return Column(count, Value::Bigint(value)); }

// Runs `name` over a partition whose peer groups begin at `peers`. Frames are the default: from the
// first row to the last peer.
Texts Evaluate(std::string_view name, const std::vector<Column>& columns, Places peers,
               bool ignore_nulls = false) {
  const FunctionRegistry& registry = FunctionRegistry::Get();
  const WindowFunction* function = registry.FindWindow(name);
  std::vector<Type> types;
  for (const Column& column : columns) types.push_back(column.at(0).type());
  const auto resolved = ResolveOverload(name, registry.SignaturesOf(*function), types, {});
  if (!resolved.ok()) return {std::string(MessageOf(resolved.status()))};
  std::vector<Vector> partition;
  for (const Column& column : columns) {
    partition.push_back(Vector::FromValues(column.at(0).type(), column));
  }
  const std::size_t count = peers.size();
  const Places begin(count, 0);
  Places end(count);
  for (std::size_t i = count; i > 0; --i) {
    const bool last_peer = i == count || peers[i] != peers[i - 1];
    end[i - 1] = last_peer ? static_cast<std::uint32_t>(i) : end[i];
  }
  Vector result = Vector::Flat(resolved->result_type, count);
  KernelContext context;
  context.result_type = &resolved->result_type;
  const Status status = function->overloads[resolved->overload].evaluate(
      context, partition, peers, begin, end, ignore_nulls, &result);
  if (!status.ok()) return {"error: " + std::string(MessageOf(status))};
  Texts texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back(testing::TextOf(result.GetValue(i)));
  return texts;
}

TEST(WindowTest, Ranks) {
  const Places peers = {0, 1, 1, 3};
  EXPECT_EQ(Evaluate("row_number", {}, peers), (Texts{"1", "2", "3", "4"}));
  EXPECT_EQ(Evaluate("rank", {}, peers), (Texts{"1", "2", "2", "4"}));
  EXPECT_EQ(Evaluate("dense_rank", {}, peers), (Texts{"1", "2", "2", "3"}));
  EXPECT_EQ(Evaluate("cume_dist", {}, peers), (Texts{"0.25", "0.75", "0.75", "1.0"}));
  EXPECT_EQ(Evaluate("percent_rank", {}, {0, 1, 1, 1, 4}),
            (Texts{"0.0", "0.25", "0.25", "0.25", "1.0"}));
  EXPECT_EQ(Evaluate("percent_rank", {}, {0}), (Texts{"0.0"}));
}

TEST(WindowTest, Ntile) {
  const Places peers = {0, 1, 2, 3, 4, 5};
  EXPECT_EQ(Evaluate("ntile", {Repeated(4, 6)}, peers), (Texts{"1", "1", "2", "2", "3", "4"}));
  EXPECT_EQ(Evaluate("ntile", {Repeated(9, 6)}, peers), (Texts{"1", "2", "3", "4", "5", "6"}));
  EXPECT_EQ(Evaluate("ntile", {Repeated(0, 6)}, peers),
            (Texts{"error: Buckets must be greater than 0"}));
  EXPECT_EQ(Evaluate("ntile", {Numbers({std::nullopt, 1})}, {0, 1}), (Texts{"NULL", "1"}));
}

TEST(WindowTest, ValuesOfTheFrame) {
  const Column x = Numbers({std::nullopt, 5, 6, 7});
  const Places peers = {0, 1, 1, 3};
  EXPECT_EQ(Evaluate("first_value", {x}, peers), (Texts{"NULL", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(Evaluate("first_value", {x}, peers, true), (Texts{"NULL", "5", "5", "5"}));
  EXPECT_EQ(Evaluate("last_value", {x}, peers), (Texts{"NULL", "6", "6", "7"}));
  EXPECT_EQ(Evaluate("nth_value", {x, Repeated(2, 4)}, peers), (Texts{"NULL", "5", "5", "5"}));
  EXPECT_EQ(Evaluate("nth_value", {x, Repeated(2, 4)}, peers, true),
            (Texts{"NULL", "6", "6", "6"}));
  EXPECT_EQ(Evaluate("nth_value", {x, Repeated(0, 4)}, peers),
            (Texts{"error: Offset must be at least 1"}));
}

TEST(WindowTest, LagAndLead) {
  const Column x = Numbers({1, std::nullopt, 3, 4});
  const Places peers = {0, 1, 2, 3};
  EXPECT_EQ(Evaluate("lag", {x}, peers), (Texts{"NULL", "1", "NULL", "3"}));
  EXPECT_EQ(Evaluate("lag", {x}, peers, true), (Texts{"NULL", "1", "1", "3"}));
  EXPECT_EQ(Evaluate("lead", {x, Repeated(2, 4)}, peers), (Texts{"3", "4", "NULL", "NULL"}));
  EXPECT_EQ(Evaluate("lead", {x, Repeated(2, 4), Repeated(0, 4)}, peers),
            (Texts{"3", "4", "0", "0"}));
  EXPECT_EQ(Evaluate("lag", {x, Repeated(0, 4)}, peers), (Texts{"1", "NULL", "3", "4"}));
  EXPECT_EQ(Evaluate("lag", {x, Repeated(-1, 4)}, peers),
            (Texts{"error: Offset must be at least 0"}));
}

}  // namespace
}  // namespace tideline::functions
