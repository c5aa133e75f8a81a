#include "storage/engine/flush.h"

#include <algorithm>
#include <compare>
#include <cstring>
#include <numeric>
#include <optional>
#include <set>

namespace tideline::engine {
namespace {

/// Rows handed to the segment writer at once.
constexpr std::size_t kFlushChunkRows = 4096;
/// Rows of a series that is written together with its neighbours, and columns of them all.
constexpr std::size_t kShortSeriesRows = 64;
constexpr std::size_t kTogetherColumnsMax = 64;
/// Where rows of neighbours go to several windows or have many columns, so many times as many series are written one by one.
constexpr std::size_t kApartFactor = 16;

// The first window of all is cut short at the least time there is.
std::int64_t AlignDown(std::int64_t time_ns, std::int64_t length_ns) {
  if (time_ns < INT64_MIN + length_ns) return INT64_MIN;
  std::int64_t quotient = time_ns / length_ns;
  if (time_ns % length_ns < 0) --quotient;
  return quotient * length_ns;
}

// The first bytes of a text as numbers that order as they do; a text that is shorter goes on with zeros.
struct TextPrefix {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const TextPrefix&) const = default;
};

TextPrefix PrefixOf(std::string_view text) {
  unsigned char bytes[sizeof(TextPrefix)] = {};
  std::memcpy(bytes, text.data(), std::min(text.size(), sizeof(bytes)));
  TextPrefix prefix;
  for (std::size_t i = 0; i < sizeof(prefix.high); ++i) {
    prefix.high = prefix.high << 8 | bytes[i];
    prefix.low = prefix.low << 8 | bytes[sizeof(prefix.high) + i];
  }
  return prefix;
}

// Orders series as segments do. Compares codes first: equal codes are equal values.
//
// A comparison reads a dozen places in memory that lie far apart once there are many series. So each series gets a key
// that decides most comparisons alone: the beginning of what is compared first, or second behind the measure's name.
class SeriesOrder {
 public:
  struct Key {
    std::uint32_t measure = 0;  ///< among the names in order; 0 for all when a dimension comes first
    TextPrefix prefix{};
    std::uint32_t series = 0;
  };

  SeriesOrder(const catalog::TableSchema& schema, const hot::SeriesIndex& index)
      : index_(index), slot_count_(index.slot_count()) {
    const auto& keys = schema.properties.partition_keys;
    if (keys.empty() || keys[0].type != catalog::PartitionKeyType::kDimension) return;
    for (std::uint32_t slot = 0; slot < schema.dimensions.size() && slot < slot_count_; ++slot) {
      if (schema.dimensions[slot].name == keys[0].name) key_slot_ = slot;
    }
  }

  /// The places of the measures' names in order, by ordinal.
  std::vector<std::uint32_t> MeasureRanks() const {
    std::vector<std::uint32_t> ordinals(index_.measure_count());
    std::iota(ordinals.begin(), ordinals.end(), 0U);
    const hot::Dictionary& names = index_.measure_names();
    std::sort(ordinals.begin(), ordinals.end(),
              [&](std::uint32_t a, std::uint32_t b) { return names.Value(a + 1) < names.Value(b + 1); });
    std::vector<std::uint32_t> ranks(ordinals.size());
    for (std::uint32_t i = 0; i < ordinals.size(); ++i) ranks[ordinals[i]] = i;
    return ranks;
  }

  Key KeyOf(std::uint32_t series, std::span<const std::uint32_t> measure_ranks) const {
    Key key{.series = series};
    const bool has_key_slot = key_slot_ != kNoSlot;
    if (!has_key_slot) key.measure = measure_ranks[index_.MeasureOf(hot::SeriesId{series})];
    const std::uint32_t slot = has_key_slot ? key_slot_ : 0;
    const std::uint32_t code = slot < slot_count_ ? index_.CodeOf(hot::SeriesId{series}, slot) : hot::kNullCode;
    if (code != hot::kNullCode) key.prefix = PrefixOf(index_.values(slot).Value(code));
    return key;
  }

  bool operator()(const Key& a, const Key& b) const {
    if (a.measure != b.measure) return a.measure < b.measure;
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return (*this)(a.series, b.series);
  }

  bool operator()(std::uint32_t a, std::uint32_t b) const {
    if (key_slot_ != kNoSlot) {
      const int order = CompareSlot(a, b, key_slot_);
      if (order != 0) return order < 0;
    }
    const std::uint32_t measure_a = index_.MeasureOf(hot::SeriesId{a});
    const std::uint32_t measure_b = index_.MeasureOf(hot::SeriesId{b});
    if (measure_a != measure_b) {
      return index_.measure_names().Value(measure_a + 1) <
             index_.measure_names().Value(measure_b + 1);
    }
    for (std::uint32_t slot = 0; slot < slot_count_; ++slot) {
      const int order = CompareSlot(a, b, slot);
      if (order != 0) return order < 0;
    }
    return a < b;
  }

 private:
  static constexpr std::uint32_t kNoSlot = UINT32_MAX;

  int CompareSlot(std::uint32_t a, std::uint32_t b, std::uint32_t slot) const {
    const std::uint32_t code_a = index_.CodeOf(hot::SeriesId{a}, slot);
    const std::uint32_t code_b = index_.CodeOf(hot::SeriesId{b}, slot);
    if (code_a == code_b) return 0;
    if (code_a == hot::kNullCode) return -1;
    if (code_b == hot::kNullCode) return 1;
    return index_.values(slot).Value(code_a).compare(index_.values(slot).Value(code_b));
  }

  const hot::SeriesIndex& index_;
  const std::uint32_t slot_count_;
  std::uint32_t key_slot_ = kNoSlot;
};

/// Reads one series of one source in chunks.
struct Cursor {
  RowSource* source = nullptr;
  std::uint64_t next = 0;
  std::uint64_t end = 0;
  RowChunk chunk{};
  std::size_t at = 0;

  /// Of the next row, which Fill found.
  std::int64_t time() const { return chunk.times[at]; }
  /// False at the end.
  Result<bool> Fill() {
    while (at == chunk.row_count()) {
      if (next == end) return false;
      chunk.Clear();
      at = 0;
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kFlushChunkRows, end - next));
      TL_TRY(source->Read(next, count, &chunk));
      next += count;
    }
    return true;
  }
};

class Flusher {
 public:
  explicit Flusher(FlushRequest request) : request_(std::move(request)) {}

  Result<FlushResult> Run() {
    CollectSeries();
    for (std::size_t at = 0; at < order_.size();) {
      const std::size_t count = at < apart_until_ ? 1 : ShortSeriesFrom(at);
      if (count > 1) {
        const std::size_t written = TL_TRY(WriteTogether({order_.data() + at, count}));
        at += written;
        if (written < count) apart_until_ = at + kApartFactor * count;
        continue;
      }
      series_ = order_[at].key.series;
      TL_TRY(MergeSeries({parts_.data() + order_[at].first, order_[at].count}));
      ++at;
    }
    for (auto& [window, output] : outputs_) {
      FlushedSegment flushed;
      flushed.window = window;
      flushed.file_uuid = output.file_uuid;
      flushed.key_id = output.seal.key_id;
      flushed.written = TL_TRY(output.writer->Finish());
      TL_TRY(output.sink->Commit());
      flushed.sink = std::move(output.sink);
      result_.segments.push_back(std::move(flushed));
    }
    return std::move(result_);
  }

 private:
  struct SourcePart {
    RowSource* source;
    RowSource::Range range;
  };
  /// The parts of one series lie side by side in parts_.
  struct SeriesParts {
    SeriesOrder::Key key;
    std::size_t first = 0;
    std::size_t count = 0;
  };
  struct Output {
    Uuid file_uuid;
    NewSegmentSeal seal;
    std::unique_ptr<SegmentSink> sink;
    std::unique_ptr<segment::SegmentWriter> writer;
    std::uint32_t series = UINT32_MAX;
  };

  void CollectSeries() {
    for (const auto& source : request_.sources) {
      for (const RowSource::Range& range : source->ranges()) parts_.push_back({source.get(), range});
    }
    // Of one series the parts stay in the order of the sources.
    std::stable_sort(parts_.begin(), parts_.end(),
                     [](const SourcePart& a, const SourcePart& b) { return a.range.series < b.range.series; });
    const SeriesOrder order(*request_.schema, *request_.index);
    const std::vector<std::uint32_t> ranks = order.MeasureRanks();
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const std::uint32_t series = parts_[i].range.series;
      if (order_.empty() || order_.back().key.series != series) order_.push_back({order.KeyOf(series, ranks), i, 0});
      ++order_.back().count;
    }
    std::sort(order_.begin(), order_.end(),
              [&](const SeriesParts& a, const SeriesParts& b) { return order(a.key, b.key); });
  }

  // How many series from `at` on are short and of one source; at least 1.
  std::size_t ShortSeriesFrom(std::size_t at) const {
    const RowSource* const source = parts_[order_[at].first].source;
    std::uint64_t rows = 0;
    std::size_t count = 0;
    for (; at + count < order_.size(); ++count) {
      const SeriesParts& series = order_[at + count];
      const SourcePart& part = parts_[series.first];
      rows += part.range.count;
      if (series.count != 1 || part.source != source || part.range.count > kShortSeriesRows || rows > kFlushChunkRows) {
        break;
      }
    }
    return std::max<std::size_t>(count, 1);
  }

  // Short series that have one part each, of one source. How many were written from the first on: none when their
  // rows do not all go to one window.
  Result<std::size_t> WriteTogether(std::span<const SeriesParts> series) {
    RowChunk& chunk = merged_;
    chunk.Clear();
    row_counts_.clear();
    for (const SeriesParts& one : series) {
      const SourcePart& part = parts_[one.first];
      const std::size_t before = chunk.row_count();
      TL_TRY(part.source->Read(part.range.first, part.range.count, &chunk));
      row_counts_.push_back(static_cast<std::uint32_t>(chunk.row_count() - before));
      if (chunk.columns.size() > kTogetherColumnsMax) break;
    }
    series = series.first(row_counts_.size());
    const std::optional<Window> window = OneWindowOf(chunk.times);
    if (!window.has_value()) return 0;
    Output& output = outputs_[*window];
    if (output.writer == nullptr) TL_TRY(Open(*window, &output));
    dimensions_.clear();
    descriptors_.clear();
    std::vector<std::size_t> dimension_ends;
    std::size_t living = 0;  // series, behind which the others' counts of zero go
    for (std::size_t i = 0; i < series.size(); ++i) {
      if (row_counts_[i] == 0) continue;
      row_counts_[living++] = row_counts_[i];
      descriptors_.push_back(Describe(series[i].key.series));
      dimension_ends.push_back(dimensions_.size());
    }
    row_counts_.resize(living);
    std::size_t first = 0;  // of the series' dimensions, which have stopped moving
    for (std::size_t i = 0; i < living; ++i) {
      descriptors_[i].dimensions = std::span(dimensions_).subspan(first, dimension_ends[i] - first);
      first = dimension_ends[i];
    }
    output.series = series.back().key.series;
    TL_TRY(output.writer->AddSeriesWithRows(descriptors_, row_counts_, chunk.times, chunk.versions, chunk.Views()));
    return series.size();
  }

  // That of all `times`, in no order; none when they differ, or some are expired or none are there.
  std::optional<Window> OneWindowOf(std::span<const std::int64_t> times) const {
    if (times.empty()) return std::nullopt;
    std::optional<Window> one;
    std::int64_t hour = 0;
    for (const std::int64_t time : times) {
      if (time < request_.retention_edge_ns) return std::nullopt;
      const std::int64_t its_hour = AlignDown(time, kWindowLengths[0]);
      if (one.has_value() && its_hour == hour) continue;
      const Window window = request_.plan == nullptr ? request_.window : request_.plan->Find(time);
      if (one.has_value() && window != *one) return std::nullopt;
      one = window;
      hour = its_hour;
    }
    return one;
  }

  Status MergeSeries(std::span<const SourcePart> parts) {
    // Chunks are used again: most series of a wide table have few rows.
    if (cursors_.size() < parts.size()) cursors_.resize(parts.size());
    const std::span<Cursor> cursors(cursors_.data(), parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      cursors[i].source = parts[i].source;
      cursors[i].next = parts[i].range.first;
      cursors[i].end = parts[i].range.first + parts[i].range.count;
      cursors[i].chunk.Clear();
      cursors[i].at = 0;
    }
    if (cursors.size() == 1) {
      while (TL_TRY(cursors[0].Fill())) {
        TL_TRY(Emit(cursors[0].chunk));
        cursors[0].at = cursors[0].chunk.row_count();
      }
      return OkStatus();
    }
    // A heap whose top has the earliest row; of equal times the source named first.
    std::vector<Cursor*> heap;
    const auto later = [](const Cursor* a, const Cursor* b) {
      return a->time() != b->time() ? a->time() > b->time() : a > b;
    };
    for (Cursor& cursor : cursors) {
      if (TL_TRY(cursor.Fill())) heap.push_back(&cursor);
    }
    std::make_heap(heap.begin(), heap.end(), later);
    RowChunk& merged = merged_;
    merged.Clear();
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), later);
      Cursor* first = heap.back();
      heap.pop_back();
      // How far it may run before another one is due.
      const std::int64_t limit = heap.empty() ? INT64_MAX : heap.front()->time();
      const auto& times = first->chunk.times;
      const auto begin = times.begin() + static_cast<std::ptrdiff_t>(first->at);
      const auto last = static_cast<std::size_t>(std::upper_bound(begin, times.end(), limit) - times.begin());
      merged.AppendRange(first->chunk, first->at, last);
      first->at = last;
      if (TL_TRY(first->Fill())) {
        heap.push_back(first);
        std::push_heap(heap.begin(), heap.end(), later);
      }
      if (merged.row_count() >= kFlushChunkRows) {
        merged.Finish();
        TL_TRY(Emit(merged));
        merged.Clear();
      }
    }
    merged.Finish();
    return Emit(merged);
  }

  // Splits rows, ascending in time, among windows.
  Status Emit(const RowChunk& chunk) {
    std::size_t first = static_cast<std::size_t>(
        std::lower_bound(chunk.times.begin(), chunk.times.end(), request_.retention_edge_ns) -
        chunk.times.begin());
    while (first < chunk.row_count()) {
      const Window window =
          request_.plan == nullptr ? request_.window : request_.plan->Find(chunk.times[first]);
      const std::size_t last =
          request_.plan == nullptr ? chunk.row_count() : WindowEnd(chunk.times, first, window);
      if (first == 0 && last == chunk.row_count()) return Write(window, chunk);
      RowChunk piece;
      piece.AppendRange(chunk, first, last);
      piece.Finish();
      TL_TRY(Write(window, piece));
      first = last;
    }
    return OkStatus();
  }

  // First row behind `first` that goes to another window; hours are the unit of the plan.
  std::size_t WindowEnd(const std::vector<std::int64_t>& times, std::size_t first,
                        const Window& window) const {
    std::size_t last = first;
    while (last < times.size() && request_.plan->Find(times[last]) == window) {
      const std::int64_t hour = AlignDown(times[last], kWindowLengths[0]);
      const std::int64_t hour_last =
          hour > INT64_MAX - kWindowLengths[0] ? INT64_MAX : hour + kWindowLengths[0] - 1;
      last = static_cast<std::size_t>(
          std::upper_bound(times.begin() + static_cast<std::ptrdiff_t>(last), times.end(),
                           hour_last) -
          times.begin());
    }
    return last;
  }

  Status Write(const Window& window, const RowChunk& chunk) {
    Output& output = outputs_[window];
    if (output.writer == nullptr) TL_TRY(Open(window, &output));
    if (output.series != series_) {
      output.series = series_;
      TL_TRY(BeginSeries(*output.writer));
    }
    const std::vector<segment::ColumnChunk> views = chunk.Views();
    return output.writer->AddRows(chunk.times, chunk.versions, views);
  }

  Status Open(const Window& window, Output* output) {
    output->file_uuid = request_.make_uuid();
    output->sink = TL_TRY(request_.make_sink(output->file_uuid));
    segment::SegmentWriterOptions options;
    std::memcpy(options.file_uuid.data(), output->file_uuid.bytes.data(), options.file_uuid.size());
    options.table_id = request_.schema->id.value;
    options.tier = request_.tier == catalog::StoreTier::kMemory ? segment::Tier::kMemory
                                                                 : segment::Tier::kMagnetic;
    options.effort = options.tier == segment::Tier::kMagnetic ? codec::Effort::kSmall : request_.effort;
    options.window_start_ns = window.start_ns;
    options.window_length_ns = window.length_ns;
    options.through_number = request_.through.value;
    if (request_.make_seal) output->seal = TL_TRY(request_.make_seal(output->file_uuid));
    options.seal = output->seal.pages.get();
    output->writer = std::make_unique<segment::SegmentWriter>(options, *output->sink);
    return OkStatus();
  }

  Status BeginSeries(segment::SegmentWriter& writer) {
    dimensions_.clear();
    segment::SeriesDescriptor series = Describe(series_);
    series.dimensions = dimensions_;
    return writer.AddSeries(series);
  }

  // Its dimensions go to the end of dimensions_.
  segment::SeriesDescriptor Describe(std::uint32_t series) {
    const hot::SeriesIndex& index = *request_.index;
    const hot::SeriesId id{series};
    const std::uint32_t slot_count = index.slot_count();
    for (std::uint32_t slot = 0; slot < slot_count && slot < request_.schema->dimensions.size();
         ++slot) {
      const std::uint32_t code = index.CodeOf(id, slot);
      if (code == hot::kNullCode) continue;
      dimensions_.push_back(
          {.column = request_.schema->dimensions[slot].id.value, .value = index.values(slot).Value(code), .key = code});
    }
    return {.id = series, .measure_name = index.measure_names().Value(index.MeasureOf(id) + 1)};
  }

  FlushRequest request_;
  FlushResult result_;
  std::vector<SourcePart> parts_;
  std::vector<SeriesParts> order_;
  std::size_t apart_until_ = 0;  ///< of order_
  std::vector<Cursor> cursors_;
  RowChunk merged_;
  std::map<Window, Output> outputs_;
  std::uint32_t series_ = 0;
  std::vector<segment::DimensionValue> dimensions_;
  std::vector<segment::SeriesDescriptor> descriptors_;
  std::vector<std::uint32_t> row_counts_;
};

}  // namespace

Window WindowAround(std::int64_t time_ns, std::int64_t length_ns) {
  return {AlignDown(time_ns, length_ns), length_ns};
}

void WindowPlan::Count(std::span<const std::int64_t> times) {
  std::int64_t hour = INT64_MIN;
  std::uint64_t* count = nullptr;
  for (const std::int64_t time : times) {
    const std::int64_t start = AlignDown(time, kWindowLengths[0]);
    if (count == nullptr || start != hour) {
      hour = start;
      count = &hours_[start];
    }
    ++*count;
  }
}

void WindowPlan::Decide(std::size_t piece_rows_min) {
  for (std::uint64_t least = piece_rows_min;; least = std::max<std::uint64_t>(1, least) * 2) {
    Place(least);
    std::set<Window> distinct;
    for (const auto& [hour, window] : windows_) distinct.insert(window);
    // What is too few for a piece grows until pieces are few; the largest windows take any number of rows.
    if (distinct.size() <= kWindowsMax || least > UINT64_MAX / 4) return;
  }
}

void WindowPlan::Place(std::uint64_t piece_rows_min) {
  windows_.clear();
  constexpr std::size_t kLevels = std::size(kWindowLengths);
  std::map<std::int64_t, std::vector<std::int64_t>> hours_of;  // window start of the level, hours
  for (const auto& [hour, rows] : hours_) hours_of[hour].push_back(hour);
  for (std::size_t level = 0; level < kLevels; ++level) {
    const std::int64_t length = kWindowLengths[level];
    std::map<std::int64_t, std::vector<std::int64_t>> left;
    for (auto& [start, hours] : hours_of) {
      std::uint64_t rows = 0;
      for (const std::int64_t hour : hours) rows += hours_[hour];
      if (rows >= piece_rows_min || level + 1 == kLevels) {
        for (const std::int64_t hour : hours) windows_[hour] = Window{start, length};
        continue;
      }
      auto& up = left[AlignDown(start, kWindowLengths[level + 1])];
      up.insert(up.end(), hours.begin(), hours.end());
    }
    hours_of = std::move(left);
  }
}

Window WindowPlan::Find(std::int64_t time_ns) const {
  const auto at = windows_.find(AlignDown(time_ns, kWindowLengths[0]));
  return at == windows_.end() ? Window{} : at->second;
}

Result<FlushResult> Flush(FlushRequest request) { return Flusher(std::move(request)).Run(); }

}  // namespace tideline::engine
