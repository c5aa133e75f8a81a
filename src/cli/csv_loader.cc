#include "cli/csv_loader.h"

#include <algorithm>

#include "cli/csv_reader.h"

namespace tideline::cli {
namespace {

constexpr std::size_t kRecordsPerRequest = 100;

struct Row {
  std::vector<std::string> fields;
  std::size_t line = 0;
};

Status IgnoreExisting(const Status& status) {
  return CodeOf(status) == ErrorCode::kAlreadyExists ? OkStatus() : status;
}

}  // namespace

CsvLoader::CsvLoader(ApiClient client, CsvLoaderOptions options)
    : client_(std::move(client)), options_(std::move(options)), target_made_(!options_.create) {}

Status CsvLoader::Annotated(const Status& status, std::size_t line) const {
  return Annotate(status, fmt::format("{}:{}", options_.file, line));
}

Status CsvLoader::Load(std::istream& in) {
  CsvReader reader(in, options_.separator);
  // The reader's own errors name the line; it may lie within a record.
  const auto next = [&](std::vector<std::string>* fields) -> Result<bool> {
    Result<bool> more = reader.Next(fields);
    if (!more.ok()) return Annotate(more.status(), options_.file);
    return more;
  };
  Row row;
  const bool has_header = TL_TRY(next(&row.fields));
  if (!has_header) return InvalidArgument("{} is empty; its first line must name the columns", options_.file);
  Result<LoadColumns> made = LoadColumns::Make(row.fields, options_.columns);
  if (!made.ok()) return Annotated(made.status(), reader.line());
  LoadColumns& columns = *made;

  std::vector<Row> first_rows;
  bool inferred = false;
  const auto add_first_rows = [&]() -> Status {
    for (const Row& first : first_rows) columns.Infer(first.fields);
    inferred = true;
    std::vector<Row> rows = std::move(first_rows);
    // Twice, so that an error among them comes before anything is written.
    for (const Row& first : rows) {
      const Result<std::string> record = columns.RecordOf(first.fields);
      if (!record.ok()) return Annotated(record.status(), first.line);
    }
    for (const Row& first : rows) TL_TRY(AddRow(columns, first.fields, first.line));
    return OkStatus();
  };
  while (true) {
    const bool more = TL_TRY(next(&row.fields));
    if (!more) break;
    row.line = reader.line();
    if (row.fields.size() != columns.size()) {
      return Annotated(InvalidArgument("{} fields, but the header has {}", row.fields.size(), columns.size()),
                       row.line);
    }
    if (inferred) {
      TL_TRY(AddRow(columns, row.fields, row.line));
    } else {
      first_rows.push_back(row);
      if (first_rows.size() == kRowsInferred) TL_TRY(add_first_rows());
    }
  }
  if (!inferred) TL_TRY(add_first_rows());
  TL_TRY(CreateTarget());
  return Flush();
}

Status CsvLoader::AddRow(LoadColumns& columns, const std::vector<std::string>& fields, std::size_t line) {
  Result<std::string> record = columns.RecordOf(fields);
  if (!record.ok()) {
    // Rows before it are right; they go first, so that what is stored is the file up to this line.
    TL_TRY(Flush());
    return Annotated(record.status(), line);
  }
  if (record->empty()) {
    ++counts_.without_values;
    if (counts_.lines_without_values.size() < kLinesShown) counts_.lines_without_values.push_back(line);
    return OkStatus();
  }
  records_.push_back(*std::move(record));
  lines_.push_back(line);
  return records_.size() == kRecordsPerRequest ? Flush() : OkStatus();
}

Status CsvLoader::CreateTarget() {
  if (target_made_) return OkStatus();
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("DatabaseName", options_.database);
  json.EndObject();
  if (const Status made = IgnoreExisting(client_.Call("CreateDatabase", body).status()); !made.ok()) {
    return Annotate(made, "create database");
  }
  body.clear();
  JsonWriter table(&body);
  table.BeginObject();
  table.Member("DatabaseName", options_.database);
  table.Member("TableName", options_.table);
  table.Key("RetentionProperties");
  table.BeginObject();
  table.Member("MemoryStoreRetentionPeriodInHours", options_.memory_hours);
  table.Member("MagneticStoreRetentionPeriodInDays", options_.magnetic_days);
  table.EndObject();
  table.Key("MagneticStoreWriteProperties");
  table.BeginObject();
  table.MemberBool("EnableMagneticStoreWrites", true);
  table.EndObject();
  table.EndObject();
  if (const Status made = IgnoreExisting(client_.Call("CreateTable", body).status()); !made.ok()) {
    return Annotate(made, "create table");
  }
  target_made_ = true;
  return OkStatus();
}

std::string CsvLoader::RequestBody(std::size_t begin, std::size_t end) const {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("DatabaseName", options_.database);
  json.Member("TableName", options_.table);
  json.Key("CommonAttributes");
  json.BeginObject();
  json.Member("MeasureName", options_.measure_name.empty() ? options_.table : options_.measure_name);
  json.Member("MeasureValueType", "MULTI");
  json.Member("TimeUnit", options_.columns.time_unit.empty() ? "NANOSECONDS" : options_.columns.time_unit);
  json.EndObject();
  json.Key("Records");
  json.BeginArray();
  for (std::size_t i = begin; i < end; ++i) json.Raw(records_[i]);
  json.EndArray();
  json.EndObject();
  return body;
}

Status CsvLoader::Flush() {
  if (records_.empty()) return OkStatus();
  TL_TRY(CreateTarget());
  const Status status = Write(0, records_.size());
  records_.clear();
  lines_.clear();
  return status;
}

Status CsvLoader::Write(std::size_t begin, std::size_t end) {
  ApiError error;
  const Status status = client_.Call("WriteRecords", RequestBody(begin, end), &error).status();
  if (status.ok()) {
    counts_.written += end - begin;
    return OkStatus();
  }
  const JsonValue* rejected = error.body.Find("RejectedRecords");
  if (rejected == nullptr) {
    if (end - begin == 1) return Annotated(status, lines_[begin]);
    if (error.code != "ValidationException") return Annotate(status, options_.file);
    // One of them is wrong, and the answer does not say which.
    const std::size_t middle = begin + (end - begin) / 2;
    TL_TRY(Write(begin, middle));
    return Write(middle, end);
  }
  for (const JsonValue& record : rejected->items()) {
    const JsonValue* index = record.Find("RecordIndex");
    const std::size_t at = index == nullptr ? 0 : static_cast<std::size_t>(index->integer());
    fmt::print(stderr, "{}:{}: rejected: {}\n", options_.file, lines_[std::min(begin + at, end - 1)],
               record.FindText("Reason"));
  }
  const std::size_t count = std::min(rejected->items().size(), end - begin);
  counts_.rejected += count;
  counts_.written += end - begin - count;
  return OkStatus();
}

}  // namespace tideline::cli
