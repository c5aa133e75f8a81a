#include "sql/plan/expr.h"

#include <gtest/gtest.h>

#include <cmath>

#include "functions/registry.h"

namespace tideline::sql {
namespace {

ExprPtr Call(std::string_view name, Type type, std::vector<ExprPtr> arguments) {
  return MakeCall(*functions::FunctionRegistry::Get().FindScalar(name), 0, std::move(type), std::move(arguments));
}

TEST(Expr, SameMeansSameValue) {
  const ExprPtr x = MakeColumn({1}, Type::Bigint(), "x", {1, 8});
  const ExprPtr again = MakeColumn({1}, Type::Bigint(), "X", {3, 4});
  const ExprPtr y = MakeColumn({2}, Type::Bigint(), "x");
  EXPECT_TRUE(SameExpr(*x, *again));
  EXPECT_EQ(HashExpr(*x), HashExpr(*again));
  EXPECT_FALSE(SameExpr(*x, *y));
  EXPECT_TRUE(SameExpr(*Call("$add", Type::Bigint(), {x, y}), *Call("$add", Type::Bigint(), {again, y})));
  EXPECT_FALSE(SameExpr(*Call("$add", Type::Bigint(), {x, y}), *Call("$add", Type::Bigint(), {y, x})));
  EXPECT_FALSE(SameExpr(*MakeConstant(Value::Integer(1)), *MakeConstant(Value::Bigint(1))));
  EXPECT_FALSE(SameExpr(*MakeConstant(Value::Double(0.0)), *MakeConstant(Value::Double(-0.0))));
  EXPECT_TRUE(SameExpr(*MakeConstant(Value::Double(NAN)), *MakeConstant(Value::Double(NAN))));
}

TEST(Expr, CastOfANullIsANull) {
  const ExprPtr null = MakeCast(MakeConstant(Value()), Type::Double());
  EXPECT_EQ(null->kind, ExprKind::kConstant);
  EXPECT_TRUE(null->type.is(TypeId::kDouble));
  const ExprPtr x = MakeColumn({1}, Type::Bigint(), "x");
  EXPECT_EQ(MakeCast(x, Type::Bigint()), x);
}

TEST(Expr, LambdaParametersAreNotColumnsOfTheQuery) {
  auto lambda = std::make_shared<Expr>();
  lambda->kind = ExprKind::kLambda;
  lambda->parameters = {{7}};
  lambda->parameter_types = {Type::Bigint()};
  lambda->children = {Call("$add", Type::Bigint(),
                           {MakeColumn({7}, Type::Bigint(), "p"), MakeColumn({1}, Type::Bigint(), "x")})};
  std::vector<ColumnRef> columns;
  CollectColumns(*lambda, &columns);
  EXPECT_EQ(columns, std::vector<ColumnRef>{{1}});
}

TEST(Expr, ConjunctsKeepTheirOrder) {
  const ExprPtr a = MakeColumn({1}, Type::Boolean(), "a");
  const ExprPtr b = MakeColumn({2}, Type::Boolean(), "b");
  const ExprPtr c = MakeColumn({3}, Type::Boolean(), "c");
  std::vector<ExprPtr> parts;
  AppendConjuncts(MakeAnd({MakeAnd({a, b}), c}), &parts);
  EXPECT_EQ(parts, (std::vector<ExprPtr>{a, b, c}));
  EXPECT_EQ(MakeAnd({}), nullptr);
  EXPECT_EQ(MakeAnd({a}), a);
}

TEST(Expr, CountingStopsAtTheLimit) {
  ExprPtr x = MakeColumn({1}, Type::Bigint(), "x");
  for (int i = 0; i < 200; ++i) x = Call("$add", Type::Bigint(), {x, x});
  EXPECT_GT(CountNodes(*x, 1000), 1000u);
  EXPECT_EQ(CountNodes(*MakeConstant(Value::Integer(1)), 1000), 1u);
}

}  // namespace
}  // namespace tideline::sql
