#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include <CLI/CLI.hpp>

#include "cli/client_flags.h"
#include "cli/commands.h"
#include "cli/csv_reader.h"
#include "columnar/text_format.h"

namespace tideline::cli {
namespace {

constexpr std::size_t kRecordsPerRequest = 100;

struct LoadOptions {
  ClientOptions client;
  std::string file;
  std::string database, table;
  std::string time_column = "time";
  std::string time_unit;                // empty: the column holds dates
  std::vector<std::string> dimensions;
  std::vector<std::string> types;       // column=double|bigint|boolean|varchar
  std::string measure_name;             // empty: the table's name
  char separator = ',';
  bool create = false;
  std::int64_t memory_hours = 6;
  std::int64_t magnetic_days = 73'000;
};

Status IgnoreExisting(const Status& status) {
  return CodeOf(status) == ErrorCode::kAlreadyExists ? OkStatus() : status;
}

// Creates database and table, with magnetic-store writes on, so that old rows are taken.
Status CreateTarget(ApiClient& client, const LoadOptions& options) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("DatabaseName", options.database);
  json.EndObject();
  TL_TRY(IgnoreExisting(client.Call("CreateDatabase", body).status()));
  body.clear();
  JsonWriter table(&body);
  table.BeginObject();
  table.Member("DatabaseName", options.database);
  table.Member("TableName", options.table);
  table.Key("RetentionProperties");
  table.BeginObject();
  table.Member("MemoryStoreRetentionPeriodInHours", options.memory_hours);
  table.Member("MagneticStoreRetentionPeriodInDays", options.magnetic_days);
  table.EndObject();
  table.Key("MagneticStoreWriteProperties");
  table.BeginObject();
  table.MemberBool("EnableMagneticStoreWrites", true);
  table.EndObject();
  table.EndObject();
  return IgnoreExisting(client.Call("CreateTable", body).status());
}

bool IsDouble(std::string_view text) { return ParseDouble(text).ok(); }

// One column of the file and what becomes of it.
struct LoadColumn {
  std::string name;
  bool is_time = false;
  bool is_dimension = false;
  std::string type = "DOUBLE";
};

class Loader {
 public:
  Loader(ApiClient client, const LoadOptions& options) : client_(std::move(client)), options_(options) {}

  Status Load(std::istream& in) {
    CsvReader reader(in, options_.separator);
    std::vector<std::string> fields;
    if (!TL_TRY(reader.Next(&fields))) return InvalidArgument("{} is empty", options_.file);
    TL_TRY(ReadHeader(fields));
    while (TL_TRY(reader.Next(&fields))) {
      if (fields.size() != columns_.size()) {
        return InvalidArgument("line {}: {} fields, but the header has {}", reader.line(),
                               fields.size(), columns_.size());
      }
      if (const Status status = AddRow(fields); !status.ok()) {
        return Annotate(status, fmt::format("line {}", reader.line()));
      }
      if (pending_ == kRecordsPerRequest) TL_TRY(Flush());
    }
    return Flush();
  }
  std::size_t row_count() const { return row_count_; }
  std::size_t rejected_count() const { return rejected_count_; }

 private:
  Status ReadHeader(const std::vector<std::string>& names) {
    std::map<std::string, std::string> types;
    for (const std::string& given : options_.types) {
      const std::size_t equals = given.find('=');
      if (equals == std::string::npos) return InvalidArgument("--type is '{}'; it must be COLUMN=TYPE", given);
      std::string type = given.substr(equals + 1);
      std::transform(type.begin(), type.end(), type.begin(),
                     [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); });
      types[given.substr(0, equals)] = type;
    }
    bool has_time = false;
    for (const std::string& name : names) {
      LoadColumn column;
      column.name = name;
      column.is_time = name == options_.time_column;
      column.is_dimension = std::find(options_.dimensions.begin(), options_.dimensions.end(), name) !=
                            options_.dimensions.end();
      if (const auto type = types.find(name); type != types.end()) column.type = type->second;
      has_time = has_time || column.is_time;
      columns_.push_back(std::move(column));
    }
    if (!has_time) return InvalidArgument("the header has no column {}", options_.time_column);
    for (const std::string& dimension : options_.dimensions) {
      if (std::find(names.begin(), names.end(), dimension) == names.end()) {
        return InvalidArgument("the header has no column {}", dimension);
      }
    }
    // A column without a given type is DOUBLE, or VARCHAR once a field is no number.
    for (LoadColumn& column : columns_) {
      if (!types.contains(column.name)) column.type.clear();
    }
    return OkStatus();
  }

  Result<std::string> TimeText(const std::string& field) const {
    if (!options_.time_unit.empty()) return field;
    return std::to_string(TL_TRY(ParseTimestamp(field)));
  }

  Status AddRow(const std::vector<std::string>& fields) {
    std::string dimensions;
    std::string measures;
    JsonWriter dimension_json(&dimensions);
    JsonWriter measure_json(&measures);
    std::string time;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      LoadColumn& column = columns_[i];
      if (column.is_time) {
        time = TL_TRY(TimeText(fields[i]));
      } else if (fields[i].empty()) {
        continue;  // no value
      } else if (column.is_dimension) {
        dimension_json.BeginObject();
        dimension_json.Member("Name", column.name);
        dimension_json.Member("Value", fields[i]);
        dimension_json.EndObject();
      } else {
        if (column.type.empty()) column.type = IsDouble(fields[i]) ? "DOUBLE" : "VARCHAR";
        measure_json.BeginObject();
        measure_json.Member("Name", column.name);
        measure_json.Member("Value", fields[i]);
        measure_json.Member("Type", column.type);
        measure_json.EndObject();
      }
    }
    if (measures.empty()) return OkStatus();  // nothing to store
    if (!records_.empty()) records_ += ',';
    records_ += fmt::format(R"({{"Dimensions":[{}],"MeasureValues":[{}],"Time":"{}"}})", dimensions,
                            measures, time);
    ++pending_;
    return OkStatus();
  }

  Status Flush() {
    if (records_.empty()) return OkStatus();
    std::string body;
    JsonWriter json(&body);
    json.BeginObject();
    json.Member("DatabaseName", options_.database);
    json.Member("TableName", options_.table);
    json.Key("CommonAttributes");
    json.BeginObject();
    json.Member("MeasureName", options_.measure_name.empty() ? options_.table : options_.measure_name);
    json.Member("MeasureValueType", "MULTI");
    json.Member("TimeUnit", options_.time_unit.empty() ? "NANOSECONDS" : options_.time_unit);
    json.EndObject();
    json.Key("Records");
    json.Raw("[" + records_ + "]");
    json.EndObject();
    ApiError error;
    Status status = client_.Call("WriteRecords", body, &error).status();
    row_count_ += pending_;
    if (!status.ok()) {
      const JsonValue* rejected = error.body.Find("RejectedRecords");
      if (rejected == nullptr) return status;
      for (const JsonValue& record : rejected->items()) {
        ++rejected_count_;
        fmt::print(stderr, "rejected: {}\n", record.FindText("Reason"));
      }
    }
    records_.clear();
    pending_ = 0;
    return OkStatus();
  }

  ApiClient client_;
  const LoadOptions& options_;
  std::vector<LoadColumn> columns_;
  std::string records_;
  std::size_t pending_ = 0;
  std::size_t row_count_ = 0;
  std::size_t rejected_count_ = 0;
};

int Load(const LoadOptions& options) {
  Result<ApiClient> client = ApiClient::Connect(options.client);
  if (!client.ok()) return Fail("", MessageOf(client.status()));
  if (options.create) {
    if (const Status status = CreateTarget(*client, options); !status.ok()) {
      return Fail("create", MessageOf(status));
    }
  }
  Loader loader(*std::move(client), options);
  Status status;
  if (options.file == "-") {
    status = loader.Load(std::cin);
  } else {
    std::ifstream file(options.file);
    if (!file) return Fail(options.file.c_str(), "cannot be read");
    status = loader.Load(file);
  }
  if (!status.ok()) return Fail(options.file.c_str(), MessageOf(status));
  fmt::print("{}.{}: {} rows written, {} rejected\n", options.database, options.table,
             loader.row_count() - loader.rejected_count(), loader.rejected_count());
  return loader.rejected_count() == 0 ? 0 : 1;
}

}  // namespace

void AddLoadCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand(
      "load", "write a CSV file to a table: one MULTI record a row, through the public API");
  auto options = std::make_shared<LoadOptions>();
  AddClientFlags(*command, &options->client);
  command->add_option("file", options->file, "CSV with a header line; - for stdin")->required();
  command->add_option("--database", options->database, "target database")->required();
  command->add_option("--table", options->table, "target table")->required();
  command->add_option("--time-column", options->time_column, "column with the time")->capture_default_str();
  command->add_option("--time-unit", options->time_unit,
                      "unit of a whole number there; without it the column holds dates (2024-01-31 10:00:00)")
      ->check(CLI::IsMember({"SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS"}));
  command->add_option("--dimensions", options->dimensions, "columns that become dimensions")->delimiter(',');
  command->add_option("--type", options->types,
                      "COLUMN=double|bigint|boolean|varchar|timestamp; default: double, or varchar if no number");
  command->add_option("--measure-name", options->measure_name, "default: the table's name");
  command->add_option("--separator", options->separator, "field separator")->capture_default_str();
  command->add_flag("--create", options->create, "create database and table if they are missing");
  command->add_option("--memory-hours", options->memory_hours, "with --create: memory store retention")
      ->capture_default_str();
  command->add_option("--magnetic-days", options->magnetic_days, "with --create: magnetic store retention")
      ->capture_default_str();
  command->callback([run, options] { *run = [options] { return Load(*options); }; });
}

}  // namespace tideline::cli
