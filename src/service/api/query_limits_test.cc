// The limits of a query as its caller meets them: time, memory, size of the result, of a row and of the text.
#include <gtest/gtest.h>

#include <filesystem>

#include "columnar/text_format.h"
#include "service/api/query_service.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::api {
namespace {

/// Rows as lines of text.
class TextEncoder final : public PageEncoder {
 public:
  void Begin(const std::vector<ResultColumn>&) override { text_.clear(); }
  std::size_t Append(const Batch& batch, std::size_t first_row, std::size_t rows_max, std::size_t bytes_max) override {
    std::size_t taken = 0;
    while (taken < rows_max && first_row + taken < batch.row_count) {
      std::string line;
      for (const Vector& column : batch.columns) {
        if (!column.IsNull(first_row + taken)) AppendText(column, first_row + taken, &line);
        line += '\n';
      }
      if (text_.size() + line.size() > bytes_max) break;
      text_ += line;
      ++taken;
    }
    return taken;
  }
  std::string Finish() override { return text_; }

 private:
  std::string text_;
};

class QueryLimitsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "tideline-query-limits-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
    engine::EngineOptions options;
    options.data_dir = directory_ + "/data";
    options.file_system = &fs::PosixFileSystem();
    options.clock = &SystemClock();
    Result<std::unique_ptr<engine::Engine>> engine = engine::Engine::Open(options);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }
  void TearDown() override {
    service_.reset();
    pool_.Stop();
    if (engine_ != nullptr) {
      EXPECT_TRUE(engine_->Stop().ok());
    }
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void Serve(const QueryServiceOptions& options) {
    service_ = std::make_unique<QueryService>(*engine_, SystemClock(), pool_, memory_, options);
  }

  /// The number of pages, or what the query ended in.
  Result<int> Run(const std::string& sql) {
    TextEncoder encoder;
    QueryRequest request;
    request.query = sql;
    for (int pages = 1;; ++pages) {
      const QueryPage page = TL_TRY(service_->Query(CallContext(), request, encoder));
      if (page.next_token.empty()) return pages;
      request.next_token = page.next_token;
    }
  }

  void Fails(const std::string& sql, ErrorCode code, std::string_view text) {
    const Result<int> pages = Run(sql);
    ASSERT_FALSE(pages.ok()) << sql;
    EXPECT_EQ(CodeOf(pages.status()), code) << pages.status();
    EXPECT_NE(MessageOf(pages.status()).find(text), std::string_view::npos) << pages.status();
    EXPECT_EQ(service_->session_count(), 0U);
  }

  std::string directory_;
  MemoryBudget memory_{"process", std::size_t{1} << 30};
  ThreadPool pool_{{.name = "query", .thread_count = 2}};
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<QueryService> service_;
};

constexpr std::string_view kEndless =
    "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 10000)) AS b(y) "
    "CROSS JOIN UNNEST(sequence(1, 10000)) AS c(z)";

TEST_F(QueryLimitsTest, Time) {
  QueryServiceOptions options;
  options.query_ns_max = 50 * kNsPerMs;
  Serve(options);
  Fails(std::string(kEndless), ErrorCode::kDeadlineExceeded, "the query exceeded its time limit");
}

TEST_F(QueryLimitsTest, SizeOfTheResult) {
  QueryServiceOptions options;
  options.result_bytes_max = 3'000'000;
  Serve(options);
  const std::string rows = "SELECT rpad('x', 1000, 'y') FROM UNNEST(sequence(1, {})) AS t(i)";
  const Result<int> within = Run(fmt::format(fmt::runtime(rows), 2'000));
  ASSERT_TRUE(within.ok()) << within.status();
  EXPECT_GE(*within, 2);
  TextEncoder encoder;
  QueryRequest request;
  request.query = fmt::format(fmt::runtime(rows), 5'000);
  Result<QueryPage> page = service_->Query(CallContext(), request, encoder);
  int pages = 1;
  for (; page.ok() && !page->next_token.empty(); ++pages) {
    request.next_token = page->next_token;
    page = service_->Query(CallContext(), request, encoder);
  }
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(CodeOf(page.status()), ErrorCode::kExecutionFailed);
  EXPECT_EQ(MessageOf(page.status()), "The result exceeds the limit of 3000000 bytes.");
  EXPECT_EQ(pages, 4);
}

TEST_F(QueryLimitsTest, SizeOfARow) {
  Serve({});
  Fails("SELECT rpad('x', 1000001, 'y')", ErrorCode::kExecutionFailed,
        "Query aborted as max page response size has been exceeded by the output result row");
}

TEST_F(QueryLimitsTest, SizeOfTheColumnDescriptions) {
  Serve({});
  std::string sql = "SELECT 1 AS c0";
  for (int i = 1; i < 5'000; ++i) sql += fmt::format(", 1 AS \"{:030}\"", i);
  Fails(sql, ErrorCode::kExecutionFailed, "exceeds the limit of 100000");
}

TEST_F(QueryLimitsTest, LengthOfTheText) {
  Serve({});
  Fails("SELECT '" + std::string(kQueryBytesMax, 'x') + "'", ErrorCode::kInvalidArgument, "exceeds the limit of 262144");
}

TEST_F(QueryLimitsTest, MemoryWithoutADisk) {
  QueryServiceOptions options;
  options.query_memory_bytes_max = std::size_t{1} << 20;
  Serve(options);
  // The query's failure, not a request to slow down.
  Fails("SELECT x FROM UNNEST(sequence(1, 200000)) AS t(x) ORDER BY -x", ErrorCode::kExecutionFailed, "'query'");
}

TEST_F(QueryLimitsTest, StackAndExpressions) {
  Serve({});
  const auto repeat = [](std::string_view piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
  };
  Fails("SELECT " + repeat("(", 9'000) + "1" + repeat(")", 9'000), ErrorCode::kInvalidArgument, "deep");
  Fails("SELECT " + repeat("abs(", 9'000) + "1" + repeat(")", 9'000), ErrorCode::kInvalidArgument, "deep");
  std::string list = "SELECT 7 IN (1";
  for (int i = 0; i < 110'000; ++i) list += ",1";
  Fails(list + ")", ErrorCode::kInvalidArgument, "100000");
  // Each of thirty steps twice the one before.
  std::string with = "WITH w0 AS (SELECT 1 AS x)";
  for (int i = 1; i <= 30; ++i) with += fmt::format(", w{0} AS (SELECT a.x FROM w{1} a, w{1} b)", i, i - 1);
  Fails(with + " SELECT count(*) FROM w30", ErrorCode::kInvalidArgument, "WITH");
}

// One batch that takes far longer than a page may.
TEST_F(QueryLimitsTest, APageIsNotLateForOneBatch) {
  Serve({});
  TextEncoder encoder;
  QueryRequest request;
  request.query =
      "SELECT count_if(regexp_like(rpad('', 30, 'a') || CAST(x AS varchar) || '!', '^(a|aa)+$')) "
      "FROM UNNEST(sequence(1, 2000)) AS t(x)";
  const std::int64_t start = SystemClock().SteadyNow().value;
  const Result<QueryPage> page = service_->Query(CallContext(), request, encoder);
  const std::int64_t took = SystemClock().SteadyNow().value - start;
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_FALSE(page->next_token.empty());
  EXPECT_LT(took, kPageWaitNsMax + 3 * kNsPerSecond);
  ASSERT_TRUE(service_->CancelQuery(CallContext(), page->query_id).ok());
}

TEST_F(QueryLimitsTest, CancellingEndsTheWork) {
  Serve({});
  TextEncoder encoder;
  QueryRequest request;
  request.query = std::string(kEndless);
  const Result<QueryPage> page = service_->Query(CallContext(), request, encoder);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_FALSE(page->next_token.empty());
  LatencyHistogram& cancels = Metrics().MakeHistogram("tideline_query_cancel_seconds", "");
  const std::uint64_t before = cancels.count();
  ASSERT_TRUE(service_->CancelQuery(CallContext(), page->query_id).ok());
  EXPECT_EQ(cancels.count(), before + 1);  // no call was at it: the work has ended with the answer
  EXPECT_EQ(memory_.used_bytes(), 0U);
}

}  // namespace
}  // namespace tideline::api
