#include "exec/operators/sort.h"

#include <algorithm>
#include <cstring>

#include "base/mutex.h"
#include "exec/values/compare.h"
#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

// Entries sorted between two looks at the cancel token; about ten milliseconds.
constexpr std::size_t kSortPieceMax = 65'536;
// A limited sort prunes when it holds this many rows more than it needs.
constexpr std::size_t kPruneSlackMin = 4'096;
// Limits above this sort everything first; keeps offset + count from overflowing.
constexpr std::int64_t kLimitedRowsMax = std::int64_t{1} << 40;

struct Entry {
  std::uint64_t prefix;  // first eight bytes of the key, big-endian
  StringRef key;
  std::uint32_t batch;
  std::uint32_t row;
};

int CompareKeys(const Entry& a, const Entry& b) {
  if (a.prefix != b.prefix) return a.prefix < b.prefix ? -1 : 1;
  const std::string_view left = a.key.view();
  const std::string_view right = b.key.view();
  return left.compare(right);
}

// Total: ties go by arrival, which makes one worker's sort stable.
bool Before(const Entry& a, const Entry& b) {
  const int order = CompareKeys(a, b);
  if (order != 0) return order < 0;
  return a.batch != b.batch ? a.batch < b.batch : a.row < b.row;
}

Status CheckCancel(const EvalContext& context) {
  if (context.cancel != nullptr && context.cancel->cancelled()) {
    return Cancelled("the query was cancelled");
  }
  return OkStatus();
}

// Merges neighbouring sorted runs, `width` entries each, until one is left.
Status MergeRuns(std::size_t width, const EvalContext& context, std::vector<Entry>* entries) {
  std::vector<Entry> other(entries->size());
  for (; width < entries->size(); width *= 2) {
    for (std::size_t first = 0; first < entries->size(); first += 2 * width) {
      TL_TRY(CheckCancel(context));
      const auto begin = entries->begin() + static_cast<std::ptrdiff_t>(first);
      const auto left = static_cast<std::ptrdiff_t>(entries->size() - first);
      const auto middle = begin + std::min(left, static_cast<std::ptrdiff_t>(width));
      const auto end = begin + std::min(left, static_cast<std::ptrdiff_t>(2 * width));
      std::merge(begin, middle, middle, end,
                 other.begin() + static_cast<std::ptrdiff_t>(first), Before);
    }
    entries->swap(other);
  }
  return OkStatus();
}

Status SortEntries(const EvalContext& context, std::vector<Entry>* entries) {
  for (std::size_t first = 0; first < entries->size(); first += kSortPieceMax) {
    TL_TRY(CheckCancel(context));
    const auto begin = entries->begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin,
              begin + static_cast<std::ptrdiff_t>(std::min(kSortPieceMax, entries->size() - first)),
              Before);
  }
  if (entries->size() <= kSortPieceMax) return OkStatus();
  return MergeRuns(kSortPieceMax, context, entries);
}

// Rows kept, with their keys; one per worker, then one for all.
class SortedRows {
 public:
  SortedRows(const SortSpec* spec, const EvalContext* context)
      : spec_(spec), context_(context), memory_(context->memory) {
    if (spec->count.has_value() && *spec->count < kLimitedRowsMax && spec->offset < kLimitedRowsMax) {
      limit_ = static_cast<std::size_t>(*spec->count + spec->offset);
    }
  }

  Status Add(const Batch& batch, const Selection& rows) {
    if (limit_ == 0) return OkStatus();
    std::vector<std::uint32_t> kept;
    std::vector<Entry> fresh;
    rows.ForEach([&](std::uint32_t row) { AddRow(batch, row, &kept, &fresh); });
    if (kept.empty()) return OkStatus();
    // Bytes behind long keys are copied into heap_ by AddRow.
    Batch own;
    own.row_count = kept.size();
    std::size_t bytes = fresh.size() * sizeof(Entry);
    for (const Vector& column : batch.columns) {
      own.columns.push_back(column.kind() == VectorKind::kFlat ? GatherRows(column, kept)
                                                               : column.Slice(kept));
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

  Status Sort() {
    TL_TRY(SortEntries(*context_, &entries_));
    Cut();
    return OkStatus();
  }

  // Both are sorted.
  Status Merge(SortedRows& other) {
    const std::size_t bytes = other.memory_.bytes();
    other.memory_.Clear();
    TL_TRY(memory_.Grow(bytes));
    const auto shift = static_cast<std::uint32_t>(batches_.size());
    for (Entry& entry : other.entries_) entry.batch += shift;
    for (Batch& batch : other.batches_) batches_.push_back(std::move(batch));
    old_heaps_.push_back(std::move(other.heap_));
    for (auto& heap : other.old_heaps_) old_heaps_.push_back(std::move(heap));
    std::vector<Entry> merged(entries_.size() + other.entries_.size());
    std::merge(entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(),
               merged.begin(), Before);
    entries_ = std::move(merged);
    Cut();
    return OkStatus();
  }

  std::size_t size() const { return entries_.size(); }

  void Emit(std::size_t first, std::size_t count, Batch* out) const {
    out->columns.clear();
    out->row_count = count;
    std::vector<RowPlace> places;
    std::vector<std::uint32_t> used;  // batches, in order of first use
    places.reserve(count);
    for (std::size_t i = first; i < first + count; ++i) {
      const Entry& entry = entries_[i];
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

 private:
  void AddRow(const Batch& batch, std::uint32_t row, std::vector<std::uint32_t>* kept,
              std::vector<Entry>* fresh) {
    scratch_.clear();
    for (const SortSpec::Key& key : spec_->keys) {
      AppendSortKey(batch.columns[key.position], row, {key.descending, key.nulls_first}, &scratch_);
    }
    Entry entry{};
    unsigned char first[8] = {};
    std::memcpy(first, scratch_.data(), std::min<std::size_t>(8, scratch_.size()));
    for (const unsigned char byte : first) entry.prefix = entry.prefix << 8 | byte;
    if (has_worst_) {
      entry.key = StringRef(scratch_);
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
  void Cut() {
    if (!limit_.has_value() || entries_.size() <= *limit_) return;
    std::size_t end = *limit_;
    if (spec_->with_ties && end > 0) {
      while (end < entries_.size() && CompareKeys(entries_[end], entries_[*limit_ - 1]) == 0) ++end;
    }
    entries_.resize(end);
  }

  // Keeps the best rows alone and frees the batches of the others.
  Status Prune() {
    TL_TRY(Sort());
    if (entries_.empty()) return OkStatus();
    auto heap = std::make_unique<StringHeap>();
    std::vector<Batch> batches;
    std::size_t bytes = entries_.size() * sizeof(Entry);
    for (std::size_t first = 0; first < entries_.size(); first += kBatchRowsMax) {
      Batch batch;
      Emit(first, std::min(kBatchRowsMax, entries_.size() - first), &batch);
      for (const Vector& column : batch.columns) bytes += KeptBytes(column);
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
    worst_ = entries_.back();
    has_worst_ = true;
    return memory_.Resize(bytes + heap_charged_);
  }

  const SortSpec* spec_;
  const EvalContext* context_;
  std::optional<std::size_t> limit_;
  std::vector<Batch> batches_;
  std::vector<Entry> entries_;
  std::unique_ptr<StringHeap> heap_ = std::make_unique<StringHeap>();
  std::vector<std::unique_ptr<StringHeap>> old_heaps_;
  std::size_t heap_charged_ = 0;
  Entry worst_{};
  bool has_worst_ = false;
  std::string scratch_;
  mutable std::vector<std::uint32_t> local_of_batch_;
  MemoryReservation memory_;
};

class RowBreaker final : public SortBreaker {
 public:
  RowBreaker(SortSpec spec, const EvalContext& context)
      : spec_(std::move(spec)), context_(context), all_(&spec_, &context_) {}

  Result<std::unique_ptr<Consumer>> NewConsumer() override;
  Result<std::unique_ptr<SourceReader>> NewReader() override;
  double EstimatedRows() const override { return static_cast<double>(all_.size()); }
  double progress() const override {
    return static_cast<double>(next_) / static_cast<double>(std::max<std::size_t>(all_.size(), 1));
  }
  Status Merge(SortedRows& rows) {
    const MutexLock lock(mutex_);
    return all_.Merge(rows);
  }

  const SortSpec spec_;
  const EvalContext& context_;
  SortedRows all_;  // merged into under mutex_, read after
  std::atomic<std::size_t> next_{0};

 private:
  Mutex mutex_;
};

class SortConsumer final : public Consumer {
 public:
  explicit SortConsumer(RowBreaker* breaker)
      : breaker_(breaker), rows_(&breaker->spec_, &breaker->context_) {}
  Status Push(const Batch& batch, const Selection& rows) override { return rows_.Add(batch, rows); }
  Status Finish() override {
    TL_TRY(rows_.Sort());
    return breaker_->Merge(rows_);
  }

 private:
  RowBreaker* const breaker_;
  SortedRows rows_;
};

class SortReader final : public SourceReader {
 public:
  explicit SortReader(RowBreaker* breaker) : breaker_(breaker) {}
  Result<bool> Next(Batch* batch) override {
    const std::size_t offset = static_cast<std::size_t>(
        std::min<std::int64_t>(breaker_->spec_.offset, static_cast<std::int64_t>(breaker_->all_.size())));
    const std::size_t first = std::max(offset, breaker_->next_.load());
    const std::size_t end = End(offset);
    if (first >= end) return false;
    const std::size_t count = std::min(kBatchRowsMax, end - first);
    breaker_->all_.Emit(first, count, batch);
    breaker_->next_ = first + count;
    return true;
  }

 private:
  // A limit too large for pruning is applied here.
  std::size_t End(std::size_t offset) const {
    const std::size_t size = breaker_->all_.size();
    const SortSpec& spec = breaker_->spec_;
    if (!spec.count.has_value() || spec.with_ties) return size;
    return *spec.count >= static_cast<std::int64_t>(size - offset)
               ? size
               : offset + static_cast<std::size_t>(*spec.count);
  }

  RowBreaker* const breaker_;
};

Result<std::unique_ptr<Consumer>> RowBreaker::NewConsumer() {
  return std::unique_ptr<Consumer>(std::make_unique<SortConsumer>(this));
}

Result<std::unique_ptr<SourceReader>> RowBreaker::NewReader() {
  return std::unique_ptr<SourceReader>(std::make_unique<SortReader>(this));
}

}  // namespace

std::shared_ptr<SortBreaker> SortBreaker::Make(SortSpec spec, const EvalContext& context) {
  return std::make_shared<RowBreaker>(std::move(spec), context);
}

}  // namespace tideline::exec
