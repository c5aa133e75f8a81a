#include "functions/registry.h"

#include <gtest/gtest.h>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Call;

ResolvedTypes Resolve(std::string_view name, std::vector<Type> types) {
  const auto* function = FunctionRegistry::Get().FindScalar(name);
  const auto resolved =
      ResolveOverload(name, FunctionRegistry::Get().SignaturesOf(*function), types, {});
  EXPECT_TRUE(resolved.ok()) << resolved.status();
  return resolved.ok() ? *resolved : ResolvedTypes{};
}

TEST(RegistryTest, FindsWithoutCase) {
  EXPECT_NE(FunctionRegistry::Get().FindScalar("CARDINALITY"), nullptr);
  EXPECT_EQ(FunctionRegistry::Get().FindScalar("no_such"), nullptr);
  EXPECT_EQ(FunctionRegistry::Get().NamesLike("cardinalty").at(0), "cardinality");
}

TEST(RegistryTest, ParsesSignatures) {
  EXPECT_TRUE(ParseSignature("(array(T), function(T, boolean)) -> array(T)").ok());
  EXPECT_TRUE(
      ParseSignature("(timeseries(T), S, function(S, row(time timestamp, value T), S)) -> S").ok());
  EXPECT_FALSE(ParseSignature("(array(T) -> T").ok());
  EXPECT_FALSE(ParseSignature("(strange) -> double").ok());
  EXPECT_FALSE(ParseSignature("(T:odd) -> double").ok());
}

TEST(RegistryTest, PicksTheCheapestOverload) {
  EXPECT_EQ(Resolve("$add", {Type::Integer(), Type::Integer()}).result_type, Type::Integer());
  EXPECT_EQ(Resolve("$add", {Type::Integer(), Type::Bigint()}).result_type, Type::Bigint());
  EXPECT_EQ(Resolve("$add", {Type::Bigint(), Type::Double()}).result_type, Type::Double());
  EXPECT_EQ(Resolve("$equal", {Type::Varchar(3), Type::Timestamp()}).argument_types[0],
            Type::Timestamp());
  EXPECT_EQ(Resolve("$array", {Type::Integer(), Type::Double()}).result_type,
            Type::Array(Type::Double()));
  EXPECT_EQ(Resolve("$add", {Type::Decimal(5, 2), Type::Decimal(6, 1)}).result_type,
            Type::Decimal(8, 2));
}

TEST(RegistryTest, RefusesInPrestosWords) {
  EXPECT_EQ(Call("$equal", {Value::Varchar("x"), Value::Integer(5)}),
            "error: '=' cannot be applied to varchar, integer");
  EXPECT_EQ(Call("$subtract", {Value::Timestamp(0), Value::Timestamp(0)}),
            "error: '-' cannot be applied to timestamp, timestamp");
  EXPECT_EQ(Call("$add", {Value::Varchar("2020-01-01"), Value::DayToSecond(1)}),
            "error: '+' cannot be applied to varchar, interval day to second");
}

TEST(RegistryTest, TypesLambdas) {
  const Signature signature = *ParseSignature("(array(T), function(T, U)) -> array(U)");
  const std::vector<Type> types = {Type::Array(Type::Integer()), Type::Unknown()};
  const std::vector<int> arity = {0, 2};
  ResolvedTypes resolved = *ResolveOverload("transform", std::span(&signature, 1), types, arity);
  EXPECT_EQ(LambdaParameterTypes(signature, 1, resolved), std::vector<Type>{Type::Integer()});
  EXPECT_TRUE(resolved.result_type.is(TypeId::kUnknown));
  EXPECT_EQ(*BindLambdaResult(signature, 1, Type::Double(), &resolved), Type::Double());
  EXPECT_EQ(resolved.result_type, Type::Array(Type::Double()));
}

TEST(RegistryTest, ReduceDemandsTheTypeOfItsState) {
  const Signature signature =
      *ParseSignature("(array(T), S, function(S, T, S), function(S, R)) -> R");
  const std::vector<Type> types = {Type::Array(Type::Double()), Type::Integer(), Type::Unknown(),
                                   Type::Unknown()};
  const std::vector<int> arity = {0, 0, 3, 2};
  ResolvedTypes resolved = *ResolveOverload("reduce", std::span(&signature, 1), types, arity);
  EXPECT_FALSE(BindLambdaResult(signature, 2, Type::Double(), &resolved).ok());
}

}  // namespace
}  // namespace tideline::functions
