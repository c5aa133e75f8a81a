#include "exec/operators/run_merger.h"

#include <algorithm>

#include "exec/values/gather.h"

namespace tideline::exec {

RunMerger::RunMerger(const SortSpec* spec, const EvalContext* context) : spec_(spec), context_(context) {}

Result<bool> RunMerger::LoadBatch(Run* run) {
  for (;;) {
    auto batch = std::make_shared<Batch>();
    const bool more = TL_TRY(run->load(batch.get()));
    if (!more) return false;
    if (batch->row_count == 0) continue;
    run->batch = std::move(batch);
    run->heap = std::make_unique<StringHeap>();
    run->keys.clear();
    for (std::size_t row = 0; row < run->batch->row_count; ++row) {
      run->keys.push_back(MakeSortEntry(*spec_, *run->batch, row, &scratch_, run->heap.get()));
    }
    run->at = 0;
    return true;
  }
}

bool RunMerger::After(std::size_t a, std::size_t b) const {
  const int order = CompareKeys(runs_[a]->keys[runs_[a]->at], runs_[b]->keys[runs_[b]->at]);
  return order != 0 ? order > 0 : a > b;
}

Status RunMerger::Start() {
  started_ = true;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    TL_TRY(context_->CheckStillWanted());
    const bool more = TL_TRY(LoadBatch(runs_[i].get()));
    if (more) heap_.push_back(i);
  }
  std::make_heap(heap_.begin(), heap_.end(), [&](std::size_t a, std::size_t b) { return After(a, b); });
  return OkStatus();
}

bool RunMerger::Wanted(const SortEntry& entry) {
  if (!spec_->count.has_value()) return true;
  // Without overflow: what is left of the limit after the rows that passed it.
  const std::int64_t beyond = taken_ - spec_->offset;
  if (beyond < *spec_->count) {
    if (spec_->with_ties && beyond + 1 >= *spec_->count) last_key_.assign(entry.key.view());
    return true;
  }
  return spec_->with_ties && *spec_->count > 0 && entry.key.view() == last_key_;
}

Result<bool> RunMerger::Next(std::size_t rows_max, Batch* batch) {
  if (!started_) TL_TRY(Start());
  TL_TRY(context_->CheckStillWanted());
  const auto after = [&](std::size_t a, std::size_t b) { return After(a, b); };
  std::vector<Picked> picked;
  std::vector<std::shared_ptr<Batch>> kept;  // batches that ended while their rows were picked
  std::size_t skipped = 0;
  while (!heap_.empty() && picked.size() < rows_max) {
    std::pop_heap(heap_.begin(), heap_.end(), after);
    Run& run = *runs_[heap_.back()];
    if (!Wanted(run.keys[run.at])) {
      heap_.clear();
      break;
    }
    if (taken_++ >= spec_->offset) {
      picked.push_back({run.batch.get(), static_cast<std::uint32_t>(run.at)});
    } else if (++skipped % kBatchRowsMax == 0) {
      TL_TRY(context_->CheckStillWanted());
    }
    if (++run.at == run.batch->row_count) {
      kept.push_back(run.batch);
      const bool more = TL_TRY(LoadBatch(&run));
      if (!more) {
        run.batch.reset();
        heap_.pop_back();
        continue;
      }
    }
    std::push_heap(heap_.begin(), heap_.end(), after);
  }
  if (picked.empty()) return false;
  Emit(picked, batch);
  return true;
}

void RunMerger::Emit(const std::vector<Picked>& picked, Batch* batch) const {
  std::vector<const Batch*> used;
  std::vector<RowPlace> places;
  places.reserve(picked.size());
  for (const Picked& row : picked) {
    // Rows of one run follow one another more often than not; there are few runs otherwise.
    if (used.empty() || used[places.back().source] != row.batch) {
      const auto found = std::find(used.rbegin(), used.rend(), row.batch);
      if (found == used.rend()) {
        used.push_back(row.batch);
        places.push_back({static_cast<std::uint32_t>(used.size() - 1), row.row});
        continue;
      }
      places.push_back({static_cast<std::uint32_t>(used.rend() - found - 1), row.row});
      continue;
    }
    places.push_back({places.back().source, row.row});
  }
  batch->columns.clear();
  batch->row_count = picked.size();
  std::vector<const Vector*> sources(used.size());
  for (std::size_t c = 0; c < spec_->types.size(); ++c) {
    for (std::size_t i = 0; i < used.size(); ++i) sources[i] = &used[i]->columns[c];
    batch->columns.push_back(Gather(spec_->types[c], sources, places));
  }
}

}  // namespace tideline::exec
