// Segments against a plain model: random schemas, NULLs and sizes; damage, truncation, a golden
// file.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/random.h"
#include "storage/segment/page_file.h"
#include "storage/segment/segment_format.h"
#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_writer.h"
#include "storage/segment/zone_map.h"

namespace tideline::segment {
namespace {

using Value = std::variant<std::monostate, std::int64_t, double, bool, std::string>;

struct ModelRow {
  std::int64_t time = 0;
  std::int64_t version = 0;
  std::map<ColumnId, Value> values;
};

struct ModelSeries {
  SeriesId id = 0;
  std::string measure;
  std::map<ColumnId, std::string> dimensions;
  std::vector<ModelRow> rows;
};

struct Model {
  std::map<ColumnId, ColumnType> columns;
  std::vector<ModelSeries> series;
  std::uint64_t row_count() const {
    std::uint64_t count = 0;
    for (const ModelSeries& each : series) count += each.rows.size();
    return count;
  }
};

Value RandomValue(Random& random, ColumnType type) {
  switch (type) {
    case ColumnType::kBigint:
      return static_cast<std::int64_t>(random.Below(1000)) - 500;
    case ColumnType::kTimestamp:
      return static_cast<std::int64_t>(random.Next() >> 2);
    case ColumnType::kDouble:
      return std::round(random.NextDouble() * 10000) / 100;
    case ColumnType::kBoolean:
      return random.Below(2) == 0;
    case ColumnType::kVarchar:
      return random.Text(random.Below(60), "abc");
  }
  return {};
}

Model RandomModel(Random& random, std::size_t series_max, std::size_t rows_max) {
  Model model;
  const std::size_t column_count = random.Below(8);
  for (std::size_t i = 0; i < column_count; ++i) {
    model.columns[static_cast<ColumnId>(100 + random.Below(50))] =
        static_cast<ColumnType>(1 + random.Below(5));
  }
  const std::size_t series_count = random.Below(series_max + 1);
  for (std::size_t i = 0; i < series_count; ++i) {
    ModelSeries& series = model.series.emplace_back();
    series.id = i * 7919 % 10007;
    series.measure = "m" + std::to_string(i * 5 / series_count);
    for (ColumnId dimension = 1; dimension <= 4; ++dimension) {
      if (random.Below(3) != 0) {
        series.dimensions[dimension] = "v" + std::to_string(random.Below(10));
      }
    }
    std::int64_t time = 1'000'000 + static_cast<std::int64_t>(random.Below(100));
    const std::size_t row_count = random.Below(rows_max + 1);
    for (std::size_t r = 0; r < row_count; ++r) {
      ModelRow& row = series.rows.emplace_back();
      time += static_cast<std::int64_t>(random.Below(3)) * 10;
      row.time = time;
      row.version = 1 + static_cast<std::int64_t>(random.Below(2));
      for (const auto& [id, type] : model.columns) {
        if ((id + i) % 3 != 0 && random.Below(4) != 0) row.values[id] = RandomValue(random, type);
      }
    }
  }
  return model;
}

// Everything a ColumnChunk refers to.
struct ChunkStore {
  std::vector<std::int64_t> int64s;
  std::vector<double> doubles;
  std::vector<std::uint8_t> booleans;
  std::vector<std::string_view> strings;
  std::vector<std::uint64_t> validity;
};

ColumnChunk MakeChunk(std::span<const ModelRow> rows, ColumnId id, ColumnType type,
                      ChunkStore* store) {
  store->validity.resize(codec::ValidityWords(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = rows[i].values.find(id);
    const Value value = at == rows[i].values.end() ? Value() : at->second;
    if (value.index() != 0) store->validity[i / 64] |= std::uint64_t{1} << (i % 64);
    const auto* integer = std::get_if<std::int64_t>(&value);
    const auto* real = std::get_if<double>(&value);
    const auto* boolean = std::get_if<bool>(&value);
    store->int64s.push_back(integer == nullptr ? 99 : *integer);
    store->doubles.push_back(real == nullptr ? 99 : *real);
    store->booleans.push_back(boolean != nullptr && *boolean ? 1 : 0);
    store->strings.push_back(value.index() == 4 ? std::get<std::string>(at->second)
                                                : std::string_view("junk"));
  }
  ColumnChunk chunk{.column = id, .type = type, .validity = store->validity};
  if (type == ColumnType::kBigint || type == ColumnType::kTimestamp) chunk.int64s = store->int64s;
  if (type == ColumnType::kDouble) chunk.doubles = store->doubles;
  if (type == ColumnType::kBoolean) chunk.booleans = store->booleans;
  if (type == ColumnType::kVarchar) chunk.strings = store->strings;
  return chunk;
}

struct Stamps {
  explicit Stamps(std::span<const ModelRow> rows) {
    for (const ModelRow& row : rows) {
      times.push_back(row.time);
      versions.push_back(row.version);
    }
  }
  std::vector<std::int64_t> times;
  std::vector<std::int64_t> versions;
};

Status AddModelSeries(Random& random, const Model& model, const ModelSeries& series,
                      SegmentWriter* writer) {
  std::vector<DimensionValue> dimensions;
  for (const auto& [column, value] : series.dimensions) dimensions.push_back({column, value});
  TL_TRY(writer->AddSeries(
      {.id = series.id, .measure_name = series.measure, .dimensions = dimensions}));
  for (std::size_t first = 0; first < series.rows.size();) {
    const std::size_t count = 1 + random.Below(series.rows.size() - first);
    const auto rows = std::span(series.rows).subspan(first, count);
    const Stamps stamps(rows);
    std::deque<ChunkStore> stores;
    std::vector<ColumnChunk> chunks;
    for (const auto& [id, type] : model.columns) {
      const auto has = [id = id](const ModelRow& row) { return row.values.contains(id); };
      if (std::none_of(rows.begin(), rows.end(), has) && random.Below(2) == 0) continue;
      chunks.push_back(MakeChunk(rows, id, type, &stores.emplace_back()));
    }
    TL_TRY(writer->AddRows(stamps.times, stamps.versions, chunks));
    first += count;
  }
  return OkStatus();
}

struct Written {
  Bytes bytes;
  WrittenSegment info;
};

SegmentWriterOptions TestOptions() {
  SegmentWriterOptions options;
  options.file_uuid = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  options.table_id = 77;
  options.window_start_ns = 0;
  options.window_length_ns = 1'000'000'000;
  options.through_number = 12345;
  return options;
}

Written WriteModel(const Model& model, SegmentWriterOptions options, std::uint64_t seed = 1) {
  Random random(seed);
  MemorySink sink;
  SegmentWriter writer(options, sink);
  for (const ModelSeries& series : model.series) {
    const Status status = AddModelSeries(random, model, series, &writer);
    EXPECT_TRUE(status.ok()) << status;
  }
  auto info = writer.Finish();
  EXPECT_TRUE(info.ok()) << info.status();
  return {std::move(sink.bytes()), *std::move(info)};
}

Result<std::shared_ptr<SegmentReader>> OpenBytes(Bytes bytes, SegmentReaderOptions options = {}) {
  const std::uint64_t size = bytes.size();
  return SegmentReader::Open(std::make_shared<MemoryRangeReader>(std::move(bytes)), size, options);
}

// Rows [first, first + count) of one column as values.
Result<std::vector<Value>> ReadValues(const ColumnBlock& block, ColumnType type, std::size_t first,
                                      std::size_t count) {
  std::vector<std::uint64_t> words(codec::ValidityWords(count));
  std::vector<Value> values(count);
  const auto take = [&](auto& out, auto make) {
    for (std::size_t i = 0; i < count; ++i) {
      if ((words[i / 64] >> (i % 64) & 1) != 0) values[i] = make(out[i]);
    }
  };
  switch (type) {
    case ColumnType::kBigint:
    case ColumnType::kTimestamp: {
      std::vector<std::int64_t> out(count);
      TL_TRY(block.ReadInt64(first, out, words));
      take(out, [](std::int64_t value) { return value; });
      break;
    }
    case ColumnType::kDouble: {
      std::vector<double> out(count);
      TL_TRY(block.ReadDouble(first, out, words));
      take(out, [](double value) { return value; });
      break;
    }
    case ColumnType::kBoolean: {
      std::vector<std::uint8_t> out(count);
      TL_TRY(block.ReadBool(first, out, words));
      take(out, [](std::uint8_t value) { return value != 0; });
      break;
    }
    case ColumnType::kVarchar: {
      std::vector<std::string_view> out(count);
      TL_TRY(block.ReadString(first, out, words));
      take(out, [](std::string_view value) { return std::string(value); });
      break;
    }
  }
  return values;
}

// The whole segment as a model; columns by type from the summary.
Result<Model> ReadModel(const SegmentReader& reader) {
  Model model;
  for (const ColumnSummary& column : reader.summary().columns) {
    if (column.id < kColumnIdMax) model.columns[column.id] = column.type;
  }
  const auto table = TL_TRY(reader.series_table());
  for (std::size_t i = 0; i < table->size(); ++i) {
    ModelSeries& series = model.series.emplace_back();
    series.id = table->id(i);
    series.measure = table->measure_name(i);
    for (const SeriesDimension& dimension : table->dimensions()) {
      const auto value = table->dimension_value(i, dimension.column);
      if (value.has_value()) series.dimensions[dimension.column] = *value;
    }
  }
  for (std::size_t s = 0; s < reader.stripe_count(); ++s) {
    const Stripe stripe = TL_TRY(reader.OpenStripe(s));
    std::vector<ModelRow> rows(stripe.row_count());
    const ColumnBlock times = TL_TRY(stripe.OpenTimes());
    const ColumnBlock versions = TL_TRY(stripe.OpenVersions());
    std::vector<std::int64_t> numbers(rows.size());
    TL_TRY(times.ReadInt64(0, numbers));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].time = numbers[i];
    TL_TRY(versions.ReadInt64(0, numbers));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].version = numbers[i];
    for (const auto& [id, type] : model.columns) {
      const ColumnBlock block = TL_TRY(stripe.OpenColumn(id));
      const std::vector<Value> values = TL_TRY(ReadValues(block, type, 0, rows.size()));
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (values[i].index() != 0) rows[i].values[id] = values[i];
      }
    }
    for (const SeriesRun& run : stripe.series_runs()) {
      auto& target = model.series.at(run.series).rows;
      for (std::size_t i = run.first_row; i < run.first_row + run.row_count; ++i) {
        target.push_back(rows[i]);
      }
    }
  }
  return model;
}

void ExpectSame(const Model& actual, const Model& expected) {
  ASSERT_EQ(actual.series.size(), expected.series.size());
  for (std::size_t i = 0; i < expected.series.size(); ++i) {
    const ModelSeries& a = actual.series[i];
    const ModelSeries& e = expected.series[i];
    ASSERT_EQ(a.id, e.id);
    ASSERT_EQ(a.measure, e.measure);
    ASSERT_EQ(a.dimensions, e.dimensions);
    ASSERT_EQ(a.rows.size(), e.rows.size());
    for (std::size_t r = 0; r < e.rows.size(); ++r) {
      ASSERT_EQ(a.rows[r].time, e.rows[r].time);
      ASSERT_EQ(a.rows[r].version, e.rows[r].version);
      ASSERT_EQ(a.rows[r].values, e.rows[r].values);
    }
  }
}

TEST(Segment, RandomModelsRoundTrip) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Model model = RandomModel(random, 1 + seed, seed % 4 == 0 ? 3000 : 60);
    SegmentWriterOptions options = TestOptions();
    if (seed % 3 == 0) {
      options.stripe_rows_max = 50;
      options.stripe_rows_min = 10;
    }
    const Written written = WriteModel(model, options, seed);
    EXPECT_EQ(written.info.file_bytes, written.bytes.size());
    EXPECT_EQ(written.info.file_hash, HashWide(written.bytes));
    const auto reader = OpenBytes(written.bytes);
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ((*reader)->summary(), written.info.summary);
    EXPECT_EQ((*reader)->summary().row_count, model.row_count());
    EXPECT_EQ((*reader)->summary().through_number, 12345U);
    const auto back = ReadModel(**reader);
    ASSERT_TRUE(back.ok()) << back.status();
    ExpectSame(*back, model);
    const auto hash = (*reader)->Scrub();
    ASSERT_TRUE(hash.ok()) << hash.status();
    EXPECT_EQ(*hash, written.info.file_hash);
  }
}

TEST(Segment, PartialReadsAgreeWithWholeReads) {
  Random random(5);
  Model model = RandomModel(random, 3, 3000);
  while (model.columns.empty() || model.row_count() < 2500) model = RandomModel(random, 3, 3000);
  const auto reader = *OpenBytes(WriteModel(model, TestOptions()).bytes);
  const Stripe stripe = *reader->OpenStripe(0);
  for (const auto& [id, type] : model.columns) {
    const ColumnBlock block = *stripe.OpenColumn(id);
    const auto whole = *ReadValues(block, type, 0, stripe.row_count());
    for (int i = 0; i < 50; ++i) {
      const std::size_t first = random.Below(stripe.row_count());
      const std::size_t count = random.Below(stripe.row_count() - first + 1);
      const auto part = *ReadValues(block, type, first, count);
      ASSERT_TRUE(
          std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(first)));
    }
  }
}

TEST(Segment, ZoneMapsBoundTheirBlocks) {
  Random random(6);
  const Model model = RandomModel(random, 30, 300);
  SegmentWriterOptions options = TestOptions();
  options.stripe_rows_max = 500;
  const auto reader = *OpenBytes(WriteModel(model, options).bytes);
  for (std::size_t s = 0; s < reader->stripe_count(); ++s) {
    const Stripe stripe = *reader->OpenStripe(s);
    for (const BlockInfo& info : stripe.blocks()) {
      const auto values =
          *ReadValues(*stripe.OpenColumn(info.column), info.type, 0, stripe.row_count());
      std::uint32_t nulls = 0;
      std::int64_t sum = 0;
      for (const Value& value : values) {
        if (value.index() == 0) ++nulls;
        if (const auto* integer = std::get_if<std::int64_t>(&value)) {
          EXPECT_GE(*integer, info.zone.min_int64);
          EXPECT_LE(*integer, info.zone.max_int64);
          (void)__builtin_add_overflow(sum, *integer, &sum);
        }
        if (const auto* real = std::get_if<double>(&value)) {
          EXPECT_GE(*real, info.zone.min_double);
          EXPECT_LE(*real, info.zone.max_double);
        }
        if (const auto* text = std::get_if<std::string>(&value)) {
          EXPECT_GE(*text, info.zone.min_string);
          EXPECT_LE(text->substr(0, kZoneStringBytes), info.zone.max_string);
        }
      }
      EXPECT_EQ(nulls, info.zone.null_count);
      if (info.type == ColumnType::kBigint && !info.zone.sum_overflowed) {
        EXPECT_EQ(sum, info.zone.sum_int64);
      }
    }
  }
}

std::uint64_t BitsOf(const Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return std::bit_cast<std::uint64_t>(*real);
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? 1 : 0;
  return static_cast<std::uint64_t>(std::get<std::int64_t>(value));
}

TEST(Segment, RunEndsAndSummariesAgreeWithTheValues) {
  Random random(9);
  std::size_t summarized = 0;
  for (int round = 0; round < 20; ++round) {
    const Model model = RandomModel(random, 12, round % 2 == 0 ? 300 : 3'000);
    SegmentWriterOptions options = TestOptions();
    options.stripe_rows_max = round % 3 == 0 ? 500 : options.stripe_rows_max;
    const auto reader = *OpenBytes(WriteModel(model, options).bytes);
    for (std::size_t s = 0; s < reader->stripe_count(); ++s) {
      const Stripe stripe = *reader->OpenStripe(s);
      for (const BlockInfo& info : stripe.blocks()) {
        const auto values = *ReadValues(*stripe.OpenColumn(info.column), info.type, 0, stripe.row_count());
        const auto ends = *stripe.ReadRunEnds(info.column);
        const auto summaries = *stripe.ReadRunSummaries(info.column);
        ASSERT_NE(summaries, nullptr);
        ASSERT_EQ(ends == nullptr, info.type == ColumnType::kVarchar);
        if (ends == nullptr) continue;
        const auto runs = stripe.series_runs();
        for (std::size_t r = 0; r < runs.size(); ++r) {
          const Value& last = values[runs[r].first_row + runs[r].row_count - 1];
          ASSERT_EQ(ends->IsNull(r), last.index() == 0);
          ASSERT_EQ(ends->bits[r], last.index() == 0 ? ends->bits[r] : BitsOf(last));
          if (!summaries->usable) continue;
          ++summarized;
          RunSummary expected;
          double sum = 0;
          for (std::uint32_t i = 0; i < runs[r].row_count; ++i) {
            const Value& value = values[runs[r].first_row + i];
            if (value.index() == 0) continue;
            const bool is_first = expected.count++ == 0;
            const auto* real = std::get_if<double>(&value);
            const auto less = [&](std::uint64_t a, std::uint64_t b) {
              return real != nullptr ? std::bit_cast<double>(a) < std::bit_cast<double>(b)
                                     : static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b);
            };
            if (is_first || less(BitsOf(value), expected.least)) expected.least = BitsOf(value);
            if (is_first || less(expected.most, BitsOf(value))) expected.most = BitsOf(value);
            if (real != nullptr) sum += *real;
            if (real == nullptr && info.type != ColumnType::kTimestamp) expected.sum += BitsOf(value);
          }
          const RunSummary& found = summaries->runs[r];
          ASSERT_EQ(found.count, expected.count);
          if (found.count == 0) continue;
          ASSERT_EQ(found.least, expected.least);
          ASSERT_EQ(found.most, expected.most);
          if (info.type == ColumnType::kDouble) {
            ASSERT_NEAR(found.SumAs<double>(), sum, 1e-9 * std::max(1.0, std::fabs(sum)));
          } else {
            ASSERT_EQ(found.sum, expected.sum);
          }
        }
      }
    }
  }
  EXPECT_GT(summarized, 100U);
}

TEST(Segment, OddValuesAreNotSummarized) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const auto is_usable = [](ColumnType type, const std::vector<Value>& values) {
    Model model;
    model.columns[100] = type;
    ModelSeries& series = model.series.emplace_back();
    series.measure = "m";
    for (std::size_t i = 0; i < values.size(); ++i) {
      series.rows.push_back({.time = static_cast<std::int64_t>(i), .version = 1, .values = {{100, values[i]}}});
    }
    const auto reader = *OpenBytes(WriteModel(model, TestOptions()).bytes);
    return (*reader->OpenStripe(0)->ReadRunSummaries(100))->usable;
  };
  EXPECT_TRUE(is_usable(ColumnType::kDouble, {1.0, 0.0, -2.5, 1e300}));
  EXPECT_FALSE(is_usable(ColumnType::kDouble, {1.0, nan, 2.0}));
  EXPECT_FALSE(is_usable(ColumnType::kDouble, {1.0, 2.0, -infinity}));
  EXPECT_FALSE(is_usable(ColumnType::kDouble, {-0.0, 2.0}));
  EXPECT_FALSE(is_usable(ColumnType::kDouble, {1.7e308, 1.7e308}));
  EXPECT_TRUE(is_usable(ColumnType::kBigint, {INT64_MAX, std::int64_t{0}, std::int64_t{-5}}));
  EXPECT_FALSE(is_usable(ColumnType::kBigint, {INT64_MAX, std::int64_t{1}}));
  EXPECT_TRUE(is_usable(ColumnType::kTimestamp, {INT64_MAX, std::int64_t{1}}));
  EXPECT_FALSE(is_usable(ColumnType::kBoolean, {true}));
  EXPECT_FALSE(is_usable(ColumnType::kVarchar, {std::string("a")}));
}

TEST(ZoneMaps, MarkOverflowNanAndCutText) {
  const std::vector<std::int64_t> big = {INT64_MAX, 1};
  EXPECT_TRUE(ZoneOfInt64s(big, 2).sum_overflowed);
  const std::vector<double> odd = {std::nan(""), -1.5, 2.5};
  const ZoneMap zone = ZoneOfDoubles(odd, 5);
  EXPECT_TRUE(zone.has_nan);
  EXPECT_EQ(zone.null_count, 2U);
  EXPECT_EQ(zone.min_double, -1.5);
  EXPECT_EQ(zone.sum_double, 1.0);
  const std::vector<double> only_nan = {std::nan("")};
  EXPECT_FALSE(ZoneOfDoubles(only_nan, 1).has_bounds);
  const std::string text(100, 'z');
  const std::vector<std::string_view> texts = {text, "a"};
  EXPECT_TRUE(ZoneOfStrings(texts, 2).max_is_cut);
  EXPECT_EQ(ZoneOfStrings(texts, 2).min_string, "a");
}

TEST(SeriesTables, FindAndSelectAgreeWithTheModel) {
  Random random(7);
  Model model = RandomModel(random, 200, 3);
  while (model.series.size() < 50) model = RandomModel(random, 200, 3);
  const auto reader = *OpenBytes(WriteModel(model, TestOptions()).bytes);
  const auto table = *reader->series_table();
  std::uint64_t row = 0;
  for (std::uint32_t i = 0; i < model.series.size(); ++i) {
    EXPECT_EQ(table->Find(model.series[i].id), i);
    EXPECT_EQ(table->first_row(i), row);
    const auto& rows = model.series[i].rows;
    EXPECT_EQ(table->time_ns_min(i), rows.empty() ? INT64_MAX : rows.front().time);
    EXPECT_EQ(table->time_ns_max(i), rows.empty() ? INT64_MIN : rows.back().time);
    for (std::size_t r = 0; r < rows.size(); ++r) EXPECT_EQ(table->FindRow(row + r), i);
    row += rows.size();
  }
  EXPECT_FALSE(table->Find(999'999'999).has_value());
  EXPECT_FALSE(table->FindMeasure("nothing").has_value());
  SeriesFilter filter;
  filter.measure_codes = {*table->FindMeasure("m1")};
  filter.dimensions.push_back({2, {0, *table->FindValue(2, "v3")}});
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < model.series.size(); ++i) {
    const auto at = model.series[i].dimensions.find(2);
    const bool matches = at == model.series[i].dimensions.end() || at->second == "v3";
    if (model.series[i].measure == "m1" && matches) expected.push_back(i);
  }
  EXPECT_EQ(table->Select(filter), expected);
  reader->DropSeriesTable();
  EXPECT_EQ((*reader->series_table())->size(), model.series.size());
}

// Writes a model with `together_max` series at most in a call, their dimensions by key; 0: each by itself, without keys.
Bytes WriteInCalls(const Model& model, const SegmentWriterOptions& options, std::size_t together_max) {
  MemorySink sink;
  SegmentWriter writer(options, sink);
  for (std::size_t at = 0; at < model.series.size();) {
    const auto series =
        std::span(model.series).subspan(at, std::min(std::max<std::size_t>(together_max, 1), model.series.size() - at));
    std::deque<std::vector<DimensionValue>> dimensions;
    std::vector<SeriesDescriptor> descriptors;
    std::vector<std::uint32_t> counts;
    std::vector<ModelRow> rows;
    for (const ModelSeries& one : series) {
      auto& values = dimensions.emplace_back();
      for (const auto& [column, value] : one.dimensions) {
        const auto key = static_cast<std::uint32_t>(1000 + std::stoul(value.substr(1)));
        values.push_back({column, value, together_max == 0 ? kNoValueKey : key});
      }
      descriptors.push_back({.id = one.id, .measure_name = one.measure, .dimensions = values});
      counts.push_back(static_cast<std::uint32_t>(one.rows.size()));
      rows.insert(rows.end(), one.rows.begin(), one.rows.end());
    }
    const Stamps stamps(rows);
    std::deque<ChunkStore> stores;
    std::vector<ColumnChunk> chunks;
    for (const auto& [id, type] : model.columns) chunks.push_back(MakeChunk(rows, id, type, &stores.emplace_back()));
    if (together_max == 0) {
      EXPECT_TRUE(writer.AddSeries(descriptors[0]).ok());
      EXPECT_TRUE(writer.AddRows(stamps.times, stamps.versions, chunks).ok());
    } else {
      const Status status = writer.AddSeriesWithRows(descriptors, counts, stamps.times, stamps.versions, chunks);
      EXPECT_TRUE(status.ok()) << status;
    }
    at += series.size();
  }
  EXPECT_TRUE(writer.Finish().ok());
  return std::move(sink.bytes());
}

TEST(Segment, SeriesAddedTogetherMakeTheSameFile) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    const Model model = RandomModel(random, 60, 12);
    SegmentWriterOptions options = TestOptions();
    options.stripe_rows_max = 8 + random.Below(200);
    options.stripe_rows_min = 1 + random.Below(40);
    const Bytes expected = WriteInCalls(model, options, 0);
    for (const std::size_t together : {1U, 2U, 7U, 60U}) {
      ASSERT_EQ(WriteInCalls(model, options, together), expected) << "seed " << seed << ", " << together << " together";
    }
  }
}

TEST(Segment, LongTextEndsStripesOfSeriesAddedTogether) {
  const std::string text(100'000, 'x');
  constexpr std::uint32_t kSeries = 2000;  // 200 MB: several stripes
  MemorySink sink;
  SegmentWriter writer(TestOptions(), sink);
  std::vector<SeriesDescriptor> series;
  for (std::uint32_t i = 0; i < kSeries; ++i) series.push_back({.id = i, .measure_name = "m"});
  const std::vector<std::uint32_t> counts(kSeries, 1);
  const std::vector<std::int64_t> times(kSeries, 5);
  const std::vector<std::string_view> texts(kSeries, text);
  const ColumnChunk chunk{.column = 9, .type = ColumnType::kVarchar, .strings = texts};
  ASSERT_TRUE(writer.AddSeriesWithRows(series, counts, times, times, {&chunk, 1}).ok());
  const auto written = writer.Finish();
  ASSERT_TRUE(written.ok());
  const auto reader = *OpenBytes(sink.bytes());
  EXPECT_GT(reader->stripe_count(), kSeries * text.size() / (2 * kStripeBytesMax));
  std::uint64_t rows = 0;
  for (const StripeSummary& stripe : reader->stripes()) {
    EXPECT_EQ(stripe.first_series, rows);
    EXPECT_EQ(stripe.series_count, stripe.row_count);
    rows += stripe.row_count;
  }
  EXPECT_EQ(rows, kSeries);
}

TEST(Segment, SeriesAddedTogetherAreChecked) {
  const std::vector<std::int64_t> times = {6, 5};
  const std::vector<std::int64_t> one = {6};
  const std::vector<SeriesDescriptor> series = {{.id = 1, .measure_name = "m"}, {.id = 2, .measure_name = "m"}};
  const auto code = [&](std::vector<std::uint32_t> counts, std::span<const std::int64_t> versions) {
    MemorySink sink;
    SegmentWriter writer(TestOptions(), sink);
    return CodeOf(writer.AddSeriesWithRows(series, counts, times, versions, {}));
  };
  EXPECT_EQ(code({1, 1}, times), ErrorCode::kOk);
  EXPECT_EQ(code({0, 2}, times), ErrorCode::kInvalidArgument);  // descends within a series
  EXPECT_EQ(code({1}, times), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1, 2}, times), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1, 1}, one), ErrorCode::kInvalidArgument);
  MemorySink sink;
  SegmentWriter mixed(TestOptions(), sink);
  const DimensionValue with_key[] = {{3, "a", 7}};
  const DimensionValue without[] = {{3, "b"}};
  EXPECT_TRUE(mixed.AddSeries({.id = 1, .measure_name = "m", .dimensions = with_key}).ok());
  EXPECT_EQ(CodeOf(mixed.AddSeries({.id = 2, .measure_name = "m", .dimensions = without})), ErrorCode::kInvalidArgument);
}

// Adds `rows` rows of one int column to a new series.
Status AddPlainSeries(SegmentWriter* writer, SeriesId id, std::string_view measure, ColumnId column,
                      std::size_t rows) {
  std::vector<std::int64_t> times(rows);
  for (std::size_t i = 0; i < rows; ++i) times[i] = static_cast<std::int64_t>(i);
  const std::vector<std::int64_t> versions(rows, 1);
  const ColumnChunk chunk{.column = column, .type = ColumnType::kBigint, .int64s = times};
  TL_TRY(writer->AddSeries({.id = id, .measure_name = measure}));
  return writer->AddRows(times, versions, {&chunk, 1});
}

TEST(Segment, StripesEndWhereMeasuresEnd) {
  MemorySink sink;
  SegmentWriter writer(TestOptions(), sink);
  ASSERT_TRUE(AddPlainSeries(&writer, 1, "a", 10, 5000).ok());
  ASSERT_TRUE(AddPlainSeries(&writer, 2, "b", 11, 1000).ok());
  ASSERT_TRUE(AddPlainSeries(&writer, 3, "c", 12, 40000).ok());
  ASSERT_TRUE(writer.Finish().ok());
  const auto reader = *OpenBytes(sink.bytes());
  ASSERT_EQ(reader->stripe_count(), 3U);
  EXPECT_EQ(reader->stripes()[0].row_count, 5000U);
  EXPECT_EQ(reader->stripes()[0].measure_code_max, 0U);
  EXPECT_EQ(reader->stripes()[1].row_count, kStripeRowsMax);  // b is too short to end a stripe
  EXPECT_EQ(reader->stripes()[2].first_row, 5000 + kStripeRowsMax);
  EXPECT_EQ((*reader->OpenStripe(0)).Find(11), nullptr);
  EXPECT_EQ(reader->FindStripe(5000), 1U);
  EXPECT_EQ(reader->FindStripe(45999), 2U);
}

TEST(Segment, ManyMeasuresCostWhatTheyHold) {
  // 8,192 measure names with a column of their own each, ten rows each: the product would be 671 M.
  MemorySink sink;
  SegmentWriter writer(TestOptions(), sink);
  for (std::uint32_t i = 0; i < 8192; ++i) {
    ASSERT_TRUE(
        AddPlainSeries(&writer, i, "measure" + std::to_string(100000 + i), 10 + i, 10).ok());
  }
  const auto written = writer.Finish();
  ASSERT_TRUE(written.ok());
  EXPECT_LT(written->file_bytes, 8192U * 100);
  const auto reader = *OpenBytes(sink.bytes());
  const Stripe last = *reader->OpenStripe(reader->stripe_count() - 1);
  EXPECT_LT(last.blocks().size(), 3500U);
}

// The code of AddRows in a new segment with one series.
ErrorCode AddRowsCode(std::span<const std::int64_t> times, std::span<const std::int64_t> versions,
                      std::span<const ColumnChunk> columns) {
  MemorySink sink;
  SegmentWriter writer(TestOptions(), sink);
  EXPECT_TRUE(writer.AddSeries({.id = 1, .measure_name = "m"}).ok());
  const ErrorCode code = CodeOf(writer.AddRows(times, versions, columns));
  // An error stays.
  EXPECT_EQ(CodeOf(writer.Finish().status()), code);
  return code;
}

TEST(Segment, WriterRefusesWhatIsNotASegment) {
  const std::vector<std::int64_t> times = {5, 6};
  const std::vector<std::int64_t> descending = {6, 5};
  const std::vector<std::int64_t> outside = {5, 2'000'000'000};
  const std::vector<std::int64_t> one = {1};
  constexpr ErrorCode kRefused = ErrorCode::kInvalidArgument;
  EXPECT_EQ(AddRowsCode(times, times, {}), ErrorCode::kOk);
  EXPECT_EQ(AddRowsCode(descending, times, {}), kRefused);
  EXPECT_EQ(AddRowsCode(outside, times, {}), kRefused);
  EXPECT_EQ(AddRowsCode(times, one, {}), kRefused);
  const ColumnChunk good{.column = 3, .type = ColumnType::kBigint, .int64s = times};
  const ColumnChunk other_type{.column = 3, .type = ColumnType::kTimestamp, .int64s = times};
  const ColumnChunk too_short{.column = 3, .type = ColumnType::kBigint, .int64s = one};
  const ColumnChunk system{.column = kTimeColumn, .type = ColumnType::kBigint, .int64s = times};
  EXPECT_EQ(AddRowsCode(times, times, {&good, 1}), ErrorCode::kOk);
  EXPECT_EQ(AddRowsCode(times, times, {&too_short, 1}), kRefused);
  EXPECT_EQ(AddRowsCode(times, times, {&system, 1}), kRefused);
  EXPECT_EQ(AddRowsCode(times, times, std::vector{good, good}), kRefused);
  EXPECT_EQ(AddRowsCode(times, times, std::vector{good, other_type}), kRefused);

  MemorySink sink;
  SegmentWriter no_series(TestOptions(), sink);
  EXPECT_EQ(CodeOf(no_series.AddRows(times, times, {})), kRefused);
  SegmentWriter twice(TestOptions(), sink);
  const DimensionValue dimensions[] = {{1, "a"}, {1, "b"}};
  EXPECT_EQ(CodeOf(twice.AddSeries({.id = 1, .measure_name = "m", .dimensions = dimensions})),
            kRefused);
  SegmentWriter same_id(TestOptions(), sink);
  ASSERT_TRUE(same_id.AddSeries({.id = 1, .measure_name = "m"}).ok());
  ASSERT_TRUE(same_id.AddSeries({.id = 1, .measure_name = "m"}).ok());
  EXPECT_EQ(CodeOf(same_id.Finish().status()), kRefused);
}

// A cipher good enough to see that it was applied.
class XorSeal final : public PageSeal {
 public:
  std::size_t overhead_bytes() const override { return 16; }
  Status Seal(std::uint64_t page, BytesView plain, std::span<std::byte> sealed) override {
    for (std::size_t i = 0; i < plain.size(); ++i) sealed[i] = plain[i] ^ Mask(page);
    for (std::size_t i = plain.size(); i < sealed.size(); ++i) sealed[i] = Mask(page);
    return OkStatus();
  }
  Status Unseal(std::uint64_t page, BytesView sealed, std::span<std::byte> plain) override {
    if (sealed.back() != Mask(page)) return DataLoss("not sealed here");
    for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = sealed[i] ^ Mask(page);
    return OkStatus();
  }

 private:
  static std::byte Mask(std::uint64_t page) { return static_cast<std::byte>(page * 7 + 0x5a); }
};

class MapCache final : public BlockCache {
 public:
  std::shared_ptr<const Bytes> Get(const BlockKey& key) override {
    const auto at = pieces_.find(key.offset);
    if (at != pieces_.end()) ++hits;
    return at == pieces_.end() ? nullptr : at->second;
  }
  void Put(const BlockKey& key, std::shared_ptr<const Bytes> bytes) override {
    pieces_[key.offset] = std::move(bytes);
  }
  int hits = 0;

 private:
  std::map<std::uint64_t, std::shared_ptr<const Bytes>> pieces_;
};

TEST(Segment, SealedAndCachedReadsAgree) {
  Random random(8);
  Model model = RandomModel(random, 20, 2000);
  while (model.row_count() < 10000) model = RandomModel(random, 20, 2000);
  XorSeal seal;
  SegmentWriterOptions options = TestOptions();
  options.seal = &seal;
  const Written written = WriteModel(model, options);
  ASSERT_GT(written.bytes.size(), 2 * kPageBytes);
  MapCache cache;
  const auto reader = OpenBytes(written.bytes, {.cache = &cache, .seal = &seal});
  ASSERT_TRUE(reader.ok()) << reader.status();
  for (int i = 0; i < 2; ++i) {
    const auto back = ReadModel(**reader);
    ASSERT_TRUE(back.ok()) << back.status();
    ExpectSame(*back, model);
  }
  EXPECT_GT(cache.hits, 0);
  EXPECT_FALSE(OpenBytes(written.bytes).ok());  // without the seal
}

Model SmallModel() {
  Model model;
  model.columns = {
      {10, ColumnType::kDouble}, {11, ColumnType::kVarchar}, {12, ColumnType::kBoolean}};
  for (SeriesId id = 1; id <= 2; ++id) {
    ModelSeries& series = model.series.emplace_back();
    series.id = id;
    series.measure = "cpu";
    series.dimensions[1] = "host" + std::to_string(id);
    for (std::int64_t i = 0; i < 3; ++i) {
      ModelRow& row = series.rows.emplace_back();
      row.time = 1000 + i * 10;
      row.version = 1;
      row.values[10] = 20.5 + static_cast<double>(i);
      if (i != 1) row.values[11] = std::string(i == 0 ? "ok" : "bad");
      row.values[12] = i == 2;
    }
  }
  return model;
}

// Nothing but the model itself or an error may come out; never a crash, never other data.
void ExpectErrorOrSame(Bytes bytes, const Model& model) {
  const auto reader = OpenBytes(std::move(bytes));
  if (!reader.ok()) {
    const ErrorCode code = CodeOf(reader.status());
    EXPECT_TRUE(code == ErrorCode::kDataLoss || code == ErrorCode::kUnimplemented);
    return;
  }
  const auto back = ReadModel(**reader);
  if (!back.ok()) {
    EXPECT_EQ(CodeOf(back.status()), ErrorCode::kDataLoss);
    return;
  }
  ExpectSame(*back, model);
}

TEST(Damage, EveryFlippedByteIsSeenOrHarmless) {
  const Model model = SmallModel();
  const Written written = WriteModel(model, TestOptions());
  for (std::size_t i = 0; i < written.bytes.size(); ++i) {
    for (const unsigned mask : {0x01U, 0x80U, 0xffU}) {
      Bytes damaged = written.bytes;
      damaged[i] ^= static_cast<std::byte>(mask);
      ExpectErrorOrSame(std::move(damaged), model);
    }
  }
}

TEST(Damage, FlipsInManyPagesAreSeenOrHarmless) {
  Random random(11);
  Model model = RandomModel(random, 20, 2000);
  while (model.row_count() < 10000) model = RandomModel(random, 20, 2000);
  const Written written = WriteModel(model, TestOptions());
  ASSERT_GT(written.bytes.size(), 2 * kPageBytes);
  for (int round = 0; round < 30; ++round) {
    Bytes damaged = written.bytes;
    damaged[random.Below(damaged.size())] ^= static_cast<std::byte>(1U << random.Below(8));
    ExpectErrorOrSame(damaged, model);
    const auto reader = OpenBytes(damaged);
    if (reader.ok()) {
      EXPECT_EQ(CodeOf((*reader)->Scrub().status()), ErrorCode::kDataLoss);
    }
  }
}

TEST(Damage, EveryTruncationIsSeen) {
  const Written written = WriteModel(SmallModel(), TestOptions());
  for (std::size_t size = 0; size < written.bytes.size(); ++size) {
    Bytes cut(written.bytes.begin(), written.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(CodeOf(OpenBytes(std::move(cut)).status()), ErrorCode::kDataLoss) << size;
  }
}

TEST(Damage, DamageBehindAValidChecksumNeverCrashes) {
  // Unlike flips on disk these pages are rewritten with a checksum that holds.
  const Written written = WriteModel(SmallModel(), TestOptions());
  const Bytes plain(written.bytes.begin(), written.bytes.end() - kPageCrcBytes);
  Random random(10);
  for (int round = 0; round < 20000; ++round) {
    Bytes damaged = plain;
    for (std::uint64_t flips = 1 + random.Below(3); flips > 0; --flips) {
      damaged[random.Below(damaged.size())] = static_cast<std::byte>(random.Next());
    }
    // A footer that is damaged gets its checksum too.
    std::uint64_t footer_offset;
    std::memcpy(&footer_offset, plain.data() + plain.size() - kTrailerBytes, sizeof(footer_offset));
    const std::uint32_t crc = Crc32c(
        BytesView(damaged).subspan(footer_offset, plain.size() - kTrailerBytes - footer_offset));
    std::memcpy(damaged.data() + plain.size() - kTrailerBytes + 16, &crc, sizeof(crc));
    MemorySink sink;
    PageWriter pages(sink, nullptr);
    ASSERT_TRUE(pages.Append(damaged).ok());
    ASSERT_TRUE(pages.Finish().ok());
    const auto reader = OpenBytes(sink.bytes());
    if (reader.ok()) (void)ReadModel(**reader);
  }
}

TEST(Pages, SwappedPagesAreSeen) {
  MemorySink sink;
  PageWriter writer(sink, nullptr);
  ASSERT_TRUE(writer.Append(Bytes(3 * kPageBytes, std::byte{9})).ok());
  ASSERT_TRUE(writer.Finish().ok());
  Bytes swapped = sink.bytes();
  std::swap_ranges(swapped.begin(), swapped.begin() + kPageBytes, swapped.begin() + kPageBytes);
  const std::uint64_t size = swapped.size();
  const auto reader =
      *PageReader::Open(std::make_shared<MemoryRangeReader>(std::move(swapped)), size, nullptr);
  Bytes out(100);
  EXPECT_EQ(CodeOf(reader->Read(0, out)), ErrorCode::kDataLoss);
  EXPECT_TRUE(reader->Read(2 * kPageBytes, out).ok());
}

TEST(Golden, SmallSegmentKeepsItsBytes) {
  // A change here is a change of the format: it needs a new version number and a reader for the
  // old.
  const Written written = WriteModel(SmallModel(), TestOptions());
  EXPECT_EQ(written.bytes.size(), 518U);
  EXPECT_EQ(fmt::format("{:016x}{:016x}", written.info.file_hash.high, written.info.file_hash.low),
            "e6fb8dc161fa84de73b27c6c0e5e0b19");
}

}  // namespace
}  // namespace tideline::segment
