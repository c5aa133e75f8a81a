// storage/engine/series_set.h: the series a scan wants, tested once per row or run.
#pragma once

#include <cstdint>
#include <vector>

#include "columnar/bitmap.h"

namespace tideline::engine {

/// All series, or those of a bitmap unfolded to one bit each. Immutable once made.
class SeriesSet {
 public:
  static SeriesSet All() { return SeriesSet(); }
  explicit SeriesSet(const Bitmap& series) : all_(false), count_(series.count()) {
    for (const std::uint32_t id : series.Values()) {
      if (id / 64 >= words_.size()) words_.resize(id / 64 + 1);
      words_[id / 64] |= std::uint64_t{1} << (id % 64);
    }
  }
  bool is_all() const { return all_; }
  /// Of a set that is not all.
  std::uint64_t count() const { return count_; }
  bool empty() const { return !all_ && count_ == 0; }
  bool Contains(std::uint64_t id) const {
    return all_ || (id / 64 < words_.size() && ((words_[id / 64] >> (id % 64)) & 1) != 0);
  }

 private:
  SeriesSet() = default;
  bool all_ = true;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace tideline::engine
