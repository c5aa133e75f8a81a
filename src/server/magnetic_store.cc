#include "server/magnetic_store.h"

#include "base/log.h"
#include "server/probed_object_store.h"
#include "storage/objstore/s3_object_store.h"

namespace tideline::server {
namespace {

objstore::S3Addressing AddressingOf(std::string_view text) {
  if (text == "path") return objstore::S3Addressing::kPath;
  if (text == "virtual") return objstore::S3Addressing::kVirtual;
  return objstore::S3Addressing::kAuto;
}

}  // namespace

Result<std::unique_ptr<objstore::ObjectStore>> OpenMagneticStore(const Settings& settings,
                                                                 const Environment& environment) {
  if (settings.object_store.empty()) return std::unique_ptr<objstore::ObjectStore>();
  objstore::S3Options options;
  const Status parsed = objstore::ParseS3Location(settings.object_store, &options);
  if (!parsed.ok()) return Annotate(parsed, "--object-store");
  options.endpoint = settings.object_store_endpoint;
  options.region = settings.object_store_region;
  options.addressing = AddressingOf(settings.object_store_addressing);
  options.ca_file = settings.object_store_ca_file;
  options.access_key_id = environment("AWS_ACCESS_KEY_ID").value_or("");
  options.secret_access_key = environment("AWS_SECRET_ACCESS_KEY").value_or("");
  options.session_token = environment("AWS_SESSION_TOKEN").value_or("");
  auto store = std::make_unique<ProbedObjectStore>(TL_TRY(objstore::OpenS3ObjectStore(std::move(options))),
                                                   settings.object_store, &objstore::ProbeObjectStore, SystemClock());
  const Status fit = store->EnsureFit();
  if (CodeOf(fit) == ErrorCode::kUnavailable || CodeOf(fit) == ErrorCode::kDeadlineExceeded ||
      CodeOf(fit) == ErrorCode::kResourceExhausted) {
    TL_LOG_ERROR("the magnetic store does not answer: starting without it. Nothing is written there before it has been "
                 "found fit; queries that need it fail until it answers ({})", MessageOf(fit));
  } else if (!fit.ok()) {
    return fit;
  }
  return std::unique_ptr<objstore::ObjectStore>(std::move(store));
}

}  // namespace tideline::server
