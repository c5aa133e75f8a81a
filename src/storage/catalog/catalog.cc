#include "storage/catalog/catalog.h"

#include <algorithm>

namespace tideline::catalog {
namespace {

constexpr std::uint64_t kCatalogFormat = 1;
constexpr std::size_t kTextBytesMax = 4096;
constexpr std::uint64_t kPartitionKeysMax = 16;

Result<std::string> Text(ByteReader* in) {
  return std::string(TL_TRY(in->LengthPrefixed(kTextBytesMax)));
}

Result<std::uint64_t> Count(ByteReader* in, std::uint64_t count_max, const char* what) {
  const std::uint64_t count = TL_TRY(in->Varint());
  if (count > count_max) return DataLoss("catalog: {} {} exceed {}", count, what, count_max);
  return count;
}

template <typename E>
Result<E> Enumerator(ByteReader* in, E last) {
  const std::uint8_t value = TL_TRY(in->U8());
  if (value > static_cast<std::uint8_t>(last)) return DataLoss("catalog: unknown code {}", value);
  return static_cast<E>(value);
}

void PutOptional(const std::optional<std::string>& text, ByteWriter* out) {
  out->U8(text.has_value() ? 1 : 0);
  if (text.has_value()) out->LengthPrefixed(*text);
}

Result<std::optional<std::string>> TakeOptional(ByteReader* in) {
  if (TL_TRY(in->U8()) == 0) return std::optional<std::string>();
  return std::optional<std::string>(TL_TRY(Text(in)));
}

void PutTags(const Tags& tags, ByteWriter* out) {
  out->Varint(tags.size());
  for (const auto& [key, value] : tags) {
    out->LengthPrefixed(key);
    out->LengthPrefixed(value);
  }
}

Result<Tags> TakeTags(ByteReader* in) {
  Tags tags(TL_TRY(Count(in, kTagsMax, "tags")));
  for (auto& [key, value] : tags) {
    key = TL_TRY(Text(in));
    value = TL_TRY(Text(in));
  }
  return tags;
}

void PutProperties(const TableProperties& properties, ByteWriter* out) {
  out->I64(properties.retention.memory_hours);
  out->I64(properties.retention.magnetic_days);
  const MagneticStoreWrites& writes = properties.magnetic_store_writes;
  out->U8(static_cast<std::uint8_t>((writes.enabled ? 1 : 0) |
                                    (writes.has_rejected_data_location ? 2 : 0) |
                                    (writes.rejected_data_location.has_value() ? 4 : 0)));
  if (writes.rejected_data_location.has_value()) {
    const S3Location& location = *writes.rejected_data_location;
    PutOptional(location.bucket_name, out);
    PutOptional(location.object_key_prefix, out);
    PutOptional(location.encryption_option, out);
    PutOptional(location.kms_key_id, out);
  }
  out->Varint(properties.partition_keys.size());
  for (const PartitionKey& key : properties.partition_keys) {
    out->U8(static_cast<std::uint8_t>(key.type));
    out->U8(static_cast<std::uint8_t>(key.enforcement));
    out->LengthPrefixed(key.name);
  }
  PutTags(properties.tags, out);
}

Result<TableProperties> TakeProperties(ByteReader* in) {
  TableProperties properties;
  properties.retention.memory_hours = TL_TRY(in->I64());
  properties.retention.magnetic_days = TL_TRY(in->I64());
  // Their sum in nanoseconds fits 64 bits.
  constexpr std::int64_t kRetentionMax = 100'000;
  static_assert(kRetentionMax < INT64_MAX / (kNsPerHour + kNsPerDay));
  const Retention& retention = properties.retention;
  if (retention.memory_hours < 0 || retention.memory_hours > kRetentionMax ||
      retention.magnetic_days < 0 || retention.magnetic_days > kRetentionMax) {
    return DataLoss("catalog: a retention of {} hours and {} days", retention.memory_hours,
                    retention.magnetic_days);
  }
  MagneticStoreWrites& writes = properties.magnetic_store_writes;
  const std::uint8_t flags = TL_TRY(in->U8());
  writes.enabled = (flags & 1) != 0;
  writes.has_rejected_data_location = (flags & 2) != 0;
  if ((flags & 4) != 0) {
    S3Location location;
    location.bucket_name = TL_TRY(TakeOptional(in));
    location.object_key_prefix = TL_TRY(TakeOptional(in));
    location.encryption_option = TL_TRY(TakeOptional(in));
    location.kms_key_id = TL_TRY(TakeOptional(in));
    writes.rejected_data_location = std::move(location);
  }
  properties.partition_keys.resize(TL_TRY(Count(in, kPartitionKeysMax, "partition keys")));
  for (PartitionKey& key : properties.partition_keys) {
    key.type = TL_TRY(Enumerator(in, PartitionKeyType::kDimension));
    key.enforcement = TL_TRY(Enumerator(in, Enforcement::kRequired));
    key.name = TL_TRY(Text(in));
  }
  properties.tags = TL_TRY(TakeTags(in));
  return properties;
}

// Columns carry what their kind does not imply: a dimension is varchar.
Result<MeasureType> MeasureTypeOf(ByteReader* in) {
  return Enumerator(in, MeasureType::kTimestamp);
}

MeasureType MeasureTypeOfColumn(const Column& column) {
  switch (column.type.id()) {
    case TypeId::kBigint: return MeasureType::kBigint;
    case TypeId::kVarchar: return MeasureType::kVarchar;
    case TypeId::kBoolean: return MeasureType::kBoolean;
    case TypeId::kTimestamp: return MeasureType::kTimestamp;
    default: return MeasureType::kDouble;
  }
}

// Tables keep arrays by column id, so a damaged one must not ask for gigabytes.
Result<ColumnId> TakeColumnId(ByteReader* in) {
  const std::uint32_t id = TL_TRY(in->U32());
  if (id > kColumnIdMax) return DataLoss("catalog: column id {}, the limit is {}", id, kColumnIdMax);
  return ColumnId{id};
}

Status TakeColumns(ByteReader* in, TableSchema* table) {
  table->next_column = ColumnId{TL_TRY(in->U32())};
  if (table->next_column.value > kColumnIdMax + 1) {
    return DataLoss("catalog: next column id {}", table->next_column.value);
  }
  table->dimensions.resize(TL_TRY(Count(in, kDimensionsMax, "dimensions")));
  for (Column& column : table->dimensions) {
    column = {.id = TL_TRY(TakeColumnId(in)),
              .name = "",
              .kind = ColumnKind::kDimension,
              .type = Type::Varchar()};
    column.name = TL_TRY(Text(in));
  }
  table->values.resize(TL_TRY(Count(in, kMultiAttributesMax + kMeasureTypeCount, "columns")));
  for (Column& column : table->values) {
    column.id = TL_TRY(TakeColumnId(in));
    column.kind = TL_TRY(in->U8()) == 0 ? ColumnKind::kMeasureValue : ColumnKind::kMultiAttribute;
    column.type = ColumnTypeOf(TL_TRY(MeasureTypeOf(in)));
    column.name = TL_TRY(Text(in));
  }
  table->measures.resize(TL_TRY(Count(in, kMeasureNamesMax, "measure names")));
  for (auto& slot : table->measures) {
    Measure measure;
    measure.type = TL_TRY(Enumerator(in, MeasureType::kMulti));
    measure.name = TL_TRY(Text(in));
    measure.dimensions.resize(TL_TRY(Count(in, kDimensionsMax, "dimensions")));
    for (ColumnId& dimension : measure.dimensions) {
      dimension = TL_TRY(TakeColumnId(in));
      const bool known = std::any_of(table->dimensions.begin(), table->dimensions.end(),
                                     [&](const Column& column) { return column.id == dimension; });
      if (!known) return DataLoss("catalog: measure {} has no dimension {}", measure.name, dimension.value);
    }
    slot = std::make_shared<const Measure>(std::move(measure));
  }
  return OkStatus();
}

}  // namespace

void EncodeDatabase(const DatabaseInfo& database, ByteWriter* out) {
  out->LengthPrefixed(database.name);
  out->LengthPrefixed(database.kms_key_id);
  PutTags(database.tags, out);
  out->I64(database.created.value);
  out->I64(database.updated.value);
}

Result<DatabaseInfo> DecodeDatabase(ByteReader* in) {
  DatabaseInfo database;
  database.name = TL_TRY(Text(in));
  database.kms_key_id = TL_TRY(Text(in));
  database.tags = TL_TRY(TakeTags(in));
  database.created = TimestampNs{TL_TRY(in->I64())};
  database.updated = TimestampNs{TL_TRY(in->I64())};
  return database;
}

void EncodeTable(const TableSchema& table, ByteWriter* out) {
  out->U64(table.id.value);
  out->LengthPrefixed(table.database);
  out->LengthPrefixed(table.table);
  PutProperties(table.properties, out);
  out->U8(static_cast<std::uint8_t>(table.status));
  out->I64(table.created.value);
  out->I64(table.updated.value);
  out->U32(table.next_column.value);
  out->Varint(table.dimensions.size());
  for (const Column& column : table.dimensions) {
    out->U32(column.id.value);
    out->LengthPrefixed(column.name);
  }
  out->Varint(table.values.size());
  for (const Column& column : table.values) {
    out->U32(column.id.value);
    out->U8(column.kind == ColumnKind::kMeasureValue ? 0 : 1);
    out->U8(static_cast<std::uint8_t>(MeasureTypeOfColumn(column)));
    out->LengthPrefixed(column.name);
  }
  out->Varint(table.measures.size());
  for (const auto& measure : table.measures) {
    out->U8(static_cast<std::uint8_t>(measure->type));
    out->LengthPrefixed(measure->name);
    out->Varint(measure->dimensions.size());
    for (const ColumnId dimension : measure->dimensions) out->U32(dimension.value);
  }
}

Result<TableSchema> DecodeTable(ByteReader* in) {
  TableSchema table;
  table.id = TableId{TL_TRY(in->U64())};
  table.database = TL_TRY(Text(in));
  table.table = TL_TRY(Text(in));
  table.properties = TL_TRY(TakeProperties(in));
  table.status = TL_TRY(Enumerator(in, TableStatus::kRestoring));
  table.created = TimestampNs{TL_TRY(in->I64())};
  table.updated = TimestampNs{TL_TRY(in->I64())};
  TL_TRY(TakeColumns(in, &table));
  return table;
}

DatabaseInfoPtr Catalog::FindDatabase(std::string_view database) const {
  ReaderLock lock(mutex_);
  const auto at = databases_.find(database);
  return at == databases_.end() ? nullptr : at->second;
}

namespace {
using TableName = std::pair<std::string_view, std::string_view>;
}  // namespace

TableSchemaPtr Catalog::FindTable(std::string_view database, std::string_view table) const {
  ReaderLock lock(mutex_);
  const auto at = tables_.find(TableName(database, table));
  return at == tables_.end() ? nullptr : at->second;
}

TableSchemaPtr Catalog::FindTable(TableId id) const {
  ReaderLock lock(mutex_);
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : at->second;
}

std::vector<DatabaseInfoPtr> Catalog::ListDatabases(std::string_view start_after,
                                                    std::size_t limit) const {
  ReaderLock lock(mutex_);
  std::vector<DatabaseInfoPtr> found;
  for (auto at = databases_.upper_bound(start_after); at != databases_.end(); ++at) {
    if (found.size() == limit) break;
    found.push_back(at->second);
  }
  return found;
}

std::vector<TableSchemaPtr> Catalog::ListTables(std::string_view database,
                                                std::string_view start_after,
                                                std::size_t limit) const {
  ReaderLock lock(mutex_);
  std::vector<TableSchemaPtr> found;
  for (auto at = tables_.upper_bound(TableName(database, start_after)); at != tables_.end(); ++at) {
    if (found.size() == limit || at->first.first != database) break;
    found.push_back(at->second);
  }
  return found;
}

std::vector<TableSchemaPtr> Catalog::ListAllTables(std::string_view after_database,
                                                   std::string_view after_table,
                                                   std::size_t limit) const {
  ReaderLock lock(mutex_);
  std::vector<TableSchemaPtr> found;
  auto at = tables_.upper_bound(TableName(after_database, after_table));
  for (; at != tables_.end() && found.size() < limit; ++at) found.push_back(at->second);
  return found;
}

std::size_t Catalog::TableCount(std::string_view database) const {
  ReaderLock lock(mutex_);
  std::size_t count = 0;
  for (auto at = tables_.lower_bound(TableName(database, "")); at != tables_.end(); ++at) {
    if (at->first.first != database) break;
    ++count;
  }
  return count;
}

std::size_t Catalog::database_count() const {
  ReaderLock lock(mutex_);
  return databases_.size();
}

std::size_t Catalog::table_count() const {
  ReaderLock lock(mutex_);
  return tables_.size();
}

void Catalog::PutDatabase(DatabaseInfo database) {
  WriterLock lock(mutex_);
  std::string name = database.name;
  databases_[std::move(name)] = std::make_shared<const DatabaseInfo>(std::move(database));
  Bump();
}

void Catalog::DropDatabase(std::string_view database) {
  WriterLock lock(mutex_);
  const auto at = databases_.find(database);
  if (at != databases_.end()) databases_.erase(at);
  Bump();
}

void Catalog::PutTable(TableSchemaPtr table) {
  WriterLock lock(mutex_);
  by_id_[table->id] = table;
  tables_[TableKey(table->database, table->table)] = std::move(table);
  Bump();
}

void Catalog::DropTable(TableId id) {
  WriterLock lock(mutex_);
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return;
  const auto named = tables_.find(TableName(at->second->database, at->second->table));
  if (named != tables_.end() && named->second->id == id) tables_.erase(named);
  by_id_.erase(at);
  Bump();
}

void Catalog::EncodeTo(ByteWriter* out) const {
  ReaderLock lock(mutex_);
  out->Varint(kCatalogFormat);
  out->Varint(databases_.size());
  for (const auto& [name, database] : databases_) EncodeDatabase(*database, out);
  out->Varint(by_id_.size());
  for (const auto& [id, table] : by_id_) EncodeTable(*table, out);
}

Status Catalog::DecodeFrom(ByteReader* in) {
  const std::uint64_t format = TL_TRY(in->Varint());
  if (format != kCatalogFormat) {
    return Unimplemented("catalog format {} is not known to this binary", format);
  }
  const std::uint64_t database_count = TL_TRY(Count(in, 1'000'000, "databases"));
  for (std::uint64_t i = 0; i < database_count; ++i) PutDatabase(TL_TRY(DecodeDatabase(in)));
  const std::uint64_t table_count = TL_TRY(Count(in, 1'000'000, "tables"));
  for (std::uint64_t i = 0; i < table_count; ++i) {
    PutTable(std::make_shared<const TableSchema>(TL_TRY(DecodeTable(in))));
  }
  return OkStatus();
}

}  // namespace tideline::catalog
