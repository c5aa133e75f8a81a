#include "storage/engine/verify.h"

#include <algorithm>
#include <bit>
#include <map>

#include "storage/catalog/sealed_object.h"
#include "storage/engine/engine_impl.h"
#include "storage/engine/series_file.h"
#include "storage/objstore/read_only_directory.h"
#include "storage/segment/segment_reader.h"
#include "storage/wal/log_file.h"

namespace tideline::engine {
namespace {

/// Rows decoded at once.
constexpr std::size_t kRowsAtOnce = 4'096;

// Checks the segments of one table.
class TableVerifier {
 public:
  TableVerifier(const VerifyTarget& target, const catalog::TableSchema& schema, VerifyReport* report)
      : target_(target), schema_(schema), report_(report) {}

  void Check(const catalog::TableFiles& files, const std::vector<catalog::SegmentEntry>& dropped) {
    LoadSeries(files);
    for (const catalog::SegmentEntry& entry : files.segments) CheckOne(entry, true);
    for (const catalog::SegmentEntry& entry : dropped) CheckOne(entry, false);
    CheckKeys();
  }

 private:
  void LoadSeries(const catalog::TableFiles& files) {
    for (std::uint32_t slot = 0; slot < schema_.dimensions.size(); ++slot) index_.AddSlot(slot);
    for (std::uint32_t i = 0; i < schema_.measures.size(); ++i) {
      index_.AddMeasure(i, schema_.measures[i]->name);
    }
    SeriesProgress progress;
    for (const catalog::SeriesFileEntry& entry : files.series_files) {
      const Status status = LoadSeriesFileOf(entry, &progress);
      if (!status.ok()) Tell(entry.key, status);
    }
  }

  Status LoadSeriesFileOf(const catalog::SeriesFileEntry& entry, SeriesProgress* progress) {
    const Bytes stored = TL_TRY(target_.environment.store->GetWhole(entry.key, catalog::kObjectBytesMax));
    ++report_->other_files;
    report_->bytes += stored.size();
    if (stored.size() != entry.bytes) {
      return DataLoss("has {} bytes, the manifest says {}", stored.size(), entry.bytes);
    }
    const auto object = TL_TRY(catalog::OpenObject(*target_.sealer, seal::FileType::kSeriesFile,
                                                   kSeriesFileFormat, stored));
    return LoadSeriesFile(object.plain, &index_, progress);
  }

  void CheckOne(const catalog::SegmentEntry& entry, bool is_live) {
    const Status status = CheckSegment(entry, is_live);
    if (!status.ok()) Tell(entry.key, status);
  }

  Status CheckSegment(const catalog::SegmentEntry& entry, bool is_live) {
    DeadRows rows;
    Bitmap& dead = rows.dead;
    if (!entry.deletion_vector_key.empty()) {
      Result<DeadRows> loaded = LoadDead(entry);
      if (!loaded.ok()) return Annotate(loaded.status(), entry.deletion_vector_key);
      rows = *std::move(loaded);
      if (dead.NextAtOrAbove(entry.row_count, UINT64_MAX) != UINT64_MAX) {
        return DataLoss("its deletion vector names rows beyond its {}", entry.row_count);
      }
    }
    const auto source =
        std::make_shared<SegmentSource>(target_.environment, entry, std::move(dead));
    TL_TRY(source->Owe(std::move(rows.owed)));
    const auto reader = TL_TRY(source->reader());
    const Hash128 hash = TL_TRY(reader->Scrub());
    if (hash != entry.hash) return DataLoss("its bytes have another hash than the manifest says");
    TL_TRY(CheckSummary(entry, reader->summary()));
    const auto series = TL_TRY(reader->series_table());
    for (std::size_t i = 0; i < series->size(); ++i) {
      if (series->id(i) >= index_.series_count() && is_live) {
        return DataLoss("its series {} is in no series file", series->id(i));
      }
    }
    for (std::size_t i = 0; i < reader->stripe_count(); ++i) {
      const segment::Stripe stripe = TL_TRY(reader->OpenStripe(i));
      TL_TRY(CheckStripe(*series, stripe));
    }
    ++report_->segments;
    report_->bytes += entry.bytes;
    report_->rows += entry.row_count;
    if (is_live) live_.push_back(source);
    return OkStatus();
  }

  Result<DeadRows> LoadDead(const catalog::SegmentEntry& entry) {
    const Bytes stored =
        TL_TRY(target_.environment.store->GetWhole(entry.deletion_vector_key, catalog::kObjectBytesMax));
    ++report_->other_files;
    report_->bytes += stored.size();
    const auto object = TL_TRY(catalog::OpenObject(*target_.sealer, seal::FileType::kDeletionVector,
                                                   kOwingVectorFormat, stored));
    return DecodeDeadRows(object.plain, object.identity.format_version);
  }

  Status CheckSummary(const catalog::SegmentEntry& entry, const segment::SegmentSummary& summary) {
    if (summary.table_id != schema_.id.value) {
      return DataLoss("is of table {}, the manifest says {}", summary.table_id, schema_.id.value);
    }
    if (summary.series_count != entry.series_count || summary.time_ns_min != entry.time_ns_min ||
        summary.time_ns_max != entry.time_ns_max ||
        summary.window_start_ns != entry.window_start_ns ||
        summary.window_length_ns != entry.window_length_ns) {
      return DataLoss("its series, times or window are not what the manifest says");
    }
    return OkStatus();
  }

  Status CheckStripe(const segment::SeriesTable& series, const segment::Stripe& stripe) {
    const std::size_t rows = stripe.row_count();
    std::vector<std::int64_t> times(rows);
    const segment::ColumnBlock time_block = TL_TRY(stripe.OpenTimes());
    TL_TRY(time_block.ReadInt64(0, times));
    for (const segment::SeriesRun& run : stripe.series_runs()) {
      for (std::uint32_t i = 0; i < run.row_count; ++i) {
        const std::int64_t time = times[run.first_row + i];
        if (i > 0 && time <= times[run.first_row + i - 1]) {
          return DataLoss("times of series {} do not ascend", series.id(run.series));
        }
        if (time < series.time_ns_min(run.series) || time > series.time_ns_max(run.series)) {
          return DataLoss("series {} has a time outside its bounds", series.id(run.series));
        }
      }
    }
    for (const segment::BlockInfo& info : stripe.blocks()) {
      const segment::ColumnBlock block = TL_TRY(stripe.OpenColumn(info.column));
      const std::uint64_t nulls = TL_TRY(CountNulls(info, block));
      if (nulls != info.zone.null_count || info.zone.row_count != rows) {
        return DataLoss("column {} has {} NULLs in a stripe, its zone map says {}", info.column, nulls,
                        info.zone.null_count);
      }
    }
    return OkStatus();
  }

  // Decodes every value of a block.
  Result<std::uint64_t> CountNulls(const segment::BlockInfo& info, const segment::ColumnBlock& block) {
    std::uint64_t valid = 0;
    for (std::size_t first = 0; first < block.row_count(); first += kRowsAtOnce) {
      const std::size_t count = std::min(kRowsAtOnce, block.row_count() - first);
      std::vector<std::uint64_t> validity((count + 63) / 64);
      switch (info.type) {
        case segment::ColumnType::kDouble: {
          std::vector<double> values(count);
          TL_TRY(block.ReadDouble(first, values, validity));
          break;
        }
        case segment::ColumnType::kBoolean: {
          std::vector<std::uint8_t> values(count);
          TL_TRY(block.ReadBool(first, values, validity));
          break;
        }
        case segment::ColumnType::kVarchar: {
          std::vector<std::string_view> values(count);
          TL_TRY(block.ReadString(first, values, validity));
          break;
        }
        case segment::ColumnType::kBigint:
        case segment::ColumnType::kTimestamp: {
          std::vector<std::int64_t> values(count);
          TL_TRY(block.ReadInt64(first, values, validity));
          break;
        }
      }
      for (const std::uint64_t word : validity) valid += static_cast<std::uint64_t>(std::popcount(word));
    }
    return block.row_count() - valid;
  }

  // No key may be alive in two segments. Series by series, so that memory holds the times of one.
  void CheckKeys() {
    struct Part {
      const SegmentSource* source;
      std::uint64_t first;
      std::uint64_t count;
    };
    std::map<std::uint64_t, std::vector<Part>> parts;
    for (const auto& source : live_) {
      const auto series = SeriesOf(*source);
      if (series == nullptr) continue;
      for (std::size_t i = 0; i < series->size(); ++i) {
        if (series->row_count(i) == 0) continue;
        parts[series->id(i)].push_back({source.get(), series->first_row(i), series->row_count(i)});
      }
    }
    for (const auto& [series, pieces] : parts) {
      if (pieces.size() < 2) continue;
      std::vector<std::int64_t> times;
      for (const Part& part : pieces) {
        const Status read = AppendLiving(*part.source, part.first, part.count, &times);
        if (!read.ok()) Tell(part.source->entry().key, read);
      }
      std::sort(times.begin(), times.end());
      if (std::adjacent_find(times.begin(), times.end()) != times.end()) {
        report_->Tell(fmt::format("table {}.{}: series {} has a row twice", schema_.database,
                                  schema_.table, series));
      }
    }
  }

  static std::shared_ptr<const segment::SeriesTable> SeriesOf(const SegmentSource& source) {
    const auto reader = source.reader();
    if (!reader.ok()) return nullptr;
    const auto series = (*reader)->series_table();
    return series.ok() ? *series : nullptr;
  }

  static Status AppendLiving(const SegmentSource& source, std::uint64_t first, std::uint64_t count,
                             std::vector<std::int64_t>* times) {
    const auto reader = TL_TRY(source.reader());
    const auto dead = source.deletions().At(UINT64_MAX);
    const std::uint64_t end = first + count;
    while (first < end) {
      const std::size_t stripe = reader->FindStripe(first);
      const segment::StripeSummary& summary = reader->stripes()[stripe];
      const std::uint64_t last = std::min(end, summary.first_row + summary.row_count);
      std::vector<std::int64_t> piece(last - first);
      TL_TRY(reader->ReadTimes(stripe, first - summary.first_row, piece));
      for (std::size_t i = 0; i < piece.size(); ++i) {
        const bool is_dead = dead != nullptr && dead->Contains(static_cast<std::uint32_t>(first + i));
        if (!is_dead) times->push_back(piece[i]);
      }
      first = last;
    }
    return OkStatus();
  }

  void Tell(const std::string& key, const Status& status) {
    if (target_.still_named && !target_.still_named(key)) {
      return;  // merged or expired meanwhile
    }
    report_->Tell(fmt::format("{} (table {}.{}): {}", key, schema_.database, schema_.table,
                              MessageOf(status)));
  }

  const VerifyTarget& target_;
  const catalog::TableSchema& schema_;
  VerifyReport* const report_;
  hot::SeriesIndex index_;
  std::vector<std::shared_ptr<SegmentSource>> live_;
};

Status VerifyLogFile(fs::FileSystem& fs, const wal::WalOptions& options, const std::string& path,
                     bool is_last, VerifyReport* report) {
  wal::LogFileImage image = TL_TRY(wal::LogFileImage::Load(fs, options, path));
  std::uint64_t offset = wal::kFileHeaderBytes;
  while (const auto frame = image.FrameAt(offset)) {
    if (frame->header.type == wal::FrameType::kData) {
      Bytes scratch;
      const BytesView sealed = TL_TRY(image.Decrypt(*frame));
      const BytesView plain = TL_TRY(wal::UnpackPayload(frame->header, sealed, &scratch));
      TL_TRY(wal::VisitRecords(frame->header, plain, SequenceNumber{0},
                               [&](SequenceNumber, std::uint16_t, BytesView) {
                                 ++report->log_records;
                                 return OkStatus();
                               }));
    }
    offset = frame->end();
  }
  report->bytes += offset;
  // What follows the last whole frame is zeros, or, in the file written last, a frame that was never promised.
  if (is_last || image.SkipZeros(offset) == image.size()) return OkStatus();
  return DataLoss("a frame at {} is damaged", offset);
}

}  // namespace

void VerifyReport::Tell(std::string problem) {
  ++problem_count;
  if (problems.size() < kProblemsToldMax) problems.push_back(std::move(problem));
}

std::string VerifyReport::Text() const {
  std::string text;
  for (const std::string& problem : problems) text += "problem: " + problem + "\n";
  if (problem_count > problems.size()) {
    text += fmt::format("and {} more problems\n", problem_count - problems.size());
  }
  text += fmt::format(
      "manifest {}: {} segments with {} rows, {} other files, {} bytes, {} log records: {}\n", manifest,
      segments, rows, other_files, bytes, log_records,
      problem_count == 0 ? std::string("no problem") : fmt::format("{} problems", problem_count));
  return text;
}

void VerifyManifest(const VerifyTarget& target, const catalog::Manifest& manifest,
                    VerifyReport* report) {
  report->manifest = manifest.number;
  ++report->other_files;
  catalog::Catalog catalog;
  ByteReader in(manifest.catalog_bytes);
  const Status decoded = catalog.DecodeFrom(&in);
  if (!decoded.ok()) {
    report->Tell(fmt::format("the catalog of manifest {}: {}", manifest.number, MessageOf(decoded)));
    return;
  }
  const auto schemas = catalog.ListAllTables("", "", SIZE_MAX);
  for (const auto& [id, files] : manifest.tables) {
    if (files.through < manifest.floor) {
      report->Tell(fmt::format("table {} is stored through {}, below the log's floor {}", id.value,
                               files.through.value, manifest.floor.value));
    }
    const auto schema = std::find_if(schemas.begin(), schemas.end(),
                                     [&table = id](const auto& each) { return each->id == table; });
    if (schema == schemas.end()) {
      report->Tell(fmt::format("table {} has files and is not in the catalog", id.value));
      continue;
    }
    std::vector<catalog::SegmentEntry> dropped;
    for (const catalog::DroppedSegment& each : manifest.dropped) {
      if (each.table == id) dropped.push_back(each.segment);
    }
    TableVerifier(target, **schema, report).Check(files, dropped);
  }
}

void VerifyLog(fs::FileSystem& fs, const std::string& directory, const Uuid& database_uuid,
               seal::Sealer& sealer, VerifyReport* report) {
  const auto listed = fs.List(directory);
  if (!listed.ok()) {
    if (CodeOf(listed.status()) != ErrorCode::kNotFound) {
      report->Tell(fmt::format("{}: {}", directory, MessageOf(listed.status())));
    }
    return;
  }
  std::vector<std::string> names;
  for (const fs::DirectoryEntry& entry : *listed) {
    const bool is_log = !entry.name.empty() && std::all_of(entry.name.begin(), entry.name.end(), [](char c) {
      return c >= '0' && c <= '9';
    });
    if (is_log) names.push_back(entry.name);
  }
  wal::WalOptions options;
  options.database_uuid = database_uuid;
  options.key_scope = database_uuid;
  options.sealer = &sealer;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string path = directory + "/" + names[i];
    ++report->other_files;
    const Status status = VerifyLogFile(fs, options, path, i + 1 == names.size(), report);
    if (status.ok() || CodeOf(status) == ErrorCode::kNotFound) continue;
    report->Tell(fmt::format("{}: {}", path, MessageOf(status)));
  }
}

Result<VerifyReport> VerifyDirectory(fs::FileSystem& fs, const std::string& data_dir,
                                     seal::Sealer& sealer, objstore::ObjectStore* magnetic) {
  const auto store = objstore::OpenReadOnlyDirectory(fs, data_dir);
  const auto loaded = TL_TRY(catalog::LoadNewestManifest(*store, sealer));
  if (loaded.manifest.number == 0) return NotFound("{} has no manifest", data_dir);
  VerifyReport report;
  if (loaded.skipped != 0) {
    report.Tell(fmt::format("{} manifests newer than {} are damaged", loaded.skipped,
                            loaded.manifest.number));
  }
  VerifyTarget target;
  target.environment = {.store = store.get(),
                        .magnetic = magnetic == nullptr ? store.get() : magnetic,
                        .sealer = &sealer};
  target.sealer = &sealer;
  target.still_named = [&](const std::string& key) {
    const auto newest = catalog::LoadNewestManifest(*store, sealer);
    if (!newest.ok() || newest->manifest.number == loaded.manifest.number) return true;
    return EngineImpl::NamedFiles(newest->manifest).contains(key);
  };
  VerifyManifest(target, loaded.manifest, &report);
  VerifyLog(fs, data_dir + "/wal", loaded.manifest.database_uuid, sealer, &report);
  return report;
}

Result<VerifyReport> EngineImpl::Verify() {
  VerifyReport report;
  catalog::Manifest manifest;
  std::vector<std::shared_ptr<const SourceList>> pinned;  // their files stay as long as they live
  {
    MutexLock lock(maintenance_mutex_);
    manifest = manifest_;
    for (const auto& table : AllTables()) pinned.push_back(table->sources());
  }
  VerifyTarget target;
  target.environment = services_.environment;
  target.environment.cache = nullptr;
  target.sealer = options_.sealer;
  target.still_named = [this](const std::string& key) {
    MutexLock lock(maintenance_mutex_);
    return NamedFiles(manifest_).contains(key);
  };
  VerifyManifest(target, manifest, &report);
  VerifyLog(*options_.file_system, options_.data_dir + "/wal", manifest.database_uuid,
            *options_.sealer, &report);
  return report;
}

}  // namespace tideline::engine
