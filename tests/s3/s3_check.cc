// s3_check: what the engine relies on, asked of a real S3 server. The long form of the object store's tests.
//
//   s3_check ENDPOINT BUCKET         keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
//   s3_check --probe ENDPOINT BUCKET the probe alone
//
// 0: all held. 1: something did not; it is printed. 3: the probe calls the server unfit, and why.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/thread_pool.h"
#include "base/uuid.h"
#include "storage/objstore/s3_object_store.h"

namespace tideline::objstore {
namespace {

constexpr std::size_t kRaceKeys = 500;

Result<std::unique_ptr<ObjectStore>> Open(const S3Options& options) {
  return OpenS3ObjectStore(options);
}

Status CheckRaces(const S3Options& options, std::size_t clients) {
  std::vector<std::atomic<int>> winners(kRaceKeys);
  std::atomic<std::size_t> errors{0};
  {
    ThreadPool pool({.name = "race", .thread_count = clients});
    for (std::size_t client = 0; client < clients; ++client) {
      TL_TRY(pool.Submit([&, client] {
        const auto store = Open(options);
        for (std::size_t i = 0; store.ok() && i < kRaceKeys; ++i) {
          const auto outcome =
              PutIfAbsentSettled(**store, fmt::format("race-{}/{:020}", clients, i),
                                 AsBytes(fmt::format("client {} of {}", client, clients)));
          if (!outcome.ok()) ++errors;
          if (outcome.ok() && *outcome == PutOutcome::kCreated) ++winners[i];
        }
      }));
    }
  }
  for (std::size_t i = 0; i < kRaceKeys; ++i) {
    if (winners[i] != 1) return Internal("{} clients: key {} has {} winners", clients, i, winners[i].load());
  }
  std::printf("%zu clients x %zu keys: one winner each, %zu calls failed\n", clients, kRaceKeys, errors.load());
  return OkStatus();
}

Status CheckLargeObject(ObjectStore& store) {
  Random random(5);
  Bytes content((std::size_t{20} << 20) + 12'345);
  for (std::byte& byte : content) byte = static_cast<std::byte>(random.Next());
  auto writer = TL_TRY(store.Create("segments/large"));
  for (std::size_t at = 0; at < content.size(); at += 1 << 20) {
    TL_TRY(writer->Append(BytesView(content).subspan(at, std::min<std::size_t>(1 << 20, content.size() - at))));
  }
  TL_TRY(writer->Commit());
  const Bytes back = TL_TRY(store.GetWhole("segments/large", content.size()));
  if (back != content) return Internal("an object written in parts reads back different");
  const Bytes range = TL_TRY(store.Get("segments/large", (std::size_t{8} << 20) - 10, 20));
  if (!std::equal(range.begin(), range.end(), content.begin() + (8 << 20) - 10)) {
    return Internal("a range across parts reads back different");
  }
  std::printf("an object of %zu bytes in parts, read whole and by range\n", content.size());
  return store.Remove("segments/large");
}

Status CheckListing(ObjectStore& store) {
  std::string after;
  std::size_t count = 0;
  for (;;) {
    const auto page = TL_TRY(store.List("race-16/", after, 137));
    if (page.empty()) break;
    count += page.size();
    after = page.back().key;
  }
  if (count != kRaceKeys) return Internal("a listing in pages has {} keys, not {}", count, kRaceKeys);
  std::printf("%zu keys listed in pages of 137, in order\n", count);
  return OkStatus();
}

Status RemoveAll(ObjectStore& store) {
  for (;;) {
    const auto page = TL_TRY(store.List("", "", 1000));
    if (page.empty()) return OkStatus();
    for (const ObjectInfo& object : page) TL_TRY(store.Remove(object.key));
  }
}

Status CheckAll(const S3Options& options, ObjectStore& store) {
  for (const std::size_t clients : {2, 4, 16}) TL_TRY(CheckRaces(options, clients));
  TL_TRY(CheckListing(store));
  TL_TRY(CheckLargeObject(store));
  return RemoveAll(store);
}

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int Main(int argc, char** argv) {
  const bool probe_only = argc > 1 && std::strcmp(argv[1], "--probe") == 0;
  const int first = probe_only ? 2 : 1;
  if (argc != first + 2) {
    std::fprintf(stderr, "usage: s3_check [--probe] ENDPOINT BUCKET\n");
    return 2;
  }
  Random random = Random::FromSystem();
  S3Options options;
  options.endpoint = argv[first];
  options.bucket = argv[first + 1];
  options.prefix = "check-" + FormatUuid(MakeUuid(random));
  options.access_key_id = Variable("AWS_ACCESS_KEY_ID");
  options.secret_access_key = Variable("AWS_SECRET_ACCESS_KEY");
  const auto store = Open(options);
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", std::string(MessageOf(store.status())).c_str());
    return 1;
  }
  const Status probe = ProbeObjectStore(**store);
  std::printf("probe: %s\n", probe.ok() ? "fit" : std::string(MessageOf(probe)).c_str());
  std::fflush(stdout);
  if (CodeOf(probe) == ErrorCode::kUnimplemented) return 3;
  const Status all = probe.ok() && !probe_only ? CheckAll(options, **store) : probe;
  if (!all.ok()) std::fprintf(stderr, "%s\n", std::string(MessageOf(all)).c_str());
  return all.ok() ? 0 : 1;
}

}  // namespace
}  // namespace tideline::objstore

int main(int argc, char** argv) { return tideline::objstore::Main(argc, argv); }
