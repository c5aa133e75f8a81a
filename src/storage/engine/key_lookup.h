// storage/engine/key_lookup.h: keys of a batch that segments may hold, looked up while no lock is held.
//
// A late record's verdict needs the stored row with its key, which may lie in a file. The writer notes under the table's
// lock which keys have to be looked for and where, reads while others write, and looks again under the lock: what came
// meanwhile and was not asked is asked next. Rows of a segment never change, so an answer stays true; whether its row is
// alive, and whether its segment still counts, is decided under the lock.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "storage/engine/segment_source.h"
#include "storage/engine/write_batch.h"
#include "storage/segment/segment_types.h"

namespace tideline::engine {

struct SourceList;

/// One value of a stored row; owns its text.
struct StoredCell {
  catalog::ColumnId column{};
  std::uint64_t bits = 0;
  std::string text{};
};

/// A row of a segment.
struct StoredRow {
  std::shared_ptr<SegmentSource> segment{};
  std::uint64_t row = 0;
  std::int64_t version = 0;
  bool has_cells = false;
  std::vector<StoredCell> cells{};
};

/// Reads version and, when it is `cells_of_version` (with `compares_higher` also when it is higher), values of
/// `row`. I/O errors and kDataLoss.
Result<StoredRow> ReadStoredRow(const std::shared_ptr<SegmentSource>& segment, std::uint64_t row,
                                std::int64_t cells_of_version, bool compares_higher);

/// One record's key, and what segments said of it.
struct KeyLookup {
  std::uint32_t series = 0;
  std::int64_t time_ns = 0;
  std::int64_t version = 0;      ///< of the record: a stored row of the same one is compared
  bool compares_higher = false;  ///< and one of a higher
  std::vector<const SegmentSource*> asked{};
  std::vector<StoredRow> rows{};
};

/// The lookups of one batch. Not thread-safe.
class BatchLookups {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Question {
    std::uint32_t key = 0;    ///< position in keys
    std::uint32_t place = 0;  ///< of the segment in the list looked through; addresses would order each run otherwise
    std::shared_ptr<SegmentSource> segment{};
  };

  /// By record: its series and its position in keys, or kNone. Empty when no record can be late.
  std::vector<std::uint32_t> series{};
  std::vector<std::uint32_t> key_of_record{};
  std::vector<KeyLookup> keys{};
  /// Still to be asked.
  std::vector<Question> questions{};
  /// Looked through so far, the newest last. Kept, so that `asked` names no segment by the address of another.
  std::vector<std::shared_ptr<const SourceList>> lists{};

  /// Asks all questions. On error the rest stays.
  Status Read(KeyProbe* probe);
  const KeyLookup* KeyOf(std::size_t record) const {
    return key_of_record.empty() || key_of_record[record] == kNone ? nullptr : &keys[key_of_record[record]];
  }
  std::uint32_t SeriesOf(std::size_t record) const { return series.empty() ? kNone : series[record]; }
};

}  // namespace tideline::engine
