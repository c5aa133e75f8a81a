// storage/catalog/ids.h: the numbers by which storage names tables, columns and series.
//
// Each is its own type, is never used again once given out, and is what files and the log hold;
// names live in the catalog alone.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace tideline::catalog {

/// One table for ever: a table deleted and created again by the same name gets a new id.
struct TableId {
  std::uint64_t value = 0;
  auto operator<=>(const TableId&) const = default;
};

/// One column within its table.
struct ColumnId {
  std::uint32_t value = 0;
  auto operator<=>(const ColumnId&) const = default;
};

/// One series (a dimension set and a measure name) within its table; dense from 0.
struct SeriesId {
  std::uint32_t value = 0;
  auto operator<=>(const SeriesId&) const = default;
};

/// The columns every table has; dimensions and measures are numbered from kFirstFreeColumn.
inline constexpr ColumnId kMeasureNameColumn{0};
inline constexpr ColumnId kTimeColumn{1};
inline constexpr ColumnId kFirstFreeColumn{2};
/// Ids are never given out again; 128 dimensions and 1,029 value columns leave room.
inline constexpr std::uint32_t kColumnIdMax = 65'535;

template <typename H>
H AbslHashValue(H h, const TableId& id) {
  return H::combine(std::move(h), id.value);
}
template <typename H>
H AbslHashValue(H h, const ColumnId& id) {
  return H::combine(std::move(h), id.value);
}

}  // namespace tideline::catalog
