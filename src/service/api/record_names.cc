#include "service/api/record_names.h"

#include <fmt/format.h>

#include "service/api/choices.h"

namespace tideline::api {

using catalog::MeasureType;

RecordNames::Text RecordNames::Keep(std::string_view text) {
  const Text kept{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
  text_ += text;
  return kept;
}

void RecordNames::Clear() {
  text_.clear();
  dimensions_.clear();
  measures_.clear();
  entries_.clear();
}

void RecordNames::Add(const engine::RecordView& record, bool same_dimensions, bool same_measures) {
  Entry entry{};
  const Entry* before = entries_.empty() ? nullptr : &entries_.back();
  entry.version = record.version;
  entry.multi = record.multi;
  entry.measure_name = before != nullptr && View(before->measure_name) == record.measure_name
                           ? before->measure_name
                           : Keep(record.measure_name);
  if (before != nullptr && same_dimensions) {
    entry.dimensions_first = before->dimensions_first;
  } else {
    entry.dimensions_first = static_cast<std::uint32_t>(dimensions_.size());
    for (const auto& dimension : record.dimensions) dimensions_.push_back(Keep(dimension.name));
  }
  if (before != nullptr && same_measures) {
    entry.measures_first = before->measures_first;
  } else {
    entry.measures_first = static_cast<std::uint32_t>(measures_.size());
    for (const auto& measure : record.measures) {
      measures_.push_back({record.multi ? Keep(measure.name) : Text{0, 0}, measure.type});
    }
  }
  entries_.push_back(entry);
}

std::string RecordNames::ReasonOf(std::size_t position, const engine::RecordResult& result) const {
  using engine::Verdict;
  const Entry& entry = entries_[position];
  const bool whole = result.item == engine::RecordResult::kWholeRecord;
  const auto limit = [](std::string_view what, std::size_t count) {
    return fmt::format(fmt::runtime(choices::kLimitText), what, count);
  };
  switch (result.verdict) {
    case Verdict::kNew:
    case Verdict::kReplaced:
    case Verdict::kEqual:
      return {};
    case Verdict::kDuplicate:
      return "A record already exists with the same time, dimensions, measure name, and record "
             "version. A higher record version must be specified in order to update the measure "
             "value. Specifying record version is supported by the latest SDKs.";
    case Verdict::kLowerVersion:
      return fmt::format(
          "The record version {} is lower than the existing version {}. A higher version is "
          "required to update the measure value.",
          entry.version, result.existing_version);
    case Verdict::kMeasureTypeConflict: {
      const Item& item = measures_[entry.measures_first + (whole ? 0U : result.item)];
      const MeasureType wanted = whole && entry.multi ? MeasureType::kMulti : item.type;
      return fmt::format(fmt::runtime(choices::kTypeConflictText),
                         whole || !entry.multi ? View(entry.measure_name) : View(item.name),
                         catalog::MeasureTypeName(result.existing_type),
                         catalog::MeasureTypeName(wanted));
    }
    case Verdict::kNameKindConflict: {
      const std::string_view name =
          result.item_is_dimension ? View(dimensions_[entry.dimensions_first + result.item])
          : whole || !entry.multi  ? View(entry.measure_name)
                                   : View(measures_[entry.measures_first + result.item].name);
      return fmt::format(fmt::runtime(choices::kKindConflictText), name,
                         result.item_is_dimension ? "measure" : "dimension",
                         result.item_is_dimension ? "dimension" : "measure");
    }
    case Verdict::kDimensionLimit:
      return limit("number of dimensions of the table", catalog::kDimensionsMax);
    case Verdict::kMeasureNameLimit:
      return limit("number of measure names of the table", catalog::kMeasureNamesMax);
    case Verdict::kAttributeLimit:
      return limit("number of multi-measure attributes of the table", catalog::kMultiAttributesMax);
  }
  return {};
}

}  // namespace tideline::api
