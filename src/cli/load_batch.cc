#include "cli/load_batch.h"

#include <algorithm>
#include <cstring>

namespace tideline::cli {
namespace {

constexpr std::size_t kTextBlockBytes = std::size_t{256} << 10;

}  // namespace

char* LoadBatch::Allocate(std::size_t bytes) {
  if (block_left_ < bytes) {
    block_left_ = std::max(bytes, kTextBlockBytes);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(block_left_), block_left_});
    block_at_ = blocks_.back().text.get();
  }
  char* const allocated = block_at_;
  block_at_ += bytes;
  block_left_ -= bytes;
  text_bytes_ += bytes;
  return allocated;
}

void LoadBatch::Clear() {
  // That of a very long row is not worth its memory.
  const bool keeps_first = !blocks_.empty() && blocks_.front().bytes == kTextBlockBytes;
  blocks_.erase(blocks_.begin() + (keeps_first ? 1 : 0), blocks_.end());
  block_at_ = keeps_first ? blocks_.front().text.get() : nullptr;
  block_left_ = keeps_first ? kTextBlockBytes : 0;
  text_bytes_ = 0;
  dimensions_.clear();
  measures_.clear();
  rows_.clear();
}

void LoadBatch::Begin(std::string_view record) {
  record_ = record.data();
  copy_ = Allocate(record.size());
  std::memcpy(copy_, record.data(), record.size());
  dimensions_begin_ = dimensions_.size();
  measures_begin_ = measures_.size();
}

std::string_view LoadBatch::Keep(std::string_view text) {
  char* const copy = Allocate(text.size());
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

bool LoadBatch::HasDimensionsOfRowBefore() const {
  if (rows_.empty()) return false;
  const Row& before = rows_.back();
  return std::equal(dimensions_.begin() + static_cast<std::ptrdiff_t>(before.dimensions_begin),
                    dimensions_.begin() + static_cast<std::ptrdiff_t>(before.dimensions_end),
                    dimensions_.begin() + static_cast<std::ptrdiff_t>(dimensions_begin_), dimensions_.end(),
                    [](const api::DimensionView& a, const api::DimensionView& b) {
                      return a.name.data() == b.name.data() && a.value == b.value;
                    });
}

void LoadBatch::End(std::size_t line, std::string_view time) {
  Row row{line, time, dimensions_begin_, dimensions_.size(), measures_begin_, measures_.size()};
  // The service finds out fastest that a series goes on when it gets the same views.
  if (HasDimensionsOfRowBefore()) {
    dimensions_.resize(dimensions_begin_);
    row.dimensions_begin = rows_.back().dimensions_begin;
    row.dimensions_end = rows_.back().dimensions_end;
  }
  rows_.push_back(row);
}

void LoadBatch::Cancel() {
  dimensions_.resize(dimensions_begin_);
  measures_.resize(measures_begin_);
}

std::span<const api::RecordInput> LoadBatch::Records() {
  records_.resize(rows_.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    api::RecordInput& record = records_[i];
    record.dimensions = {dimensions_.data() + row.dimensions_begin, row.dimensions_end - row.dimensions_begin};
    record.measure_values = {measures_.data() + row.measures_begin, row.measures_end - row.measures_begin};
    record.time = row.time;
    record.has_measure_values = true;
  }
  return records_;
}

}  // namespace tideline::cli
