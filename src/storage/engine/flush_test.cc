#include "storage/engine/flush.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "storage/segment/segment_reader.h"

namespace tideline::engine {
namespace {

// Start of a window, series, time, column and value.
using Cell = std::array<std::int64_t, 5>;

constexpr std::int64_t kFirstHour = 1'000 * kNsPerHour;

struct Shape {
  std::uint32_t series = 300;
  std::uint32_t rows_max = 3;        ///< of a series in a buffer
  std::int64_t hours = 1;            ///< that rows lie in
  std::uint32_t columns = 4;         ///< of which a row has one
  std::uint32_t buffers = 1;
  bool has_dead = false;
  std::int64_t edge_ns = INT64_MIN;  ///< rows before it are expired
};

struct TestSink final : SegmentSink {
  explicit TestSink(std::map<Uuid, Bytes>* files, const Uuid& uuid) : bytes((*files)[uuid]) {}
  Status Append(BytesView more) override {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return OkStatus();
  }
  Status Commit() override { return OkStatus(); }
  Bytes& bytes;
};

std::string HostOf(std::uint32_t series) { return "host" + std::to_string(series * 7919 % 10007); }

// A flush of random rows of one shape, beside what must come out of it.
class FlushOf {
 public:
  FlushOf(const Shape& shape, std::uint64_t seed) : shape_(shape), random_(seed) {
    index_.AddSlot(0);
    index_.AddSlot(1);
    index_.AddMeasure(0, "cpu");
    for (std::uint32_t i = 0; i < shape.series; ++i) {
      const std::string host = HostOf(i);
      const std::string region = "region" + std::to_string(i % 3);
      std::vector<hot::KeyPart> parts = {{0, host, hot::Dictionary::HashOf(host)}};
      if (i % 4 != 0) parts.push_back({1, region, hot::Dictionary::HashOf(region)});
      const std::uint64_t hash = hot::SeriesIndex::DimensionsHash(parts);
      EXPECT_EQ(index_.Add(hot::SeriesIndex::KeyHash(0, hash), 0, parts).value, i);
    }
    for (std::uint32_t i = 0; i < shape.buffers; ++i) Fill();
  }

  std::vector<Cell> Run() {
    auto schema = std::make_shared<catalog::TableSchema>();
    schema->dimensions = {{.id = catalog::ColumnId{1}, .name = "host"}, {.id = catalog::ColumnId{2}, .name = "region"}};
    WindowPlan plan;
    FlushRequest request;
    request.schema = schema;
    request.index = &index_;
    for (const auto& buffer : buffers_) request.sources.push_back(MakeBufferSource(buffer, 1));
    for (const auto& source : request.sources) {
      EXPECT_TRUE(source->ForTimes([&](std::span<const std::int64_t> times) { plan.Count(times); }).ok());
    }
    plan.Decide(1);
    request.plan = &plan;
    request.retention_edge_ns = shape_.edge_ns;
    request.make_uuid = [this] { return MakeUuid(random_); };
    std::map<Uuid, Bytes> files;
    request.make_sink = [&](const Uuid& uuid) -> Result<std::unique_ptr<SegmentSink>> {
      return std::unique_ptr<SegmentSink>(std::make_unique<TestSink>(&files, uuid));
    };
    const auto flushed = Flush(std::move(request));
    EXPECT_TRUE(flushed.ok()) << flushed.status();
    std::vector<Cell> cells;
    for (const FlushedSegment& segment : flushed->segments) Read(segment, files[segment.file_uuid], &cells);
    std::sort(cells.begin(), cells.end());
    return cells;
  }

  std::vector<Cell> expected() {
    std::sort(expected_.begin(), expected_.end());
    return expected_;
  }

 private:
  void Fill() {
    auto buffer = std::make_shared<hot::Buffer>();
    hot::Sheet* const sheet = buffer->SheetFor(0);
    std::vector<std::uint32_t> dead;
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < shape_.series; ++i) {
      const std::uint32_t series = i * 37 % shape_.series;  // as they arrive, not as they are sorted
      for (std::uint64_t left = 1 + random_.Below(shape_.rows_max); left > 0; --left, ++count) {
        const auto ns = static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(shape_.hours) * kNsPerHour));
        const std::int64_t time = kFirstHour + ns;
        const std::uint32_t row = sheet->StageRow(series, time, 1);
        buffer->NoteRow(sheet, row, series, time);
        const std::uint32_t column = 10 + series % shape_.columns;
        sheet->ColumnFor(catalog::ColumnId{column}, hot::MeasureType::kBigint)->AppendBits(row, count);
        if (shape_.has_dead && random_.Below(3) == 0) {
          dead.push_back(row);
        } else if (time >= shape_.edge_ns) {
          expected_.push_back({WindowAround(time, kNsPerHour).start_ns, series, time, column, count});
        }
      }
    }
    sheet->Commit(1);
    for (const std::uint32_t row : dead) sheet->MarkDead(row, 1);
    buffers_.push_back(std::move(buffer));
  }

  // Checks the order of series and their dimensions, too.
  void Read(const FlushedSegment& segment, const Bytes& bytes, std::vector<Cell>* cells) {
    const auto reader = *segment::SegmentReader::Open(std::make_shared<segment::MemoryRangeReader>(bytes), bytes.size());
    const auto table = *reader->series_table();
    std::string last;
    for (std::uint32_t i = 0; i < table->size(); ++i) {
      const auto series = static_cast<std::uint32_t>(table->id(i));
      const std::string host(*table->dimension_value(i, 1));
      EXPECT_EQ(host, HostOf(series));
      EXPECT_LT(last, host);
      last = host;
      EXPECT_EQ(table->dimension_value(i, 2).has_value(), series % 4 != 0);
    }
    for (std::size_t s = 0; s < reader->stripe_count(); ++s) {
      const segment::Stripe stripe = *reader->OpenStripe(s);
      std::vector<std::int64_t> times(stripe.row_count());
      EXPECT_TRUE(reader->ReadTimes(s, 0, times).ok());
      for (const segment::BlockInfo& info : stripe.blocks()) {
        if (info.column == segment::kTimeColumn || info.column == segment::kVersionColumn) continue;
        std::vector<std::int64_t> values(stripe.row_count());
        std::vector<std::uint64_t> validity(codec::ValidityWords(values.size()));
        EXPECT_TRUE(stripe.OpenColumn(info.column)->ReadInt64(0, values, validity).ok());
        for (const segment::SeriesRun& run : stripe.series_runs()) {
          for (std::uint32_t row = run.first_row; row < run.first_row + run.row_count; ++row) {
            if ((validity[row / 64] >> (row % 64) & 1) == 0) continue;
            cells->push_back({segment.window.start_ns, static_cast<std::int64_t>(table->id(run.series)), times[row],
                              info.column, values[row]});
          }
        }
      }
    }
  }

  const Shape shape_;
  Random random_;
  hot::SeriesIndex index_;
  std::vector<std::shared_ptr<hot::Buffer>> buffers_;
  std::vector<Cell> expected_;
};

void ExpectAllRows(const Shape& shape) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    FlushOf flush(shape, seed);
    const std::vector<Cell> cells = flush.Run();
    ASSERT_EQ(cells, flush.expected()) << "seed " << seed;
  }
}

TEST(Flush, ShortSeriesOfOneWindow) { ExpectAllRows({}); }
TEST(Flush, ManyShortSeries) { ExpectAllRows({.series = 9'000, .rows_max = 2}); }
TEST(Flush, ShortSeriesOfSeveralWindows) { ExpectAllRows({.rows_max = 5, .hours = 3}); }
TEST(Flush, ShortSeriesOfManyColumns) { ExpectAllRows({.columns = 150}); }
TEST(Flush, ShortSeriesOfTwoBuffers) { ExpectAllRows({.buffers = 2}); }
TEST(Flush, ShortSeriesWithDeadRows) { ExpectAllRows({.has_dead = true}); }
TEST(Flush, ShortSeriesOfWhichSomeAreExpired) {
  ExpectAllRows({.hours = 2, .edge_ns = kFirstHour + kNsPerHour / 2});
}
TEST(Flush, ShortAndLongSeries) { ExpectAllRows({.series = 200, .rows_max = 150, .buffers = 2, .has_dead = true}); }

}  // namespace
}  // namespace tideline::engine
