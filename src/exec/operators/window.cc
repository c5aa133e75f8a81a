#include "exec/operators/window.h"

#include <algorithm>
#include <any>

#include "exec/operators/frame_tree.h"
#include "exec/values/compare.h"
#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

using sql::BoundKind;
using sql::FrameUnit;

// Frames between two looks at the cancel token.
constexpr std::size_t kFramesPerCheck = 256;
// Rows of simpler loops between two looks.
constexpr std::size_t kRowsPerCheck = 65'536;

// Equality of GROUP BY between two rows of a flat vector.
bool SameGroup(const Vector& column, std::size_t a, std::size_t b) {
  const bool null = column.IsNull(a);
  if (null || column.IsNull(b)) return null == column.IsNull(b);
  switch (column.type().physical()) {
    case PhysicalType::kBool8:
      return column.values<std::uint8_t>()[a] == column.values<std::uint8_t>()[b];
    case PhysicalType::kInt32:
      return column.values<std::int32_t>()[a] == column.values<std::int32_t>()[b];
    case PhysicalType::kInt64:
      return column.values<std::int64_t>()[a] == column.values<std::int64_t>()[b];
    case PhysicalType::kDouble:
      return std::bit_cast<std::uint64_t>(CanonicalDouble(column.values<double>()[a])) ==
             std::bit_cast<std::uint64_t>(CanonicalDouble(column.values<double>()[b]));
    case PhysicalType::kString:
      return column.values<StringRef>()[a] == column.values<StringRef>()[b];
    default:
      break;
  }
  std::string left;
  std::string right;
  AppendGroupKey(column, a, &left);
  AppendGroupKey(column, b, &right);
  return left == right;
}

// -1, 0, 1 in the order of ORDER BY, between row `i` of `a` and row `j` of `b`, neither null.
template <typename T>
int CompareAs(const Vector& a, std::size_t i, const Vector& b, std::size_t j) {
  const T left = a.values<T>()[i];
  const T right = b.values<T>()[j];
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(left) || std::isnan(right)) return static_cast<int>(std::isnan(left)) - static_cast<int>(std::isnan(right));
  }
  return left < right ? -1 : right < left ? 1 : 0;
}
int CompareKey(const Vector& a, std::size_t i, const Vector& b, std::size_t j) {
  switch (a.type().physical()) {
    case PhysicalType::kInt32:
      return CompareAs<std::int32_t>(a, i, b, j);
    case PhysicalType::kInt64:
      return CompareAs<std::int64_t>(a, i, b, j);
    case PhysicalType::kDouble:
      return CompareAs<double>(a, i, b, j);
    default:
      return CompareAs<Int128>(a, i, b, j);
  }
}

bool IsNegative(const Vector& offset, std::size_t row) {
  switch (offset.type().physical()) {
    case PhysicalType::kInt32:
      return offset.values<std::int32_t>()[row] < 0;
    case PhysicalType::kInt64:
      return offset.values<std::int64_t>()[row] < 0;
    case PhysicalType::kDouble:
      return !(offset.values<double>()[row] >= 0);
    default:
      return offset.values<Int128>()[row] < 0;
  }
}

// Where a call's inputs lie among the columns.
struct CallColumns {
  std::vector<std::size_t> arguments;
  std::optional<std::size_t> filter;
  struct Bound {
    std::optional<std::size_t> offset;
    std::optional<std::size_t> reach;
  };
  Bound start;
  Bound end;
};

// One partition, laid out flat, with everything that calls ask of it.
struct Partition {
  std::vector<Vector> columns;
  std::size_t rows = 0;
  std::vector<std::uint32_t> peers;      // first row of each row's peers
  std::vector<std::uint32_t> peer_end;   // one past the last
  std::vector<std::uint32_t> group_at;   // first row of each peer group, then `rows`
  std::vector<std::uint32_t> group_of;   // by row
};

struct Frames {
  std::vector<std::uint32_t> begin;
  std::vector<std::uint32_t> end;
};

class WindowPlan {
 public:
  WindowPlan(const sql::WindowNode& node, const EvalContext& context) : node_(node), context_(context) {
    const std::vector<sql::OutputColumn>& outputs = node.child()->outputs();
    ColumnPositions positions;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      positions.Set(outputs[i].column, i);
      types_.push_back(outputs[i].type);
    }
    child_columns_ = outputs.size();
    for (const sql::ColumnRef column : node.spec().partition) partition_.push_back(positions.Find(column));
    for (const sql::SortKey& key : node.spec().order) order_.push_back(positions.Find(key.column));
    // In the order of WindowInputs.
    for (const sql::WindowCall& call : node.calls()) {
      CallColumns columns;
      for (const sql::ExprPtr& argument : call.arguments) columns.arguments.push_back(*Input(argument));
      columns.filter = Input(call.filter);
      columns.start.offset = Input(call.frame.start.offset);
      columns.start.reach = Input(call.frame.start.reach);
      columns.end.offset = Input(call.frame.end.offset);
      columns.end.reach = Input(call.frame.end.reach);
      calls_.push_back(std::move(columns));
    }
    call_states_.resize(calls_.size());
  }

  std::size_t child_columns() const { return child_columns_; }
  std::size_t call_count() const { return calls_.size(); }
  const std::vector<Type>& types() const { return types_; }

  bool SamePartition(const Batch& batch, std::size_t a, std::size_t b) const {
    return std::all_of(partition_.begin(), partition_.end(),
                       [&](std::size_t column) { return SameGroup(batch.columns[column], a, b); });
  }
  bool SamePartition(const Batch& left, std::size_t a, const Batch& right, std::size_t b) const {
    std::string x;
    std::string y;
    for (const std::size_t column : partition_) {
      AppendGroupKey(left.columns[column], a, &x);
      AppendGroupKey(right.columns[column], b, &y);
    }
    return x == y;
  }

  // The results of every call over `partition`, whose columns and rows are set.
  Status Compute(Partition* partition, std::vector<Vector>* results) {
    TL_TRY(FindPeers(partition));
    results->clear();
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      Vector result = TL_TRY(ComputeCall(i, *partition));
      results->push_back(std::move(result));
    }
    return OkStatus();
  }

 private:
  std::optional<std::size_t> Input(const sql::ExprPtr& expr) {
    if (expr == nullptr) return std::nullopt;
    types_.push_back(expr->type);
    return types_.size() - 1;
  }

  Status FindPeers(Partition* partition) const {
    const std::size_t rows = partition->rows;
    partition->peers.resize(rows);
    partition->peer_end.resize(rows);
    partition->group_of.resize(rows);
    partition->group_at.clear();
    for (std::size_t row = 0; row < rows; ++row) {
      if (row % kRowsPerCheck == 0) TL_TRY(context_.CheckStillWanted());
      const bool peer = row > 0 && std::all_of(order_.begin(), order_.end(), [&](std::size_t column) {
                          return SameGroup(partition->columns[column], row - 1, row);
                        });
      if (!peer) partition->group_at.push_back(static_cast<std::uint32_t>(row));
      partition->peers[row] = partition->group_at.back();
      partition->group_of[row] = static_cast<std::uint32_t>(partition->group_at.size() - 1);
    }
    partition->group_at.push_back(static_cast<std::uint32_t>(rows));
    for (std::size_t row = 0; row < rows; ++row) {
      partition->peer_end[row] = partition->group_at[partition->group_of[row] + 1];
    }
    return OkStatus();
  }

  Result<Vector> ComputeCall(std::size_t index, const Partition& partition) {
    const sql::WindowCall& call = node_.calls()[index];
    const CallColumns& columns = calls_[index];
    std::vector<Vector> arguments;
    for (const std::size_t column : columns.arguments) arguments.push_back(partition.columns[column]);
    functions::KernelContext context;
    context.now = context_.now;
    context.compat_profile = context_.compat_profile;
    context.result_type = &call.output.type;
    context.state = &call_states_[index];
    context.cancel = context_.cancel;
    context.memory = context_.memory;
    const LambdaSet lambdas = TL_TRY(LambdaSet::Make(call.lambdas, context_));
    context.lambdas = lambdas.pointers();
    Frames frames;
    TL_TRY(FindFrames(call, columns, partition, &frames));
    if (call.aggregate != nullptr) return Aggregate(call, columns, context, arguments, partition, frames);
    Vector result = Vector::Flat(call.output.type, partition.rows);
    TL_TRY(call.window->overloads[call.overload].evaluate(context, arguments, partition.peers, frames.begin,
                                                          frames.end, call.ignore_nulls, &result));
    return result;
  }

  Status FindFrames(const sql::WindowCall& call, const CallColumns& columns, const Partition& partition,
                    Frames* frames) const {
    frames->begin.resize(partition.rows);
    frames->end.resize(partition.rows);
    for (std::uint32_t row = 0; row < partition.rows; ++row) {
      if (row % kRowsPerCheck == 0) TL_TRY(context_.CheckStillWanted());
      frames->begin[row] = TL_TRY(Bound(call.frame, true, columns.start, partition, row));
      frames->end[row] = TL_TRY(Bound(call.frame, false, columns.end, partition, row));
      frames->begin[row] = std::min(frames->begin[row], frames->end[row]);
    }
    return OkStatus();
  }

  // The first row of the frame of `row`, or one past its last.
  Result<std::uint32_t> Bound(const sql::WindowFrame& frame, bool is_start, const CallColumns::Bound& columns,
                              const Partition& partition, std::uint32_t row) const {
    const BoundKind kind = (is_start ? frame.start : frame.end).kind;
    const auto rows = static_cast<std::uint32_t>(partition.rows);
    switch (kind) {
      case BoundKind::kUnboundedPreceding:
        return 0U;
      case BoundKind::kUnboundedFollowing:
        return rows;
      case BoundKind::kCurrentRow:
        if (frame.unit == FrameUnit::kRows) return is_start ? row : row + 1;
        return is_start ? partition.peers[row] : partition.peer_end[row];
      case BoundKind::kPreceding:
      case BoundKind::kFollowing:
        break;
    }
    const Vector& offset = partition.columns[*columns.offset];
    if (offset.IsNull(row) || IsNegative(offset, row)) {
      return ExecutionFailed("Window frame {} offset must not be negative or null", is_start ? "starting" : "ending");
    }
    if (frame.unit == FrameUnit::kRange) {
      return ReachBound(is_start, partition.columns[*columns.reach], partition, row);
    }
    const bool groups = frame.unit == FrameUnit::kGroups;
    const std::int64_t at = groups ? partition.group_of[row] : row;
    const std::int64_t count = groups ? static_cast<std::int64_t>(partition.group_at.size()) - 1 : rows;
    // No offset reaches further than this.
    const std::int64_t distance = std::min(offset.values<std::int64_t>()[row], count + 1);
    const std::int64_t target = (kind == BoundKind::kPreceding ? at - distance : at + distance) + (is_start ? 0 : 1);
    const auto place = static_cast<std::size_t>(std::clamp<std::int64_t>(target, 0, count));
    return groups ? partition.group_at[place] : static_cast<std::uint32_t>(place);
  }

  // Rows with a null key are near each other alone.
  std::uint32_t ReachBound(bool is_start, const Vector& reach, const Partition& partition, std::uint32_t row) const {
    const Vector& key = partition.columns[order_[0]];
    if (key.IsNull(row)) return is_start ? partition.peers[row] : partition.peer_end[row];
    std::uint32_t low = 0;
    auto high = static_cast<std::uint32_t>(partition.rows);
    if (key.IsNull(0)) low = partition.peer_end[0];
    if (key.IsNull(partition.rows - 1)) high = partition.peers[partition.rows - 1];
    const bool descending = node_.spec().order[0].descending;
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      int order = CompareKey(key, middle, reach, row);
      if (descending) order = -order;
      const bool before = is_start ? order < 0 : order <= 0;
      if (before) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  // The rows that reach the function, ascending.
  static std::vector<std::uint32_t> Eligible(const sql::WindowCall& call, const CallColumns& columns,
                                             std::span<const Vector> arguments, const Partition& partition) {
    std::vector<std::uint32_t> eligible;
    const Vector* filter = columns.filter.has_value() ? &partition.columns[*columns.filter] : nullptr;
    for (std::uint32_t row = 0; row < partition.rows; ++row) {
      if (filter != nullptr && (filter->IsNull(row) || filter->values<std::uint8_t>()[row] == 0)) continue;
      const bool skip = call.aggregate->skips_nulls &&
                        std::any_of(arguments.begin(), arguments.end(),
                                    [&](const Vector& argument) { return argument.IsNull(row); });
      if (!skip) eligible.push_back(row);
    }
    return eligible;
  }

  Result<Vector> Aggregate(const sql::WindowCall& call, const CallColumns& columns,
                           const functions::KernelContext& context, std::span<const Vector> arguments,
                           const Partition& partition, const Frames& frames) const;

  const sql::WindowNode& node_;
  const EvalContext& context_;
  std::size_t child_columns_ = 0;
  std::vector<Type> types_;
  std::vector<std::size_t> partition_;
  std::vector<std::size_t> order_;
  std::vector<CallColumns> calls_;
  std::vector<std::any> call_states_;
};

// The state of an aggregate over one frame.
class FrameState {
 public:
  FrameState(const functions::AggregateOverload& overload, const functions::KernelContext& context)
      : overload_(overload), context_(context), memory_(std::max<std::size_t>(overload.state_bytes, 1)) {
    overload_.initialize(context_, memory_.data());
  }
  FrameState(const FrameState&) = delete;
  FrameState& operator=(const FrameState&) = delete;
  ~FrameState() { Destroy(); }

  void Restart() {
    Destroy();
    overload_.initialize(context_, memory_.data());
  }
  Status Add(std::span<const Vector> arguments, std::span<const std::uint32_t> rows) {
    if (rows.empty()) return OkStatus();
    return overload_.update_one(context_, arguments, Selection::Of(rows), memory_.data());
  }
  functions::AggregateState state() { return memory_.data(); }
  Status Answer(std::size_t row, Vector* result) {
    return overload_.finalize(context_, memory_.data(), row, result);
  }

 private:
  void Destroy() {
    if (overload_.destroy != nullptr) overload_.destroy(memory_.data());
  }

  const functions::AggregateOverload& overload_;
  const functions::KernelContext& context_;
  Buffer memory_;
};

Result<Vector> WindowPlan::Aggregate(const sql::WindowCall& call, const CallColumns& columns,
                                     const functions::KernelContext& context, std::span<const Vector> arguments,
                                     const Partition& partition, const Frames& frames) const {
  const std::vector<std::uint32_t> eligible = Eligible(call, columns, arguments, partition);
  std::vector<std::uint32_t> before(partition.rows + 1, 0);  // eligible rows before each row
  for (const std::uint32_t row : eligible) before[row + 1] = 1;
  for (std::size_t row = 0; row < partition.rows; ++row) before[row + 1] += before[row];

  const functions::AggregateOverload& overload = call.aggregate->overloads[call.overload];
  FrameState state(overload, context);
  std::unique_ptr<FrameTree> tree;
  const bool tree_fits = FrameTree::Fits(*call.aggregate, call.overload);
  Vector answers = Vector::Flat(call.output.type, partition.rows);
  std::vector<std::uint32_t> answer_of(partition.rows);
  std::uint32_t answer_count = 0;
  std::uint32_t first = 0;  // the state holds eligible rows [first, last)
  std::uint32_t last = 0;
  for (std::size_t row = 0; row < partition.rows; ++row) {
    if (row % kFramesPerCheck == 0) TL_TRY(context_.CheckStillWanted());
    const std::uint32_t wanted_first = before[frames.begin[row]];
    const std::uint32_t wanted_last = before[frames.end[row]];
    const bool same = row > 0 && wanted_first == first && wanted_last == last;
    if (!same) {
      if (wanted_first != first || wanted_last < last) {
        state.Restart();
        first = wanted_first;
        last = wanted_first;
        if (tree_fits && wanted_last - wanted_first >= kFrameTreeRowsMin) {
          if (tree == nullptr) tree = TL_TRY(FrameTree::Build(overload, context, arguments, eligible, context_.memory));
          TL_TRY(tree->AddTo(wanted_first, wanted_last, state.state()));
          last = wanted_last;
        }
      }
      for (; last < wanted_last;) {
        const auto count = std::min<std::uint32_t>(wanted_last - last, kBatchRowsMax);
        TL_TRY(state.Add(arguments, std::span(eligible).subspan(last, count)));
        last += count;
      }
      TL_TRY(state.Answer(answer_count, &answers));
      ++answer_count;
    }
    answer_of[row] = answer_count - 1;
  }
  return GatherRows(answers, answer_of);
}

class WindowReader final : public SourceReader {
 public:
  WindowReader(const sql::WindowNode& node, const EvalContext& context, std::unique_ptr<SourceReader> sorted)
      : plan_(node, context), context_(context), sorted_(std::move(sorted)), memory_(context.memory), pieces_memory_(context.memory) {}

  Result<bool> Next(Batch* batch) override {
    while (emitted_ == partition_.rows) {
      const bool more = TL_TRY(NextPartition());
      if (!more) return false;
    }
    const std::size_t count = std::min(kBatchRowsMax, partition_.rows - emitted_);
    std::vector<std::uint32_t> rows(count);
    for (std::size_t i = 0; i < count; ++i) rows[i] = static_cast<std::uint32_t>(emitted_ + i);
    batch->columns.clear();
    batch->row_count = count;
    for (std::size_t c = 0; c < plan_.child_columns(); ++c) {
      batch->columns.push_back(GatherRows(partition_.columns[c], rows));
    }
    for (const Vector& result : results_) batch->columns.push_back(GatherRows(result, rows));
    emitted_ += count;
    return true;
  }

 private:
  // Reads on to the end of the next partition and computes it; false when there is none.
  Result<bool> NextPartition() {
    std::vector<Batch> pieces;
    std::vector<std::pair<std::size_t, std::size_t>> ranges;  // of each piece
    std::size_t rows = 0;
    for (bool complete = false; !complete;) {
      if (at_ == batch_.row_count) {
        const bool more = TL_TRY(ReadBatch());
        if (!more) break;
        continue;
      }
      if (!pieces.empty() && !plan_.SamePartition(pieces.back(), ranges.back().second - 1, batch_, at_)) break;
      std::size_t end = at_ + 1;
      while (end < batch_.row_count && plan_.SamePartition(batch_, at_, end)) ++end;
      complete = end < batch_.row_count;
      if (pieces.empty() || at_ == 0) TL_TRY(ChargePiece(batch_));
      pieces.push_back(batch_);
      ranges.emplace_back(at_, end);
      rows += end - at_;
      at_ = end;
    }
    if (rows == 0) return false;
    if (rows >= UINT32_MAX) return ResourceExhausted("a window partition has more than {} rows", UINT32_MAX - 1);
    TL_TRY(LayOut(pieces, ranges, rows));
    pieces.clear();
    pieces_memory_.Clear();
    emitted_ = 0;
    TL_TRY(plan_.Compute(&partition_, &results_));
    return true;
  }

  Status ChargePiece(const Batch& batch) {
    std::size_t bytes = 0;
    for (const Vector& column : batch.columns) bytes += KeptBytes(column);
    return pieces_memory_.Grow(bytes);
  }

  Result<bool> ReadBatch() {
    if (done_) return false;
    TL_TRY(context_.CheckStillWanted());
    const bool more = TL_TRY(sorted_->Next(&batch_));
    at_ = 0;
    if (more) return true;
    done_ = true;
    batch_ = Batch();
    return false;
  }

  Status LayOut(const std::vector<Batch>& pieces, const std::vector<std::pair<std::size_t, std::size_t>>& ranges,
                std::size_t rows) {
    std::vector<RowPlace> places;
    places.reserve(rows);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      for (std::size_t row = ranges[i].first; row < ranges[i].second; ++row) {
        places.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(row)});
      }
    }
    partition_.columns.clear();
    partition_.rows = rows;
    // Frames, peers and one result per call beside the columns.
    std::size_t bytes = rows * (sizeof(std::uint32_t) * 8 + 16 * plan_.call_count());
    TL_TRY(memory_.Resize(bytes));
    std::vector<const Vector*> sources(pieces.size());
    for (std::size_t c = 0; c < plan_.types().size(); ++c) {
      TL_TRY(context_.CheckStillWanted());
      for (std::size_t i = 0; i < pieces.size(); ++i) sources[i] = &pieces[i].columns[c];
      partition_.columns.push_back(Gather(plan_.types()[c], sources, places));
      bytes += KeptBytes(partition_.columns.back());
      TL_TRY(memory_.Resize(bytes));
    }
    return OkStatus();
  }

  WindowPlan plan_;
  const EvalContext& context_;
  const std::unique_ptr<SourceReader> sorted_;
  Batch batch_;
  std::size_t at_ = 0;
  bool done_ = false;
  Partition partition_;
  std::vector<Vector> results_;
  std::size_t emitted_ = 0;
  MemoryReservation memory_;         // the partition at hand
  MemoryReservation pieces_memory_;  // batches that it is laid out from
};

class WindowSource final : public Source {
 public:
  WindowSource(const sql::WindowNode& node, std::shared_ptr<Source> sorted, const EvalContext& context)
      : node_(node), sorted_(std::move(sorted)), context_(context) {}
  Result<std::unique_ptr<SourceReader>> NewReader() override {
    std::unique_ptr<SourceReader> sorted = TL_TRY(sorted_->NewReader());
    return std::unique_ptr<SourceReader>(std::make_unique<WindowReader>(node_, context_, std::move(sorted)));
  }
  double EstimatedRows() const override { return sorted_->EstimatedRows(); }
  double progress() const override { return sorted_->progress(); }

 private:
  const sql::WindowNode& node_;
  const std::shared_ptr<Source> sorted_;
  const EvalContext& context_;
};

}  // namespace

std::vector<sql::ExprPtr> WindowInputs(const sql::WindowNode& node) {
  std::vector<sql::ExprPtr> inputs;
  for (const sql::WindowCall& call : node.calls()) {
    sql::ForEachWindowExpr(call, [&](const sql::ExprPtr& expr) { inputs.push_back(expr); });
  }
  return inputs;
}

std::shared_ptr<Source> NewWindowSource(const sql::WindowNode& node, std::shared_ptr<Source> sorted,
                                        const EvalContext& context) {
  return std::make_shared<WindowSource>(node, std::move(sorted), context);
}

}  // namespace tideline::exec
