// functions/window/window.cc: the functions that are only legal with OVER.
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

Status FirstValue(const KernelContext&, std::span<const Vector> partition, Rows peers, Rows begin,
                  Rows end, bool ignore_nulls, Vector* result) {
  std::vector<std::uint32_t> picked(peers.size(), kNoRow);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    std::uint32_t row = begin[i];
    while (ignore_nulls && row < end[i] && partition[0].IsNull(row)) ++row;
    if (row < end[i]) picked[i] = row;
  }
  PickRows(partition[0], picked, result);
  return OkStatus();
}
Status LastValue(const KernelContext&, std::span<const Vector> partition, Rows peers, Rows begin,
                 Rows end, bool ignore_nulls, Vector* result) {
  std::vector<std::uint32_t> picked(peers.size(), kNoRow);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    std::uint32_t row = end[i];
    while (ignore_nulls && row > begin[i] && partition[0].IsNull(row - 1)) --row;
    if (row > begin[i]) picked[i] = row - 1;
  }
  PickRows(partition[0], picked, result);
  return OkStatus();
}
Status NthValue(const KernelContext&, std::span<const Vector> partition, Rows peers, Rows begin,
                Rows end, bool ignore_nulls, Vector* result) {
  const Reader<I64> offsets(partition[1]);
  std::vector<std::uint32_t> picked(peers.size(), kNoRow);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (offsets.IsNull(i)) continue;
    I64 left = offsets[i];
    if (left < 1) return ExecutionFailed("Offset must be at least 1");
    if (!ignore_nulls) {
      if (begin[i] < end[i] && left <= end[i] - begin[i]) {
        picked[i] = begin[i] + static_cast<std::uint32_t>(left - 1);
      }
      continue;
    }
    for (std::uint32_t row = begin[i]; row < end[i]; ++row) {
      if (partition[0].IsNull(row) || --left > 0) continue;
      picked[i] = row;
      break;
    }
  }
  PickRows(partition[0], picked, result);
  return OkStatus();
}

// Arguments: value[, offset[, default]].
template <bool forward>
Status Shift(const KernelContext&, std::span<const Vector> partition, Rows peers, Rows, Rows,
             bool ignore_nulls, Vector* result) {
  const auto count = static_cast<I64>(peers.size());
  std::vector<std::uint32_t> picked(peers.size(), kNoRow);
  std::vector<std::uint32_t> outside;
  // Rows that are not null, for IGNORE NULLS: the k-th one before or after a row.
  std::vector<I64> present;
  std::vector<I64> present_before(peers.size() + 1, 0);
  for (I64 row = 0; ignore_nulls && row < count; ++row) {
    const auto index = static_cast<std::size_t>(row);
    if (!partition[0].IsNull(index)) present.push_back(row);
    present_before[index + 1] = static_cast<I64>(present.size());
  }
  for (std::size_t i = 0; i < peers.size(); ++i) {
    I64 offset = 1;
    if (partition.size() > 1) {
      if (partition[1].IsNull(i)) continue;
      offset = Reader<I64>(partition[1])[i];
      if (offset < 0) return ExecutionFailed("Offset must be at least 0");
    }
    offset = std::min(offset, count + 1);
    I64 target = static_cast<I64>(i) + (forward ? offset : -offset);
    if (ignore_nulls && offset > 0) {
      const I64 at = forward ? present_before[i + 1] + offset - 1 : present_before[i] - offset;
      target = at >= 0 && at < static_cast<I64>(present.size())
                   ? present[static_cast<std::size_t>(at)]
                   : -1;
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
