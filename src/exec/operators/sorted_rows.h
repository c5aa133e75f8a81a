// exec/operators/sorted_rows.h: rows kept in memory with their normalised keys; private to sorting.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "exec/operators/sort.h"
#include "exec/spill/spilled_rows.h"

namespace tideline::exec {

/// A row and its key.
struct SortEntry {
  std::uint64_t prefix;  // first eight bytes of the key, big-endian
  StringRef key;
  std::uint32_t batch;
  std::uint32_t row;
};

/// In the order of the keys alone.
int CompareKeys(const SortEntry& a, const SortEntry& b);
/// Key and prefix of row `row`; the key's bytes lie in `heap` unless they are short.
SortEntry MakeSortEntry(const SortSpec& spec, const Batch& batch, std::size_t row, std::string* scratch,
                        StringHeap* heap);

/// Rows of one worker, then of all.
class SortedRows {
 public:
  SortedRows(const SortSpec* spec, OperatorContext* own);

  Status Add(const Batch& batch, const Selection& rows);
  Status Sort();
  /// Both are sorted. Takes over what `other` has.
  Status Merge(SortedRows& other);
  /// Sorts, appends all rows to `to` in order and forgets them, but not how good a row must be.
  Status Spill(RowWriter* writer, SpilledRows* to);

  std::size_t size() const { return entries_.size(); }
  std::size_t memory_bytes() const { return memory_.bytes(); }
  /// Rows [first, first + count) of the sorted ones.
  void Emit(std::size_t first, std::size_t count, Batch* out) const;
  /// Rows that matter when a limit is set: offset and count.
  const std::optional<std::size_t>& limit() const { return limit_; }

 private:
  void AddRow(const Batch& batch, std::uint32_t row, std::vector<std::uint32_t>* kept,
              std::vector<SortEntry>* fresh);
  void Cut();
  Status Prune();
  void NoteWorst();
  void Forget();

  const SortSpec* spec_;
  OperatorContext* own_;
  std::optional<std::size_t> limit_;
  std::vector<Batch> batches_;
  std::vector<SortEntry> entries_;
  std::unique_ptr<StringHeap> heap_ = std::make_unique<StringHeap>();
  std::vector<std::unique_ptr<StringHeap>> old_heaps_;
  std::size_t heap_charged_ = 0;
  SortEntry worst_{};
  StringHeap worst_heap_;  // the bytes of worst_, which outlives its row
  bool has_worst_ = false;
  std::string scratch_;
  mutable std::vector<std::uint32_t> local_of_batch_;
  MemoryReservation memory_;
};

}  // namespace tideline::exec
