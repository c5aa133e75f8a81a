// storage/engine/table.h: one open table: its series, its sources of rows, and the verdict on records.
//
// Everything that changes a table happens under its one lock: verdict, staging, the order of its outcomes in the
// log, and the exchange of sources after a flush or merge. Readers take a Snapshot: the published number and
// the list of sources at one instant, under a second, short lock.
//
// The list keeps its content when it changes: a buffer becomes a run, runs and buffers become files, files
// become one file, and whatever died in between is carried over by key (design.md, "Deletion vectors").
#pragma once

#include <bitset>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "storage/catalog/catalog.h"
#include "storage/catalog/manifest.h"
#include "storage/engine/engine_options.h"
#include "storage/engine/key_lookup.h"
#include "storage/engine/lane.h"
#include "storage/engine/outcome.h"
#include "storage/engine/segment_source.h"
#include "storage/engine/write_batch.h"
#include "storage/hot/buffer.h"
#include "storage/hot/series_index.h"

namespace tideline::engine {

/// What tables share; outlives them.
struct TableServices {
  catalog::Catalog* catalog = nullptr;
  Lane* lane = nullptr;
  const EngineOptions* options = nullptr;
  SegmentEnvironment environment;
  std::atomic<std::size_t>* hot_bytes = nullptr;     ///< of all tables
  std::atomic<std::size_t>* staged_bytes = nullptr;  ///< logged, not yet durable
  std::atomic<std::size_t>* series_bytes = nullptr;  ///< of all series indexes; measured by upkeep, estimated since
  std::atomic<std::size_t>* deletion_bytes = nullptr;  ///< of marks on rows of segments, as of the last upkeep
  std::function<void()> wake{};                      ///< there is something to maintain
};

/// Where a table's rows are. Immutable; a change makes a new one.
struct SourceList {
  std::vector<std::shared_ptr<hot::Buffer>> buffers{};      ///< the last one is active
  std::vector<std::shared_ptr<SegmentSource>> runs{};       ///< in memory, covered by the log
  std::vector<std::shared_ptr<SegmentSource>> segments{};   ///< files
};

/// A write on its way to the caller; deletes itself.
class PendingWrite final : public wal::WalCompletion {
 public:
  PendingWrite(TableServices& services, WriteCompletion* completion)
      : services_(services), completion_(completion) {}
  std::vector<RecordResult> results{};
  /// Bytes that count as staged until durable.
  std::size_t staged_bytes = 0;
  void OnDurable(const Status& status, SequenceNumber number) override;
  /// Answers now, when there is nothing to wait for.
  void Finish(const Status& status);

 private:
  TableServices& services_;
  WriteCompletion* completion_;
};

/// Keeps a number registered as long as a snapshot uses it.
class SnapshotRegistry {
 public:
  void Add(std::uint64_t number);
  void Remove(std::uint64_t number);
  /// The least registered number, or `otherwise`.
  std::uint64_t Oldest(std::uint64_t otherwise) const;

 private:
  mutable Mutex mutex_;
  std::multiset<std::uint64_t> numbers_ TL_GUARDED_BY(mutex_);
};

/// What one checkpoint takes from a table.
struct CheckpointInput {
  catalog::TableSchemaPtr schema;
  /// All outcomes of the table through this number are in `sources`, the files or the index.
  SequenceNumber through;
  SourceList sources;
  std::uint32_t series_count = 0;
};

/// Rows that a DELETE takes away.
struct DeletedRows {
  std::vector<hot::BufferRow> in_buffers{};
  std::vector<std::pair<std::shared_ptr<SegmentSource>, Bitmap>> in_segments{};
  std::uint64_t count() const;
};

class Table {
 public:
  Table(TableServices& services, catalog::TableSchemaPtr schema);

  catalog::TableId id() const { return id_; }
  const hot::SeriesIndex& index() const { return index_; }
  SnapshotRegistry& snapshots() { return snapshots_; }
  /// The least number that an open snapshot has or one being opened can get. Under the lock of OpenView, which
  /// reads the published number and registers it in one step.
  std::uint64_t OldestSnapshot() const;
  TableServices& services() { return services_; }

  // ---- writing ------------------------------------------------------------------------------------
  /// Most log bytes a batch can take.
  static std::size_t PayloadBytesMax(std::span<const RecordView> records);
  /// Records that go into one log record, and the room reserved for it.
  struct Part {
    std::span<const RecordView> records{};
    wal::WalReservation reservation{};
  };
  /// Takes the verdicts, stages and logs: all records or, on error, none. Reads segments for late records with no
  /// lock held. kNotFound: the table was dropped; kResourceExhausted: a gate; I/O errors and kDataLoss of a lookup.
  /// `pending` then stays the caller's, else it is given away.
  Status Write(std::span<Part> parts, std::unique_ptr<PendingWrite>& pending);
  /// Replays one write record. kDataLoss when it does not fit the table. Rows in a store that does not answer are not
  /// looked for: their segments owe their marks (owed_marks.h).
  Status Replay(SequenceNumber number, BytesView payload);
  /// Logs a delete and marks its rows dead from its number on; those that died meanwhile keep theirs. Sources may not
  /// be exchanged since the rows were found (the engine's maintenance lock). kNotFound: the table was dropped.
  Result<SequenceNumber> Delete(wal::WalReservation& space, BytesView payload,
                                const DeletedRows& rows);
  /// Rows that Replay brought.
  std::uint64_t replayed_rows() const;
  /// Replays a delete.
  Status ReplayDelete(SequenceNumber number, BytesView payload);
  /// Changes properties under the lock; `change` returns the new state or an error.
  Result<catalog::TableSchemaPtr> UpdateSchema(
      const std::function<Status(catalog::TableSchema*)>& change,
      const std::function<Status(const catalog::TableSchema&)>& log);
  /// No write is accepted any more.
  void Drop();

  // ---- reading ------------------------------------------------------------------------------------
  struct View {
    std::shared_ptr<const SourceList> sources;
    std::uint64_t number = 0;
  };
  /// The number is registered; the caller removes it.
  View OpenView();
  std::shared_ptr<const SourceList> sources() const;

  // ---- maintenance: one thread at a time (the engine's maintenance lock) -----------------------------
  /// Installs what the manifest says, before replay.
  void Install(const catalog::TableFiles& files,
               std::vector<std::shared_ptr<SegmentSource>> segments);
  hot::SeriesIndex& writable_index() { return index_; }
  /// After series files are read: gives the index what the schema has.
  void PrepareIndex();
  /// True when there are outcomes behind what files hold.
  bool IsDirty() const;
  const catalog::TableFiles files() const;
  /// Closes the active buffer and says what is to be written.
  CheckpointInput BeginCheckpoint();
  /// Closed buffers whose outcomes all lie at or below `number`, which is published.
  std::vector<std::shared_ptr<hot::Buffer>> ClosedBuffers(std::uint64_t number) const;
  /// Closes the active buffer when it is full (replay).
  bool RotateIfFull();
  /// Puts `added` in place of the sources named, whose rows dead at `number` were left out; carries marks made since
  /// over to `added` by key, without the lock as long as writers let it. On error nothing changed.
  Status Exchange(const SourceList& removed, std::span<const std::shared_ptr<SegmentSource>> added,
                  std::uint64_t number);
  /// Marks rows of `added` that died in segments of `removed` after `number`, as Exchange will; what dies meanwhile is
  /// left to it.
  Status CarryMarks(const SourceList& removed, std::span<const std::shared_ptr<SegmentSource>> added,
                    std::uint64_t number);
  /// Notes what the manifest now says.
  void SetFiles(catalog::TableFiles files);
  /// Forgets that files hold outcomes above `last`, for the log has lost them and will give the numbers again.
  void LowerThrough(SequenceNumber last);
  /// Latest times of the given series.
  std::vector<std::int64_t> HighWaters(std::span<const std::uint32_t> series);
  void SetHighWater(std::uint32_t series, std::int64_t time_ns);

 private:
  friend class ReplayVisitor;
  struct ColumnRef {
    ColumnId id{};
    ColumnKind kind = ColumnKind::kDimension;
    MeasureType type = MeasureType::kVarchar;
    std::uint32_t slot = 0;  ///< of a dimension
  };
  struct Attribute {
    std::string name{};
    MeasureType type = MeasureType::kDouble;
    ColumnId id{};
    hot::SheetColumn* cells = nullptr;
  };
  /// What the writer keeps of a measure name: its sheet, and the attributes of its last record.
  struct MeasureState {
    MeasureType type = MeasureType::kDouble;
    hot::Buffer* buffer = nullptr;  ///< to which sheet and cells belong
    hot::Sheet* sheet = nullptr;
    std::vector<Attribute> attributes{};
    std::vector<ShapeColumn> shape{};
    std::bitset<catalog::kDimensionsMax> dimensions{};
  };
  struct CachedDimension {
    std::string name{};
    std::uint32_t slot = 0;
    // Of the record before, in this batch:
    std::string_view name_view{};
    std::string_view value{};
    std::uint64_t hash = 0;
    bool is_hashed = false;
  };
  struct Existing {
    enum class Place { kNone, kBuffer, kSegment };
    Place place = Place::kNone;
    hot::BufferRow row{};
    std::shared_ptr<SegmentSource> segment{};
    std::uint64_t segment_row = 0;
    std::int64_t version = 0;
    const StoredRow* stored = nullptr;  ///< of a row of a segment that was looked up
  };
  struct Mark {
    hot::BufferRow row{};
    std::shared_ptr<SegmentSource> segment{};
    std::uint64_t segment_row = 0;
  };
  static constexpr std::uint32_t kNewMeasure = UINT32_MAX;
  static constexpr std::uint32_t kNewSlot = UINT32_MAX;
  static constexpr ColumnId kNoColumn{UINT32_MAX};
  /// Lookups of one batch before they go on under the lock, and likewise of the marks of one exchange: enough for
  /// any disk that keeps up, and an end for one that does not.
  static constexpr int kUnlockedRoundsMax = 8;

  /// Whether `record` takes the place of a row with its key; if not, `result` says what it is.
  bool JudgeExisting(const Existing& existing, const RecordView& record, RecordResult* result);
  bool IsOfThisBatch(const Existing& existing) const;
  // Steps of one record; false when the record is refused and `result` says why.
  bool ResolveMeasure(const RecordView& record, RecordResult* result);
  bool ResolveAttributes(const RecordView& record, RecordResult* result);
  bool ResolveDimensions(const RecordView& record, RecordResult* result);
  bool CheckNewNames(const RecordView& record, RecordResult* result);
  void HashDimensions();
  void FindSeries();
  /// What the next record of the batch is compared with.
  void RememberSeries(std::optional<SeriesId> series);
  void StageRecord(const RecordView& record, std::uint32_t known_series, const KeyLookup* lookup,
                   RecordResult* result);
  void Widen(const RecordView& record);
  void StageRow(const RecordView& record, bool replaces);
  /// Leaves `pending` to the caller when nothing is logged that answers it; the number to wait for.
  Result<std::uint64_t> StageAndLog(std::span<Part> parts, std::unique_ptr<PendingWrite>& pending);
  std::uint64_t StageParts(std::span<Part> parts, const BatchLookups& lookups,
                           std::unique_ptr<PendingWrite>& pending);
  /// Notes which segments must be asked before the batch can be staged; none: it can.
  Status PrepareLookups(std::span<const Part> parts, BatchLookups* lookups);
  void AskSegments(const RecordView& record, std::size_t position, const SourceList& list,
                   BatchLookups* lookups);
  Status CheckMarksBudget(std::span<const Part> parts, const BatchLookups& lookups) const;
  Status ReadLookups(BatchLookups* lookups);
  void Charge(std::size_t payload_bytes);
  void ForgetRecordBefore();
  void StageAll(std::span<const RecordView> records, std::size_t first_position, const BatchLookups& lookups,
                std::vector<RecordResult>* results);

  // Replay of the parts of a write record.
  Status ReplayDimension(ColumnId column, std::string_view name);
  Status ReplayValueColumn(ColumnId column, ColumnKind kind, MeasureType type,
                           std::string_view name);
  Status ReplayMeasure(std::uint32_t ordinal, MeasureType type, std::string_view name);
  Status ReplaySeries(SeriesId series, std::uint32_t measure, std::span<const hot::KeyPart> parts);
  Status ReplayRow(SeriesId series, std::int64_t time_ns, std::int64_t version, bool replaces,
                   std::span<const ShapeColumn> columns, std::span<const Cell> cells);

  std::uint32_t DefineDimension(ColumnId column, std::string_view name);
  void DefineValueColumn(ColumnId column, std::string_view name, ColumnKind kind, MeasureType type);
  std::uint32_t DefineMeasure(std::string_view name, MeasureType type);
  const ColumnRef* FindName(std::string_view name) const;
  void NoteSeriesDimensions(std::uint32_t measure, std::span<const hot::KeyPart> parts);
  void AddColumnRef(const catalog::Column& column, std::uint32_t slot);
  catalog::TableSchema& Draft();
  void PublishDraft();

  std::optional<Existing> FindInBuffers(SeriesId series, std::int64_t time_ns) const;
  Existing FindExisting(SeriesId series, std::int64_t time_ns, const KeyLookup* lookup) const;
  /// Of replay: reads segments at once.
  /// `out_of_reach` gets the segments that may hold the key and whose store does not answer.
  Result<Existing> ReadExisting(SeriesId series, std::int64_t time_ns,
                                std::vector<std::shared_ptr<SegmentSource>>* out_of_reach);
  bool SameValues(const Existing& existing, const RecordView& record) const;
  void AddMark(const Existing& existing);
  void PrepareSheet(MeasureState* measure, std::uint32_t ordinal);
  void Touch(hot::Sheet* sheet);
  void CommitStaged(std::uint64_t number);
  void Rotate();
  void ReplaceList(std::shared_ptr<const SourceList> list);
  void PutInPlace(const SourceList& removed, std::span<const std::shared_ptr<SegmentSource>> added);

  TableServices& services_;
  const catalog::TableId id_;
  hot::SeriesIndex index_;
  SnapshotRegistry snapshots_;

  mutable Mutex mutex_;
  // Guarded by mutex_, all of them: the writer's state.
  bool dropped_ = false;
  catalog::TableSchemaPtr schema_;
  std::shared_ptr<catalog::TableSchema> draft_;
  hot::Dictionary column_names_;
  std::vector<ColumnRef> column_refs_;  ///< by code in column_names_
  std::vector<std::optional<MeasureType>> value_types_;  ///< by column id, of value columns
  std::optional<ColumnId> single_columns_[catalog::kMeasureTypeCount];
  std::vector<MeasureState> measures_;
  std::size_t attribute_count_ = 0;
  hot::Buffer* active_ = nullptr;
  catalog::TableFiles files_;
  std::uint64_t last_number_ = 0;  ///< of the table's newest outcome
  std::uint64_t number_before_batch_ = 0;  ///< last_number_ when the batch being staged began
  std::int64_t newest_stored_ns_ = INT64_MIN;  ///< of all rows of runs and segments
  KeyProbe replay_probe_;
  std::uint64_t replayed_number_ = 0;  ///< of the outcome being replayed
  std::uint64_t replayed_rows_ = 0;
  bool store_is_out_ = false;          ///< replay met a store that does not answer, and asks it no more

  // One batch being staged.
  OutcomeWriter writer_;
  std::vector<hot::Sheet*> touched_;
  std::vector<Mark> marks_;
  std::uint64_t wait_for_ = 0;  ///< newest number that an equal record repeats
  std::uint32_t rows_staged_ = 0;

  // One record being staged.
  std::vector<CachedDimension> dimension_cache_;
  std::vector<hot::KeyPart> parts_;
  std::size_t cached_dimensions_ = 0;  ///< elements of the caches that describe the record before
  std::uint64_t dimensions_hash_ = 0;
  bool dimensions_hashed_ = false;  ///< dimensions_hash_ and the hashes of parts_ are this record's
  bool same_dimensions_ = false;
  std::size_t new_dimensions_ = 0;
  std::uint32_t measure_ = 0;
  std::uint32_t last_measure_ = kNewMeasure;
  std::string_view last_measure_name_;            ///< of a measure that exists, else without data
  std::uint32_t last_named_measure_ = 0;
  std::span<const MeasureView> last_measures_;    ///< with the shape that last_shaped_measure_ now has
  std::uint32_t last_shaped_measure_ = kNewMeasure;
  std::optional<SeriesId> last_series_;
  std::optional<SeriesId> series_;
  std::uint64_t key_hash_ = 0;
  bool same_shape_ = false;
  std::vector<ShapeColumn> resolved_;  ///< of the record's measures, kNoColumn where new
  std::size_t new_attributes_ = 0;

  /// Of the last lookup: the next one often meets the same stripe.
  Mutex probe_mutex_;
  std::unique_ptr<KeyProbe> idle_probe_ TL_GUARDED_BY(probe_mutex_);

  mutable Mutex list_mutex_;
  std::shared_ptr<const SourceList> list_ TL_GUARDED_BY(list_mutex_);
};

}  // namespace tideline::engine
