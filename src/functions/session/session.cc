// functions/session/session.cc: fail and uuid: functions of no lasting value.
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

Status FailKernel(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                  Vector*, RowErrors* errors) {
  const Reader<StringRef> messages(arguments[0]);
  rows.ForEach(
      [&](std::uint32_t row) { errors->Add(row, ExecutionFailed("{}", messages[row].view())); });
  return OkStatus();
}
// Volatile, so that no branch of a CASE that is never taken fails while the query is planned.
constexpr ScalarOverload kFailOverloads[] = {{"(varchar) -> unknown", FailKernel}};
constexpr ScalarFunction kFail{.name = "fail",
                               .overloads = kFailOverloads,
                               .volatility = Volatility::kVolatile,
                               .profile = Profile::kExtendedOnly,
                               .doc = {"conversion", "Fails the query with a message.",
                                       "SELECT try(fail('too late'))", "NULL"}};
TL_REGISTER_SCALAR(kFail);

Status UuidKernel(const KernelContext& context, std::span<const Vector>, const Selection& rows,
                  Vector* result, RowErrors*) {
  rows.ForEach([&](std::uint32_t row) { result->SetString(row, context.random->Uuid()); });
  return OkStatus();
}
constexpr ScalarOverload kUuidOverloads[] = {{"() -> varchar", UuidKernel}};
constexpr ScalarFunction kUuid{
    .name = "uuid",
    .overloads = kUuidOverloads,
    .volatility = Volatility::kVolatile,
    .profile = Profile::kExtendedOnly,
    .doc = {"string", "A random UUID, version 4.", "SELECT length(uuid())", "36"}};
TL_REGISTER_SCALAR(kUuid);

}  // namespace
}  // namespace tideline::functions
