// base/log.h: what the process says about itself, on stderr, one line an event.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace tideline {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

/// Sets the least level that is printed (default kInfo). Thread-safe.
void SetLogLevel(LogLevel level);

namespace internal {
bool LogEnabled(LogLevel level);
void LogLine(LogLevel level, std::string_view text);
}  // namespace internal

#define TL_LOG_AT(level, ...)                                               \
  do {                                                                      \
    if (::tideline::internal::LogEnabled(level)) {                          \
      ::tideline::internal::LogLine(level, ::fmt::format(__VA_ARGS__));     \
    }                                                                       \
  } while (false)
/// TL_LOG_INFO("opened {} in {} ms", path, ms)
#define TL_LOG_DEBUG(...) TL_LOG_AT(::tideline::LogLevel::kDebug, __VA_ARGS__)
#define TL_LOG_INFO(...) TL_LOG_AT(::tideline::LogLevel::kInfo, __VA_ARGS__)
#define TL_LOG_WARNING(...) TL_LOG_AT(::tideline::LogLevel::kWarning, __VA_ARGS__)
#define TL_LOG_ERROR(...) TL_LOG_AT(::tideline::LogLevel::kError, __VA_ARGS__)

}  // namespace tideline
