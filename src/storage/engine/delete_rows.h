// storage/engine/delete_rows.h: which rows a DELETE takes away, and its record in the log.
//
// A delete is one outcome: series, time ranges, and the number through which rows count. It holds for what precedes it,
// and only for rows that were staged when it began: replay finds the same rows, whatever came after. The rows die by the
// marks that replaced rows die by, so snapshots, merges and checkpoints know nothing new.
//
// The record (docs/file-format.md, "Log records"): table id, delete id, through, n, n x (first, last), series bitmap.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "columnar/bitmap.h"
#include "storage/engine/scan.h"
#include "storage/engine/table.h"

namespace tideline::engine {

/// Most time ranges of one statement.
inline constexpr std::size_t kDeleteRangesMax = 10'000;

struct DeleteOutcome {
  catalog::TableId table{};
  Uuid delete_id{};
  SequenceNumber through;               ///< rows with a greater number stay
  std::vector<TimeRange> times{};       ///< ascending, disjoint
  Bitmap series{};
};
void EncodeDelete(const DeleteOutcome& outcome, Bytes* out);
/// kDataLoss on malformed bytes.
Result<DeleteOutcome> DecodeDelete(BytesView payload);

/// Living rows of `sources` that the delete is for. I/O errors and kDataLoss. Rows may die while this runs.
/// `out_of_reach`, unless null, gets the segments whose store does not answer; else that is an error.
Result<DeletedRows> FindRowsToDelete(const SourceList& sources, const DeleteOutcome& outcome,
                                     std::vector<std::shared_ptr<SegmentSource>>* out_of_reach = nullptr);
/// Rows of one segment, dead or not, that the delete is for.
Result<Bitmap> FindRowsOfDelete(const segment::SegmentReader& reader, const DeleteOutcome& outcome);

}  // namespace tideline::engine
