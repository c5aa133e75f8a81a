#include "front/aws_json/aws_json_handler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/no_wait.h"
#include "base/random.h"
#include "front/aws_json/describe_endpoints.h"
#include "front/aws_json/error_body.h"
#include "front/aws_json/management_operations.h"
#include "front/aws_json/query_operations.h"
#include "front/aws_json/write_records_parser.h"

namespace tideline::aws_json {
namespace {

constexpr std::string_view kRequestIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kRequestIdLength = 26;

std::string NewRequestId() {
  static thread_local Random random = Random::FromSystem();
  return random.Text(kRequestIdLength, kRequestIdAlphabet);
}

// Counts and times one operation.
struct OperationMetrics {
  explicit OperationMetrics(std::string_view operation)
      : latency(Metrics().MakeHistogram("tideline_request_seconds", "Time to answer a request",
                                        fmt::format("operation=\"{}\"", operation))),
        user_errors(Metrics().MakeCounter("tideline_user_errors_total", "Answers with 4xx",
                                          fmt::format("operation=\"{}\"", operation))),
        system_errors(Metrics().MakeCounter("tideline_system_errors_total", "Answers with 5xx",
                                            fmt::format("operation=\"{}\"", operation))) {}
  LatencyHistogram& latency;
  Counter& user_errors;
  Counter& system_errors;
};

// Metrics of one of the operations there are; a name that is none has its own, so that a caller
// cannot make metrics without bound.
OperationMetrics& MetricsOf(std::string_view operation) {
  static const std::map<std::string_view, std::unique_ptr<OperationMetrics>> all = [] {
    std::map<std::string_view, std::unique_ptr<OperationMetrics>> made;
    for (const std::string_view name :
         {"WriteRecords", "Query", "CancelQuery", "PrepareQuery", "DescribeEndpoints",
          "CreateDatabase", "DescribeDatabase", "UpdateDatabase", "DeleteDatabase", "ListDatabases",
          "CreateTable", "DescribeTable", "UpdateTable", "DeleteTable", "ListTables",
          "ListTagsForResource", "TagResource", "UntagResource", "other"}) {
      made.emplace(name, std::make_unique<OperationMetrics>(name));
    }
    return made;
  }();
  const auto found = all.find(operation);
  return found != all.end() ? *found->second : *all.find("other")->second;
}

// What the original offers and we do not yet.
bool IsAbsentOperation(std::string_view operation) {
  static constexpr std::string_view kAbsent[] = {
      "CreateBatchLoadTask",    "CreateScheduledQuery",  "DeleteScheduledQuery",    "DescribeAccountSettings",
      "DescribeBatchLoadTask",  "DescribeScheduledQuery", "ExecuteScheduledQuery",  "ListBatchLoadTasks",
      "ListScheduledQueries",   "ResumeBatchLoadTask",   "UpdateAccountSettings",   "UpdateScheduledQuery"};
  return std::find(std::begin(kAbsent), std::end(kAbsent), operation) != std::end(kAbsent);
}

net::HttpResponse ViolationResponse(const Violations& violations) {
  if (violations.has_wrong_type()) {
    return ErrorResponse(ErrorOrigin::kFramework, {"SerializationException", 400},
                         violations.Message());
  }
  return ErrorResponse(ErrorOrigin::kValidate, {"ValidationException", 400}, violations.Message());
}

net::HttpResponse NotJsonResponse(const Status& status) {
  return ErrorResponse(ErrorOrigin::kFramework, {"SerializationException", 400}, MessageOf(status));
}

std::string WriteRecordsBody(const api::WriteRecordsAnswer& answer) {
  return fmt::format(
      R"({{"RecordsIngested":{{"MagneticStore":{},"MemoryStore":{},"Total":{}}}}})",
      answer.magnetic_store, answer.memory_store, answer.magnetic_store + answer.memory_store);
}

}  // namespace

/// Of a request that is tried on the thread that received it.
constexpr std::size_t kShortBodyBytesMax = 2 * api::kShortQueryBytesMax;

// One request on its way to its answer.
class AwsJsonHandler::Call {
 public:
  Call(const AwsJsonHandler& handler, net::HttpRequest& request, net::Responder respond)
      : handler_(handler), request_(request), respond_(std::move(respond)) {}

  // Finds out who asks and for what; false when it has been answered.
  bool Admit();
  void Dispatch(std::shared_ptr<Call> self);

 private:
  void Answer(net::HttpResponse response);
  void RunWriteRecords(std::shared_ptr<Call> self, bool may_wait);
  void WriteRecords(const api::WriteRecordsRequest& request, std::shared_ptr<Call> self, bool may_wait);
  void RunOn(Executor& pool, std::shared_ptr<Call> self, net::HttpResponse (Call::*run)());
  net::HttpResponse DescribeEndpoints();
  net::HttpResponse RunManagement();
  net::HttpResponse RunQueryOperation();
  Result<JsonValue> ParseBody() const;

  const AwsJsonHandler& handler_;
  net::HttpRequest& request_;
  net::Responder respond_;
  std::string_view operation_;
  OperationMetrics* metrics_ = nullptr;
  const SteadyNs started_ = SystemClock().SteadyNow();
  api::CallContext context_;
  ManagementOperation management_ = nullptr;
  QueryOperation query_ = nullptr;
};

void AwsJsonHandler::Call::Answer(net::HttpResponse response) {
  response.Add("x-amzn-RequestId", NewRequestId());
  if (metrics_ != nullptr) {
    metrics_->latency.Record(SystemClock().SteadyNow().value - started_.value);
    if (response.status >= 500) {
      metrics_->system_errors.Add();
    } else if (response.status >= 400) {
      metrics_->user_errors.Add();
    }
  }
  std::move(respond_).Answer(std::move(response));
}

bool AwsJsonHandler::Call::Admit() {
  const std::string_view target = request_.FindOr("x-amz-target");
  if (target.starts_with(kTargetPrefix)) operation_ = target.substr(kTargetPrefix.size());
  metrics_ = &MetricsOf(operation_);
  if (request_.path() != "/" || operation_.empty()) {
    Answer(UnknownOperationResponse(request_.path() == "/" ? operation_ : ""));
    return false;
  }
  if (request_.method != "POST") {
    Answer(MethodNotAllowedResponse());
    return false;
  }
  const auth::SignedRequest signed_request{
      .method = request_.method,
      .path = request_.path(),
      .query = request_.query(),
      .headers = request_.headers,
      .body_sha256 = request_.body_sha256().value_or(crypto::Sha256Digest{})};
  auto outcome = handler_.services_.authenticator->Authenticate(signed_request);
  if (const auto* failure = std::get_if<auth::AuthFailure>(&outcome)) {
    Answer(AuthFailureResponse(*failure));
    return false;
  }
  auth::Identity& identity = std::get<auth::Identity>(outcome);
  context_.principal_arn = std::move(identity.principal_arn);
  context_.region = std::move(identity.region);
  context_.account_id = handler_.options_.account_id;
  context_.compat_profile = handler_.options_.compat_profile;
  const std::string_view profile = request_.FindOr("x-tideline-profile");
  if (profile == "compat" || profile == "extended") {
    context_.compat_profile = profile == "compat";
  } else if (!profile.empty()) {
    Answer(ErrorResponse(InvalidArgument(
        "The header x-tideline-profile is '{}'; it must be 'compat' or 'extended'.", profile)));
    return false;
  }
  return true;
}

void AwsJsonHandler::Call::Dispatch(std::shared_ptr<Call> self) {
  if (operation_ == "WriteRecords") {
    RunWriteRecords(std::move(self), /*may_wait=*/false);
    return;
  }
  if (operation_ == "DescribeEndpoints") {
    Answer(DescribeEndpoints());
    return;
  }
  management_ = FindManagementOperation(operation_);
  if (management_ != nullptr) {
    RunOn(*handler_.services_.workers, std::move(self), &Call::RunManagement);
    return;
  }
  query_ = FindQueryOperation(operation_);
  if (query_ != nullptr) {
    // Two changes of thread cost a short query more than its rows do.
    if (operation_ == "Query" && request_.body().size() <= kShortBodyBytesMax) {
      std::optional<std::string> answer =
          TryShortQuery(*handler_.services_.query, context_, request_.body());
      if (answer.has_value()) {
        Answer(OkResponse(*std::move(answer)));
        return;
      }
    }
    // Cancelling must not queue behind what it is to end.
    RunOn(operation_ == "CancelQuery" ? *handler_.services_.workers
                                      : *handler_.services_.query_workers,
          std::move(self), &Call::RunQueryOperation);
    return;
  }
  Answer(IsAbsentOperation(operation_) ? AbsentOperationResponse(operation_) : UnknownOperationResponse(operation_));
}

void AwsJsonHandler::Call::RunWriteRecords(std::shared_ptr<Call> self, bool may_wait) {
  static thread_local WriteRecordsParser parser;
  // What an empty body reads as, with room behind it like every body.
  static const std::string empty_object = "{}" + std::string(net::kHttpBodyPaddingBytes, ' ');
  const std::string_view body =
      request_.body().empty() ? std::string_view(empty_object).substr(0, 2) : request_.body();
  Violations violations;
  const Result<api::WriteRecordsRequest> request = parser.Parse(body, &violations);
  if (!request.ok()) {
    Answer(NotJsonResponse(request.status()));
    return;
  }
  if (!violations.empty()) {
    Answer(ViolationResponse(violations));
    return;
  }
  WriteRecords(*request, std::move(self), may_wait);
}

// A late record may need a file; then nothing was stored and the whole call goes where it may wait.
void AwsJsonHandler::Call::WriteRecords(const api::WriteRecordsRequest& request, std::shared_ptr<Call> self,
                                        bool may_wait) {
  std::optional<NoWait> no_wait;
  if (!may_wait) no_wait.emplace();
  handler_.services_.write->WriteRecords(
      request, [self = std::move(self), may_wait](Result<api::WriteRecordsAnswer> answer) {
        if (!may_wait && NoWait::active() && NoWait::refused() && !answer.ok()) {
          Executor& pool = *self->handler_.services_.workers;
          const Status queued = pool.Submit([self] { self->RunWriteRecords(self, /*may_wait=*/true); });
          if (!queued.ok()) self->Answer(ErrorResponse(queued));
          return;
        }
        if (!answer.ok()) {
          self->Answer(ErrorResponse(answer.status()));
        } else if (!answer->rejected.empty()) {
          self->Answer(RejectedRecordsResponse(answer->rejected));
        } else {
          self->Answer(OkResponse(WriteRecordsBody(*answer)));
        }
      });
}

void AwsJsonHandler::Call::RunOn(Executor& pool, std::shared_ptr<Call> self,
                                 net::HttpResponse (Call::*run)()) {
  // The work has a share of its own: refused work is gone when Submit returns.
  const Status queued = pool.Submit([self, run] { self->Answer((self.get()->*run)()); });
  if (!queued.ok()) self->Answer(ErrorResponse(queued));
}

Result<JsonValue> AwsJsonHandler::Call::ParseBody() const {
  if (request_.body().empty()) return JsonValue::Parse("{}");
  return JsonValue::Parse(request_.body());
}

net::HttpResponse AwsJsonHandler::Call::DescribeEndpoints() {
  const Result<JsonValue> body = ParseBody();
  if (!body.ok()) return NotJsonResponse(body.status());
  Violations violations;
  const ShapeReader shape(*body, "", &violations);
  if (!violations.empty()) return ViolationResponse(violations);
  return OkResponse(DescribeEndpointsBody(request_, handler_.options_.advertised_endpoint));
}

net::HttpResponse AwsJsonHandler::Call::RunManagement() {
  const Result<JsonValue> body = ParseBody();
  if (!body.ok()) return NotJsonResponse(body.status());
  Violations violations;
  Result<std::string> answer =
      management_(*handler_.services_.management, context_, *body, &violations);
  if (!violations.empty()) return ViolationResponse(violations);
  if (!answer.ok()) return ErrorResponse(answer.status());
  return OkResponse(*std::move(answer));
}

net::HttpResponse AwsJsonHandler::Call::RunQueryOperation() {
  const Result<JsonValue> body = ParseBody();
  if (!body.ok()) return NotJsonResponse(body.status());
  Violations violations;
  Result<std::string> answer = query_(*handler_.services_.query, context_, *body, &violations);
  if (!violations.empty()) return ViolationResponse(violations);
  if (!answer.ok()) return ErrorResponse(answer.status());
  return OkResponse(*std::move(answer));
}

AwsJsonHandler::AwsJsonHandler(AwsJsonServices services, AwsJsonOptions options)
    : services_(services), options_(std::move(options)) {}
AwsJsonHandler::~AwsJsonHandler() = default;

bool AwsJsonHandler::WantsBodySha256(const net::HttpRequest&) const {
  return !services_.authenticator->options().accept_anyone;
}

void AwsJsonHandler::Handle(net::HttpRequest& request, net::Responder respond) {
  auto call = std::make_shared<Call>(*this, request, std::move(respond));
  if (!call->Admit()) return;
  Call& running = *call;
  running.Dispatch(std::move(call));
}

}  // namespace tideline::aws_json
