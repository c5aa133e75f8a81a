// exec/spill/spilled_rows.h: rows of known types that lie on disk, as one list or as partitions by
// hash.
//
//   PartitionWriter writer(types, own, level);          rows ─► 16 buffers ─► frames of one file
//   TL_TRY(writer.Add(batch, rows, hashes)); …
//   std::vector<SpilledRows> parts = TL_TRY(writer.Finish());
//   SpilledRowsReader reader(parts[3], types);          frames ─► batches, in the order written
//
// Each level of partitioning uses four further bits of the hash, so a partition that is still too
// large for memory is divided again.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "columnar/vector.h"
#include "exec/operators/operator_context.h"
#include "exec/spill/spill_space.h"

namespace tideline::exec {

inline constexpr std::size_t kPartitionBits = 4;
inline constexpr std::size_t kPartitions = std::size_t{1} << kPartitionBits;
/// Rows that agree in so many levels of hash bits are not divided further.
inline constexpr std::size_t kPartitionLevelsMax = 6;

inline std::size_t PartitionOf(std::uint64_t hash, std::size_t level) {
  return (hash >> (64 - kPartitionBits * (level + 1))) & (kPartitions - 1);
}

/// Frames of one or more files; they live as long as this.
struct SpilledRows {
  struct Frame {
    std::shared_ptr<SpillFile> file;
    std::uint32_t index;
  };
  std::vector<Frame> frames;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  ///< as they were in memory, about

  void Adopt(SpilledRows other);
};

/// Writes batches one after the other to one file, made at the first. One thread.
class RowWriter {
 public:
  RowWriter(std::vector<Type> types, OperatorContext* own) : types_(std::move(types)), own_(own) {}
  /// All rows of `batch`, at most kBatchRowsMax.
  Status Write(const Batch& batch, SpilledRows* to);

 private:
  const std::vector<Type> types_;
  OperatorContext* const own_;
  std::shared_ptr<SpillFile> file_;
  Bytes scratch_;
};

/// Collects rows in small buffers, charged to the operator. One thread.
class RowBuffer {
 public:
  RowBuffer(const std::vector<Type>* types, std::size_t bytes_max) : types_(types), bytes_max_(bytes_max) {}
  /// Copies up to `list.size()` rows, one at least unless full; how many it took. Full afterwards if it took
  /// fewer: past its bytes by one row at most.
  std::size_t Append(const Batch& batch, std::span<const std::uint32_t> list);
  bool full() const { return batch_.row_count == kBatchRowsMax || bytes_ >= bytes_max_; }
  std::size_t row_count() const { return batch_.row_count; }
  std::size_t bytes() const { return bytes_; }
  const Batch& batch() const { return batch_; }
  void Clear();

 private:
  const std::vector<Type>* types_;
  const std::size_t bytes_max_;
  Batch batch_;
  std::size_t bytes_ = 0;
};

/// Divides rows by hash. One thread.
class PartitionWriter {
 public:
  PartitionWriter(std::vector<Type> types, OperatorContext* own, std::size_t level);
  /// `hashes[i]` is that of rows[i].
  Status Add(const Batch& batch, const Selection& rows, std::span<const std::uint64_t> hashes);
  /// The rows of each of kPartitions. Ends the writer.
  Result<std::vector<SpilledRows>> Finish();
  std::uint64_t row_count() const { return row_count_; }

 private:
  Status Flush(std::size_t partition);
  Status Charge();

  const std::vector<Type> types_;
  const std::size_t level_;
  RowWriter writer_;
  std::vector<RowBuffer> buffers_;
  std::vector<SpilledRows> parts_;
  std::vector<std::uint32_t> lists_[kPartitions];
  std::uint64_t row_count_ = 0;
  MemoryReservation memory_;
};

/// One batch after the other, in the order in which they were written. One thread.
class SpilledRowsReader {
 public:
  /// Both outlive the reader.
  SpilledRowsReader(const SpilledRows* rows, const std::vector<Type>* types) : rows_(rows), types_(types) {}
  Result<bool> Next(Batch* batch);
  bool at_end() const { return next_ == rows_->frames.size(); }

 private:
  const SpilledRows* rows_;
  const std::vector<Type>* types_;
  std::size_t next_ = 0;
};

}  // namespace tideline::exec
