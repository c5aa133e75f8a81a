// base/check.h: statements about our own code that stay on in release builds.
//
// Bytes from a disk, a wire or a user can never trip one: they yield kDataLoss or kInvalidArgument.
#pragma once

namespace tideline::internal {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace tideline::internal

/// Aborts with file, line and the condition's text unless `condition` holds.
#define TL_CHECK(condition)                                                        \
  do {                                                                             \
    if (!(condition)) [[unlikely]] {                                               \
      ::tideline::internal::CheckFailed(__FILE__, __LINE__, #condition);           \
    }                                                                              \
  } while (false)

/// The same in debug builds only, for conditions on hot paths.
#ifdef NDEBUG
#define TL_DCHECK(condition) \
  do {                       \
  } while (false && (condition))
#else
#define TL_DCHECK(condition) TL_CHECK(condition)
#endif
