// storage/engine/owed_marks.h: dead rows of a segment that could not be looked up.
//
// The log says which keys were replaced and what was deleted, not in which row of which segment that was. A start that
// replays it while the magnetic store is out of reach keeps those keys and deletes with the segment and goes on. The
// segment hands out no reader before they are paid: before their rows are found and marked. So nothing reads a row that
// should be dead, and whatever needs the segment pays first. A checkpoint writes what is still owed into the segment's
// deletion vector (docs/file-format.md, "Deletion vector", format 2), so that the log can be cut meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "columnar/bitmap.h"
#include "storage/hot/deletion_vector.h"
#include "storage/segment/segment_reader.h"

namespace tideline::engine {

struct DeleteOutcome;

/// Version of deletion vectors that owe something; those that do not have the one before.
inline constexpr std::uint16_t kOwingVectorFormat = 2;

/// Most that a segment owes: with more a start fails as long as the store does not answer.
inline constexpr std::size_t kOwedMarksMax = std::size_t{4} << 20;

/// A row, if the segment holds it, that was replaced by outcome `number`.
struct OwedKey {
  std::uint32_t series = 0;
  std::int64_t time_ns = 0;
  std::uint64_t number = 0;
};
struct OwedDelete {
  std::shared_ptr<const DeleteOutcome> outcome{};
  std::uint64_t number = 0;
};

struct OwedMarks {
  std::vector<OwedKey> keys{};
  std::vector<OwedDelete> deletes{};
  std::size_t count() const { return keys.size() + deletes.size(); }
};

/// Marks the rows of the segment that `reader` reads. Repeating it changes nothing. I/O errors and kDataLoss.
Status PayOwedMarks(const OwedMarks& owed, const std::shared_ptr<segment::SegmentReader>& reader,
                    hot::DeletionVector* deletions);

/// What a deletion vector's file holds.
struct DeadRows {
  Bitmap dead{};
  OwedMarks owed{};  ///< numbers are 0: of before every snapshot
};
/// The plain bytes of a deletion vector that owes something, in kOwingVectorFormat.
void EncodeOwingVector(const Bitmap& dead, const OwedMarks& owed, Bytes* out);
/// Of either format. kDataLoss on malformed bytes.
Result<DeadRows> DecodeDeadRows(BytesView plain, std::uint16_t format);

}  // namespace tideline::engine
