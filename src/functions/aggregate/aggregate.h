// functions/aggregate/aggregate.h: loops around the state of an aggregate, so that an aggregate is
// its state and four short functions.
//
// An Op for one fixed-width argument:
//
//   struct SumDouble {
//     using State = ...;                              // default-constructible
//     using Argument = double;                        // physical type of the argument
//     static void Add(State& state, double value);    // one row
//     static void AddAll(State& state, std::span<const double> values);   // many rows at once
//     static void Merge(State& into, const State& from);
//     static Status Finish(const State& state, std::size_t row, Vector* result);
//     static void AddSummary(State& state, const RunSummary& summary);    // may be left out
//   };
//
// AddAll sees contiguous memory: a flat vector's own, or rows gathered into a buffer.
#pragma once

#include <algorithm>
#include <array>
#include <new>
#include <span>
#include <type_traits>

#include "functions/function.h"

namespace tideline::functions {

template <typename S>
S& StateOf(AggregateState state) {
  return *std::launder(reinterpret_cast<S*>(state));
}
template <typename S>
void InitializeState(const KernelContext&, AggregateState state) {
  ::new (static_cast<void*>(state)) S();
}
template <typename S>
void DestroyState(AggregateState state) {
  StateOf<S>(state).~S();
}
template <typename S>
constexpr auto DestroyOf() -> void (*)(AggregateState) {
  if constexpr (std::is_trivially_destructible_v<S>) return nullptr;
  return DestroyState<S>;
}

/// Calls f(span) over the rows of `vector`, in pieces of at most kBatchRowsMax contiguous values.
template <typename T, typename F>
void ForContiguous(const Vector& vector, const Selection& rows, F&& f) {
  if (rows.is_contiguous() && vector.kind() == VectorKind::kFlat) {
    f(std::span<const T>(vector.values<T>() + rows[0], rows.size()));
    return;
  }
  const Reader<T> reader(vector);
  std::array<T, kBatchRowsMax> buffer;
  for (std::size_t first = 0; first < rows.size(); first += buffer.size()) {
    const std::size_t count = std::min(buffer.size(), rows.size() - first);
    for (std::size_t i = 0; i < count; ++i) buffer[i] = reader[rows[first + i]];
    f(std::span<const T>(buffer.data(), count));
  }
}

template <typename Op>
struct Aggregate1 {
  using S = typename Op::State;
  using T = typename Op::Argument;
  static Status Update(const KernelContext&, std::span<const Vector> arguments,
                       const Selection& rows, const AggregateState* states) {
    const Reader<T> reader(arguments[0]);
    for (std::size_t i = 0; i < rows.size(); ++i) Op::Add(StateOf<S>(states[i]), reader[rows[i]]);
    return OkStatus();
  }
  static Status UpdateOne(const KernelContext&, std::span<const Vector> arguments,
                          const Selection& rows, AggregateState state) {
    ForContiguous<T>(arguments[0], rows,
                     [&](std::span<const T> values) { Op::AddAll(StateOf<S>(state), values); });
    return OkStatus();
  }
  static Status Combine(const KernelContext&, AggregateState from, AggregateState into) {
    Op::Merge(StateOf<S>(into), StateOf<S>(from));
    return OkStatus();
  }
  static Status Finalize(const KernelContext&, AggregateState state, std::size_t row,
                         Vector* result) {
    return Op::Finish(StateOf<S>(state), row, result);
  }
  static Status UpdateSummary(const KernelContext&, const RunSummary& summary, AggregateState state) {
    Op::AddSummary(StateOf<S>(state), summary);
    return OkStatus();
  }
  static constexpr AggregateOverload Overload(std::string_view signature) {
    AggregateOverload overload = {signature, sizeof(S), InitializeState<S>, Update,
                                  UpdateOne, Combine,   Finalize,           DestroyOf<S>()};
    if constexpr (requires(S& state, const RunSummary& summary) { Op::AddSummary(state, summary); }) {
      overload.update_summary = UpdateSummary;
    }
    return overload;
  }
};

/// The same for two double arguments (y, x); Op::Add takes both, Op::AddAll two spans.
template <typename Op>
struct Aggregate2 {
  using S = typename Op::State;
  static Status Update(const KernelContext&, std::span<const Vector> arguments,
                       const Selection& rows, const AggregateState* states) {
    const Reader<double> y(arguments[0]);
    const Reader<double> x(arguments[1]);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Op::Add(StateOf<S>(states[i]), y[rows[i]], x[rows[i]]);
    }
    return OkStatus();
  }
  static Status UpdateOne(const KernelContext&, std::span<const Vector> arguments,
                          const Selection& rows, AggregateState state) {
    const Reader<double> y(arguments[0]);
    const Reader<double> x(arguments[1]);
    rows.ForEach([&](std::uint32_t row) { Op::Add(StateOf<S>(state), y[row], x[row]); });
    return OkStatus();
  }
  static constexpr AggregateOverload Overload(std::string_view signature) {
    return {signature, sizeof(S),         InitializeState<S>, Update,
            UpdateOne, Aggregate1Combine, Aggregate1Finalize, DestroyOf<S>()};
  }

 private:
  static Status Aggregate1Combine(const KernelContext&, AggregateState from, AggregateState into) {
    Op::Merge(StateOf<S>(into), StateOf<S>(from));
    return OkStatus();
  }
  static Status Aggregate1Finalize(const KernelContext&, AggregateState state, std::size_t row,
                                   Vector* result) {
    return Op::Finish(StateOf<S>(state), row, result);
  }
};

/// An aggregate whose Op sees whole argument lists:
///   static Status Add(const KernelContext&, State&, std::span<const Vector> arguments, uint32_t
///   row); static Status Merge(const KernelContext&, State& into, State& from); static Status
///   Finish(const KernelContext&, State&, std::size_t row, Vector* result);
/// In place of Add, for many rows at once: AddAll(context, state, arguments, rows) and AddEach(context, arguments,
/// rows, states).
template <typename Op>
struct AggregateRows {
  using S = typename Op::State;
  static Status Update(const KernelContext& context, std::span<const Vector> arguments,
                       const Selection& rows, const AggregateState* states) {
    if constexpr (requires { Op::AddEach(context, arguments, rows, states); }) {
      return Op::AddEach(context, arguments, rows, states);
    } else {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        TL_TRY(Op::Add(context, StateOf<S>(states[i]), arguments, rows[i]));
      }
      return OkStatus();
    }
  }
  static Status UpdateOne(const KernelContext& context, std::span<const Vector> arguments,
                          const Selection& rows, AggregateState state) {
    if constexpr (requires { Op::AddAll(context, StateOf<S>(state), arguments, rows); }) {
      return Op::AddAll(context, StateOf<S>(state), arguments, rows);
    } else {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        TL_TRY(Op::Add(context, StateOf<S>(state), arguments, rows[i]));
      }
      return OkStatus();
    }
  }
  static Status Combine(const KernelContext& context, AggregateState from, AggregateState into) {
    return Op::Merge(context, StateOf<S>(into), StateOf<S>(from));
  }
  static Status Finalize(const KernelContext& context, AggregateState state, std::size_t row,
                         Vector* result) {
    return Op::Finish(context, StateOf<S>(state), row, result);
  }
  static constexpr AggregateOverload Overload(std::string_view signature) {
    return {signature, sizeof(S), InitializeState<S>, Update,
            UpdateOne, Combine,   Finalize,           DestroyOf<S>()};
  }
};

/// Bytes a state holds on the query's budget, given back when the state dies.
class StateMemory {
 public:
  StateMemory() = default;
  StateMemory(const StateMemory&) = delete;
  StateMemory& operator=(const StateMemory&) = delete;
  ~StateMemory() {
    if (budget_ != nullptr) budget_->Release(bytes_);
  }
  /// Accounts for `bytes` in all; in steps of a quarter, so that small growth costs nothing. The first is small:
  /// a batch may begin two thousand states.
  Status Hold(const KernelContext& context, std::size_t bytes) {
    static constexpr std::size_t kStepBytesMin = 64;
    if (context.memory == nullptr || bytes <= bytes_) return OkStatus();
    const std::size_t wanted = bytes + std::max(bytes / 4, kStepBytesMin);
    TL_TRY(context.memory->Reserve(wanted - bytes_));
    budget_ = context.memory;
    bytes_ = wanted;
    return OkStatus();
  }

 private:
  MemoryBudget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace tideline::functions
