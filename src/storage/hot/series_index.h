// storage/hot/series_index.h: which series a table has, and which of them a predicate selects.
//
// A series is a measure (its ordinal in the table's schema) and a set of dimension values. The index maps
// that to a dense SeriesId, keeps per series the dictionary codes of its dimensions, and per value its series. One
// writer adds (the table's lock); readers take codes of published series without a lock and select under a shared
// one, which the writer takes only when it adds.
//
// Finding a series is a walk through cold memory once there are many, so what it needs lies together: one entry of 32
// bytes, and the codes side by side in the order of their slots. Which slots a series has is its shape; there are few.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "columnar/bitmap.h"
#include "storage/catalog/schema.h"
#include "storage/hot/dictionary.h"
#include "storage/hot/posting.h"

namespace tideline::hot {

using catalog::ColumnId;
using catalog::SeriesId;

/// One dimension of a series on its way in. `slot` counts the table's dimensions from 0.
struct KeyPart {
  std::uint32_t slot = 0;
  std::string_view value{};
  std::uint64_t hash = 0;  ///< Dictionary::HashOf(value)
};

/// Matches series whose code of `slot` is in `codes` (ascending; kNullCode: lacks the dimension).
struct SlotFilter {
  static constexpr std::uint32_t kMeasureSlot = UINT32_MAX;
  std::uint32_t slot = 0;
  std::vector<std::uint32_t> codes{};
};

class SeriesIndex {
 public:
  SeriesIndex();

  // ---- writer ---------------------------------------------------------------------------------
  /// Makes room for dimension `slot`, the next one; idempotent for those that exist.
  void AddSlot(std::uint32_t slot);
  /// Gives the next measure ordinal its name; idempotent.
  void AddMeasure(std::uint32_t ordinal, std::string_view name);

  /// A hash of the dimensions alone, whatever their order; combine with KeyHash.
  static std::uint64_t DimensionsHash(std::span<const KeyPart> parts);
  static std::uint64_t KeyHash(std::uint32_t measure, std::uint64_t dimensions_hash);
  /// The series of this key; nothing when there is none. No two parts share a slot.
  std::optional<SeriesId> Find(std::uint64_t key_hash, std::uint32_t measure,
                               std::span<const KeyPart> parts) const;
  /// The series that followed `before` when it was last written, if it is the one of this key: senders repeat their
  /// order, and this needs no hash. Writer only, like NoteFollower.
  std::optional<SeriesId> FindFollower(SeriesId before, std::uint32_t measure,
                                       std::span<const KeyPart> parts) const;
  void NoteFollower(SeriesId before, SeriesId after) {
    std::uint32_t& follower = followers_.At(before.value);
    if (follower != after.value + 1) follower = after.value + 1;
  }
  /// Adds a series that is not there.
  SeriesId Add(std::uint64_t key_hash, std::uint32_t measure, std::span<const KeyPart> parts);
  /// Adds what a series file holds, under one lock as long as it lives: readers of postings wait.
  class BulkLoad {
   public:
    explicit BulkLoad(SeriesIndex* index) : index_(*index), lock_(index->mutex_) {}
    /// Adds a series by codes that exist; `codes` are (slot, code) with ascending slots.
    SeriesId AddCoded(std::uint32_t measure,
                      std::span<const std::pair<std::uint32_t, std::uint32_t>> codes);
    /// Adds a value to a dimension; the code it got. Repeated values are a caller's error.
    std::uint32_t AddValue(std::uint32_t slot, std::string_view value);
    /// Room for `count` more series.
    void ReserveSeries(std::size_t count) { index_.keys_.Reserve(count); }

   private:
    SeriesIndex& index_;
    WriterLock lock_;
  };

  /// Latest time of any row of the series, INT64_MIN before the first. Writer only.
  std::int64_t& HighWater(SeriesId series) { return entries_.At(series.value).high_water; }

  // ---- readers --------------------------------------------------------------------------------
  std::uint32_t series_count() const { return series_count_.load(std::memory_order_acquire); }
  std::uint32_t slot_count() const { return slot_count_.load(std::memory_order_acquire); }
  std::uint32_t measure_count() const { return measures_.size() - 1; }
  std::uint32_t MeasureOf(SeriesId series) const { return entries_[series.value].measure; }
  /// Code of the series' value in `slot`, kNullCode when it has none.
  std::uint32_t CodeOf(SeriesId series, std::uint32_t slot) const {
    const Entry& entry = entries_[series.value];
    return CodeAt(entry, *shapes_[entry.shape], slot);
  }
  /// Code in measure_names() is ordinal + 1.
  const Dictionary& measure_names() const { return measures_; }
  const Dictionary& values(std::uint32_t slot) const {
    return slots_[slot].load(std::memory_order_acquire)->values;
  }
  /// Codes of those `values` that exist, ascending, without repeats.
  std::vector<std::uint32_t> CodesOf(std::uint32_t slot_or_measure,
                                     std::span<const std::string> values) const;
  /// Series among the first `series_count` that pass all filters.
  Bitmap Select(std::span<const SlotFilter> filters, std::uint32_t series_count) const;

  std::size_t memory_bytes() const;

 private:
  struct Slot {
    Dictionary values;
    std::vector<Posting> postings;  ///< by code; guarded by mutex_
  };
  struct Entry {
    std::uint64_t key_hash = 0;
    std::int64_t high_water = 0;
    std::uint64_t codes_at = 0;  ///< of its first code in codes_
    std::uint32_t measure = 0;
    std::uint32_t shape = 0;
  };
  /// The slots that a series has, ascending.
  struct Shape {
    static constexpr std::uint8_t kAbsent = UINT8_MAX;
    std::vector<std::uint32_t> slots{};
    std::array<std::uint8_t, catalog::kDimensionsMax> position{};  ///< by slot
  };
  static_assert(catalog::kDimensionsMax <= Shape::kAbsent);
  std::uint32_t CodeAt(const Entry& entry, const Shape& shape, std::uint32_t slot) const {
    const std::uint8_t position = shape.position[slot];
    return position == Shape::kAbsent ? kNullCode : codes_[entry.codes_at + position];
  }
  std::uint32_t ShapeOf(std::span<const std::pair<std::uint32_t, std::uint32_t>> codes);
  Slot& WritableSlot(std::uint32_t slot) {
    return *slots_[slot].load(std::memory_order_relaxed);
  }
  bool Matches(std::uint32_t series, std::uint32_t measure, std::span<const KeyPart> parts) const;
  /// `codes` are (slot, code) with ascending slots.
  SeriesId Publish(std::uint64_t key_hash, std::uint32_t measure,
                   std::span<const std::pair<std::uint32_t, std::uint32_t>> codes);

  /// Taken by the writer to add a series or value, shared by readers of postings and value lookups.
  mutable SharedMutex mutex_;
  std::array<std::atomic<Slot*>, catalog::kDimensionsMax> slots_{};
  std::vector<std::unique_ptr<Slot>> owned_slots_;
  std::atomic<std::uint32_t> slot_count_{0};
  Dictionary measures_;
  std::vector<Posting> measure_postings_;
  HashIndex keys_;
  SeriesArray<Entry> entries_;
  SeriesArray<std::uint32_t> followers_;  ///< by series: its follower's number plus one, 0: none
  SeriesPartArray<std::uint32_t> codes_;
  std::uint64_t code_count_ = 0;
  SeriesArray<Shape*> shapes_;
  std::vector<std::unique_ptr<Shape>> owned_shapes_;
  absl::flat_hash_map<std::vector<std::uint32_t>, std::uint32_t> shapes_by_slots_;
  std::uint32_t last_shape_ = UINT32_MAX;
  std::atomic<std::uint32_t> series_count_{0};
  /// Reused by Add.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> scratch_;
};

}  // namespace tideline::hot
