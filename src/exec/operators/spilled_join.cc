#include "exec/operators/spilled_join.h"

#include <algorithm>
#include <deque>

#include "exec/values/hash_rows.h"

namespace tideline::exec {
namespace {

// A share of the operator's memory below this is not worth dividing further.
constexpr std::size_t kBlockBytesMin = std::size_t{256} << 10;
// A partition that keeps more than this part of the rows was not divided by its hash.
constexpr double kUsefulPart = 0.9;
// What a row costs in memory beyond its values while it is kept; see BuildSide.
constexpr std::uint64_t kRowOverheadBytes = 80;

// Where a probe's batches wait to be handed on.
class BatchQueue final : public Consumer {
 public:
  Status Push(const Batch& batch, const Selection& rows) override {
    Batch out;
    out.row_count = rows.size();
    std::vector<std::uint32_t> list;
    if (!rows.is_all()) rows.ForEach([&](std::uint32_t row) { list.push_back(row); });
    for (const Vector& column : batch.columns) {
      out.columns.push_back(rows.is_all() ? column : column.Slice(list));
    }
    batches_.push_back(std::move(out));
    return OkStatus();
  }
  Status Finish() override { return OkStatus(); }
  bool Take(Batch* batch) {
    if (batches_.empty()) return false;
    *batch = std::move(batches_.front());
    batches_.pop_front();
    return true;
  }

 private:
  std::deque<Batch> batches_;
};

struct Work {
  SpilledPair pair;
  std::size_t level = 0;     // of the bits that divided it
  bool divisible = true;
};

// One pair being joined: the kept side or a block of it, and the rows that stream by.
class PairJoin {
 public:
  PairJoin(const JoinPlan* plan, const JoinFacts* facts, SpilledPair pair)
      : plan_(plan),
        facts_(facts),
        pair_(std::move(pair)),
        build_reader_(&pair_.build, &plan->build.spilled_types),
        memory_(&plan->own->memory) {}

  // Loads the first block.
  Status Start() { return NextBlock(); }

  Result<bool> Next(Batch* batch) {
    for (;;) {
      TL_TRY(plan_->own->eval.CheckStillWanted());
      if (queue_.Take(batch)) return true;
      if (probe_ != nullptr) {
        TL_TRY(Probe());
        continue;
      }
      if (plan_->preserves_build && TL_TRY(build_->NextUnmatched(&unmatched_at_, batch))) return true;
      if (last_block_) return false;
      TL_TRY(NextBlock());
    }
  }

 private:
  bool RemembersRows() const {
    return plan_->preserves_probe || plan_->kind == sql::JoinKind::kMark || plan_->kind == sql::JoinKind::kSingle;
  }

  Status Probe() {
    if (probe_->pending()) return probe_->Continue();
    Batch batch;
    const bool more = TL_TRY(probe_reader_->Next(&batch));
    if (more) return probe_->Push(batch, Selection::All(batch.row_count));
    probe_.reset();
    return OkStatus();
  }

  // Keeps rows as long as there is memory, one batch at least.
  Status NextBlock() {
    build_.reset();
    build_ = std::make_unique<BuildSide>(plan_);
    const std::size_t bytes_max = std::max(plan_->own->share_bytes / 2, kBlockBytesMin);
    std::size_t kept_bytes = 0;
    const std::size_t used = plan_->own->memory.used_bytes();
    for (;;) {
      TL_TRY(plan_->own->eval.CheckStillWanted());
      Batch batch;
      const bool more = TL_TRY(build_reader_.Next(&batch));
      if (!more) {
        last_block_ = true;
        break;
      }
      BuildSide::Kept kept;
      const std::size_t columns = plan_->build.outputs.size();
      kept.rows.row_count = batch.row_count;
      kept.keys.assign(batch.columns.begin() + static_cast<std::ptrdiff_t>(columns), batch.columns.end());
      batch.columns.resize(columns);
      kept.rows.columns = std::move(batch.columns);
      TL_TRY(build_->Keep(std::move(kept)));
      kept_bytes = plan_->own->memory.used_bytes() - std::min(used, plan_->own->memory.used_bytes());
      if (kept_bytes > bytes_max) {
        last_block_ = build_reader_.at_end();
        break;
      }
    }
    TL_TRY(build_->Finish());
    unmatched_at_ = 0;
    ProbeOptions options;
    options.from_disk = true;
    options.last_block = last_block_;
    if (RemembersRows() && (!last_block_ || !found_.empty())) {
      TL_TRY(memory_.Resize(pair_.probe.rows));
      options.found = &found_;
    }
    probe_ = std::make_unique<JoinProbe>(plan_, build_.get(), facts_, options, &queue_);
    TL_TRY(probe_->Prepare());
    probe_reader_ = std::make_unique<SpilledRowsReader>(&pair_.probe, &plan_->probe.spilled_types);
    return OkStatus();
  }

  const JoinPlan* const plan_;
  const JoinFacts* const facts_;
  const SpilledPair pair_;
  SpilledRowsReader build_reader_;
  BatchQueue queue_;
  std::unique_ptr<BuildSide> build_;
  std::unique_ptr<JoinProbe> probe_;
  std::unique_ptr<SpilledRowsReader> probe_reader_;
  std::vector<std::uint8_t> found_;  // of each row that streams by, when there are several blocks
  bool last_block_ = false;
  std::size_t unmatched_at_ = 0;
  MemoryReservation memory_;
};

class SpilledJoinReader final : public SourceReader {
 public:
  SpilledJoinReader(SpilledJoin join, std::atomic<double>* progress)
      : join_(std::move(join)), progress_(progress) {
    const bool keyed = !join_.plan->build.keys.empty();
    for (SpilledPair& pair : join_.pairs) {
      total_ += pair.build.rows + pair.probe.rows;
      work_.push_back({std::move(pair), 0, keyed});
    }
    join_.pairs.clear();
  }

  Result<bool> Next(Batch* batch) override {
    for (;;) {
      TL_TRY(join_.plan->own->eval.CheckStillWanted());
      if (current_ != nullptr) {
        const bool more = TL_TRY(current_->Next(batch));
        if (more) return true;
        current_.reset();
      }
      if (work_.empty()) return false;
      Work work = std::move(work_.back());
      work_.pop_back();
      TL_TRY(Take(std::move(work)));
    }
  }

 private:
  std::uint64_t BytesOf(const SpilledRows& rows) const { return rows.bytes + rows.rows * kRowOverheadBytes; }

  Status Take(Work work) {
    const JoinPlan& plan = *join_.plan;
    const bool answers_alone = plan.preserves_probe || plan.kind == sql::JoinKind::kMark;
    const std::uint64_t rows = work.pair.build.rows + work.pair.probe.rows;
    const bool idle = (work.pair.build.rows == 0 && !answers_alone) ||
                      (work.pair.probe.rows == 0 && !plan.preserves_build);
    const std::size_t fits = std::max(plan.own->share_bytes / 2, kBlockBytesMin);
    const bool swap = join_.swapped != nullptr && BytesOf(work.pair.probe) < BytesOf(work.pair.build);
    const std::uint64_t kept = swap ? BytesOf(work.pair.probe) : BytesOf(work.pair.build);
    if (!idle && work.divisible && kept > fits && work.level + 1 < kPartitionLevelsMax) {
      return Divide(std::move(work));
    }
    done_ += rows;
    *progress_ = total_ == 0 ? 1 : std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
    if (idle) return OkStatus();
    if (swap) {
      plan.own->stats.Adapt("swapped sides of a partition",
                            fmt::format("{} rows to keep against {}", work.pair.build.rows, work.pair.probe.rows));
      std::swap(work.pair.build, work.pair.probe);
    }
    if (kept > fits) {
      plan.own->stats.Adapt("joins block by block", fmt::format("{} rows that hashing does not divide",
                                                                work.pair.build.rows));
    }
    current_ = std::make_unique<PairJoin>(swap ? join_.swapped : join_.plan, join_.facts, std::move(work.pair));
    return current_->Start();
  }

  Result<std::vector<SpilledRows>> Divided(const SpilledRows& rows, const JoinPlan::Side& side, std::size_t level) {
    PartitionWriter writer(side.spilled_types, join_.plan->own, level);
    SpilledRowsReader reader(&rows, &side.spilled_types);
    std::vector<std::uint64_t> hashes;
    Batch batch;
    while (TL_TRY(reader.Next(&batch))) {
      TL_TRY(join_.plan->own->eval.CheckStillWanted());
      const Selection all = Selection::All(batch.row_count);
      HashRows(std::span(batch.columns).subspan(side.outputs.size()), all, &hashes);
      TL_TRY(writer.Add(batch, all, hashes));
    }
    return writer.Finish();
  }

  Status Divide(Work work) {
    const std::size_t level = work.level + 1;
    std::vector<SpilledRows> build = TL_TRY(Divided(work.pair.build, join_.plan->build, level));
    std::vector<SpilledRows> probe = TL_TRY(Divided(work.pair.probe, join_.plan->probe, level));
    const auto useful = static_cast<std::uint64_t>(kUsefulPart * static_cast<double>(work.pair.build.rows));
    for (std::size_t p = 0; p < kPartitions; ++p) {
      const bool divisible = build[p].rows <= useful;
      work_.push_back({{std::move(build[p]), std::move(probe[p])}, level, divisible});
    }
    return OkStatus();
  }

  SpilledJoin join_;
  std::atomic<double>* progress_;
  std::vector<Work> work_;
  std::unique_ptr<PairJoin> current_;
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace

std::unique_ptr<SourceReader> NewSpilledJoinReader(SpilledJoin join, std::atomic<double>* progress) {
  return std::make_unique<SpilledJoinReader>(std::move(join), progress);
}

}  // namespace tideline::exec
