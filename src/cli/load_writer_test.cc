#include "cli/load_writer.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <sstream>

#include "cli/csv_loader.h"

namespace tideline::cli {
namespace {

// Takes rows whose only value is a number; refuses a call with "bad" in it whole, rejects "late" alone.
class FakeSink final : public LoadSink {
 public:
  std::size_t records_max() const override { return 7; }
  std::size_t sent_max() const override { return 3; }
  Status Prepare() override {
    prepared_ = true;
    return OkStatus();
  }
  Status Send(std::span<const api::RecordInput> records) override {
    EXPECT_LE(records.size(), records_max());
    EXPECT_LT(answers_.size(), sent_max());
    if (broken_after_ <= values_.size()) return Unavailable("the disk is gone");
    api::WriteRecordsAnswer answer;
    std::vector<std::string> values;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const std::string value(records[i].measure_values[0].value);
      if (value == "bad") return InvalidArgument("one is bad");
      if (value == "late") {
        answer.rejected.push_back({static_cast<std::uint32_t>(i), "too late", {}});
      } else {
        values.push_back(value);
      }
    }
    values_.insert(values_.end(), values.begin(), values.end());
    answers_.push_back(std::move(answer));
    return OkStatus();
  }
  Result<api::WriteRecordsAnswer> Receive() override {
    api::WriteRecordsAnswer answer = std::move(answers_.front());
    answers_.pop_front();
    if (received_++ == lost_answer_) return DataLoss("the answer is lost");
    return answer;
  }
  Status Finish() override {
    EXPECT_TRUE(prepared_ && answers_.empty());
    finished_ = true;
    return finish_status_;
  }

  bool prepared_ = false;
  bool finished_ = false;
  Status finish_status_;
  std::size_t broken_after_ = SIZE_MAX;
  std::size_t lost_answer_ = SIZE_MAX;  // the answer that is an error, from 0
  std::size_t received_ = 0;
  std::vector<std::string> values_;
  std::deque<api::WriteRecordsAnswer> answers_;
};

// A header and `count` rows whose value is their number, but for `special` at row `at` (from 0).
std::string File(std::size_t count, std::size_t at = SIZE_MAX, const std::string& special = {}) {
  std::string text = "time,v\n";
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{},{}\n", i, i == at ? special : std::to_string(i));
  return text;
}

struct Loaded {
  FakeSink sink;
  Status status;
  LoadCounts counts;

  explicit Loaded(const std::string& text, const std::function<void(FakeSink*)>& set_up = {}) {
    if (set_up) set_up(&sink);
    CsvLoaderOptions options;
    options.file = "f";
    options.columns.time_unit = "SECONDS";
    options.columns.types = {{"v", "VARCHAR"}};
    CsvLoader loader(sink, options);
    std::istringstream in(text);
    status = loader.Load(in);
    counts = loader.counts();
  }
};

TEST(LoadWriterTest, WritesAllRowsInOrder) {
  for (const std::size_t count : {0U, 1U, 7U, 8U, 1'000U, 1'001U, 5'000U}) {
    const Loaded loaded(File(count));
    EXPECT_TRUE(loaded.status.ok()) << loaded.status;
    EXPECT_EQ(loaded.counts.written, count);
    EXPECT_TRUE(loaded.sink.finished_);
    ASSERT_EQ(loaded.sink.values_.size(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(loaded.sink.values_[i], std::to_string(i));
  }
}

TEST(LoadWriterTest, StoresTheFileUpToARefusedRow) {
  for (const std::size_t at : {0U, 3U, 6U, 999U, 1'000U, 4'321U}) {
    const Loaded loaded(File(5'000, at, "bad"));
    EXPECT_EQ(MessageOf(loaded.status), fmt::format("f:{}: one is bad", at + 2));
    EXPECT_EQ(loaded.counts.written, at);
    EXPECT_EQ(loaded.sink.values_.size(), at);
    EXPECT_TRUE(loaded.sink.finished_);
  }
}

TEST(LoadWriterTest, CountsWhatIsRejected) {
  const Loaded loaded(File(3'000, 2'000, "late"));
  EXPECT_TRUE(loaded.status.ok());
  EXPECT_EQ(loaded.counts.written, 2'999U);
  EXPECT_EQ(loaded.counts.rejected, 1U);
}

TEST(LoadWriterTest, AnErrorOfTheFileComesAfterTheRowsBefore) {
  const Loaded loaded(File(3'000) + "3000,1,2\n" + File(10));
  EXPECT_EQ(MessageOf(loaded.status), "f:3002: 3 fields, but the header has 2");
  EXPECT_EQ(loaded.counts.written, 3'000U);
}

TEST(LoadWriterTest, EndsWhenTheSinkIsBroken) {
  const Loaded loaded(File(100'000), [](FakeSink* sink) { sink->broken_after_ = 2'100; });
  EXPECT_EQ(MessageOf(loaded.status), "f: the disk is gone");
  EXPECT_EQ(loaded.counts.written, 2'100U);
  EXPECT_TRUE(loaded.sink.finished_);
}

// Amid the file, and among the last answers, which are taken when all is sent.
TEST(LoadWriterTest, EndsWhenAnAnswerIsAnError) {
  for (const std::size_t lost : {0U, 100U, 140U, 141U, 142U}) {
    const Loaded loaded(File(1'000), [&](FakeSink* sink) { sink->lost_answer_ = lost; });
    EXPECT_EQ(MessageOf(loaded.status), "f: the answer is lost");
    EXPECT_EQ(CodeOf(loaded.status), ErrorCode::kDataLoss);
    // All answers are taken, and what they count is counted.
    EXPECT_TRUE(loaded.sink.finished_);
    const std::size_t lost_rows = lost == 142 ? 1'000 - 142 * 7 : 7;
    EXPECT_EQ(loaded.counts.written, loaded.sink.values_.size() - lost_rows);
  }
}

TEST(LoadWriterTest, TheErrorIsThatOfTheEarliestRow) {
  const Loaded loaded(File(1'000, 703, "bad"), [](FakeSink* sink) { sink->lost_answer_ = 99; });
  EXPECT_EQ(MessageOf(loaded.status), "f: the answer is lost");
  EXPECT_EQ(loaded.sink.values_.size(), 703U);
  EXPECT_EQ(loaded.counts.written, 703U - 7U);
}

TEST(LoadWriterTest, AnErrorOfTheEndIsTold) {
  const Loaded loaded(File(10), [](FakeSink* sink) { sink->finish_status_ = Unavailable("no checkpoint"); });
  EXPECT_EQ(MessageOf(loaded.status), "no checkpoint");
  EXPECT_EQ(loaded.counts.written, 10U);
}

TEST(LoadWriterTest, FindsOutTypesFromSoMuchTextAtMost) {
  const std::string wide(kInferredBytesMax / 4, 'x');
  std::string text = "time,v,w\n";
  for (int i = 0; i < 6; ++i) text += fmt::format("{},{},{}\n", i, i == 5 ? "five" : "1", wide);
  // The rows before the last one are text enough: v is a number.
  FakeSink sink;
  CsvLoaderOptions options;
  options.file = "f";
  options.columns.time_unit = "SECONDS";
  CsvLoader loader(sink, options);
  std::istringstream in(text);
  EXPECT_TRUE(MessageOf(loader.Load(in)).starts_with("f:7: column 'v': 'five' is no number"));
  EXPECT_EQ(sink.values_.size(), 5U);
}

TEST(LoadWriterTest, PreparesNothingForAFileThatBeginsWrong) {
  const Loaded loaded("time,v\n1,2\nsoon,3\n");
  EXPECT_EQ(MessageOf(loaded.status), "f:3: column 'time': 'soon' is no whole number of SECONDS");
  EXPECT_FALSE(loaded.sink.prepared_);
}

}  // namespace
}  // namespace tideline::cli
