// exec/values/hash_rows.h: one hash per row over some key columns, to divide rows into partitions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "columnar/vector.h"

namespace tideline::exec {

/// `(*hashes)[i]` is that of row rows[i]. Rows that are equal as group keys (values/compare.h) have
/// equal hashes, whatever the encoding of their columns; a dictionary entry is hashed once per call.
void HashRows(std::span<const Vector> keys, const Selection& rows, std::vector<std::uint64_t>* hashes);

}  // namespace tideline::exec
