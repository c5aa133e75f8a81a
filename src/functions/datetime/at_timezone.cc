// functions/datetime/at_timezone.cc: at_timezone(timestamp, zone), which `timestamp AT TIME ZONE zone` calls:
// what clocks in the zone show at that instant. There are no types with a zone, so the answer is a timestamp.
//
// Zones are those of the system's tz database, or an interval to the east of UTC, at most 14 hours.
#include <absl/time/time.h>

#include <any>

#include "functions/calendar.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

constexpr I64 kOffsetNsMax = 14 * kNsPerHour;
constexpr std::size_t kZoneNameBytesMax = 64;

// The library opens a file of that name: nothing but names that zones have may reach it.
bool IsZoneName(std::string_view name) {
  if (name.empty() || name.size() > kZoneNameBytesMax || name[0] == '/') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
           c == '-' || c == '/';
  });
}

// The zone met last.
struct ZoneState {
  std::string name;
  bool known = false;
  absl::TimeZone zone;

  void Take(std::string_view wanted) {
    if (!name.empty() && name == wanted) return;
    name = wanted;
    known = IsZoneName(wanted) && absl::LoadTimeZone(absl::string_view(wanted.data(), wanted.size()), &zone);
  }
};

Status AtNamedZone(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
                   Vector* result, RowErrors* errors) {
  if (!context.state->has_value()) *context.state = ZoneState();
  ZoneState& state = *std::any_cast<ZoneState>(context.state);
  const Reader<I64> times(arguments[0]);
  const Reader<StringRef> zones(arguments[1]);
  I64* out = result->mutable_values<I64>();
  rows.ForEach([&](std::uint32_t row) {
    const I64 ns = times[row];
    state.Take(zones[row].view());
    if (!state.known) {
      errors->Add(row, ExecutionFailed("'{}' is not a time zone", zones[row].view()));
      return;
    }
    const I64 second = (ns - FloorMod(ns, kNsPerSecond)) / kNsPerSecond;
    const int offset = state.zone.At(absl::FromUnixSeconds(second)).offset;
    const Result<I64> local = CheckTimestamp(Int128{ns} + Int128{offset} * kNsPerSecond);
    if (local.ok()) {
      out[row] = *local;
    } else {
      errors->Add(row, local.status());
    }
  });
  return OkStatus();
}

Result<I64> AtOffset(I64 ns, I64 offset) {
  if (offset < -kOffsetNsMax || offset > kOffsetNsMax) {
    return ExecutionFailed("a time zone is at most 14 hours away from UTC");
  }
  return CheckTimestamp(Int128{ns} + offset);
}

constexpr ScalarOverload kAtTimezoneOverloads[] = {
    {"(timestamp, varchar) -> timestamp", AtNamedZone},
    {"(timestamp, interval day to second) -> timestamp", Try2<I64, I64, I64, AtOffset>},
};
constexpr ScalarFunction kAtTimezone{
    .name = "at_timezone",
    .overloads = kAtTimezoneOverloads,
    .profile = Profile::kExtendedOnly,
    .doc = {"date and time",
            "What clocks in a time zone show at an instant; also written timestamp AT TIME ZONE zone.",
            "SELECT at_timezone(TIMESTAMP '2024-07-01 12:00:00', 'Europe/Paris')",
            "2024-07-01 14:00:00.000000000"}};
TL_REGISTER_SCALAR(kAtTimezone);

}  // namespace
}  // namespace tideline::functions
