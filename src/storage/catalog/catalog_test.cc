#include "storage/catalog/catalog.h"

#include <gtest/gtest.h>

#include "storage/catalog/manifest.h"
#include "storage/catalog/sealed_object.h"
#include "storage/fs/posix_file_system.h"
#include "storage/objstore/directory_object_store.h"
#include "tests/support/sim_file_system.h"

namespace tideline::catalog {
namespace {

TableSchema MakeTable(std::uint64_t id, const std::string& database, const std::string& name) {
  TableSchema table;
  table.id = TableId{id};
  table.database = database;
  table.table = name;
  table.properties.retention = {.memory_hours = 7, .magnetic_days = 9};
  table.properties.magnetic_store_writes = {
      .enabled = true,
      .has_rejected_data_location = true,
      .rejected_data_location = S3Location{.bucket_name = "bucket", .encryption_option = "SSE_S3"}};
  table.properties.partition_keys = {
      {.type = PartitionKeyType::kDimension, .name = "host", .enforcement = Enforcement::kRequired}};
  table.properties.tags = {{"k", "v"}};
  table.created = TimestampNs{1};
  table.updated = TimestampNs{2};
  table.dimensions = {{ColumnId{2}, "host", ColumnKind::kDimension, Type::Varchar()}};
  table.values = {{ColumnId{3}, "measure_value::double", ColumnKind::kMeasureValue, Type::Double()},
                  {ColumnId{4}, "x", ColumnKind::kMultiAttribute, Type::Timestamp()}};
  table.measures = {std::make_shared<const Measure>(
      Measure{.name = "cpu", .type = MeasureType::kDouble, .dimensions = {ColumnId{2}}})};
  table.next_column = ColumnId{5};
  return table;
}

TEST(Catalog, RoundTripsThroughBytes) {
  Catalog catalog;
  catalog.PutDatabase({.name = "db", .kms_key_id = "key", .tags = {{"a", "b"}}});
  catalog.PutTable(std::make_shared<const TableSchema>(MakeTable(3, "db", "t")));
  Bytes bytes;
  ByteWriter out(&bytes);
  catalog.EncodeTo(&out);
  Catalog copy;
  ByteReader in(bytes);
  ASSERT_TRUE(copy.DecodeFrom(&in).ok());
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(*copy.FindDatabase("db"), *catalog.FindDatabase("db"));
  const TableSchemaPtr table = copy.FindTable("db", "t");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->properties, MakeTable(3, "db", "t").properties);
  EXPECT_EQ(table->values, MakeTable(3, "db", "t").values);
  EXPECT_EQ(*table->measures[0], *MakeTable(3, "db", "t").measures[0]);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    Catalog broken;
    ByteReader part(BytesView(bytes).first(cut));
    EXPECT_FALSE(broken.DecodeFrom(&part).ok());
  }
}

TEST(Catalog, ListsInNameOrderByPages) {
  Catalog catalog;
  for (const char* name : {"b", "a", "c"}) catalog.PutDatabase({.name = name});
  std::uint64_t id = 1;
  for (const char* database : {"b", "a"}) {
    for (const char* table : {"y", "x", "z"}) {
      catalog.PutTable(std::make_shared<const TableSchema>(MakeTable(id++, database, table)));
    }
  }
  EXPECT_EQ(catalog.ListDatabases("", 2).size(), 2U);
  EXPECT_EQ(catalog.ListDatabases("b", 2)[0]->name, "c");
  EXPECT_EQ(catalog.ListTables("b", "x", 10)[0]->table, "y");
  EXPECT_EQ(catalog.ListTables("b", "", 10).size(), 3U);
  const auto rest = catalog.ListAllTables("a", "y", 2);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0]->table, "z");
  EXPECT_EQ(rest[1]->database, "b");
  EXPECT_EQ(catalog.TableCount("b"), 3U);
  const std::uint64_t version = catalog.version();
  catalog.DropTable(TableId{1});
  EXPECT_GT(catalog.version(), version);
  EXPECT_EQ(catalog.FindTable("b", "y"), nullptr);
}

TEST(TableSchema, ColumnsComeInApiOrder) {
  const TableSchema table = MakeTable(1, "db", "t");
  std::string names;
  for (const Column& column : table.Columns()) names += column.name + ",";
  EXPECT_EQ(names, "host,measure_name,time,measure_value::double,x,");
  EXPECT_EQ(table.FindColumn("x")->id, ColumnId{4});
  EXPECT_EQ(table.FindColumn(kTimeColumn)->name, "time");
  EXPECT_EQ(table.FindColumn("X"), nullptr);
  EXPECT_EQ(ColumnKindName(table.FindColumn("x")->kind), "MULTI");
}

Manifest MakeManifest() {
  Manifest manifest;
  manifest.number = 7;
  manifest.floor = SequenceNumber{40};
  manifest.catalog_through = SequenceNumber{41};
  manifest.next_table_id = 9;
  manifest.catalog_bytes = Bytes(10, std::byte{3});
  TableFiles& files = manifest.tables[TableId{3}];
  files.through = SequenceNumber{42};
  files.series_files = {{.key = "series/a", .bytes = 5, .entry_count = 6}};
  SegmentEntry segment;
  segment.key = "segments/b";
  segment.row_count = 11;
  segment.deletion_vector_key = "deleted/c";
  segment.tier = StoreTier::kMagnetic;
  segment.write_count = 3;
  files.segments = {segment};
  manifest.written_ns = 1'700'000'000'000'000'000;
  manifest.dropped = {{.table = TableId{3},
                       .dropped_ns = 12,
                       .reason = DropReason::kDeleted,
                       .delete_id = manifest.database_uuid,
                       .segment = segment}};
  return manifest;
}

TEST(Manifest, RoundTripsAndRefusesCuts) {
  const Manifest manifest = MakeManifest();
  Bytes bytes;
  EncodeManifest(manifest, &bytes);
  const auto decoded = DecodeManifest(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->tables, manifest.tables);
  EXPECT_EQ(decoded->catalog_bytes, manifest.catalog_bytes);
  EXPECT_EQ(decoded->floor, manifest.floor);
  EXPECT_EQ(decoded->written_ns, manifest.written_ns);
  EXPECT_EQ(decoded->dropped, manifest.dropped);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_EQ(CodeOf(DecodeManifest(BytesView(bytes).first(cut)).status()), ErrorCode::kDataLoss);
  }
}

// Written by a binary whose manifests had format 1.
TEST(Manifest, Format1IsRead) {
  const auto stored =
      fs::ReadWholeFile(fs::PosixFileSystem(), "tests/upgrade/manifest_v1.manifest", 1 << 20);
  ASSERT_TRUE(stored.ok()) << stored.status();
  seal::PlainSealer sealer;
  const auto object = OpenObject(sealer, seal::FileType::kManifest, kManifestFormat, *stored);
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(object->identity.format_version, 1);
  const auto manifest = DecodeManifest(object->plain, object->identity.format_version);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->number, 3U);
  const TableFiles& files = manifest->tables.begin()->second;
  ASSERT_EQ(files.segments.size(), 2U);
  EXPECT_EQ(files.segments[0].row_count, 2U);
  EXPECT_FALSE(files.segments[0].deletion_vector_key.empty());
  EXPECT_EQ(files.segments[0].tier, StoreTier::kMemory);
  EXPECT_EQ(files.segments[0].write_count, 1);
  EXPECT_TRUE(manifest->dropped.empty());
  EXPECT_EQ(manifest->written_ns, 0);
  Catalog catalog;
  ByteReader in(manifest->catalog_bytes);
  ASSERT_TRUE(catalog.DecodeFrom(&in).ok());
  EXPECT_NE(catalog.FindTable("lab", "sky"), nullptr);
}

TEST(Manifest, StoredOncePerNumberAndNewestWins) {
  tideline::testing::SimFileSystem disk(1);
  auto store = objstore::OpenDirectoryObjectStore(disk, {.directory = "/d"});
  ASSERT_TRUE(store.ok());
  seal::PlainSealer sealer;
  EXPECT_EQ(LoadNewestManifest(**store, sealer)->manifest.number, 0U);
  Random random(1);
  Manifest manifest = MakeManifest();
  for (std::uint64_t number = 1; number <= 3; ++number) {
    manifest.number = number;
    ASSERT_TRUE(StoreManifest(**store, sealer, Uuid{}, MakeUuid(random), manifest).ok());
  }
  EXPECT_EQ(CodeOf(StoreManifest(**store, sealer, Uuid{}, MakeUuid(random), manifest)),
            ErrorCode::kAborted);
  EXPECT_EQ(LoadNewestManifest(**store, sealer)->manifest.number, 3U);
  const std::string path = "/d/" + ManifestKey(3);
  for (std::uint64_t bit = 0; bit < disk.Contents(path).size() * 8; bit += 97) {
    ASSERT_TRUE(disk.FlipBit(path, bit).ok());
    const auto loaded = LoadNewestManifest(**store, sealer);
    ASSERT_TRUE(loaded.ok()) << bit << loaded.status();
    EXPECT_EQ(loaded->manifest.number, 2U) << bit;
    EXPECT_EQ(loaded->newest_number, 3U);
    ASSERT_TRUE(disk.FlipBit(path, bit).ok());
  }
}

TEST(SealedObject, RoundTripsAllSizes) {
  seal::PlainSealer sealer;
  Random random(2);
  for (const std::size_t size : {0, 1, 65'535, 65'536, 65'537, 200'000}) {
    Bytes plain(size);
    for (auto& byte : plain) byte = static_cast<std::byte>(random.Next());
    const auto stored = SealObject(sealer, Uuid{}, MakeUuid(random), seal::FileType::kSeriesFile, 1, plain);
    ASSERT_TRUE(stored.ok());
    const auto opened = OpenObject(sealer, seal::FileType::kSeriesFile, 1, *stored);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->plain, plain);
    EXPECT_EQ(CodeOf(OpenObject(sealer, seal::FileType::kManifest, 1, *stored).status()),
              ErrorCode::kDataLoss);
    EXPECT_EQ(CodeOf(OpenObject(sealer, seal::FileType::kSeriesFile, 0, *stored).status()),
              ErrorCode::kUnimplemented);
  }
}

}  // namespace
}  // namespace tideline::catalog
