// storage/engine/segment_source.h: one live segment of a table, in a file or in memory, and its dead rows.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "base/status.h"
#include "storage/catalog/manifest.h"
#include "storage/engine/owed_marks.h"
#include "storage/hot/deletion_vector.h"
#include "storage/objstore/object_store.h"
#include "storage/seal/sealer.h"
#include "storage/segment/segment_reader.h"

namespace tideline::engine {

/// Reads ranges of an object. `store` outlives it.
class ObjectRangeReader final : public segment::RangeReader {
 public:
  ObjectRangeReader(objstore::ObjectStore& store, std::string key)
      : store_(store), key_(std::move(key)) {}
  Status Read(std::uint64_t offset, std::span<std::byte> out) override;

 private:
  objstore::ObjectStore& store_;
  const std::string key_;
};

/// The pages of one sealed segment. Thread-safe.
class SegmentSeal final : public segment::PageSeal {
 public:
  /// Null where nothing is encrypted. Errors are the sealer's.
  static Result<std::unique_ptr<SegmentSeal>> Make(seal::Sealer& sealer, const Uuid& file_uuid,
                                                   const seal::KeyId& key_id);
  std::size_t overhead_bytes() const override { return sealer_->cipher_bytes(); }
  Status Seal(std::uint64_t page_index, BytesView plain, std::span<std::byte> sealed) override {
    return sealer_->EncryptInto(page_index, plain, sealed);
  }
  Status Unseal(std::uint64_t page_index, BytesView sealed, std::span<std::byte> plain) override {
    return sealer_->DecryptInto(page_index, sealed, plain);
  }

 private:
  explicit SegmentSeal(std::unique_ptr<seal::FileSealer> sealer) : sealer_(std::move(sealer)) {}
  const std::unique_ptr<seal::FileSealer> sealer_;
};

/// Where segments are read from; outlives every source.
struct SegmentEnvironment {
  objstore::ObjectStore* store = nullptr;     ///< of the memory store: the data directory
  objstore::ObjectStore* magnetic = nullptr;  ///< of the magnetic store; may be the same
  seal::Sealer* sealer = nullptr;
  segment::BlockCache* cache = nullptr;
  MemoryBudget* series_tables = nullptr;  ///< of all segments

  objstore::ObjectStore& StoreOf(catalog::StoreTier tier) const {
    return tier == catalog::StoreTier::kMemory ? *store : *magnetic;
  }
};

/// Thread-safe. The reader is opened at the first need, and what the segment owes (owed_marks.h) is paid before that.
class SegmentSource {
 public:
  /// A file. `dead` are its rows dead at the checkpoint.
  SegmentSource(const SegmentEnvironment& environment, catalog::SegmentEntry entry, Bitmap dead);
  /// A run in memory.
  static Result<std::shared_ptr<SegmentSource>> OfMemory(const SegmentEnvironment& environment,
                                                         segment::WrittenSegment written,
                                                         Bytes bytes);

  bool in_memory() const { return in_memory_; }
  /// Of a file: what the manifest says, without the deletion vector. Of a run: counts and times only.
  const catalog::SegmentEntry& entry() const { return entry_; }
  std::uint64_t row_count() const { return entry_.row_count; }
  std::int64_t time_ns_min() const { return entry_.time_ns_min; }
  std::int64_t time_ns_max() const { return entry_.time_ns_max; }
  std::size_t memory_bytes() const { return in_memory_ ? entry_.bytes : 0; }
  hot::DeletionVector& deletions() { return deletions_; }
  const hot::DeletionVector& deletions() const { return deletions_; }

  /// Ask it before deletions(): what is owed is marked first. Errors are those of reading.
  Result<std::shared_ptr<segment::SegmentReader>> reader() const;

  /// True for an error that says that the store of this segment does not answer, where that is no local disk.
  bool IsOutOfReach(const Status& status) const;
  /// For replay, before anyone else reads. kResourceExhausted, and nothing added, past kOwedMarksMax.
  Status Owe(OwedMarks more);
  OwedMarks owed() const;
  std::size_t owed_count() const;

 private:
  Result<std::shared_ptr<segment::SegmentReader>> OpenReader() const;
  const SegmentEnvironment environment_;
  const catalog::SegmentEntry entry_;
  const bool in_memory_;
  mutable hot::DeletionVector deletions_;  ///< paying marks what was dead before
  mutable Mutex mutex_;
  mutable std::shared_ptr<segment::SegmentReader> reader_ TL_GUARDED_BY(mutex_);
  mutable OwedMarks owed_ TL_GUARDED_BY(mutex_);
};

/// Finds rows of segments by key, one after the other. Remembers the times it decoded last, since late
/// records come in bunches. For one thread at a time.
class KeyProbe {
 public:
  /// The row of `source` with this key, dead or not. I/O errors and kDataLoss.
  Result<std::optional<std::uint64_t>> Find(const std::shared_ptr<SegmentSource>& source,
                                            std::uint64_t series, std::int64_t time_ns);
  Result<std::optional<std::uint64_t>> Find(const std::shared_ptr<segment::SegmentReader>& reader,
                                            std::uint64_t series, std::int64_t time_ns);
  void Forget() { remembered_ = nullptr; }

 private:
  /// Makes times_ those of rows [first, last), all of one stripe.
  Status Load(const std::shared_ptr<segment::SegmentReader>& reader, std::size_t stripe,
              std::uint64_t first, std::uint64_t last);
  std::shared_ptr<segment::SegmentReader> remembered_;
  std::uint64_t first_row_ = 0;  ///< of times_
  std::vector<std::int64_t> times_;
};

}  // namespace tideline::engine
