// storage/engine/series_set.h: the series a scan wants, tested once per row or run.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "columnar/bitmap.h"

namespace tideline::engine {

/// All series, or those of a bitmap unfolded to one bit each. Immutable once made.
class SeriesSet {
 public:
  static SeriesSet All() { return SeriesSet(); }
  explicit SeriesSet(const Bitmap& series) : all_(false), count_(series.count()) {
    std::vector<std::uint32_t> ids = series.Values();
    for (const std::uint32_t id : ids) {
      if (id / 64 >= words_.size()) words_.resize(id / 64 + 1);
      words_[id / 64] |= std::uint64_t{1} << (id % 64);
    }
    if (ids.size() <= kIdsMax) ids_ = std::move(ids);
  }
  bool is_all() const { return all_; }
  /// Of a set that is not all.
  std::uint64_t count() const { return count_; }
  bool empty() const { return !all_ && count_ == 0; }
  /// The ids, ascending, of a set small enough to look for one by one; else empty.
  const std::vector<std::uint32_t>& ids() const { return ids_; }
  bool Contains(std::uint64_t id) const {
    return all_ || (id / 64 < words_.size() && ((words_[id / 64] >> (id % 64)) & 1) != 0);
  }

 private:
  static constexpr std::size_t kIdsMax = 65'536;
  SeriesSet() = default;
  bool all_ = true;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> ids_;
};

}  // namespace tideline::engine
