// service/api/record_names.h: what a reason may have to name, kept after a request's views are gone.
//
// Verdicts come when the log is synced, long after the request's buffer was reused. Records of one
// request repeat names, so each distinct group of names is copied once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine/write_batch.h"

namespace tideline::api {

class RecordNames {
 public:
  /// Adds the next record of the batch. `same_dimensions` and `same_measures` say that it has the
  /// names (and types) of the one added before.
  void Add(const engine::RecordView& record, bool same_dimensions, bool same_measures);
  void Clear();

  /// The service's reason for a verdict on record `position` that is not an acceptance.
  std::string ReasonOf(std::size_t position, const engine::RecordResult& result) const;

 private:
  struct Text {
    std::uint32_t offset, length;
  };
  struct Item {
    Text name;
    engine::MeasureType type;
  };
  struct Entry {
    Text measure_name;
    std::uint32_t dimensions_first, measures_first;
    std::int64_t version;
    bool multi;
  };
  Text Keep(std::string_view text);
  std::string_view View(Text text) const { return {text_.data() + text.offset, text.length}; }

  std::string text_;
  std::vector<Text> dimensions_;
  std::vector<Item> measures_;
  std::vector<Entry> entries_;
};

}  // namespace tideline::api
