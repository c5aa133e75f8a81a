// front/aws_json/aws_json_handler.h: the AWS JSON 1.0 door: POST / with X-Amz-Target.
//
// Both services' operations live behind one target prefix and one signing name, so one handler
// serves them all: signature, operation, shape, service, answer. WriteRecords runs on the loop that
// read it and is answered from the commit thread; management calls and queries go to pools.
#pragma once

#include <memory>
#include <string>

#include "base/thread_pool.h"
#include "net/http_handler.h"
#include "service/api/management_service.h"
#include "service/api/query_service.h"
#include "service/api/write_service.h"
#include "service/auth/authenticator.h"

namespace tideline::aws_json {

inline constexpr std::string_view kTargetPrefix = "Timestream_20181101.";

struct AwsJsonOptions {
  std::string advertised_endpoint;  ///< empty: by who asks, see describe_endpoints.h
  std::string account_id = "000000000000";
  bool compat_profile = false;      ///< a request's x-tideline-profile header overrides it
};

/// Everything the door calls; all must outlive it.
struct AwsJsonServices {
  const auth::Authenticator* authenticator;
  api::ManagementService* management;
  api::WriteService* write;
  api::QueryService* query;
  Executor* workers;        ///< runs calls that may block for a sync
  Executor* query_workers;  ///< runs calls that may wait for a query's rows
};

/// Thread-safe.
class AwsJsonHandler final : public net::HttpHandler {
 public:
  AwsJsonHandler(AwsJsonServices services, AwsJsonOptions options);
  ~AwsJsonHandler() override;
  void Handle(net::HttpRequest& request, net::Responder respond) override;
  bool WantsBodySha256(const net::HttpRequest& head) const override;

 private:
  class Call;
  const AwsJsonServices services_;
  const AwsJsonOptions options_;
};

}  // namespace tideline::aws_json
