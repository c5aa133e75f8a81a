#include "storage/catalog/manifest.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "storage/catalog/sealed_object.h"

namespace tideline::catalog {
namespace {

constexpr std::size_t kKeyTextMax = 512;
constexpr std::size_t kManifestsListedMax = 10'000;

void PutUuid(const Uuid& uuid, ByteWriter* out) { out->Append(BytesView(uuid.bytes)); }

Result<Uuid> TakeUuid(ByteReader* in) {
  Uuid uuid;
  const BytesView bytes = TL_TRY(in->Take(uuid.bytes.size()));
  std::copy(bytes.begin(), bytes.end(), uuid.bytes.begin());
  return uuid;
}

// A count whose elements take at least `least_bytes` each, so that a lie cannot make us allocate.
Result<std::size_t> BoundedCount(ByteReader* in, std::size_t least_bytes) {
  const std::uint64_t count = TL_TRY(in->Varint());
  if (count > in->remaining() / least_bytes) return DataLoss("manifest: count {} too large", count);
  return static_cast<std::size_t>(count);
}

void PutSegment(const SegmentEntry& segment, ByteWriter* out) {
  out->LengthPrefixed(segment.key);
  PutUuid(segment.file_uuid, out);
  PutUuid(segment.key_id, out);
  out->U64(segment.bytes);
  out->U64(segment.hash.low);
  out->U64(segment.hash.high);
  out->I64(segment.window_start_ns);
  out->I64(segment.window_length_ns);
  out->U64(segment.row_count);
  out->U64(segment.series_count);
  out->I64(segment.time_ns_min);
  out->I64(segment.time_ns_max);
  out->LengthPrefixed(segment.deletion_vector_key);
  out->U8(static_cast<std::uint8_t>(segment.tier));
  out->U8(segment.write_count);
}

Result<SegmentEntry> TakeSegment(ByteReader* in, std::uint16_t format) {
  SegmentEntry segment;
  segment.key = TL_TRY(in->LengthPrefixed(kKeyTextMax));
  segment.file_uuid = TL_TRY(TakeUuid(in));
  segment.key_id = TL_TRY(TakeUuid(in));
  segment.bytes = TL_TRY(in->U64());
  segment.hash.low = TL_TRY(in->U64());
  segment.hash.high = TL_TRY(in->U64());
  segment.window_start_ns = TL_TRY(in->I64());
  segment.window_length_ns = TL_TRY(in->I64());
  segment.row_count = TL_TRY(in->U64());
  segment.series_count = TL_TRY(in->U64());
  segment.time_ns_min = TL_TRY(in->I64());
  segment.time_ns_max = TL_TRY(in->I64());
  segment.deletion_vector_key = TL_TRY(in->LengthPrefixed(kKeyTextMax));
  if (format == 1) return segment;
  const std::uint8_t tier = TL_TRY(in->U8());
  if (tier > static_cast<std::uint8_t>(StoreTier::kMagnetic)) {
    return DataLoss("manifest: segment {} lies in store {}", segment.key, tier);
  }
  segment.tier = static_cast<StoreTier>(tier);
  segment.write_count = TL_TRY(in->U8());
  return segment;
}

void PutDropped(const DroppedSegment& dropped, ByteWriter* out) {
  out->U64(dropped.table.value);
  out->I64(dropped.dropped_ns);
  out->U8(static_cast<std::uint8_t>(dropped.reason));
  PutUuid(dropped.delete_id, out);
  PutSegment(dropped.segment, out);
}

Result<DroppedSegment> TakeDropped(ByteReader* in, std::uint16_t format) {
  DroppedSegment dropped;
  dropped.table = TableId{TL_TRY(in->U64())};
  dropped.dropped_ns = TL_TRY(in->I64());
  const std::uint8_t reason = TL_TRY(in->U8());
  if (reason > static_cast<std::uint8_t>(DropReason::kDeleted)) {
    return DataLoss("manifest: a segment is dropped for reason {}", reason);
  }
  dropped.reason = static_cast<DropReason>(reason);
  dropped.delete_id = TL_TRY(TakeUuid(in));
  dropped.segment = TL_TRY(TakeSegment(in, format));
  return dropped;
}

}  // namespace

void EncodeManifest(const Manifest& manifest, Bytes* bytes) {
  ByteWriter out(bytes);
  out.U64(manifest.number);
  PutUuid(manifest.database_uuid, &out);
  out.U32(manifest.lane);
  out.U64(manifest.epoch);
  out.U64(manifest.floor.value);
  out.U64(manifest.catalog_through.value);
  out.U64(manifest.next_table_id);
  out.Varint(manifest.catalog_bytes.size());
  out.Append(BytesView(manifest.catalog_bytes));
  out.Varint(manifest.tables.size());
  for (const auto& [id, files] : manifest.tables) {
    out.U64(id.value);
    out.U64(files.through.value);
    out.Varint(files.series_files.size());
    for (const SeriesFileEntry& file : files.series_files) {
      out.LengthPrefixed(file.key);
      out.U64(file.bytes);
      out.U64(file.entry_count);
    }
    out.Varint(files.segments.size());
    for (const SegmentEntry& segment : files.segments) PutSegment(segment, &out);
  }
  out.I64(manifest.written_ns);
  out.Varint(manifest.dropped.size());
  for (const DroppedSegment& dropped : manifest.dropped) PutDropped(dropped, &out);
}

Result<Manifest> DecodeManifest(BytesView bytes, std::uint16_t format) {
  ByteReader in(bytes);
  Manifest manifest;
  manifest.number = TL_TRY(in.U64());
  manifest.database_uuid = TL_TRY(TakeUuid(&in));
  manifest.lane = TL_TRY(in.U32());
  manifest.epoch = TL_TRY(in.U64());
  manifest.floor = SequenceNumber{TL_TRY(in.U64())};
  manifest.catalog_through = SequenceNumber{TL_TRY(in.U64())};
  manifest.next_table_id = TL_TRY(in.U64());
  const std::size_t catalog_bytes = TL_TRY(BoundedCount(&in, 1));
  const BytesView catalog = TL_TRY(in.Take(catalog_bytes));
  manifest.catalog_bytes.assign(catalog.begin(), catalog.end());
  const std::size_t table_count = TL_TRY(BoundedCount(&in, 18));
  for (std::size_t i = 0; i < table_count; ++i) {
    const TableId id{TL_TRY(in.U64())};
    TableFiles& files = manifest.tables[id];
    files.through = SequenceNumber{TL_TRY(in.U64())};
    files.series_files.resize(TL_TRY(BoundedCount(&in, 17)));
    for (SeriesFileEntry& file : files.series_files) {
      file.key = TL_TRY(in.LengthPrefixed(kKeyTextMax));
      file.bytes = TL_TRY(in.U64());
      file.entry_count = TL_TRY(in.U64());
    }
    files.segments.resize(TL_TRY(BoundedCount(&in, 100)));
    for (SegmentEntry& segment : files.segments) segment = TL_TRY(TakeSegment(&in, format));
  }
  if (format > 1) {
    manifest.written_ns = TL_TRY(in.I64());
    manifest.dropped.resize(TL_TRY(BoundedCount(&in, 130)));
    for (DroppedSegment& dropped : manifest.dropped) dropped = TL_TRY(TakeDropped(&in, format));
  }
  if (!in.at_end()) return DataLoss("manifest: {} bytes too many", in.remaining());
  return manifest;
}

std::string ManifestKey(std::uint64_t number) {
  return fmt::format("{}{:020}", kManifestPrefix, number);
}

namespace {

// The digits of a manifest's key; 0 when there are none.
std::uint64_t NumberOf(std::string_view key) {
  std::uint64_t number = 0;
  const std::string_view digits = key.substr(std::min(key.size(), kManifestPrefix.size()));
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

bool IsManifestKey(std::string_view key) { return key == ManifestKey(NumberOf(key)); }

Uuid TableKeyScope(const Uuid& database_uuid, TableId table) {
  Uuid scope = database_uuid;
  std::uint64_t low = 0;
  std::byte* const at = scope.bytes.data() + 8;
  std::memcpy(&low, at, sizeof(low));
  low += table.value;
  std::memcpy(at, &low, sizeof(low));
  return scope;
}

Result<Manifest> LoadManifest(objstore::ObjectStore& store, seal::Sealer& sealer,
                              std::uint64_t number) {
  const std::string key = ManifestKey(number);
  const Bytes stored = TL_TRY(store.GetWhole(key, objstore::kPutBytesMax));
  const SealedObject object =
      TL_TRY(OpenObject(sealer, seal::FileType::kManifest, kManifestFormat, stored));
  Manifest manifest = TL_TRY(DecodeManifest(object.plain, object.identity.format_version));
  if (manifest.number != number) return DataLoss("{} holds manifest {}", key, manifest.number);
  return manifest;
}

Result<LoadedManifest> LoadNewestManifest(objstore::ObjectStore& store, seal::Sealer& sealer) {
  std::vector<objstore::ObjectInfo> found;
  for (std::string after;;) {
    auto page = TL_TRY(store.List(kManifestPrefix, after, kManifestsListedMax));
    if (page.empty()) break;
    after = page.back().key;
    std::copy_if(page.begin(), page.end(), std::back_inserter(found),
                 [](const objstore::ObjectInfo& object) { return IsManifestKey(object.key); });
  }
  LoadedManifest loaded;
  if (!found.empty()) loaded.newest_number = NumberOf(found.back().key);
  Status last_error = OkStatus();
  for (auto at = found.rbegin(); at != found.rend(); ++at) {
    const Result<Manifest> attempt = LoadManifest(store, sealer, NumberOf(at->key));
    if (attempt.ok()) {
      loaded.manifest = *attempt;
      return loaded;
    }
    if (CodeOf(attempt.status()) != ErrorCode::kDataLoss) return attempt.status();
    last_error = Annotate(attempt.status(), at->key);
    ++loaded.skipped;
  }
  if (!last_error.ok()) return last_error;
  return loaded;
}

Status StoreManifest(objstore::ObjectStore& store, seal::Sealer& sealer, const Uuid& key_scope,
                     const Uuid& file_uuid, const Manifest& manifest) {
  Bytes plain;
  EncodeManifest(manifest, &plain);
  const Bytes stored = TL_TRY(SealObject(sealer, key_scope, file_uuid, seal::FileType::kManifest,
                                         kManifestFormat, plain));
  const std::string key = ManifestKey(manifest.number);
  // The file uuid in it makes the bytes this writer's own.
  const auto outcome = TL_TRY(objstore::PutIfAbsentSettled(store, key, stored));
  if (outcome == objstore::PutOutcome::kCreated) return OkStatus();
  return Aborted("manifest {} exists: another process owns this database", manifest.number);
}

}  // namespace tideline::catalog
