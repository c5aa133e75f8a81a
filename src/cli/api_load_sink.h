// cli/api_load_sink.h: loads through the public API of a server.
#pragma once

#include <string>

#include "cli/api_client.h"
#include "cli/load_sink.h"

namespace tideline::cli {

/// Appends `record` as JSON: dimensions, measure values and time.
void AppendRecordJson(const api::RecordInput& record, std::string* out);

/// Waits for the answer to each request before the next one is sent.
class ApiLoadSink final : public LoadSink {
 public:
  ApiLoadSink(ApiClient client, LoadTarget target) : client_(std::move(client)), target_(std::move(target)) {}

  std::size_t records_max() const override;
  std::size_t sent_max() const override { return 1; }
  Status Prepare() override;
  Status Send(std::span<const api::RecordInput> records) override;
  Result<api::WriteRecordsAnswer> Receive() override { return std::move(answer_); }
  Status Finish() override { return OkStatus(); }

 private:
  ApiClient client_;
  const LoadTarget target_;
  std::string body_;
  api::WriteRecordsAnswer answer_;
};

}  // namespace tideline::cli
