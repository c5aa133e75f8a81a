// functions/function.h: what a function is: its name, its overloads, its kernels, its manual page.
//
// A scalar function, an aggregate or a window function is one file that defines one `constexpr`
// object and registers it (functions/registry.h). The binder picks an overload by the signatures
// here, the evaluator runs the kernel, and docs/reference/functions.md is printed from `doc`.
//
// Signatures are text, read once when the registry freezes:
//
//   "(timestamp, interval day to second) -> timestamp"
//   "(T, T) -> T"                     one upper-case letter is a type variable; same letter, same type
//   "(T:orderable, T) -> boolean"     with a constraint: orderable | comparable | numeric
//   "(varchar, varchar...) -> varchar"  the last argument repeats, zero or more times
//   "(array(T), function(T, boolean)) -> array(T)"   a lambda: its arguments, then its result
//   "(timeseries(T), array(timestamp)) -> timeseries(double)"
//   "(timeseries(T), function(row(time timestamp, value T), boolean)) -> timeseries(T)"
// Functions over any row take a variable.
//
// Operators are functions under names that no identifier can spell: "$add", "$subtract",
// "$multiply", "$divide", "$modulus", "$negate", "$equal", "$not_equal", "$less", "$less_equal",
// "$greater", "$greater_equal", "$distinct_from", "$not", "$like" (value, pattern[, escape]),
// "$concat", "$subscript", "$array" (T...) -> array(T). AND, OR, CASE, COALESCE, IN, TRY and CAST
// are no functions: the evaluator knows them (sql/plan/expr.h).
#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "base/status.h"
#include "columnar/run_summary.h"
#include "columnar/vector.h"

namespace tideline::functions {

/// Rows on which a kernel failed, each with its reason. The evaluator fails the query with the
/// first, or makes the rows null under TRY. At most one error per row is kept.
class RowErrors {
 public:
  struct Entry {
    std::uint32_t row;
    Status status;
  };
  /// `status` is kExecutionFailed unless TRY must not swallow it (then another code).
  void Add(std::uint32_t row, Status status) { entries_.push_back({row, std::move(status)}); }
  bool empty() const { return entries_.empty(); }
  const std::vector<Entry>& entries() const { return entries_; }
  void Clear() { entries_.clear(); }

 private:
  std::vector<Entry> entries_;
};

/// A lambda argument, ready to run: bound to the enclosing batch and its captured columns.
class Lambda {
 public:
  virtual ~Lambda() = default;
  /// Evaluates the body once per row of `arguments` (equal-length vectors, one per parameter).
  /// `outer_rows[i]` is the row of the enclosing batch that row i belongs to, for captures.
  virtual Status Apply(std::span<const Vector> arguments, std::span<const std::uint32_t> outer_rows,
                       Vector* result, RowErrors* errors) const = 0;
};

/// What a kernel may know beyond its arguments. Lives as long as the query.
struct KernelContext {
  TimestampNs now;                         ///< the query's start, millisecond precision
  bool compat_profile = false;
  const Type* result_type = nullptr;       ///< of this call
  std::span<const Lambda* const> lambdas;  ///< in argument order, the lambda arguments only
  /// Kept per call site and thread, empty at first: compiled patterns, parsed formats.
  std::any* state = nullptr;
  Random* random = nullptr;
  const CancelToken* cancel = nullptr;
  MemoryBudget* memory = nullptr;
};

/// Computes `rows` of a call. `arguments` have the batch's row count (lambda arguments are left
/// out). `result` is flat, of the result type, all valid; the kernel writes `rows` of it only and
/// may set nulls. Under NullPolicy::kNullInNullOut no row with a null argument is in `rows`; the
/// evaluator has made those null. Where all of a batch's rows have the same value, `*result` may be
/// replaced by a constant. A Status is for failures of the whole call (limits, cancelled).
using ScalarKernel = Status (*)(const KernelContext& context, std::span<const Vector> arguments,
                                const Selection& rows, Vector* result, RowErrors* errors);

enum class NullPolicy : std::uint8_t {
  kNullInNullOut,  ///< the kernel never sees a row with a null argument
  kSeesNulls,      ///< the kernel decides
};

enum class OrderPolicy : std::uint8_t {
  kNone,
  kPreservesFirst,  ///< non-decreasing in the first argument when the others are constant
  kPreservesLast,   ///< the same of the last argument
};

enum class Volatility : std::uint8_t {
  kImmutable,  ///< same arguments, same answer: may be folded
  kStable,     ///< the same within one query (now())
  kVolatile,   ///< differs per row (random())
};

enum class Profile : std::uint8_t { kBoth, kExtendedOnly };

/// The page of the reference manual. `example` is a statement, `result` its first row as text with
/// ", " between columns; every example runs as a test.
struct FunctionDoc {
  std::string_view family;   ///< "math", "string", "date and time", ...
  std::string_view summary;  ///< one sentence
  std::string_view example;
  std::string_view result;
};

struct ScalarOverload {
  std::string_view signature;
  ScalarKernel kernel;
};

struct ScalarFunction {
  std::string_view name;
  std::span<const ScalarOverload> overloads;
  NullPolicy nulls = NullPolicy::kNullInNullOut;
  OrderPolicy order = OrderPolicy::kNone;
  Volatility volatility = Volatility::kImmutable;
  Profile profile = Profile::kBoth;
  FunctionDoc doc;
};

/// Raw memory of one group's state; alignment at least 16.
using AggregateState = std::byte*;

/// The life of an aggregate's state. States are made by `initialize`, moved never, merged by
/// `combine`, read by `finalize`, ended by `destroy` (null pointer when trivial).
struct AggregateOverload {
  std::string_view signature;
  std::size_t state_bytes;
  void (*initialize)(const KernelContext& context, AggregateState state);
  /// Adds row `rows[i]` of `arguments` to `states[i]`. Nulls: the executor has dropped rows with a
  /// null argument from `rows` when the function skips nulls.
  Status (*update)(const KernelContext& context, std::span<const Vector> arguments,
                   const Selection& rows, const AggregateState* states);
  /// The same with one state for all rows: runs of one group, and no GROUP BY at all.
  Status (*update_one)(const KernelContext& context, std::span<const Vector> arguments,
                       const Selection& rows, AggregateState state);
  /// Adds `from` to `into`; `from` is destroyed by the caller afterwards.
  Status (*combine)(const KernelContext& context, AggregateState from, AggregateState into);
  /// Writes row `row` of the flat `result`. The state stays good: window frames finalize it between
  /// updates.
  Status (*finalize)(const KernelContext& context, AggregateState state, std::size_t row,
                     Vector* result);
  void (*destroy)(AggregateState state);
  /// Adds values of the one argument (of count(*): rows) of which only a summary is known, with at least one
  /// among them; null pointer where that is not enough.
  Status (*update_summary)(const KernelContext& context, const RunSummary& summary, AggregateState state) = nullptr;
};

struct AggregateFunction {
  std::string_view name;
  std::span<const AggregateOverload> overloads;
  bool skips_nulls = true;        ///< rows with any null argument never reach update
  bool order_sensitive = false;   ///< the answer may depend on row order (array_agg)
  Profile profile = Profile::kBoth;
  FunctionDoc doc;
};

/// A function that is only legal with OVER (row_number, lag, ...). Aggregates are window functions
/// too, without an entry here. Kernels see one whole partition, sorted.
struct WindowOverload {
  std::string_view signature;
  /// `partition`: the argument vectors over the partition's rows; `peers[i]`: index of the first row
  /// of row i's peer group; `frame_begin/end[i]`: row i's frame, half open; `ignore_nulls` as written.
  Status (*evaluate)(const KernelContext& context, std::span<const Vector> partition,
                     std::span<const std::uint32_t> peers, std::span<const std::uint32_t> frame_begin,
                     std::span<const std::uint32_t> frame_end, bool ignore_nulls, Vector* result);
};

struct WindowFunction {
  std::string_view name;
  std::span<const WindowOverload> overloads;
  bool uses_frame = false;  ///< false: the frame clause is ignored (rank, lag)
  FunctionDoc doc;
};

}  // namespace tideline::functions
