// exec/spill/batch_codec.h: batches as bytes, for spill files and for results that wait on disk.
//
//   batch   row count varint, then each column
//   column  form u8: 0 flat, 1 one value for all rows, 2 null in all rows (and nothing follows), 3 coded text:
//           count of entries varint, the entries as text below, a code u16 for each row
//           numbers     nulls u8; if 1, one bit per row, set for valid; values as they lie in memory
//           text        per row varint: 0 null, 1 as the row before, n + 2: n bytes follow
//           lists       nulls as above; a length varint per row; each child as a column without gaps
//           rows        nulls as above; each field as a column
//
// Runs of equal text, which is what sorted series bring, cost a byte per row. Reading needs the types,
// which the operator knows. Text that was read points into the frame, which it keeps alive.
#pragma once

#include <memory>
#include <span>

#include "base/bytes.h"
#include "columnar/vector.h"

namespace tideline::exec {

/// Most list elements of a batch in one frame: on disk rows share nothing.
inline constexpr std::uint64_t kFrameElementsMax = 50'000'000;

/// kResourceExhausted when `batch` has more than kFrameElementsMax list elements.
Status CheckFrame(const Batch& batch);

/// Appends `batch`, whose column c is of type `types[c]` (or all null) in any encoding.
void EncodeBatch(const Batch& batch, std::span<const Type> types, Bytes* out);

/// The batch in `bytes`: flat and constant columns, and dictionaries for text that had one. kDataLoss when it is not one of these types.
Result<Batch> DecodeBatch(std::shared_ptr<const Bytes> bytes, std::span<const Type> types);

}  // namespace tideline::exec
