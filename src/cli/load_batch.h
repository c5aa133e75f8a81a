// cli/load_batch.h: rows of a file on their way to a table, as the write service takes records.
//
//   batch.Begin(record);                       // keeps the row's text
//   batch.AddDimension(name, batch.Kept(field));
//   batch.AddMeasure({.name = name, .value = batch.Kept(value), .type = type});
//   batch.End(line, time);                     // or batch.Cancel()
//   service.WriteRecords({.records = batch.Records(), …}, …);
//
// Names are views that outlive the batch. Used again and again, so that its vectors grow once.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "service/api/write_request.h"

namespace tideline::cli {

/// Text that a batch holds before it counts as full.
inline constexpr std::size_t kLoadBatchBytesMax = std::size_t{1} << 20;

class LoadBatch {
 public:
  explicit LoadBatch(std::size_t rows_max) : rows_max_(rows_max) {}

  std::size_t size() const { return rows_.size(); }
  bool full() const { return rows_.size() >= rows_max_ || text_bytes_ >= kLoadBatchBytesMax; }
  /// Line of the file on which row `i` begins.
  std::size_t line(std::size_t i) const { return rows_[i].line; }
  void Clear();

  /// Begins a row and copies its text, `record`.
  void Begin(std::string_view record);
  /// The copy of a part of the row's text.
  std::string_view Kept(std::string_view part) const { return {copy_ + (part.data() - record_), part.size()}; }
  /// A copy of other text.
  std::string_view Keep(std::string_view text);
  void AddDimension(std::string_view name, std::string_view value) { dimensions_.push_back({name, value}); }
  void AddMeasure(const api::MeasureValueView& measure) { measures_.push_back(measure); }
  bool has_measures() const { return measures_.size() > measures_begin_; }
  void End(std::size_t line, std::string_view time);
  void Cancel();

  /// All rows; the views live until Clear.
  std::span<const api::RecordInput> Records();

 private:
  struct Row {
    std::size_t line;
    std::string_view time;
    std::size_t dimensions_begin, dimensions_end;
    std::size_t measures_begin, measures_end;
  };
  char* Allocate(std::size_t bytes);
  bool HasDimensionsOfRowBefore() const;

  const std::size_t rows_max_;
  struct Block {
    std::unique_ptr<char[]> text;
    std::size_t bytes;
  };
  std::vector<Block> blocks_;   // of text; the first one is kept
  std::size_t block_left_ = 0;  // of the last one
  char* block_at_ = nullptr;
  std::size_t text_bytes_ = 0;
  const char* record_ = nullptr;  // of the row that is being added, and its copy
  char* copy_ = nullptr;
  std::vector<api::DimensionView> dimensions_;
  std::vector<api::MeasureValueView> measures_;
  std::size_t dimensions_begin_ = 0;  // of the row that is being added
  std::size_t measures_begin_ = 0;
  std::vector<Row> rows_;
  std::vector<api::RecordInput> records_;
};

}  // namespace tideline::cli
