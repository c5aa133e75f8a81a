// server/local_sink.h: a collector's samples into this process's own services.
#pragma once

#include "server/collector.h"
#include "service/api/management_service.h"
#include "service/api/write_service.h"

namespace tideline::server {

class LocalSink final : public SampleSink {
 public:
  /// Both must outlive the sink.
  LocalSink(api::ManagementService& management, api::WriteService& write)
      : management_(management), write_(write) {}
  Status Prepare() override;
  Status Write(TimestampNs time, std::span<const HostSample> samples) override;

 private:
  api::ManagementService& management_;
  api::WriteService& write_;
};

}  // namespace tideline::server
