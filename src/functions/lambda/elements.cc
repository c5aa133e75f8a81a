#include "functions/lambda/elements.h"

#include <limits>

#include "functions/nested.h"

namespace tideline::functions {

LambdaElements::LambdaElements(const Vector& list, const Selection& rows) {
  const Reader<ListEntry> lists(list);
  rows.ForEach([&](std::uint32_t row) {
    if (list.IsNull(row)) return;
    const ListEntry entry = lists[row];
    for (std::uint32_t i = 0; i < entry.length; ++i) {
      elements.push_back(entry.offset + i);
      owners.push_back(row);
    }
  });
}

Vector LambdaArgument(const Vector& list, std::span<const std::uint32_t> indices) {
  if (!list.type().is(TypeId::kTimeseries)) return Gather(list.child(0), indices);
  Vector points = Vector::Flat(
      Type::Row({{"time", Type::Timestamp()}, {"value", list.type().element()}}), indices.size());
  for (std::size_t i = 0; i < 2; ++i) points.SetChild(i, Gather(list.child(i), indices));
  return points;
}

Status RunLambda(const Lambda& lambda, std::span<const Vector> arguments,
                 std::span<const std::uint32_t> owners, Vector* result, RowErrors* errors) {
  RowErrors inner;
  TL_TRY(lambda.Apply(arguments, owners, result, &inner));
  std::uint32_t last = std::numeric_limits<std::uint32_t>::max();
  for (const RowErrors::Entry& entry : inner.entries()) {
    const std::uint32_t owner = owners[entry.row];
    if (owner != last) errors->Add(owner, entry.status);
    last = owner;
  }
  return OkStatus();
}

bool IsTrue(const Vector& booleans, std::size_t row) {
  return !booleans.IsNull(row) && booleans.base().values<std::uint8_t>()[booleans.Index(row)] != 0;
}

}  // namespace tideline::functions
