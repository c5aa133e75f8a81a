// functions/datetime/current.cc: now() and its kin, fixed at the start of the query.
#include "functions/calendar.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

Status Now(const KernelContext& context, std::span<const Vector>, const Selection& rows,
           Vector* result, RowErrors*) {
  std::int64_t* out = result->mutable_values<std::int64_t>();
  rows.ForEach([&](std::uint32_t row) { out[row] = context.now.value; });
  return OkStatus();
}
Status CurrentDate(const KernelContext& context, std::span<const Vector>, const Selection& rows,
                   Vector* result, RowErrors*) {
  std::int32_t* out = result->mutable_values<std::int32_t>();
  const auto today = static_cast<std::int32_t>(DaysOf(context.now.value));
  rows.ForEach([&](std::uint32_t row) { out[row] = today; });
  return OkStatus();
}
Status CurrentTime(const KernelContext& context, std::span<const Vector>, const Selection& rows,
                   Vector* result, RowErrors*) {
  std::int64_t* out = result->mutable_values<std::int64_t>();
  rows.ForEach([&](std::uint32_t row) { out[row] = NsOfDay(context.now.value); });
  return OkStatus();
}
Status CurrentTimezone(const KernelContext&, std::span<const Vector>, const Selection& rows,
                       Vector* result, RowErrors*) {
  rows.ForEach([&](std::uint32_t row) { result->SetString(row, "UTC"); });
  return OkStatus();
}
Status Ago(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
           Vector* result, RowErrors* errors) {
  const Reader<std::int64_t> interval(arguments[0]);
  std::int64_t* out = result->mutable_values<std::int64_t>();
  rows.ForEach([&](std::uint32_t row) {
    Store<std::int64_t>(CheckTimestamp(Int128{context.now.value} - interval[row]), row, out,
                        errors);
  });
  return OkStatus();
}
Status AgoMonths(const KernelContext& context, std::span<const Vector> arguments,
                 const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<std::int32_t> months(arguments[0]);
  std::int64_t* out = result->mutable_values<std::int64_t>();
  rows.ForEach([&](std::uint32_t row) {
    Store<std::int64_t>(AddMonthsToTimestamp(context.now.value, -std::int64_t{months[row]}), row,
                        out, errors);
  });
  return OkStatus();
}

constexpr ScalarOverload kNowOverloads[] = {{"() -> timestamp", Now}};
constexpr ScalarOverload kCurrentDateOverloads[] = {{"() -> date", CurrentDate}};
constexpr ScalarOverload kCurrentTimeOverloads[] = {{"() -> time", CurrentTime}};
constexpr ScalarOverload kCurrentTimezoneOverloads[] = {{"() -> varchar", CurrentTimezone}};
constexpr ScalarOverload kAgoOverloads[] = {
    {"(interval day to second) -> timestamp", Ago},
    {"(interval year to month) -> timestamp", AgoMonths},
};

#define TL_CURRENT(object, text, overload_list, summary_text, example_text, result_text) \
  constexpr ScalarFunction object{                                                       \
      .name = text,                                                                      \
      .overloads = overload_list,                                                        \
      .volatility = Volatility::kStable,                                                 \
      .doc = {"date and time", summary_text, example_text, result_text}};                \
  TL_REGISTER_SCALAR(object)
TL_CURRENT(kNow, "now", kNowOverloads, "The instant the query started, to the millisecond.",
           "SELECT now() = current_timestamp", "true");
TL_CURRENT(kCurrentTimestamp, "current_timestamp", kNowOverloads,
           "The instant the query started, written without parentheses.",
           "SELECT current_timestamp = now()", "true");
TL_CURRENT(kLocaltimestamp, "localtimestamp", kNowOverloads,
           "The instant the query started, written without parentheses.",
           "SELECT localtimestamp = now()", "true");
TL_CURRENT(kCurrentDate, "current_date", kCurrentDateOverloads,
           "The day the query started, written without parentheses.",
           "SELECT current_date = date(now())", "true");
TL_CURRENT(kCurrentTime, "current_time", kCurrentTimeOverloads,
           "The time of day the query started, written without parentheses.",
           "SELECT current_time = localtime", "true");
TL_CURRENT(kLocaltime, "localtime", kCurrentTimeOverloads,
           "The time of day the query started, written without parentheses.",
           "SELECT localtime = current_time", "true");
TL_CURRENT(kCurrentTimezone, "current_timezone", kCurrentTimezoneOverloads, "Always UTC.",
           "SELECT current_timezone()", "UTC");
TL_CURRENT(kAgo, "ago", kAgoOverloads, "The instant so long before the query started.",
           "SELECT ago(1h) = now() - 1h", "true");
#undef TL_CURRENT

}  // namespace
}  // namespace tideline::functions
