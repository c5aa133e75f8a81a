// functions/window/window.cc: the functions that are only legal with OVER.
#include <optional>

#include "functions/kernel.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;
using Rows = std::span<const std::uint32_t>;

// Rows of the partition in peer order: peers.size() is their count.
Status RowNumber(const KernelContext&, std::span<const Vector>, Rows peers, Rows, Rows, bool,
                 Vector* result) {
  I64* out = result->mutable_values<I64>();
  for (std::size_t i = 0; i < peers.size(); ++i) out[i] = static_cast<I64>(i) + 1;
  return OkStatus();
}
Status Rank(const KernelContext&, std::span<const Vector>, Rows peers, Rows, Rows, bool,
            Vector* result) {
  I64* out = result->mutable_values<I64>();
  for (std::size_t i = 0; i < peers.size(); ++i) out[i] = I64{peers[i]} + 1;
  return OkStatus();
}
Status DenseRank(const KernelContext&, std::span<const Vector>, Rows peers, Rows, Rows, bool,
                 Vector* result) {
  I64* out = result->mutable_values<I64>();
  I64 rank = 0;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (peers[i] == i) ++rank;
    out[i] = rank;
  }
  return OkStatus();
}
Status PercentRank(const KernelContext&, std::span<const Vector>, Rows peers, Rows, Rows, bool,
                   Vector* result) {
  double* out = result->mutable_values<double>();
  const auto rest = static_cast<double>(peers.size()) - 1;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    out[i] = rest > 0 ? static_cast<double>(peers[i]) / rest : 0.0;
  }
  return OkStatus();
}
Status CumeDist(const KernelContext&, std::span<const Vector>, Rows peers, Rows, Rows, bool,
                Vector* result) {
  double* out = result->mutable_values<double>();
  std::size_t end = peers.size();
  for (std::size_t i = peers.size(); i > 0; --i) {
    out[i - 1] = static_cast<double>(end) / static_cast<double>(peers.size());
    if (peers[i - 1] == i - 1) end = i - 1;
  }
  return OkStatus();
}

Status Ntile(const KernelContext&, std::span<const Vector> partition, Rows peers, Rows, Rows, bool,
             Vector* result) {
  const Reader<I64> buckets(partition[0]);
  I64* out = result->mutable_values<I64>();
  const auto count = static_cast<I64>(peers.size());
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (buckets.IsNull(i)) {
      result->SetNull(i);
      continue;
    }
    const I64 n = buckets[i];
    if (n <= 0) return ExecutionFailed("Buckets must be greater than 0");
    const I64 size = count / n;
    const I64 larger = count % n;  // the first buckets hold one row more
    const auto row = static_cast<I64>(i);
    out[i] = row < larger * (size + 1) ? row / (size + 1) + 1
                                       : larger + (row - larger * (size + 1)) / size + 1;
  }
  return OkStatus();
}

// Copies row picked[i] of `source` to row i; kNoRow makes null.
constexpr std::uint32_t kNoRow = UINT32_MAX;
void PickRows(const Vector& source, const std::vector<std::uint32_t>& picked, Vector* result) {
  std::vector<std::uint32_t> indices(picked.size(), 0);
  std::vector<std::uint32_t> present;
  for (std::uint32_t i = 0; i < picked.size(); ++i) {
    if (picked[i] == kNoRow) {
      result->SetNull(i);
    } else {
      indices[i] = picked[i];
      present.push_back(i);
    }
  }
  if (!present.empty()) CopyRows(source.Slice(indices), Selection::Of(present), result);
}

// The rows of `values` that are not null, in order, so that IGNORE NULLS finds the k-th of a frame at once.
class PresentRows {
 public:
  PresentRows(const Vector& values, std::size_t count) : before_(count + 1, 0) {
    for (std::size_t row = 0; row < count; ++row) {
      if (!values.IsNull(row)) rows_.push_back(static_cast<std::uint32_t>(row));
      before_[row + 1] = static_cast<std::uint32_t>(rows_.size());
    }
  }
  /// How many of the first `row` rows are present.
  I64 Before(std::size_t row) const { return before_[row]; }
  I64 size() const { return static_cast<I64>(rows_.size()); }
  std::uint32_t operator[](I64 i) const { return rows_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> before_;
};

// Picks for every row the `place(row, n)`-th of the n rows of its frame that count; those out of range make null.
template <typename Place>
void PickInFrames(const Vector& values, Rows begin, Rows end, bool ignore_nulls, const Place& place,
                  Vector* result) {
  std::optional<PresentRows> present;
  if (ignore_nulls) present.emplace(values, begin.size());
  std::vector<std::uint32_t> picked(begin.size(), kNoRow);
  for (std::size_t i = 0; i < begin.size(); ++i) {
    if (begin[i] >= end[i]) continue;
    const I64 first = present ? present->Before(begin[i]) : begin[i];
    const I64 count = (present ? present->Before(end[i]) : end[i]) - first;
    const I64 at = place(i, count);
    if (at < 0 || at >= count) continue;
    picked[i] = present ? (*present)[first + at] : static_cast<std::uint32_t>(first + at);
  }
  PickRows(values, picked, result);
}

Status FirstValue(const KernelContext&, std::span<const Vector> partition, Rows, Rows begin,
                  Rows end, bool ignore_nulls, Vector* result) {
  PickInFrames(partition[0], begin, end, ignore_nulls, [](std::size_t, I64) { return I64{0}; }, result);
  return OkStatus();
}
Status LastValue(const KernelContext&, std::span<const Vector> partition, Rows, Rows begin,
                 Rows end, bool ignore_nulls, Vector* result) {
  PickInFrames(partition[0], begin, end, ignore_nulls, [](std::size_t, I64 count) { return count - 1; },
               result);
  return OkStatus();
}
Status NthValue(const KernelContext&, std::span<const Vector> partition, Rows peers, Rows begin,
                Rows end, bool ignore_nulls, Vector* result) {
  const Reader<I64> offsets(partition[1]);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (!offsets.IsNull(i) && offsets[i] < 1) return ExecutionFailed("Offset must be at least 1");
  }
  const auto place = [&](std::size_t i, I64) { return offsets.IsNull(i) ? I64{-1} : offsets[i] - 1; };
  PickInFrames(partition[0], begin, end, ignore_nulls, place, result);
  return OkStatus();
}

// Arguments: value[, offset[, default]].
template <bool forward>
Status Shift(const KernelContext&, std::span<const Vector> partition, Rows peers, Rows, Rows,
             bool ignore_nulls, Vector* result) {
  const auto count = static_cast<I64>(peers.size());
  std::vector<std::uint32_t> picked(peers.size(), kNoRow);
  std::vector<std::uint32_t> outside;
  std::optional<PresentRows> present;
  if (ignore_nulls) present.emplace(partition[0], peers.size());
  for (std::size_t i = 0; i < peers.size(); ++i) {
    I64 offset = 1;
    if (partition.size() > 1) {
      if (partition[1].IsNull(i)) continue;
      offset = Reader<I64>(partition[1])[i];
      if (offset < 0) return ExecutionFailed("Offset must be at least 0");
    }
    offset = std::min(offset, count + 1);
    I64 target = static_cast<I64>(i) + (forward ? offset : -offset);
    if (present && offset > 0) {
      const I64 at = forward ? present->Before(i + 1) + offset - 1 : present->Before(i) - offset;
      target = at >= 0 && at < present->size() ? I64{(*present)[at]} : -1;
    }
    if (target >= 0 && target < count) {
      picked[i] = static_cast<std::uint32_t>(target);
    } else {
      outside.push_back(static_cast<std::uint32_t>(i));
    }
  }
  if (partition.size() < 3 || outside.empty()) {
    PickRows(partition[0], picked, result);
    return OkStatus();
  }
  // Defaults are picked from the third argument, which follows the values.
  const Vector values = partition[0].Flatten();
  const Vector defaults = partition[2].Flatten();
  const Vector* const parts[] = {&values, &defaults};
  for (const std::uint32_t row : outside) picked[row] = static_cast<std::uint32_t>(count) + row;
  PickRows(Concatenate(result->type(), parts), picked, result);
  return OkStatus();
}

#define TL_WINDOW(object, text, frame, summary_text, call, result_text, ...)                       \
  constexpr WindowOverload object##Overloads[] = {__VA_ARGS__};                                    \
  constexpr WindowFunction object{                                                                 \
      .name = text,                                                                                \
      .overloads = object##Overloads,                                                              \
      .uses_frame = frame,                                                                         \
      .doc = {"window", summary_text, "SELECT " call " OVER (ORDER BY x) FROM (VALUES 1) AS t(x)", \
              result_text}};                                                                       \
  TL_REGISTER_WINDOW(object)

TL_WINDOW(kRowNumber, "row_number", false, "The row's place in its partition, from 1.",
          "row_number()", "1", {"() -> bigint", RowNumber});
TL_WINDOW(kRank, "rank", false, "The place of the row's first peer, from 1.", "rank()", "1",
          {"() -> bigint", Rank});
TL_WINDOW(kDenseRank, "dense_rank", false, "How many groups of peers there are up to the row's.",
          "dense_rank()", "1", {"() -> bigint", DenseRank});
TL_WINDOW(kPercentRank, "percent_rank", false, "(rank - 1) / (rows - 1).", "percent_rank()", "0.0",
          {"() -> double", PercentRank});
TL_WINDOW(kCumeDist, "cume_dist", false, "The share of rows up to the row's last peer.",
          "cume_dist()", "1.0", {"() -> double", CumeDist});
TL_WINDOW(kNtile, "ntile", false, "The row's bucket when the partition is cut into n.", "ntile(4)",
          "1", {"(bigint) -> bigint", Ntile});
TL_WINDOW(kFirstValue, "first_value", true, "The value of the frame's first row.", "first_value(x)",
          "1", {"(T) -> T", FirstValue});
TL_WINDOW(kLastValue, "last_value", true, "The value of the frame's last row.", "last_value(x)",
          "1", {"(T) -> T", LastValue});
TL_WINDOW(kNthValue, "nth_value", true, "The value of the frame's n-th row.", "nth_value(x, 1)",
          "1", {"(T, bigint) -> T", NthValue});
TL_WINDOW(kLag, "lag", false, "The value so many rows before (1), or a default.", "lag(x, 1, 0)",
          "0", {"(T) -> T", Shift<false>}, {"(T, bigint) -> T", Shift<false>},
          {"(T, bigint, T) -> T", Shift<false>});
TL_WINDOW(kLead, "lead", false, "The value so many rows after (1), or a default.", "lead(x, 1, 0)",
          "0", {"(T) -> T", Shift<true>}, {"(T, bigint) -> T", Shift<true>},
          {"(T, bigint, T) -> T", Shift<true>});
#undef TL_WINDOW

}  // namespace
}  // namespace tideline::functions
