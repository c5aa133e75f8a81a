// exec/operators/join_probe.h: the side of a join that streams by; private to the join operator.
#pragma once

#include <memory>
#include <vector>

#include "exec/operators/join_build.h"
#include "exec/operators/operator.h"

namespace tideline::exec {

/// How rows of the streaming side meet what is kept of the other.
struct ProbeOptions {
  /// Whether batches come from disk, with the keys' values behind the columns.
  bool from_disk = false;
  /// Rows whose partition at level 0 is below this are written to disk instead of being joined.
  std::size_t resident_from = 0;
  /// Set when `build` is one block of several that all rows are joined with: what is known of each row
  /// so far, in the order in which rows come.
  std::vector<std::uint8_t>* found = nullptr;
  /// No block comes after this one, so rows without a partner and marks go out.
  bool last_block = true;
};

/// Hands on the pairs of each batch with the rows kept, a batch at most per call.
class JoinProbe final : public Consumer {
 public:
  /// Everything outlives the probe; `build` is finished.
  JoinProbe(const JoinPlan* plan, const BuildSide* build, const JoinFacts* facts, ProbeOptions options,
            Consumer* next);
  Status Prepare();
  Status Push(const Batch& batch, const Selection& rows) override;
  bool pending() const override { return pending_; }
  Status Continue() override;
  Status Finish() override { return next_->Finish(); }
  /// The rows that were written, by partition; none if `resident_from` is 0.
  Result<std::vector<SpilledRows>> TakeSpilled();

 private:
  // What is known of a row so far.
  static constexpr std::uint8_t kFound = 1;    // a pair passed (of a mark join: its test is true)
  static constexpr std::uint8_t kUnknown = 2;  // a mark join's test is null of a pair

  Status EvaluateKeys(const Batch& batch, const Selection& rows);
  Status SpillRows(const Batch& batch);
  void CollectPairs();
  void NextRow() {
    ++at_;
    offset_ = 0;
  }
  Vector PairColumn(std::uint32_t place, const std::vector<std::uint32_t>& rows,
                    const std::vector<std::uint32_t>& build) const;
  void FillPairRows();
  Batch ConditionBatch();
  Status TakePairs();
  Status PushPairs();
  std::size_t PairsPerBatch() const;
  Status TryPairs();
  Status PushLonely();
  Status PushMarks();

  const JoinPlan* const plan_;
  const BuildSide* const build_;
  const JoinFacts* const facts_;
  const ProbeOptions options_;
  Consumer* const next_;
  std::vector<Evaluator> keys_;
  std::vector<Evaluator> residual_;  // none or one
  std::vector<Evaluator> test_;      // none or one
  std::vector<std::uint32_t> read_places_;
  std::unique_ptr<GroupLookup> lookup_;
  std::unique_ptr<PartitionWriter> writer_;

  Batch batch_;
  std::vector<std::uint32_t> rows_;     // of the batch
  std::vector<Vector> key_values_;
  std::vector<std::uint64_t> hashes_;   // by item of rows_
  std::vector<std::uint8_t> unequal_;   // by item of rows_
  std::vector<std::uint32_t> groups_;   // by item of rows_
  std::vector<std::uint8_t> found_;     // by item of rows_
  std::size_t row_base_ = 0;            // rows that came in earlier batches
  std::size_t at_ = 0;                  // item of rows_ that is next
  std::size_t offset_ = 0;              // among its candidates
  bool pending_ = false;
  std::vector<std::uint32_t> pair_items_;
  std::vector<std::uint32_t> pair_build_;
  std::vector<std::uint32_t> pair_rows_;
  std::vector<std::uint32_t> passed_;
  std::size_t pushed_ = 0;           // of the pairs that passed
  std::size_t pairs_per_batch_ = kBatchRowsMax;
};

}  // namespace tideline::exec
