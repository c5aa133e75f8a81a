// storage/engine/series_file.h: the series of a table, as of a checkpoint.
//
// The first file of a table holds every series, later ones what came since: values added to dictionaries,
// series added, and high-water times that moved. Read in order they rebuild the index. Derived data:
// segments and log hold the same. Plain bytes (sealed by catalog/sealed_object.h), all integers varints:
//
//   slots     n, n x (first code, count, count x text)
//   series    first id, count, count x (measure ordinal, n, n x (slot, code))
//   touched   count, count x (id minus the id before, high-water time as signed varint)
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/hot/series_index.h"

namespace tideline::engine {

inline constexpr std::uint16_t kSeriesFileFormat = 1;

/// What files hold already.
struct SeriesProgress {
  std::uint32_t series = 0;
  std::vector<std::uint32_t> codes{};  ///< per slot, the first code not in files; absent slots: 1
};

/// Appends the file for series [progress.series, series_count) and moves `progress` on. `touched` ascends
/// and has a time each. `slot_count` and `series_count` are those of the checkpoint's schema, since the index may
/// have grown: a file never knows of a dimension that the catalog beside it lacks.
void EncodeSeriesFile(const hot::SeriesIndex& index, std::uint32_t slot_count,
                      std::uint32_t series_count,
                      std::span<const std::uint32_t> touched,
                      std::span<const std::int64_t> high_waters, SeriesProgress* progress,
                      Bytes* out);

/// Adds a file to the index, whose slots and measures exist. kDataLoss when it does not fit.
Status LoadSeriesFile(BytesView bytes, hot::SeriesIndex* index, SeriesProgress* progress);

}  // namespace tideline::engine
