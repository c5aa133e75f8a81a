#include "exec/operators/sorted_rows.h"

#include <algorithm>
#include <cstring>

#include "exec/values/compare.h"
#include "exec/values/gather.h"
#include "exec/values/long_sort.h"

namespace tideline::exec {
namespace {

// A limited sort prunes when it holds this many rows more than it needs.
constexpr std::size_t kPruneSlackMin = 4'096;
// Limits above this sort everything first; keeps offset + count from overflowing.
constexpr std::int64_t kLimitedRowsMax = std::int64_t{1} << 40;
// What an entry costs: itself, and its place in the other buffer while runs are merged.
constexpr std::size_t kEntryBytes = 2 * sizeof(SortEntry);

// Total: ties go by arrival, which makes one worker's sort stable.
bool Before(const SortEntry& a, const SortEntry& b) {
  const int order = CompareKeys(a, b);
  if (order != 0) return order < 0;
  return a.batch != b.batch ? a.batch < b.batch : a.row < b.row;
}

}  // namespace

int CompareKeys(const SortEntry& a, const SortEntry& b) {
  if (a.prefix != b.prefix) return a.prefix < b.prefix ? -1 : 1;
  const std::string_view left = a.key.view();
  const std::string_view right = b.key.view();
  return left.compare(right);
}

SortEntry MakeSortEntry(const SortSpec& spec, const Batch& batch, std::size_t row, std::string* scratch,
                        StringHeap* heap) {
  scratch->clear();
  for (const SortSpec::Key& key : spec.keys) {
    AppendSortKey(batch.columns[key.position], row, {key.descending, key.nulls_first}, scratch);
  }
  SortEntry entry{};
  unsigned char first[8] = {};
  std::memcpy(first, scratch->data(), std::min<std::size_t>(8, scratch->size()));
  for (const unsigned char byte : first) entry.prefix = entry.prefix << 8 | byte;
  // Without a heap the key points into `scratch`.
  entry.key = heap == nullptr ? StringRef(*scratch) : heap->Add(*scratch);
  return entry;
}

SortedRows::SortedRows(const SortSpec* spec, OperatorContext* own)
    : spec_(spec), own_(own), memory_(&own->memory) {
  if (spec->count.has_value() && *spec->count < kLimitedRowsMax && spec->offset < kLimitedRowsMax) {
    limit_ = static_cast<std::size_t>(*spec->count + spec->offset);
  }
}

Status SortedRows::Add(const Batch& batch, const Selection& rows) {
  if (limit_ == 0) return OkStatus();
  std::vector<std::uint32_t> kept;
  std::vector<SortEntry> fresh;
  rows.ForEach([&](std::uint32_t row) { AddRow(batch, row, &kept, &fresh); });
  if (kept.empty()) return OkStatus();
  Batch own;
  own.row_count = kept.size();
  std::size_t bytes = fresh.size() * kEntryBytes;
  for (const Vector& column : batch.columns) {
    own.columns.push_back(KeepRows(column, kept));
    bytes += KeptBytes(own.columns.back());
  }
  TL_TRY(memory_.Grow(bytes + (heap_->bytes() - heap_charged_)));
  heap_charged_ = heap_->bytes();
  batches_.push_back(std::move(own));
  entries_.insert(entries_.end(), fresh.begin(), fresh.end());
  if (limit_.has_value() && entries_.size() >= *limit_ + std::max(*limit_, kPruneSlackMin)) {
    TL_TRY(Prune());
  }
  return OkStatus();
}

Status SortedRows::Sort() {
  TL_TRY(LongSort(own_->eval, &entries_, Before));
  Cut();
  return OkStatus();
}

Status SortedRows::Merge(SortedRows& other) {
  const std::size_t bytes = other.memory_.bytes();
  other.memory_.Clear();
  TL_TRY(memory_.Grow(bytes));
  const auto shift = static_cast<std::uint32_t>(batches_.size());
  for (SortEntry& entry : other.entries_) entry.batch += shift;
  for (Batch& batch : other.batches_) batches_.push_back(std::move(batch));
  old_heaps_.push_back(std::move(other.heap_));
  for (auto& heap : other.old_heaps_) old_heaps_.push_back(std::move(heap));
  std::vector<SortEntry> merged(entries_.size() + other.entries_.size());
  TL_TRY(MergeInto(own_->eval, std::span(entries_), std::span(other.entries_), merged.data(), Before));
  entries_ = std::move(merged);
  Cut();
  return OkStatus();
}

Status SortedRows::Spill(RowWriter* writer, SpilledRows* to) {
  TL_TRY(Sort());
  // As many rows a frame as fit into the size that a merge can hold one of per run.
  const std::size_t row_bytes = std::max<std::size_t>(1, memory_.bytes() / std::max<std::size_t>(1, size()));
  const std::size_t step = std::clamp<std::size_t>(own_->SpillFrameBytes() / row_bytes, 1, kBatchRowsMax);
  for (std::size_t first = 0; first < size(); first += step) {
    TL_TRY(own_->eval.CheckStillWanted());
    Batch batch;
    Emit(first, std::min(step, size() - first), &batch);
    TL_TRY(writer->Write(batch, to));
  }
  // A full limit's worth of rows is on disk: worse ones need not come.
  if (limit_.has_value() && size() >= *limit_) NoteWorst();
  Forget();
  return OkStatus();
}

void SortedRows::NoteWorst() {
  if (has_worst_ && CompareKeys(entries_.back(), worst_) >= 0) return;
  StringHeap heap;
  worst_ = entries_.back();
  worst_.key = heap.Add(entries_.back().key.view());
  worst_heap_ = std::move(heap);
  has_worst_ = true;
}

void SortedRows::Forget() {
  entries_.clear();
  entries_.shrink_to_fit();
  batches_.clear();
  old_heaps_.clear();
  heap_ = std::make_unique<StringHeap>();
  heap_charged_ = 0;
  local_of_batch_.clear();
  memory_.Clear();
}

void SortedRows::Emit(std::size_t first, std::size_t count, Batch* out) const {
  out->columns.clear();
  out->row_count = count;
  std::vector<RowPlace> places;
  std::vector<std::uint32_t> used;  // batches, in order of first use
  places.reserve(count);
  for (std::size_t i = first; i < first + count; ++i) {
    const SortEntry& entry = entries_[i];
    if (local_of_batch_.size() != batches_.size()) local_of_batch_.resize(batches_.size(), UINT32_MAX);
    std::uint32_t& local = local_of_batch_[entry.batch];
    if (local == UINT32_MAX) {
      local = static_cast<std::uint32_t>(used.size());
      used.push_back(entry.batch);
    }
    places.push_back({local, entry.row});
  }
  std::vector<const Vector*> sources(used.size());
  for (std::size_t c = 0; c < spec_->types.size(); ++c) {
    for (std::size_t u = 0; u < used.size(); ++u) sources[u] = &batches_[used[u]].columns[c];
    out->columns.push_back(Gather(spec_->types[c], sources, places));
  }
  for (const std::uint32_t batch : used) local_of_batch_[batch] = UINT32_MAX;
}

void SortedRows::AddRow(const Batch& batch, std::uint32_t row, std::vector<std::uint32_t>* kept,
                        std::vector<SortEntry>* fresh) {
  SortEntry entry = MakeSortEntry(*spec_, batch, row, &scratch_, nullptr);
  if (has_worst_) {
    const int order = CompareKeys(entry, worst_);
    if (order > 0 || (order == 0 && !spec_->with_ties)) return;
  }
  entry.key = heap_->Add(scratch_);
  entry.batch = static_cast<std::uint32_t>(batches_.size());
  entry.row = static_cast<std::uint32_t>(kept->size());
  kept->push_back(row);
  fresh->push_back(entry);
}

// Drops sorted entries past the limit.
void SortedRows::Cut() {
  if (!limit_.has_value() || entries_.size() <= *limit_) return;
  std::size_t end = *limit_;
  if (spec_->with_ties && end > 0) {
    while (end < entries_.size() && CompareKeys(entries_[end], entries_[*limit_ - 1]) == 0) ++end;
  }
  entries_.resize(end);
}

// Keeps the best rows alone and frees the batches of the others.
Status SortedRows::Prune() {
  TL_TRY(Sort());
  if (entries_.empty()) return OkStatus();
  auto heap = std::make_unique<StringHeap>();
  std::vector<Batch> batches;
  std::size_t bytes = entries_.size() * kEntryBytes;
  for (std::size_t first = 0; first < entries_.size(); first += kBatchRowsMax) {
    TL_TRY(own_->eval.CheckStillWanted());
    Batch batch;
    Emit(first, std::min(kBatchRowsMax, entries_.size() - first), &batch);
    for (Vector& column : batch.columns) {
      OwnText(&column);
      bytes += KeptBytes(column);
    }
    batches.push_back(std::move(batch));
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    entries_[i].key = heap->Add(entries_[i].key.view());
    entries_[i].batch = static_cast<std::uint32_t>(i / kBatchRowsMax);
    entries_[i].row = static_cast<std::uint32_t>(i % kBatchRowsMax);
  }
  heap_ = std::move(heap);
  heap_charged_ = heap_->bytes();
  batches_ = std::move(batches);
  NoteWorst();
  return memory_.Resize(bytes + heap_charged_);
}

}  // namespace tideline::exec
