// The S3 client against our own server: the verbs, races, faults, the probe.
#include "storage/objstore/s3_object_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "base/random.h"
#include "base/thread_pool.h"
#include "storage/objstore/directory_object_store.h"
#include "storage/objstore/xml.h"
#include "tests/support/s3_test_server.h"
#include "tests/support/sim_file_system.h"

namespace tideline::objstore {
namespace {

using tideline::testing::S3Fault;
using tideline::testing::S3TestServer;
using tideline::testing::S3TestServerOptions;
using tideline::testing::SimFileSystem;

class S3Test : public ::testing::Test {
 protected:
  void Start(S3TestServerOptions options = {}) {
    store_ = nullptr;
    server_ = nullptr;
    backing_ = nullptr;
    backing_ = *OpenDirectoryObjectStore(disk_, {.directory = "bucket"});
    server_ = std::make_unique<S3TestServer>(*backing_, std::move(options));
    store_ = Open();
  }
  S3Options Options() const {
    S3Options options;
    options.bucket = "bucket";
    options.prefix = "a/prefix";
    options.endpoint = server_->endpoint();
    options.access_key_id = "AK";
    options.secret_access_key = "SK";
    options.request_ns_max = 5 * kNsPerSecond;
    options.pause_ns_min = kNsPerMs;
    options.pause_ns_max = 4 * kNsPerMs;
    return options;
  }
  std::unique_ptr<ObjectStore> Open() const {
    auto store = OpenS3ObjectStore(Options());
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  SimFileSystem disk_{1};
  std::unique_ptr<ObjectStore> backing_;
  std::unique_ptr<S3TestServer> server_;
  std::unique_ptr<ObjectStore> store_;
};

std::string TextAt(ObjectStore& store, std::string_view key) {
  const auto bytes = store.GetWhole(key, 1 << 20);
  return bytes.ok() ? std::string(AsText(*bytes)) : std::string(ErrorCodeName(CodeOf(bytes.status())));
}

Bytes RandomBytesOf(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  Bytes bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.Next());
  return bytes;
}

TEST_F(S3Test, TheVerbs) {
  Start();
  EXPECT_EQ(*store_->PutIfAbsent("x/1", AsBytes("one")), PutOutcome::kCreated);
  EXPECT_EQ(*store_->PutIfAbsent("x/1", AsBytes("two")), PutOutcome::kExists);
  EXPECT_EQ(TextAt(*store_, "x/1"), "one");
  EXPECT_EQ(TextAt(*backing_, "a/prefix/x/1"), "one");
  ASSERT_TRUE(store_->Put("x/1", AsBytes("three")).ok());
  EXPECT_EQ(TextAt(*store_, "x/1"), "three");
  EXPECT_EQ(store_->Head("x/1")->bytes, 5U);
  EXPECT_EQ(store_->Head("x/1")->key, "x/1");
  EXPECT_EQ(CodeOf(store_->Head("x/2").status()), ErrorCode::kNotFound);
  EXPECT_EQ(TextAt(*store_, "x/2"), "NOT_FOUND");
  ASSERT_TRUE(store_->Put("empty", {}).ok());
  EXPECT_EQ(TextAt(*store_, "empty"), "");
  std::array<std::byte, 3> part;
  EXPECT_EQ(*store_->Read("x/1", 1, part), 3U);
  EXPECT_EQ(AsText(part), "hre");
  EXPECT_EQ(*store_->Read("x/1", 4, part), 1U);
  EXPECT_EQ(*store_->Read("x/1", 5, part), 0U);
  EXPECT_EQ(*store_->Read("x/1", 500, part), 0U);
  EXPECT_TRUE(store_->Remove("x/1").ok());
  EXPECT_TRUE(store_->Remove("x/1").ok());
  EXPECT_EQ(TextAt(*store_, "x/1"), "NOT_FOUND");
  EXPECT_EQ(CodeOf(store_->Put("../x", {})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(store_->Put("x/a b", {})), ErrorCode::kInvalidArgument);
  // All of it over one kept connection.
  EXPECT_EQ(server_->connection_count(), 1U);
}

TEST_F(S3Test, ListingsPageAndKeepByteOrder) {
  S3TestServerOptions options;
  options.list_page_max = 3;
  Start(options);
  std::set<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    const std::string key = fmt::format("p{}{}", i % 3 == 0 ? "-" : i % 3 == 1 ? "/" : ".", i);
    expected.insert(key);
    ASSERT_TRUE(store_->Put(key, AsBytes(std::string(static_cast<std::size_t>(i), 'x'))).ok());
  }
  ASSERT_TRUE(store_->Put("q", {}).ok());
  const auto all = *store_->List("p", "", 1000);
  ASSERT_EQ(all.size(), expected.size());
  auto at = expected.begin();
  for (const ObjectInfo& object : all) EXPECT_EQ(object.key, *at++);
  const auto some = *store_->List("p", all[4].key, 7);
  ASSERT_EQ(some.size(), 7U);
  EXPECT_EQ(some[0].key, all[5].key);
  EXPECT_TRUE(store_->List("p", all.back().key, 7)->empty());
  EXPECT_TRUE(store_->List("none", "", 7)->empty());
}

TEST_F(S3Test, LargeObjectsGoInParts) {
  Start();
  S3Options options = Options();
  options.part_bytes = kS3PartBytesMin;
  const auto store = *OpenS3ObjectStore(options);
  const Bytes content = RandomBytesOf(2 * kS3PartBytesMin + 12'345, 5);
  for (const S3Fault fault : {S3Fault::kStatus500, S3Fault::kLoseAnswerAfter, S3Fault::kStatus500After}) {
    const std::string key = fmt::format("segments/{}", static_cast<int>(fault));
    // Strikes the start of the upload, a part, and its completion.
    server_->AddFault({.method = "POST", .key_part = "uploads", .kind = fault});
    server_->AddFault({.method = "PUT", .key_part = "partNumber=2", .kind = fault});
    server_->AddFault({.method = "POST", .key_part = "uploadId", .kind = fault});
    auto writer = *store->Create(key);
    for (std::size_t at = 0; at < content.size(); at += 1'000'000) {
      const std::size_t count = std::min<std::size_t>(1'000'000, content.size() - at);
      ASSERT_TRUE(writer->Append(BytesView(content).subspan(at, count)).ok());
    }
    EXPECT_EQ(writer->size(), content.size());
    const auto outcome = writer->Commit();
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(*outcome, PutOutcome::kCreated);
    EXPECT_FALSE(writer->Commit().ok());
    EXPECT_EQ(*store->GetWhole(key, 1 << 30), content);
  }
  // A small object is one put; one that is given up leaves no upload of its own.
  auto small = *store->Create("segments/small");
  ASSERT_TRUE(small->Append(AsBytes("small")).ok());
  ASSERT_TRUE(small->Commit().ok());
  EXPECT_EQ(TextAt(*store, "segments/small"), "small");
  const std::size_t uploads = server_->open_upload_count();
  auto abandoned = *store->Create("segments/abandoned");
  ASSERT_TRUE(abandoned->Append(content).ok());
  EXPECT_EQ(server_->open_upload_count(), uploads + 1);
  abandoned.reset();
  EXPECT_EQ(server_->open_upload_count(), uploads);
  EXPECT_EQ(TextAt(*store, "segments/abandoned"), "NOT_FOUND");
}

TEST_F(S3Test, ReadsAndUniquePutsAreTriedAgain) {
  Start();
  for (const S3Fault fault :
       {S3Fault::kStatus500, S3Fault::kStatus503, S3Fault::kStatus500After, S3Fault::kLoseAnswerBefore,
        S3Fault::kLoseAnswerAfter, S3Fault::kReset, S3Fault::kTruncate}) {
    SCOPED_TRACE(static_cast<int>(fault));
    const std::string key = fmt::format("k{}", static_cast<int>(fault));
    server_->AddFault({.method = "PUT", .kind = fault, .count = 2});
    ASSERT_TRUE(store_->Put(key, AsBytes("some text that is read back")).ok());
    server_->AddFault({.method = "GET", .kind = fault, .count = 2});
    EXPECT_EQ(TextAt(*store_, key), "some text that is read back");
    server_->AddFault({.method = "GET", .kind = fault, .count = 2});
    EXPECT_EQ(store_->List(key, "", 10)->size(), 1U);
    server_->AddFault({.method = "HEAD", .kind = fault, .count = 2});
    EXPECT_EQ(store_->Head(key)->bytes, 27U);
    server_->AddFault({.method = "DELETE", .kind = fault, .count = 2});
    EXPECT_TRUE(store_->Remove(key).ok());
    EXPECT_EQ(CodeOf(store_->Head(key).status()), ErrorCode::kNotFound);
  }
  server_->AddFault({.kind = S3Fault::kStatus503, .count = 1000});
  EXPECT_EQ(CodeOf(store_->Head("k").status()), ErrorCode::kUnavailable);
}

TEST_F(S3Test, ALostAnswerToACreateIsUnknownAndNeverSentAgain) {
  Start();
  int number = 0;
  for (const S3Fault fault : {S3Fault::kStatus500, S3Fault::kStatus503, S3Fault::kStatus500After,
                              S3Fault::kLoseAnswerBefore, S3Fault::kLoseAnswerAfter, S3Fault::kReset,
                              S3Fault::kTruncate}) {
    SCOPED_TRACE(static_cast<int>(fault));
    const std::string key = fmt::format("n{}", number++);
    ASSERT_TRUE(store_->Head("n").status().code() != absl::StatusCode::kOk);  // a warm connection
    server_->AddFault({.method = "PUT", .kind = fault});
    const std::uint64_t before = server_->request_count();
    const PutOutcome outcome = *store_->PutIfAbsent(key, AsBytes("mine"));
    EXPECT_EQ(server_->request_count(), before + 1);
    EXPECT_EQ(outcome, PutOutcome::kUnknown);
    // Whoever asks now sees what the first request did.
    const bool stored = TextAt(*backing_, "a/prefix/" + key) == "mine";
    EXPECT_EQ(*PutIfAbsentSettled(*store_, key, AsBytes("mine")),
              stored ? PutOutcome::kExists : PutOutcome::kCreated);
    EXPECT_EQ(TextAt(*store_, key), "mine");
  }
  // In one call, with the loss inside.
  for (const S3Fault fault : {S3Fault::kLoseAnswerBefore, S3Fault::kLoseAnswerAfter}) {
    const std::string key = fmt::format("n{}", number++);
    server_->AddFault({.method = "PUT", .kind = fault});
    EXPECT_EQ(*PutIfAbsentSettled(*store_, key, AsBytes("mine")), PutOutcome::kCreated);
    server_->AddFault({.method = "PUT", .kind = fault});
    EXPECT_EQ(*PutIfAbsentSettled(*store_, key, AsBytes("theirs")), PutOutcome::kExists);
    EXPECT_EQ(TextAt(*store_, key), "mine");
  }
  // 409 says that nothing was done: sent again inside.
  server_->AddFault({.method = "PUT", .kind = S3Fault::kStatus409, .count = 2});
  EXPECT_EQ(*store_->PutIfAbsent("conflict", AsBytes("mine")), PutOutcome::kCreated);
}

TEST_F(S3Test, AServerThatSaysNothingMeetsTheDeadline) {
  Start();
  S3Options options = Options();
  options.request_ns_max = 50 * kNsPerMs;
  options.call_ns_max = 300 * kNsPerMs;
  const auto store = *OpenS3ObjectStore(options);
  server_->AddFault({.method = "GET", .kind = S3Fault::kStall, .count = 1000});
  std::array<std::byte, 1> byte;
  EXPECT_EQ(CodeOf(store->Read("x", 0, byte).status()), ErrorCode::kUnavailable);
}

TEST_F(S3Test, RefusalsAreErrorsNotRetries) {
  Start();
  S3Options options = Options();
  options.secret_access_key = "wrong";
  const std::uint64_t before = server_->request_count();
  const Status refused = (*OpenS3ObjectStore(options))->Put("x", {});
  EXPECT_EQ(CodeOf(refused), ErrorCode::kPermissionDenied);
  EXPECT_NE(MessageOf(refused).find("SignatureDoesNotMatch"), std::string_view::npos);
  EXPECT_EQ(server_->request_count(), before + 1);
  options = Options();
  options.bucket = "other";
  EXPECT_EQ(CodeOf((*OpenS3ObjectStore(options))->PutIfAbsent("x", {}).status()), ErrorCode::kNotFound);
  options.bucket = "No";
  EXPECT_EQ(CodeOf(OpenS3ObjectStore(options).status()), ErrorCode::kInvalidArgument);
  options = Options();
  options.access_key_id.clear();
  EXPECT_EQ(CodeOf(OpenS3ObjectStore(options).status()), ErrorCode::kInvalidArgument);
  options = Options();
  options.endpoint = "ftp://x";
  EXPECT_EQ(CodeOf(OpenS3ObjectStore(options).status()), ErrorCode::kInvalidArgument);
}

// No key has two winners, whatever is lost on the way.
TEST_F(S3Test, CreateRacesHaveOneWinner) {
  constexpr std::size_t kKeys = 500;
  for (const std::size_t clients : {2, 4, 16}) {
    for (const double chaos : {0.0, 0.1}) {
      Start();
      server_->SetChaos(chaos,
                        {S3Fault::kStatus503, S3Fault::kStatus409, S3Fault::kStatus500After,
                         S3Fault::kLoseAnswerBefore, S3Fault::kLoseAnswerAfter, S3Fault::kReset},
                        clients);
      const auto key = [&](std::size_t i) {
        return fmt::format("race-{}-{}/{:020}", clients, chaos > 0 ? "chaos" : "calm", i);
      };
      std::vector<std::atomic<int>> winners(kKeys);
      std::vector<std::atomic<int>> winner(kKeys);
      {
        ThreadPool pool({.name = "race", .thread_count = clients});
        for (std::size_t client = 0; client < clients; ++client) {
          ASSERT_TRUE(pool.Submit([&, client] {
            const auto store = Open();
            for (std::size_t i = 0; i < kKeys; ++i) {
              const auto outcome = PutIfAbsentSettled(*store, key(i),
                                                      AsBytes(fmt::format("client {}", client)));
              if (outcome.ok() && *outcome == PutOutcome::kCreated) {
                ++winners[i];
                winner[i] = static_cast<int>(client);
              }
            }
          }).ok());
        }
      }
      server_->ClearFaults();
      for (std::size_t i = 0; i < kKeys; ++i) {
        ASSERT_EQ(winners[i], 1) << clients << " clients, key " << i;
        const std::string stored = TextAt(*backing_, "a/prefix/" + key(i));
        ASSERT_EQ(stored, fmt::format("client {}", winner[i].load()));
      }
    }
  }
}

TEST_F(S3Test, TheProbeTellsFitFromUnfit) {
  Start();
  EXPECT_EQ(ProbeObjectStore(*store_), OkStatus());
  EXPECT_TRUE(backing_->List("", "", 10)->empty()) << "the probe left something behind";
  EXPECT_EQ(ProbeObjectStore(*backing_), OkStatus());
  S3TestServerOptions ignores;
  ignores.keeps_conditions = false;
  Start(ignores);
  const Status unfit = ProbeObjectStore(*store_);
  EXPECT_EQ(CodeOf(unfit), ErrorCode::kUnimplemented);
  EXPECT_NE(MessageOf(unfit).find("If-None-Match"), std::string_view::npos);
  S3TestServerOptions two_steps;
  two_steps.creates_in_two_steps = true;
  Start(two_steps);
  EXPECT_EQ(CodeOf(ProbeObjectStore(*store_)), ErrorCode::kUnimplemented);
}

TEST(S3Location, IsParsed) {
  S3Options options;
  EXPECT_TRUE(ParseS3Location("s3://my-bucket/a/b/", &options).ok());
  EXPECT_EQ(options.bucket, "my-bucket");
  EXPECT_EQ(options.prefix, "a/b");
  EXPECT_TRUE(ParseS3Location("s3://my-bucket", &options).ok());
  EXPECT_EQ(options.prefix, "");
  for (const char* wrong : {"", "s3://", "s3:///a", "http://b/a", "s3://BUCKET", "s3://ab", "s3://bucket/../a",
                            "s3://bucket//a"}) {
    EXPECT_EQ(CodeOf(ParseS3Location(wrong, &options)), ErrorCode::kInvalidArgument) << wrong;
  }
}

TEST(Xml, ParsesWhatServersSend) {
  const auto xml = *ParseXml("<?xml version='1.0'?>\n<!-- c --><r:A x=\"1>2\" y='b'><B>a&lt;&#65;&#x20AC;</B><C/>"
                             "<B>second</B>text</r:A> ");
  EXPECT_EQ(xml.name, "A");
  EXPECT_EQ(xml.text, "text");
  ASSERT_EQ(xml.children.size(), 3U);
  EXPECT_EQ(xml.TextOf("B"), "a<A\xE2\x82\xAC");
  EXPECT_EQ(xml.TextOf("C"), "");
  EXPECT_EQ(xml.Find("D"), nullptr);
  for (const char* wrong : {"", "<a>", "<a></b>", "<a", "text", "<a>&x;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>",
                            "<a b></a>", "<a b=c></a>", "<a/><b/>", "<!DOCTYPE a><a/>", "<a>&amp</a>",
                            "<a><!-- </a>"}) {
    EXPECT_EQ(CodeOf(ParseXml(wrong).status()), ErrorCode::kDataLoss) << wrong;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_EQ(CodeOf(ParseXml(deep).status()), ErrorCode::kDataLoss);
  EXPECT_EQ(CodeOf(ParseXml(std::string(kXmlBytesMax + 1, ' ')).status()), ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace tideline::objstore
