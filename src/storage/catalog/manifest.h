// storage/catalog/manifest.h: the complete state of a lane's files, one immutable object per change.
//
// A manifest names every file that is alive, the log's floor, and for each table the number through
// which its outcomes are in files; it holds the catalog whole. It is written as the object
// "manifest/<20 digits>" with PutIfAbsent, so that of two writers one wins; the newest valid one counts.
// The one before is kept, with its log and files, as fallback. Layout: docs/file-format.md, "Manifest".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/sequence_number.h"
#include "base/status.h"
#include "base/uuid.h"
#include "storage/catalog/catalog.h"
#include "storage/catalog/ids.h"
#include "storage/objstore/object_store.h"
#include "storage/seal/sealer.h"

namespace tideline::catalog {

/// 2 added the tier of segments, how often their rows were written, the time, and dropped segments.
inline constexpr std::uint16_t kManifestFormat = 2;
inline constexpr std::string_view kManifestPrefix = "manifest/";

/// Where a segment lies: its key names an object of that store. The numbers are on disk.
enum class StoreTier : std::uint8_t {
  kMemory = 0,    ///< the data directory
  kMagnetic = 1,  ///< the magnetic store
};

/// One segment file.
struct SegmentEntry {
  std::string key;
  Uuid file_uuid;
  seal::KeyId key_id;
  std::uint64_t bytes = 0;
  Hash128 hash;
  std::int64_t window_start_ns = 0;
  std::int64_t window_length_ns = 0;
  std::uint64_t row_count = 0;
  std::uint64_t series_count = 0;
  std::int64_t time_ns_min = 0;
  std::int64_t time_ns_max = 0;
  std::string deletion_vector_key{};  ///< empty: no dead row
  StoreTier tier = StoreTier::kMemory;
  /// How often the row written most often has been written into a segment file, this one included.
  std::uint8_t write_count = 1;
  bool operator==(const SegmentEntry&) const = default;
};

/// One series file; those of a table in order hold all its series, a later one adding to the earlier.
struct SeriesFileEntry {
  std::string key;
  std::uint64_t bytes = 0;
  std::uint64_t entry_count = 0;  ///< series defined or touched in this file
  bool operator==(const SeriesFileEntry&) const = default;
};

/// A segment of a table as people ask for it.
struct LiveSegment {
  std::string database{};
  std::string table{};
  SegmentEntry entry{};
  std::uint64_t dead_rows = 0;
};

struct TableFiles {
  SequenceNumber through;  ///< outcomes up to here are in the files below
  std::vector<SeriesFileEntry> series_files{};
  std::vector<SegmentEntry> segments{};
  bool operator==(const TableFiles&) const = default;
};

/// Why a segment is no longer part of its table though its file is still there.
enum class DropReason : std::uint8_t {
  kExpired = 0,  ///< past retention
  kDeleted = 1,  ///< holds copies of the rows that one DELETE took away, for undo
};

/// A segment that queries no longer see and that `undelete` can bring back until its time is over.
struct DroppedSegment {
  TableId table{};
  std::int64_t dropped_ns = 0;  ///< wall time
  DropReason reason = DropReason::kExpired;
  Uuid delete_id{};  ///< of the statement; zeros unless kDeleted
  SegmentEntry segment{};
  bool operator==(const DroppedSegment&) const = default;
};

struct Manifest {
  std::uint64_t number = 0;
  Uuid database_uuid;
  std::uint32_t lane = 0;
  std::uint64_t epoch = 1;
  SequenceNumber floor;            ///< replay begins above it
  SequenceNumber catalog_through;  ///< catalog outcomes up to here are in `catalog_bytes`
  std::uint64_t next_table_id = 1;
  Bytes catalog_bytes{};  ///< Catalog::EncodeTo
  std::map<TableId, TableFiles> tables{};
  std::int64_t written_ns = 0;  ///< wall time at which it was written; 0: not known (format 1)
  std::vector<DroppedSegment> dropped{};
};

/// The scope of a table's data keys (seal::Sealer::CurrentKey): the database's uuid with the table's
/// id added into its last eight bytes. The lane's own scope, for log and manifest, is the uuid itself.
Uuid TableKeyScope(const Uuid& database_uuid, TableId table);

void EncodeManifest(const Manifest& manifest, Bytes* out);
/// Reads what this or an older version wrote as `format`. kDataLoss on anything else.
Result<Manifest> DecodeManifest(BytesView bytes, std::uint16_t format = kManifestFormat);

/// "manifest/00000000000000000007".
std::string ManifestKey(std::uint64_t number);
/// Whether `key` is that of some manifest, to the letter.
bool IsManifestKey(std::string_view key);

/// The newest manifest that can be read; number 0 when there is none. `skipped` counts newer ones that
/// are damaged. kDataLoss when manifests exist and none can be read.
struct LoadedManifest {
  Manifest manifest;
  std::size_t skipped = 0;
  std::uint64_t newest_number = 0;  ///< taken, damaged or not: the next one is above it
};
Result<LoadedManifest> LoadNewestManifest(objstore::ObjectStore& store, seal::Sealer& sealer);

/// One manifest by number. kNotFound; kDataLoss when damaged.
Result<Manifest> LoadManifest(objstore::ObjectStore& store, seal::Sealer& sealer,
                              std::uint64_t number);

/// Writes `manifest` under its number. kAborted when the number is taken.
Status StoreManifest(objstore::ObjectStore& store, seal::Sealer& sealer, const Uuid& key_scope,
                     const Uuid& file_uuid, const Manifest& manifest);

}  // namespace tideline::catalog
