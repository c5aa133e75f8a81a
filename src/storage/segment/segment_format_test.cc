// Files of every format version open and hold what they held, and so do the bytes that the document of
// the format shows; what the magnetic store writes reads back, and caches hold it without its entropy
// stage.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/random.h"
#include "storage/codec/binned_sequence.h"
#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_writer.h"

namespace tideline::segment {
namespace {

Bytes ReadSample(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const BytesView bytes = AsBytes(text);
  return {bytes.begin(), bytes.end()};
}

Result<std::shared_ptr<SegmentReader>> OpenBytes(Bytes bytes, BlockCache* cache = nullptr) {
  const std::uint64_t size = bytes.size();
  return SegmentReader::Open(std::make_shared<MemoryRangeReader>(std::move(bytes)), size,
                             {.cache = cache});
}

// The rows of tests/upgrade/segment_v1.segment, by the rule that they were made by.
struct SampleRow {
  std::int64_t time = 0;
  std::int64_t version = 1;
  bool has_bigint = false;
  std::int64_t bigint = 0;
  double decimal = 0;
  double full = 0;
  bool boolean = false;
  std::string text;
  std::string level;
};

SampleRow SampleRowOf(std::size_t series, std::size_t i) {
  SampleRow row;
  row.time = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(i) * 10'000'000'000;
  row.version = series == 2 && i == 5 ? 4 : 1;
  row.has_bigint = i % 5 != 0;
  row.bigint = static_cast<std::int64_t>(i * i % 1009);
  row.decimal = static_cast<double>(i * 37 % 5000) / 100;
  row.full = 1.0 / static_cast<double>(i + 1);
  row.boolean = i / 50 % 2 != 0;
  row.text = "line " + std::to_string(i * 7919 % 10007);
  row.level = i % 3 == 0 ? "warn" : "info";
  return row;
}

Status CheckSampleStripe(const SegmentReader& reader, std::size_t index,
                         std::vector<std::size_t>* rows_of_series) {
  const Stripe stripe = TL_TRY(reader.OpenStripe(index));
  const std::size_t rows = stripe.row_count();
  std::map<ColumnId, ColumnBlock> blocks;
  for (const BlockInfo& info : stripe.blocks()) {
    blocks[info.column] = TL_TRY(stripe.OpenColumn(info.column));
  }
  std::vector<std::int64_t> times(rows), versions(rows), bigints(rows);
  std::vector<double> decimals(rows), fulls(rows);
  std::vector<std::uint8_t> booleans(rows);
  std::vector<std::string_view> texts(rows), levels(rows);
  std::vector<std::uint64_t> valid(codec::ValidityWords(rows));
  TL_TRY(blocks[kTimeColumn].ReadInt64(0, times));
  TL_TRY(blocks[kVersionColumn].ReadInt64(0, versions));
  TL_TRY(blocks[20].ReadInt64(0, bigints, valid));
  TL_TRY(blocks[21].ReadDouble(0, decimals));
  TL_TRY(blocks[22].ReadDouble(0, fulls));
  TL_TRY(blocks[23].ReadBool(0, booleans));
  TL_TRY(blocks[24].ReadString(0, texts));
  TL_TRY(blocks[25].ReadString(0, levels));
  for (const SeriesRun& run : stripe.series_runs()) {
    for (std::size_t i = run.first_row; i < run.first_row + run.row_count; ++i) {
      const SampleRow row = SampleRowOf(run.series, (*rows_of_series)[run.series]++);
      EXPECT_EQ(times[i], row.time);
      EXPECT_EQ(versions[i], row.version);
      EXPECT_EQ((valid[i / 64] >> (i % 64) & 1) != 0, row.has_bigint);
      EXPECT_EQ(bigints[i], row.has_bigint ? row.bigint : 0);
      EXPECT_EQ(decimals[i], row.decimal);
      EXPECT_EQ(fulls[i], row.full);
      EXPECT_EQ(booleans[i] != 0, row.boolean);
      EXPECT_EQ(texts[i], row.text);
      EXPECT_EQ(levels[i], row.level);
    }
  }
  return OkStatus();
}

TEST(Upgrade, SegmentOfVersion1Opens) {
  const auto opened = OpenBytes(ReadSample("tests/upgrade/segment_v1.segment"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  const SegmentReader& reader = **opened;
  EXPECT_EQ(reader.summary().format_version, 1U);
  EXPECT_EQ(reader.summary().table_id, 7U);
  EXPECT_EQ(reader.summary().through_number, 99U);
  EXPECT_EQ(reader.summary().row_count, 4200U);
  std::vector<std::size_t> rows_of_series(3);
  for (std::size_t i = 0; i < reader.stripe_count(); ++i) {
    const Status checked = CheckSampleStripe(reader, i, &rows_of_series);
    ASSERT_TRUE(checked.ok()) << checked;
  }
  EXPECT_EQ(rows_of_series, (std::vector<std::size_t>{1300, 1400, 1500}));
  const auto table = *reader.series_table();
  EXPECT_EQ(table->id(2), 12U);
  EXPECT_EQ(table->measure_name(2), "mem");
  EXPECT_EQ(table->dimension_value(2, 2), "host_2");
  EXPECT_EQ(table->dimension_value(1, 3), std::nullopt);
  EXPECT_EQ(table->dimension_value(0, 3), "eu-west-1");
}

// The bytes shown in docs/file-format.md under `heading`: lines of "offset | hex bytes | what they are",
// whose offsets must be where their bytes stand.
Bytes BytesOfDocument(const std::string& heading) {
  const Bytes document = ReadSample("docs/file-format.md");
  const std::string_view text = AsText(document);
  const std::size_t section = text.find("### " + heading + "\n");
  EXPECT_NE(section, std::string_view::npos) << heading;
  if (section == std::string_view::npos) return {};
  constexpr std::string_view kFence = "```\n";
  const std::size_t begin = text.find(kFence, section) + kFence.size();
  std::istringstream lines(std::string(text.substr(begin, text.find("```", begin) - begin)));
  Bytes bytes;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first_bar = line.find('|');
    if (first_bar == std::string::npos) continue;
    EXPECT_EQ(std::stoul(line.substr(0, first_bar), nullptr, 16), bytes.size()) << line;
    const std::size_t second_bar = line.find('|', first_bar + 1);
    std::istringstream words(line.substr(first_bar + 1, second_bar - first_bar - 1));
    for (std::string word; words >> word;) {
      bytes.push_back(static_cast<std::byte>(std::stoul(word, nullptr, 16)));
    }
  }
  return bytes;
}

TEST(WorkedExample, SegmentOfTheDocumentReads) {
  const Bytes bytes = BytesOfDocument("Worked example of a segment");
  ASSERT_EQ(bytes.size(), 448U);
  const auto opened = OpenBytes(bytes);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const SegmentReader& reader = **opened;
  EXPECT_EQ(reader.summary().table_id, 1U);
  EXPECT_EQ(reader.summary().tier, Tier::kMagnetic);
  EXPECT_EQ(reader.summary().window_length_ns, 3'600'000'000'000);
  ASSERT_EQ(reader.stripe_count(), 1U);
  const Stripe stripe = *reader.OpenStripe(0);
  std::vector<double> values(4);
  std::vector<std::int64_t> times(4);
  std::vector<std::int64_t> versions(4);
  ASSERT_TRUE((*stripe.OpenColumn(3)).ReadDouble(0, values).ok());
  ASSERT_TRUE((*stripe.OpenTimes()).ReadInt64(0, times).ok());
  ASSERT_TRUE((*stripe.OpenVersions()).ReadInt64(0, versions).ok());
  EXPECT_EQ(values, (std::vector<double>{20.5, 21, 21.5, 21}));
  EXPECT_EQ(times, (std::vector<std::int64_t>{0, 10'000'000'000, 20'000'000'000, 30'000'000'000}));
  EXPECT_EQ(versions, (std::vector<std::int64_t>{1, 1, 1, 1}));
  EXPECT_EQ(stripe.Find(3)->zone.sum_double, 84);
  const auto table = *reader.series_table();
  EXPECT_EQ(table->measure_name(0), "cpu");
  EXPECT_EQ(table->dimension_value(0, 2), "a");
  EXPECT_TRUE(reader.Scrub().ok());

  // And it is what the writer writes today.
  SegmentWriterOptions options;
  for (std::size_t i = 0; i < 16; ++i) options.file_uuid[i] = static_cast<std::uint8_t>(i * 17);
  options.table_id = 1;
  options.tier = Tier::kMagnetic;
  options.window_length_ns = 3'600'000'000'000;
  options.through_number = 5;
  MemorySink sink;
  SegmentWriter writer(options, sink);
  const DimensionValue dimensions[] = {{2, "a"}};
  ASSERT_TRUE(writer.AddSeries({.measure_name = "cpu", .dimensions = dimensions}).ok());
  const ColumnChunk chunk{.column = 3, .type = ColumnType::kDouble, .doubles = values};
  ASSERT_TRUE(writer.AddRows(times, versions, {&chunk, 1}).ok());
  ASSERT_TRUE(writer.Finish().ok());
  EXPECT_EQ(sink.bytes(), bytes);
}

TEST(WorkedExample, BinnedIntegersOfTheDocumentDecode) {
  const Bytes payload = BytesOfDocument("Worked example of binned integers");
  const std::vector<std::int64_t> expected = {5,   7, 6, 900, 7, 6, 5, 7,   6, 5, 900, 6,
                                              5,   7, 6, 5,   7, 900, 5, 7, 6, 5, 7,   6};
  std::vector<std::int64_t> values(expected.size());
  const Status decoded = codec::DecodeBinned(payload, values);
  ASSERT_TRUE(decoded.ok()) << decoded;
  EXPECT_EQ(values, expected);
}

TEST(SeriesTables, NamesThatAreCodedOutliveTheirBlocks) {
  // Long and alike, so that the names are worth a symbol table.
  const auto name_of = [](std::size_t i) {
    return "building-7/floor-3/sensor-" + std::to_string(i * 7919 % 100'003) + "/temperature";
  };
  MemorySink sink;
  SegmentWriter writer({}, sink);
  for (std::size_t i = 0; i < 500; ++i) {
    const std::string name = name_of(i);
    const DimensionValue dimensions[] = {{1, name}};
    ASSERT_TRUE(writer.AddSeries({.id = i, .measure_name = name, .dimensions = dimensions}).ok());
  }
  ASSERT_TRUE(writer.Finish().ok());
  const auto reader = *OpenBytes(sink.bytes());
  const auto table = *reader->series_table();
  EXPECT_LT(sink.bytes().size(), 500 * 2 * name_of(1).size());
  EXPECT_GT(table->memory_bytes(), 500 * 2 * name_of(1).size());
  for (std::size_t i = 0; i < 500; ++i) {
    ASSERT_EQ(table->measure_name(i), name_of(i));
    ASSERT_EQ(table->dimension_value(i, 1), name_of(i));
  }
}

// Three series of a walk, in whole numbers.
Result<WrittenSegment> WriteWalks(codec::Effort effort, MemorySink* sink,
                                  std::vector<double>* all_values) {
  SegmentWriterOptions options;
  options.file_uuid = {9, 9, 9};
  options.tier = effort == codec::Effort::kSmall ? Tier::kMagnetic : Tier::kMemory;
  options.effort = effort;
  SegmentWriter writer(options, *sink);
  Random random(4);
  const std::size_t rows = 20'000;
  std::vector<std::int64_t> times(rows);
  for (std::size_t i = 0; i < rows; ++i) times[i] = static_cast<std::int64_t>(i) * 10'000'000'000;
  const std::vector<std::int64_t> versions(rows, 1);
  for (SeriesId id = 0; id < 3; ++id) {
    std::vector<double> values(rows);
    double at = 50;
    for (double& value : values) {
      double step = -6;
      for (int i = 0; i < 12; ++i) step += random.NextDouble();
      at = std::min(100.0, std::max(0.0, at + step));
      value = std::floor(at);
    }
    all_values->insert(all_values->end(), values.begin(), values.end());
    const std::string host = "host_" + std::to_string(id);
    const DimensionValue dimensions[] = {{1, host}};
    TL_TRY(writer.AddSeries({.id = id, .measure_name = "cpu", .dimensions = dimensions}));
    const ColumnChunk chunk{.column = 10, .type = ColumnType::kDouble, .doubles = values};
    TL_TRY(writer.AddRows(times, versions, {&chunk, 1}));
  }
  return writer.Finish();
}

class ListCache final : public BlockCache {
 public:
  std::shared_ptr<const Bytes> Get(const BlockKey& key) override {
    const auto at = pieces.find(key.offset);
    if (at == pieces.end()) return nullptr;
    ++hits;
    return at->second;
  }
  void Put(const BlockKey& key, std::shared_ptr<const Bytes> bytes) override {
    pieces[key.offset] = std::move(bytes);
  }
  std::map<std::uint64_t, std::shared_ptr<const Bytes>> pieces;
  int hits = 0;
};

TEST(Effort, SmallSegmentsReadTheSameAndCachesHoldLightBlocks) {
  MemorySink light_sink;
  MemorySink small_sink;
  std::vector<double> values;
  const auto light = WriteWalks(codec::Effort::kLight, &light_sink, &values);
  values.clear();
  const auto small = WriteWalks(codec::Effort::kSmall, &small_sink, &values);
  ASSERT_TRUE(light.ok() && small.ok());
  EXPECT_LT(small->file_bytes, light->file_bytes * 4 / 5);
  // One value column, its times and everything else: 0.30 bytes a row.
  EXPECT_LT(static_cast<double>(small->file_bytes), 0.30 * 60'000);

  ListCache cache;
  const auto reader = *OpenBytes(small_sink.bytes(), &cache);
  EXPECT_EQ(reader->summary().tier, Tier::kMagnetic);
  for (int pass = 0; pass < 2; ++pass) {
    std::size_t row = 0;
    for (std::size_t s = 0; s < reader->stripe_count(); ++s) {
      const Stripe stripe = *reader->OpenStripe(s);
      const ColumnBlock block = *stripe.OpenColumn(10);
      std::vector<double> back(stripe.row_count());
      ASSERT_TRUE(block.ReadDouble(0, back).ok());
      for (const double value : back) ASSERT_EQ(value, values[row++]);
      // The cached block is the light one, though the file's has a stage.
      const BlockInfo& info = *stripe.Find(10);
      const auto cached = cache.pieces.at(info.offset);
      EXPECT_FALSE(codec::HasEntropyStage(*cached));
      EXPECT_NE(cached->size(), info.bytes);
    }
    EXPECT_EQ(row, values.size());
    EXPECT_EQ(cache.hits > 0, pass > 0);
  }
}

}  // namespace
}  // namespace tideline::segment
