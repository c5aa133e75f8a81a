#include "server/local_sink.h"

#include <deque>

#include "columnar/text_format.h"
#include "server/write_waiter.h"

namespace tideline::server {
Status LocalSink::Prepare() {
  const api::CallContext call;
  api::CreateDatabaseRequest database;
  database.database = kCollectorDatabase;
  TL_TRY(IgnoreExisting(management_.CreateDatabase(call, database).status()));
  api::CreateTableRequest table;
  table.database = kCollectorDatabase;
  table.table = kCollectorTable;
  return IgnoreExisting(management_.CreateTable(call, table).status());
}

Status LocalSink::Write(TimestampNs time, std::span<const HostSample> samples) {
  std::deque<std::string> texts;  // keeps the views below alive
  std::deque<std::vector<api::DimensionView>> dimensions;
  std::deque<std::vector<api::MeasureValueView>> measures;
  const std::string time_text = std::to_string(time.value);
  std::vector<api::RecordInput> records;
  for (const HostSample& sample : samples) {
    if (records.size() == api::kRecordsPerRequestMax) break;
    auto& names = dimensions.emplace_back();
    for (const auto& [name, value] : sample.dimensions) names.push_back({name, value});
    auto& values = measures.emplace_back();
    for (const auto& [name, value] : sample.values) {
      AppendDouble(value, &texts.emplace_back());
      values.push_back({name, texts.back(), catalog::MeasureType::kDouble});
    }
    api::RecordInput record;
    record.dimensions = names;
    record.measure_values = values;
    record.measure_name = sample.measure_name;
    records.push_back(record);
  }
  if (records.empty()) return OkStatus();
  api::WriteRecordsRequest request;
  request.database = kCollectorDatabase;
  request.table = kCollectorTable;
  request.records = records;
  request.common.time = time_text;
  request.common.time_unit = api::TimeUnit::kNanoseconds;
  request.common.measure_value_type = catalog::MeasureType::kMulti;
  WriteWaiter waiter;
  write_.WriteRecords(request, [&waiter](Result<api::WriteRecordsAnswer> answer) {
    waiter.Done(std::move(answer));
  });
  const api::WriteRecordsAnswer answer = TL_TRY(waiter.Wait());
  if (!answer.rejected.empty()) {
    return InvalidArgument("a sample was rejected: {}", answer.rejected.front().reason);
  }
  return OkStatus();
}

}  // namespace tideline::server
