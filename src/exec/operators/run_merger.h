// exec/operators/run_merger.h: sorted runs in, one order out; private to sorting.
//
// A run is a list of batches that come in order: frames on disk, or rows in memory. The merger holds one
// batch of each and takes the least row by a heap over their keys, which are made anew when a batch
// comes (Graefe, "Implementing Sorting in Database Systems", ACM Computing Surveys 38(3), 2006,
// section 4). Rows with equal keys come in the order of the runs.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "exec/operators/sorted_rows.h"

namespace tideline::exec {

class RunMerger {
 public:
  /// The next batch of a run; false at its end.
  using Load = std::function<Result<bool>(Batch*)>;

  /// Both outlive the merger.
  RunMerger(const SortSpec* spec, const EvalContext* context);
  /// Before the first Next.
  void AddRun(Load load) { runs_.push_back(std::make_unique<Run>(std::move(load))); }
  /// The next `rows_max` rows at most; false at the end. Stops behind the limit of the spec.
  Result<bool> Next(std::size_t rows_max, Batch* batch);

 private:
  struct Run {
    explicit Run(Load source) : load(std::move(source)) {}
    Load load;
    std::shared_ptr<Batch> batch;
    std::vector<SortEntry> keys;
    std::unique_ptr<StringHeap> heap;
    std::size_t at = 0;
  };
  struct Picked {
    const Batch* batch;
    std::uint32_t row;
  };
  Status Start();
  Result<bool> LoadBatch(Run* run);
  /// Whether the row at hand is still within the limit.
  bool Wanted(const SortEntry& entry);
  bool After(std::size_t a, std::size_t b) const;
  void Emit(const std::vector<Picked>& picked, Batch* batch) const;

  const SortSpec* spec_;
  const EvalContext* context_;
  std::vector<std::unique_ptr<Run>> runs_;
  std::vector<std::size_t> heap_;  // of runs, the least on top
  bool started_ = false;
  std::int64_t taken_ = 0;         // rows that passed so far, the skipped ones too
  std::string last_key_;           // of the last row within the limit, for ties
  std::string scratch_;
};

}  // namespace tideline::exec
