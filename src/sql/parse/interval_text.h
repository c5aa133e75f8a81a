// sql/parse/interval_text.h: the value of INTERVAL 'text' unit [TO unit].
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "sql/parse/lexer.h"

namespace tideline::sql::ast {

/// Coarse to fine within each family.
enum class IntervalUnit : std::uint8_t { kYear, kMonth, kWeek, kDay, kHour, kMinute, kSecond };

/// "YEAR" ... "SECOND". Static storage.
std::string_view IntervalUnitText(IntervalUnit unit);

/// The value of `text`, negated if `negative`. One unit takes a whole number (seconds a fraction of
/// up to 9 digits); `start TO end` takes the numbers of all units from `start` to `end`:
/// 'years-months', 'days hours:minutes:seconds.fraction'. A minus sign may lead. Numbers below the
/// first are not limited to 23 or 59.
///
/// kInvalidArgument "Invalid INTERVAL <units> value: <text>" for a bad text or one out of range,
/// "Invalid INTERVAL qualifier: ..." where no interval goes from `start` to `end`.
Result<IntervalValue> ParseIntervalText(std::string_view text, bool negative, IntervalUnit start,
                                        std::optional<IntervalUnit> end);

}  // namespace tideline::sql::ast
