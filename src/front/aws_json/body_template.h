// front/aws_json/body_template.h: WriteRecords bodies that look like one seen before.
//
// A client writes the same shape over and over: the same members in the same order, the same names,
// only values and times differ. A template is learned from a body that the full parser has accepted:
// its text is cut into literals and slots, a slot being the text of a Value, MeasureValue or Time, or
// the digits of a Version.
//
//   prefix   {"DatabaseName":"d","TableName":"t","Records":[
//   record   {"Dimensions":[{"Name":"host","Value":"#"}],"Time":"#","MeasureValue":"#", ... }
//   suffix   ]}
//
// A body matches when its literals are equal byte for byte and each slot holds plain ASCII text
// without escapes (a quarter of the full parser's work or less; the idea of predicting the structure
// is that of Li et al., "Mison: A Fast JSON Parser for Data Analytics", PVLDB 10(10), 2017). What it
// means then follows from what the learned body meant. Anything else does not match, and goes to the
// full parser: a template never refuses, and never accepts what the full parser would not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/api/write_request.h"

namespace tideline::aws_json {

/// A request's parts; vectors are kept between requests.
struct RequestParts {
  std::vector<api::DimensionView> dimensions;
  std::vector<api::MeasureValueView> measures;
  std::vector<api::RecordInput> records;
};

class BodyTemplate {
 public:
  /// Longest text of a template, of prefix, record and suffix together.
  static constexpr std::size_t kTextBytesMax = 64 * 1024;
  /// Bytes behind a body that must be readable.
  static constexpr std::size_t kReadableBytes = 16;

  /// Learns from `body`, which the full parser took for `request` without a violation. Null when it
  /// has escapes in names or repeats members, is too long, or has records of several shapes. Behind the body, too,
  /// kReadableBytes must be readable.
  static std::unique_ptr<BodyTemplate> Learn(std::string_view body,
                                             const api::WriteRecordsRequest& request);

  /// Reads `body`, behind which kReadableBytes must be readable, if it matches. The views of
  /// `*request` point into the body, `*parts` and this object; both outputs are unspecified on false.
  bool Match(std::string_view body, RequestParts* parts, api::WriteRecordsRequest* request) const;

 private:
  enum class Slot : std::uint8_t { kEnd, kDimension, kMeasure, kMeasureValue, kTime, kVersion };
  /// A literal and the slot behind it.
  struct Step {
    std::uint32_t literal_offset;  ///< in text_
    std::uint32_t literal_bytes;
    std::uint32_t position;  ///< of the dimension or measure in its record
    Slot slot;
    bool common;  ///< of the common attributes
  };
  struct RecordSkeleton {
    api::RecordInput record;
    std::vector<api::DimensionView> dimensions;
    std::vector<api::MeasureValueView> measures;
  };
  class Learner;

  BodyTemplate() = default;
  void Keep(const api::RecordInput& from, RecordSkeleton* to);
  std::string_view KeepName(std::string_view name);

  std::string text_;  ///< all literals
  std::vector<Step> prefix_, record_, suffix_;  ///< each ends with a kEnd
  std::vector<std::unique_ptr<std::string>> names_;
  std::string_view database_, table_;
  RecordSkeleton common_, each_;
};

}  // namespace tideline::aws_json
