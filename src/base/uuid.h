// base/uuid.h: 128-bit identities of databases, files and keys.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/status.h"

namespace tideline {

/// RFC 4122 bytes in text order; all zeros (the default) means "none".
struct Uuid {
  std::array<std::byte, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return *this == Uuid{}; }
};

/// A random version 4 UUID.
Uuid MakeUuid(Random& random);
/// Lower case, with dashes, 36 characters.
std::string FormatUuid(const Uuid& uuid);
/// Reads what FormatUuid writes, in either case; else kInvalidArgument.
Result<Uuid> ParseUuid(std::string_view text);

}  // namespace tideline
