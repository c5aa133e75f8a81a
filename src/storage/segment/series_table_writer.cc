#include "storage/segment/series_table_writer.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "storage/codec/wrapping.h"

namespace tideline::segment {
namespace {

void WriteBlock(const Bytes& block, Bytes* out) {
  ByteWriter writer(out);
  writer.Varint(block.size());
  writer.Append(block);
}

void WriteNames(std::span<const std::string_view> names, Bytes* out) {
  ByteWriter(out).Varint(names.size());
  for (std::size_t first = 0; first < names.size(); first += codec::kBlockRowsMax) {
    const auto part = names.subspan(first, std::min(codec::kBlockRowsMax, names.size() - first));
    Bytes block;
    codec::EncodeStringBlock(part, {}, part.size(), &block);
    WriteBlock(block, out);
  }
}

// One column of the table for series [first, first + count).
template <typename ValueOf>
void WriteColumn(std::size_t first, std::size_t count, ValueOf value_of, Bytes* out) {
  std::vector<std::int64_t> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<std::int64_t>(value_of(first + i));
  }
  Bytes block;
  codec::EncodeInt64Block(values, {}, count, &block);
  WriteBlock(block, out);
}

}  // namespace

std::uint32_t NameCollector::CodeOf(std::string_view name) {
  const auto found = codes_.find(name);
  if (found != codes_.end()) return found->second;
  const auto code = static_cast<std::uint32_t>(names_.size());
  names_.push_back(copies_.emplace_back(name));
  codes_.emplace(names_.back(), code);
  return code;
}

std::uint32_t NameCollector::CodeOfKey(std::uint32_t key, std::string_view name) {
  const auto [found, is_new] = codes_by_key_.try_emplace(key, static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.push_back(name);
  return found->second;
}

std::vector<std::string_view> NameCollector::Sort(std::vector<std::uint32_t>* ranks) const {
  std::vector<std::uint32_t> order(names_.size());
  std::iota(order.begin(), order.end(), 0U);
  // What the segment is sorted by appears in order.
  const auto before = [this](std::uint32_t a, std::uint32_t b) { return names_[a] < names_[b]; };
  if (!std::is_sorted(order.begin(), order.end(), before)) std::sort(order.begin(), order.end(), before);
  ranks->resize(order.size());
  std::vector<std::string_view> sorted;
  sorted.reserve(order.size());
  for (const std::uint32_t code : order) {
    (*ranks)[code] = static_cast<std::uint32_t>(sorted.size());
    sorted.push_back(names_[code]);
  }
  return sorted;
}

Status SeriesTableWriter::Add(const SeriesDescriptor& series) {
  if (ids_.size() >= kSegmentSeriesMax) {
    return InvalidArgument("segment: more than {} series", kSegmentSeriesMax);
  }
  if (series.measure_name.size() > kNameBytesMax) {
    return InvalidArgument("segment: measure name of {} bytes, at most {}",
                           series.measure_name.size(), kNameBytesMax);
  }
  const std::size_t ordinal = ids_.size();
  for (const DimensionValue& dimension : series.dimensions) {
    if (dimension.column >= kColumnIdMax || dimension.value.size() > kNameBytesMax) {
      return InvalidArgument("segment: dimension {} with a value of {} bytes, at most {}",
                             dimension.column, dimension.value.size(), kNameBytesMax);
    }
    std::unique_ptr<Dimension>& at = dimensions_[dimension.column];
    if (at == nullptr) at = std::make_unique<Dimension>();
    if (at->codes.size() > ordinal) {
      return InvalidArgument("segment: series {} has dimension {} twice", series.id,
                             dimension.column);
    }
    const bool has_key = dimension.key != kNoValueKey;
    if (at->values.size() > 0 && at->values.has_keys() != has_key) {
      return InvalidArgument("segment: dimension {} has some values with a key and some without", dimension.column);
    }
    const std::uint32_t code = has_key ? at->values.CodeOfKey(dimension.key, dimension.value)
                                       : at->values.CodeOf(dimension.value);
    at->codes.resize(ordinal);
    at->codes.push_back(code + 1);
  }
  if (dimensions_.size() > kSegmentColumnsMax) {
    return InvalidArgument("segment: more than {} dimensions", kSegmentColumnsMax);
  }
  ids_.push_back(series.id);
  measure_codes_.push_back(measures_.CodeOf(series.measure_name));
  row_counts_.push_back(0);
  times_min_.push_back(INT64_MAX);
  times_max_.push_back(INT64_MIN);
  return OkStatus();
}

void SeriesTableWriter::AddRows(std::uint64_t row_count, std::int64_t first_time_ns,
                                std::int64_t last_time_ns) {
  TL_CHECK(!ids_.empty() && row_count > 0);
  if (row_counts_.back() == 0) times_min_.back() = first_time_ns;
  times_max_.back() = last_time_ns;
  row_counts_.back() += row_count;
}

Status SeriesTableWriter::Write(Bytes* out, std::vector<std::uint32_t>* measure_ranks) const {
  std::vector<SeriesId> sorted_ids = ids_;
  std::sort(sorted_ids.begin(), sorted_ids.end());
  const auto twice = std::adjacent_find(sorted_ids.begin(), sorted_ids.end());
  if (twice != sorted_ids.end()) return InvalidArgument("segment: series {} came twice", *twice);

  ByteWriter writer(out);
  writer.Varint(ids_.size());
  std::vector<std::uint32_t> ranks;
  WriteNames(measures_.Sort(&ranks), out);
  measure_ranks->clear();
  for (const std::uint32_t code : measure_codes_) measure_ranks->push_back(ranks[code]);

  std::vector<ColumnId> columns;
  for (const auto& [column, dimension] : dimensions_) columns.push_back(column);
  std::sort(columns.begin(), columns.end());
  writer.Varint(columns.size());
  std::vector<std::vector<std::uint32_t>> value_ranks(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    writer.U32(columns[i]);
    WriteNames(dimensions_.at(columns[i])->values.Sort(&value_ranks[i]), out);
  }

  for (std::size_t first = 0; first < ids_.size(); first += codec::kBlockRowsMax) {
    const std::size_t count = std::min(codec::kBlockRowsMax, ids_.size() - first);
    WriteColumn(
        first, count, [this](std::size_t i) { return ids_[i]; }, out);
    WriteColumn(
        first, count, [&](std::size_t i) { return (*measure_ranks)[i]; }, out);
    WriteColumn(
        first, count, [this](std::size_t i) { return row_counts_[i]; }, out);
    WriteColumn(
        first, count, [this](std::size_t i) { return times_min_[i]; }, out);
    WriteColumn(
        first, count,
        [this](std::size_t i) { return codec::WrappingDifference(times_max_[i], times_min_[i]); },
        out);
    for (std::size_t d = 0; d < columns.size(); ++d) {
      const std::vector<std::uint32_t>& codes = dimensions_.at(columns[d])->codes;
      WriteColumn(
          first, count,
          [&](std::size_t i) {
            const std::uint32_t code = i < codes.size() ? codes[i] : 0;
            return code == 0 ? 0 : value_ranks[d][code - 1] + 1;
          },
          out);
    }
  }
  return OkStatus();
}

}  // namespace tideline::segment
