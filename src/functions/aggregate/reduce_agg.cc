// functions/aggregate/reduce_agg.cc: an aggregate whose two steps are lambdas of the query.
//
// reduce_agg(x, initial, (s, x) -> s, (a, b) -> s): the first lambda adds a row to a state, the
// second joins the states of two workers, so `initial` must change nothing when it is joined. Rows
// of one group go through the lambda one after another; rows of different groups go together.
#include <absl/container/flat_hash_set.h>

#include "functions/aggregate/aggregate.h"
#include "functions/aggregate/cell.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

struct ReduceState {
  Cell value;
};

// One call of `lambda` over equal-length `arguments`; fails with the first row that failed.
Status Run(const KernelContext& context, std::size_t lambda, std::span<const Vector> arguments,
           Vector* answer) {
  const std::vector<std::uint32_t> owners(arguments[0].size(), 0);
  RowErrors errors;
  TL_TRY(context.lambdas[lambda]->Apply(arguments, owners, answer, &errors));
  return errors.empty() ? OkStatus() : errors.entries().front().status;
}

// Rows `rows` of different groups: each state takes its row.
Status Step(const KernelContext& context, std::span<const Vector> arguments,
            std::span<const std::uint32_t> rows, std::span<ReduceState* const> states) {
  Vector before = Vector::Flat(*context.result_type, rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!states[i]->value.is_set()) states[i]->value.Store(arguments[1], rows[i]);
    states[i]->value.Load(i, &before);
  }
  const Vector inputs[] = {std::move(before), arguments[0].Slice(rows)};
  Vector after;
  TL_TRY(Run(context, 0, inputs, &after));
  for (std::size_t i = 0; i < rows.size(); ++i) states[i]->value.Store(after, i);
  return OkStatus();
}

Status Update(const KernelContext& context, std::span<const Vector> arguments,
              const Selection& rows, const AggregateState* states) {
  std::vector<std::size_t> waiting(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) waiting[i] = i;
  while (!waiting.empty()) {  // each round takes one row of every group that has rows left
    absl::flat_hash_set<AggregateState> taken;
    std::vector<std::uint32_t> now;
    std::vector<ReduceState*> of;
    std::vector<std::size_t> later;
    for (const std::size_t i : waiting) {
      if (taken.insert(states[i]).second) {
        now.push_back(rows[i]);
        of.push_back(&StateOf<ReduceState>(states[i]));
      } else {
        later.push_back(i);
      }
    }
    TL_TRY(Step(context, arguments, now, of));
    waiting.swap(later);
  }
  return OkStatus();
}

Status UpdateOne(const KernelContext& context, std::span<const Vector> arguments,
                 const Selection& rows, AggregateState state) {
  ReduceState* const one[] = {&StateOf<ReduceState>(state)};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t row = rows[i];
    TL_TRY(Step(context, arguments, std::span(&row, 1), one));
  }
  return OkStatus();
}

Status Combine(const KernelContext& context, AggregateState from, AggregateState into) {
  const Cell& other = StateOf<ReduceState>(from).value;
  Cell& mine = StateOf<ReduceState>(into).value;
  if (!other.is_set()) return OkStatus();
  if (!mine.is_set()) {
    mine = std::move(StateOf<ReduceState>(from).value);
    return OkStatus();
  }
  Vector inputs[] = {Vector::Flat(*context.result_type, 1), Vector::Flat(*context.result_type, 1)};
  mine.Load(0, &inputs[0]);
  other.Load(0, &inputs[1]);
  Vector joined;
  TL_TRY(Run(context, 1, inputs, &joined));
  mine.Store(joined, 0);
  return OkStatus();
}

Status Finalize(const KernelContext&, AggregateState state, std::size_t row, Vector* result) {
  StateOf<ReduceState>(state).value.Load(row, result);
  return OkStatus();
}

constexpr AggregateOverload kReduceAggOverloads[] = {
    {"(T, S, function(S, T, S), function(S, S, S)) -> S", sizeof(ReduceState),
     InitializeState<ReduceState>, Update, UpdateOne, Combine, Finalize,
     DestroyOf<ReduceState>()}};
constexpr AggregateFunction kReduceAgg{
    .name = "reduce_agg",
    .overloads = kReduceAggOverloads,
    .order_sensitive = true,
    .doc = {"aggregate",
            "Folds the values with a lambda; a second lambda joins two partial results.",
            "SELECT reduce_agg(x, 0, (s, x) -> s + x, (a, b) -> a + b) FROM (VALUES 1, 2, 3) AS "
            "t(x)",
            "6"}};
TL_REGISTER_AGGREGATE(kReduceAgg);

}  // namespace
}  // namespace tideline::functions
