// storage/hot/deletion_vector.h: which rows of one segment are dead, and since when.
//
// A frozen bitmap of rows dead for every snapshot that can still be open, and after it single marks with
// the SequenceNumber from which on they count. Thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "columnar/bitmap.h"

namespace tideline::hot {

class DeletionVector {
 public:
  /// Marks above this many are frozen when Freeze is called.
  static constexpr std::size_t kMarksBeforeFreeze = 4'096;

  DeletionVector() = default;
  explicit DeletionVector(Bitmap frozen);

  /// From `number` on `row` is dead.
  void Mark(std::uint32_t row, std::uint64_t number);
  /// The same for many rows; rows that are dead already keep their number.
  void MarkAll(Bitmap rows, std::uint64_t number);
  /// Marked at all, whatever the number.
  bool IsMarked(std::uint32_t row) const;
  /// Rows dead in a snapshot of `number`; null when there are none.
  std::shared_ptr<const Bitmap> At(std::uint64_t number) const;
  /// Marks whose number is above `number`.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> MarksAfter(std::uint64_t number) const;
  /// Moves marks of numbers up to `oldest_snapshot` into the bitmap once there are many, so that readers copy a bitmap
  /// and not a table of marks.
  void Freeze(std::uint64_t oldest_snapshot);
  bool empty() const;
  /// Number of the newest mark since the vector was made, 0 without one.
  std::uint64_t newest_mark() const;
  std::size_t memory_bytes() const;

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Bitmap> frozen_ TL_GUARDED_BY(mutex_);  ///< null: none
  absl::flat_hash_map<std::uint32_t, std::uint64_t> marks_ TL_GUARDED_BY(mutex_);
  /// Of MarkAll, ascending numbers.
  std::vector<std::pair<std::uint64_t, Bitmap>> batches_ TL_GUARDED_BY(mutex_);
  std::uint64_t newest_mark_ TL_GUARDED_BY(mutex_) = 0;
  /// Frozen and all marks, while no mark is added.
  mutable std::shared_ptr<const Bitmap> all_ TL_GUARDED_BY(mutex_);
};

}  // namespace tideline::hot
