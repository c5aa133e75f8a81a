#include "storage/engine/inspect.h"

#include <algorithm>

#include "storage/catalog/manifest.h"
#include "storage/catalog/sealed_object.h"
#include "storage/engine/outcome.h"
#include "storage/engine/segment_source.h"
#include "storage/engine/series_file.h"
#include "storage/segment/page_file.h"
#include "storage/segment/segment_reader.h"
#include "storage/wal/log_file.h"

namespace tideline::engine {
namespace {

constexpr std::uint64_t kInspectBytesMax = std::uint64_t{1} << 30;
constexpr std::size_t kStripesShownMax = 1000;

/// Reads ranges of an open file.
class FileRangeReader final : public segment::RangeReader {
 public:
  explicit FileRangeReader(std::unique_ptr<fs::File> file) : file_(std::move(file)) {}
  Status Read(std::uint64_t offset, std::span<std::byte> out) override {
    const std::size_t count = TL_TRY(file_->ReadAt(offset, out));
    return count == out.size() ? OkStatus() : DataLoss("the file ends at {}", offset + count);
  }

 private:
  std::unique_ptr<fs::File> file_;
};

/// False for a sealer without keys; errors of one that has some show when the file is opened.
bool HasKey(seal::Sealer& sealer, const seal::FileIdentity& identity) {
  const auto file = sealer.ForFile(identity);
  if (!file.ok()) return true;
  Bytes probe((*file)->cipher_bytes());
  return CodeOf((*file)->Decrypt(UINT64_MAX, probe).status()) != ErrorCode::kPermissionDenied;
}

std::string TimeText(std::int64_t ns) { return FormatIso8601(TimestampNs{ns}, 9); }

std::string ManifestText(const catalog::Manifest& manifest) {
  std::string text = fmt::format(
      "manifest {}\n  database {}\n  lane {}, epoch {}\n  log floor {}, catalog through {}\n",
      manifest.number, FormatUuid(manifest.database_uuid), manifest.lane, manifest.epoch,
      manifest.floor.value, manifest.catalog_through.value);
  catalog::Catalog catalog;
  ByteReader in(manifest.catalog_bytes);
  const Status decoded = catalog.DecodeFrom(&in);
  if (!decoded.ok()) text += fmt::format("  catalog: {}\n", MessageOf(decoded));
  for (const auto& database : catalog.ListDatabases("", SIZE_MAX)) {
    text += fmt::format("  database \"{}\"\n", database->name);
  }
  for (const auto& schema : catalog.ListAllTables("", "", SIZE_MAX)) {
    text += fmt::format("  table {} \"{}\".\"{}\": {} dimensions, {} measure names, {} value columns\n",
                        schema->id.value, schema->database, schema->table,
                        schema->dimensions.size(), schema->measures.size(), schema->values.size());
  }
  for (const auto& [id, files] : manifest.tables) {
    text += fmt::format("  files of table {} through {}\n", id.value, files.through.value);
    for (const auto& file : files.series_files) {
      text += fmt::format("    {} {} bytes, {} entries\n", file.key, file.bytes, file.entry_count);
    }
    for (const auto& segment : files.segments) {
      text += fmt::format("    {} {} bytes, {} rows, {} series, {} to {}, window of {} h, {} store, written {} times{}\n",
                          segment.key, segment.bytes, segment.row_count, segment.series_count,
                          TimeText(segment.time_ns_min), TimeText(segment.time_ns_max),
                          segment.window_length_ns / kNsPerHour,
                          segment.tier == catalog::StoreTier::kMemory ? "memory" : "magnetic",
                          segment.write_count,
                          segment.deletion_vector_key.empty()
                              ? std::string()
                              : ", dead rows in " + segment.deletion_vector_key);
    }
  }
  for (const catalog::DroppedSegment& dropped : manifest.dropped) {
    text += fmt::format("  dropped from table {} at {} ({}): {} {} rows, {} to {}\n",
                        dropped.table.value, TimeText(dropped.dropped_ns),
                        dropped.reason == catalog::DropReason::kExpired
                            ? std::string("expired")
                            : "delete " + FormatUuid(dropped.delete_id),
                        dropped.segment.key, dropped.segment.row_count,
                        TimeText(dropped.segment.time_ns_min), TimeText(dropped.segment.time_ns_max));
  }
  return text;
}

Result<std::string> ObjectText(seal::Sealer& sealer, const seal::FileIdentity& identity,
                               BytesView stored) {
  const seal::FileType type = identity.type;
  TL_TRY(catalog::CheckObject(stored));
  if (!identity.key_id.is_nil() && !HasKey(sealer, identity)) {
    return fmt::format("file {} type {} format {}\n  {} bytes, encrypted under data key {}: every checksum holds\n",
                       FormatUuid(identity.file_uuid), static_cast<int>(type),
                       identity.format_version, stored.size(), FormatUuid(identity.key_id));
  }
  const catalog::SealedObject object =
      TL_TRY(catalog::OpenObject(sealer, type, UINT16_MAX, stored));
  const std::string head = fmt::format("file {} format {}\n", FormatUuid(object.identity.file_uuid),
                                       object.identity.format_version);
  switch (type) {
    case seal::FileType::kManifest:
      return head + ManifestText(TL_TRY(catalog::DecodeManifest(
                        object.plain, object.identity.format_version)));
    case seal::FileType::kDeletionVector: {
      const DeadRows rows = TL_TRY(DecodeDeadRows(object.plain, object.identity.format_version));
      std::string text = head + fmt::format("deletion vector: {} dead rows\n", rows.dead.count());
      if (rows.owed.count() != 0) {
        text += fmt::format("  and yet to be looked up: {} replaced keys, {} deletes\n", rows.owed.keys.size(),
                            rows.owed.deletes.size());
      }
      return text;
    }
    case seal::FileType::kSeriesFile: {
      ByteReader in(object.plain);
      const std::uint64_t slots = TL_TRY(in.Varint());
      std::string text = head + fmt::format("series file: {} dimensions\n", slots);
      for (std::uint64_t slot = 0; slot < slots; ++slot) {
        const std::uint64_t first = TL_TRY(in.Varint());
        const std::uint64_t count = TL_TRY(in.Varint());
        text += fmt::format("  dimension {}: {} values from code {}\n", slot, count, first);
        for (std::uint64_t i = 0; i < count; ++i) TL_TRY(in.LengthPrefixed(UINT16_MAX + 1));
      }
      const std::uint64_t first_series = TL_TRY(in.Varint());
      const std::uint64_t series_count = TL_TRY(in.Varint());
      text += fmt::format("  {} series from {}\n", series_count, first_series);
      return text;
    }
    case seal::FileType::kLog:
    case seal::FileType::kSegment:
    case seal::FileType::kSpill:
    case seal::FileType::kRejectedRecord:
      break;
  }
  return InvalidArgument("sealed objects of type {} are not described", static_cast<int>(type));
}

// What no key is needed for: the checksum of each page.
Result<std::string> SealedSegmentText(std::shared_ptr<segment::RangeReader> file,
                                      std::uint64_t bytes) {
  const auto pages = TL_TRY(segment::PageReader::Open(std::move(file), bytes, nullptr));
  TL_TRY(pages->Scrub());
  return fmt::format("encrypted segment, {} bytes in {} pages: every checksum holds\n", bytes,
                     (bytes + segment::kPageBytes - 1) / segment::kPageBytes);
}

// The manifest that names a sealed segment tells its key.
Result<std::unique_ptr<SegmentSeal>> FindSegmentSeal(fs::FileSystem& fs, std::string_view path,
                                                     seal::Sealer& sealer) {
  const std::string directory = fs::JoinPath(DataDirectoryOf(path), "manifest");
  const auto names = fs.List(directory);
  if (!names.ok()) return std::unique_ptr<SegmentSeal>();
  for (auto at = names->rbegin(); at != names->rend(); ++at) {
    const auto stored =
        fs::ReadWholeFile(fs, fs::JoinPath(directory, at->name), kInspectBytesMax);
    if (!stored.ok()) continue;
    const auto object = catalog::OpenObject(sealer, seal::FileType::kManifest,
                                            catalog::kManifestFormat, *stored);
    if (CodeOf(object.status()) == ErrorCode::kPermissionDenied) return object.status();
    if (!object.ok()) continue;
    const auto manifest = catalog::DecodeManifest(object->plain, object->identity.format_version);
    if (!manifest.ok()) continue;
    for (const auto& [id, files] : manifest->tables) {
      for (const auto& segment : files.segments) {
        if (!path.ends_with(segment.key)) continue;
        return SegmentSeal::Make(sealer, segment.file_uuid, segment.key_id);
      }
    }
  }
  return std::unique_ptr<SegmentSeal>();
}

Result<std::string> SegmentText(std::shared_ptr<segment::RangeReader> file, std::uint64_t bytes,
                                segment::PageSeal* seal) {
  const auto reader =
      TL_TRY(segment::SegmentReader::Open(std::move(file), bytes, {.cache = nullptr, .seal = seal}));
  const segment::SegmentSummary& summary = reader->summary();
  std::string text = fmt::format(
      "segment of table {}, format {}, {} bytes\n  {} rows, {} series, {} stripes, through {}\n"
      "  {} to {}\n  window {} of {} h\n",
      summary.table_id, summary.format_version, bytes, summary.row_count, summary.series_count,
      summary.stripe_count, summary.through_number, TimeText(summary.time_ns_min),
      TimeText(summary.time_ns_max), TimeText(summary.window_start_ns),
      summary.window_length_ns / kNsPerHour);
  for (const segment::ColumnSummary& column : summary.columns) {
    text += fmt::format("  column {}: {} values in {} blocks, {} bytes\n", column.id,
                        column.value_count, column.block_count, column.encoded_bytes);
  }
  const std::size_t shown = std::min(reader->stripe_count(), kStripesShownMax);
  for (std::size_t i = 0; i < shown; ++i) {
    const segment::Stripe stripe = TL_TRY(reader->OpenStripe(i));
    text += fmt::format("  stripe {}: {} rows, {} series\n", i, stripe.row_count(),
                        stripe.summary().series_count);
    for (const segment::BlockInfo& block : stripe.blocks()) {
      const segment::ColumnBlock column = TL_TRY(stripe.OpenColumn(block.column));
      text += fmt::format("    column {}: {} bytes, codec {}, {} NULL\n", block.column, block.bytes,
                          column.view().codec_name(), block.zone.null_count);
    }
  }
  return text;
}

// Says what each log record does.
class RecordPrinter final : public OutcomeVisitor {
 public:
  explicit RecordPrinter(std::string* text) : text_(text) {}
  Status OnDimension(ColumnId column, std::string_view name) override {
    *text_ += fmt::format("    dimension {} = column {}\n", name, column.value);
    return OkStatus();
  }
  Status OnValueColumn(ColumnId column, ColumnKind, MeasureType type,
                       std::string_view name) override {
    *text_ += fmt::format("    {} {} = column {}\n", catalog::MeasureTypeName(type), name, column.value);
    return OkStatus();
  }
  Status OnMeasure(std::uint32_t ordinal, MeasureType type, std::string_view name) override {
    *text_ += fmt::format("    measure {} {} = {}\n", catalog::MeasureTypeName(type), name, ordinal);
    return OkStatus();
  }
  Status OnSeries(SeriesId series, std::uint32_t measure,
                  std::span<const hot::KeyPart> parts) override {
    *text_ += fmt::format("    series {} of measure {} with {} dimensions\n", series.value, measure,
                          parts.size());
    return OkStatus();
  }
  Status OnRow(SeriesId series, std::int64_t time_ns, std::int64_t version, bool replaces,
               std::span<const ShapeColumn> columns, std::span<const Cell>) override {
    *text_ += fmt::format("    row of series {} at {}, version {}, {} values{}\n", series.value,
                          TimeText(time_ns), version, columns.size(), replaces ? ", replaces" : "");
    return OkStatus();
  }

 private:
  std::string* text_;
};

Status AppendRecord(SequenceNumber number, std::uint16_t type, BytesView payload,
                    std::string* text) {
  const auto outcome = static_cast<OutcomeType>(type);
  if (outcome != OutcomeType::kWrite) {
    static constexpr const char* kNames[] = {"put database", "drop database", "create table",
                                             "drop table", "update table", "delete"};
    const std::size_t index = static_cast<std::size_t>(type) - 2;
    *text += fmt::format("  {}: {}, {} bytes\n", number.value,
                         index < std::size(kNames) ? kNames[index] : "unknown", payload.size());
    return OkStatus();
  }
  *text += fmt::format("  {}: write into table {}\n", number.value,
                       TL_TRY(WriteRecordTable(payload)).value);
  RecordPrinter printer(text);
  return ReadWriteRecord(payload, printer);
}

Result<std::string> LogText(fs::FileSystem& fs, const std::string& path,
                            const Uuid& database_uuid, seal::Sealer& sealer) {
  wal::WalOptions options;
  options.database_uuid = database_uuid;
  options.sealer = &sealer;
  wal::LogFileImage image = TL_TRY(wal::LogFileImage::Load(fs, options, path));
  std::string text = fmt::format("log file {} of database {}, first number {}\n",
                                 FormatUuid(image.header().file_uuid),
                                 FormatUuid(image.header().database_uuid),
                                 image.header().first_number.value);
  std::uint64_t offset = wal::kFileHeaderBytes;
  while (const auto frame = image.FrameAt(offset)) {
    text += fmt::format(" frame at {}: {} records from {}, {} bytes, durable {}\n", offset,
                        frame->header.record_count, frame->header.first_number.value,
                        frame->payload.size(), frame->header.durable_number.value);
    const Result<BytesView> opened = image.Decrypt(*frame);
    if (CodeOf(opened.status()) == ErrorCode::kPermissionDenied) {
      text += fmt::format("  encrypted under data key {}\n", FormatUuid(image.header().key_id));
    } else if (frame->header.type == wal::FrameType::kData) {
      Bytes scratch;
      const BytesView packed = TL_TRY(opened);
      const BytesView plain = TL_TRY(wal::UnpackPayload(frame->header, packed, &scratch));
      TL_TRY(wal::VisitRecords(frame->header, plain, SequenceNumber{0},
                               [&](SequenceNumber number, std::uint16_t type, BytesView payload) {
                                 return AppendRecord(number, type, payload, &text);
                               }));
    }
    offset = frame->end();
  }
  text += fmt::format(" ends at {} of {} bytes\n", offset, image.size());
  return text;
}

// Where a file lies says that it should be one of ours, even if nothing in it does any more.
bool IsPlacedAsOurs(std::string_view path) {
  const std::string directory = fs::DirectoryOf(path);
  const std::string_view name = std::string_view(directory).substr(directory.rfind('/') + 1);
  return name == "segments" || name == "wal" || name == "manifest" || name == "series" || name == "deleted";
}

// docs/file-format.md
constexpr std::string_view kObjectMagicText = "TDLOBJ1";
constexpr std::string_view kLogMagicText = "TIDLWAL1";
constexpr std::string_view kSegmentMagicText = "TIDLSEG\n";

}  // namespace

std::string DataDirectoryOf(std::string_view path) {
  return fs::DirectoryOf(fs::DirectoryOf(path));
}

Result<std::string> InspectFile(fs::FileSystem& fs, std::string_view path, seal::Sealer* keys) {
  seal::KeylessSealer keyless;
  seal::Sealer& sealer = keys == nullptr ? keyless : *keys;
  auto file = TL_TRY(fs.Open(path, fs::OpenMode::kRead));
  const std::uint64_t size = TL_TRY(file->Size());
  Bytes head(static_cast<std::size_t>(std::min<std::uint64_t>(size, 64)));
  TL_TRY(file->ReadAt(0, head));
  const Result<seal::FileIdentity> object = catalog::PeekObject(head);
  if (object.ok()) {
    if (size > kInspectBytesMax) {
      return InvalidArgument("has {} bytes, too many to describe; the limit is {}", size, kInspectBytesMax);
    }
    Bytes whole(static_cast<std::size_t>(size));
    TL_TRY(file->ReadAt(0, whole));
    return ObjectText(sealer, *object, whole);
  }
  const std::string_view first = AsText(head);
  if (first.starts_with(kObjectMagicText)) return DataLoss("its header is damaged");
  Bytes log_head(static_cast<std::size_t>(std::min<std::uint64_t>(size, wal::kFileHeaderBytes)));
  TL_TRY(file->ReadAt(0, log_head));
  std::uint32_t crc = 0;
  const auto header = wal::DecodeFileHeader(log_head, &crc);
  if (header.ok()) return LogText(fs, std::string(path), header->database_uuid, sealer);
  if (first.starts_with(kLogMagicText)) return header.status();
  // A sealed segment begins with bytes that say nothing; its place tells.
  if (!first.starts_with(kSegmentMagicText) && !IsPlacedAsOurs(path)) {
    return InvalidArgument("is no segment, log file, manifest, series file or deletion vector");
  }
  const auto range = std::make_shared<FileRangeReader>(std::move(file));
  const auto seal = FindSegmentSeal(fs, path, sealer);
  if (CodeOf(seal.status()) == ErrorCode::kPermissionDenied) return SealedSegmentText(range, size);
  if (!seal.ok()) return seal.status();
  return SegmentText(range, size, seal->get());
}

}  // namespace tideline::engine
