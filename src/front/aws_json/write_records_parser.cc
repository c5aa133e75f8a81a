#include "front/aws_json/write_records_parser.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "front/aws_json/body_template.h"
#include "service/api/write_service.h"

namespace tideline::aws_json {
namespace {

namespace ondemand = simdjson::ondemand;
using api::DimensionView;
using api::MeasureValueView;
using api::RecordInput;
using api::TimeUnit;
using catalog::MeasureType;

constexpr std::size_t kJsonPaddingBytes = 64;
constexpr std::size_t kTimeLengthMax = 256;
constexpr std::size_t kRecordDimensionsMax = 128;
// Past these a request is refused by its counts, so no more is kept of a record.
constexpr std::size_t kDimensionsKeptMax = kRecordDimensionsMax + 1;
constexpr std::size_t kMeasuresKeptMax = api::kMeasuresPerRecordMax + 1;
// Of a whole request: only members that are given again and again come so far.
constexpr std::size_t kDimensionsTotalMax = (api::kRecordsPerRequestMax + 1) * kDimensionsKeptMax;
constexpr std::size_t kMeasuresTotalMax = (api::kRecordsPerRequestMax + 1) * kMeasuresKeptMax;
static_assert(kJsonPaddingBytes >= simdjson::SIMDJSON_PADDING);
// Shapes remembered, the last used first: of as many clients as one loop serves in turn.
constexpr std::size_t kTemplatesMax = 8;
// Most bodies that go by unlearned while learning does not pay.
constexpr std::uint32_t kLearnPauseMax = 64;

constexpr std::string_view kTypeNames[] = {"DOUBLE",  "BIGINT",    "VARCHAR",
                                           "BOOLEAN", "TIMESTAMP", "MULTI"};
constexpr std::string_view kDimensionTypes[] = {"VARCHAR"};
constexpr std::string_view kUnitNames[] = {"MILLISECONDS", "SECONDS", "MICROSECONDS",
                                           "NANOSECONDS"};

// Position of `text` in `names`, whose order is the enum's.
template <typename Enum>
std::optional<Enum> EnumOf(std::string_view text, std::span<const std::string_view> names) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

std::string_view JsonTypeText(ondemand::json_type type) {
  switch (type) {
    case ondemand::json_type::array:
      return "START_ARRAY";
    case ondemand::json_type::object:
      return "START_OBJECT";
    case ondemand::json_type::number:
      return "NUMBER_VALUE";
    case ondemand::json_type::string:
      return "STRING_VALUE";
    case ondemand::json_type::boolean:
      return "BOOLEAN_VALUE";
    case ondemand::json_type::null:
      return "NULL_VALUE";
  }
  return "NULL_VALUE";
}

}  // namespace

#define TL_JSON(expression)                                          \
  do {                                                               \
    if (const auto tl_error = (expression); tl_error) return tl_error; \
  } while (false)

struct WriteRecordsParser::State {
  using Error = simdjson::error_code;

  // Records are collected with positions first: the vectors of their parts still grow.
  struct Parts {
    std::size_t dimension_first = 0, dimension_count = 0;
    std::size_t measure_first = 0, measure_count = 0;
  };

  ondemand::parser parser;
  std::vector<DimensionView> dimensions;
  std::vector<MeasureValueView> measures;
  std::vector<RecordInput> records;
  std::vector<Parts> parts;
  std::vector<std::unique_ptr<BodyTemplate>> templates;
  RequestParts matched;
  std::uint32_t learn_pause = 0;  // after the next lesson
  std::uint32_t learn_wait = 0;   // bodies until the next lesson
  RecordInput common;
  Parts common_parts;
  Violations* violations = nullptr;

  // Where we are, for paths: -1 in the common attributes, else the record's position.
  std::ptrdiff_t record_position = -1;
  std::size_t record_count = 0;  // of the list, those past the limit too

  std::string Path(std::string_view member) const {
    if (record_position < 0) return fmt::format("commonAttributes.{}", member);
    return fmt::format("records.{}.member.{}", record_position + 1, member);
  }
  std::string PartPath(std::string_view list, std::size_t position, std::string_view member) const {
    return fmt::format("{}.{}.member.{}", Path(list), position + 1, member);
  }

  // Reads text; a null reads as absent (false), another type is noted.
  Error ReadText(ondemand::value value, std::string_view* text, bool* present) {
    *present = false;
    const Error error = value.get_string().get(*text);
    if (!error) {
      *present = true;
      return error;
    }
    return NoteWrongType(value, "String", error);
  }

  Error NoteWrongType(ondemand::value value, std::string_view wanted, Error otherwise) {
    ondemand::json_type type;
    TL_JSON(value.type().get(type));
    if (type == ondemand::json_type::null) {
      const bool is_null = value.is_null();
      return is_null ? simdjson::SUCCESS : otherwise;
    }
    if (otherwise != simdjson::INCORRECT_TYPE && otherwise != simdjson::NUMBER_ERROR) return otherwise;
    violations->AddWrongType(JsonTypeText(type), wanted);
    return simdjson::SUCCESS;
  }

  Error ReadDimension(ondemand::object object, std::size_t position) {
    DimensionView dimension;
    bool has_name = false;
    bool has_value = false;
    for (auto field : object) {
      std::string_view key;
      TL_JSON(field.unescaped_key().get(key));
      if (key == "Name") {
        TL_JSON(ReadText(field.value(), &dimension.name, &has_name));
      } else if (key == "Value") {
        TL_JSON(ReadText(field.value(), &dimension.value, &has_value));
      } else if (key == "DimensionValueType") {
        std::string_view type;
        bool present = false;
        TL_JSON(ReadText(field.value(), &type, &present));
        if (present && type != "VARCHAR") {
          CheckText(type, {.values = kDimensionTypes},
                    PartPath("dimensions", position, "dimensionValueType"), violations);
        }
      }
    }
    if (!has_name) Missing(PartPath("dimensions", position, "name"));
    if (!has_value) Missing(PartPath("dimensions", position, "value"));
    if (has_name && dimension.name.empty()) {
      CheckText("", {.length_min = 1}, PartPath("dimensions", position, "name"), violations);
    }
    if (position >= kDimensionsKeptMax) return simdjson::SUCCESS;
    if (dimensions.size() >= kDimensionsTotalMax) return simdjson::CAPACITY;
    dimensions.push_back(dimension);
    return simdjson::SUCCESS;
  }

  Error ReadMeasureValue(ondemand::object object, std::size_t position) {
    MeasureValueView measure;
    bool has_name = false;
    bool has_value = false;
    bool has_type = false;
    for (auto field : object) {
      std::string_view key;
      TL_JSON(field.unescaped_key().get(key));
      if (key == "Name") {
        TL_JSON(ReadText(field.value(), &measure.name, &has_name));
      } else if (key == "Value") {
        TL_JSON(ReadText(field.value(), &measure.value, &has_value));
      } else if (key == "Type") {
        std::string_view text;
        TL_JSON(ReadText(field.value(), &text, &has_type));
        if (!has_type) continue;
        if (const auto type = EnumOf<MeasureType>(text, kTypeNames)) {
          measure.type = *type;
        } else {
          CheckText(text, {.values = kTypeNames}, PartPath("measureValues", position, "type"),
                    violations);
        }
      }
    }
    if (!has_name) Missing(PartPath("measureValues", position, "name"));
    if (!has_value) Missing(PartPath("measureValues", position, "value"));
    if (!has_type) Missing(PartPath("measureValues", position, "type"));
    if (has_name && measure.name.empty()) {
      CheckText("", {.length_min = 1}, PartPath("measureValues", position, "name"), violations);
    }
    if (has_value) CheckLength(measure.value, 1, api::kMeasureValueBytesMax, [&] {
      return PartPath("measureValues", position, "value");
    });
    if (position >= kMeasuresKeptMax) return simdjson::SUCCESS;
    if (measures.size() >= kMeasuresTotalMax) return simdjson::CAPACITY;
    measures.push_back(measure);
    return simdjson::SUCCESS;
  }

  void Missing(const std::string& path) {
    violations->Add(std::nullopt, path, "Member must not be null");
  }

  // `length_max` counts bytes here and characters in the model: no more characters than bytes.
  template <typename PathOf>
  void CheckLength(std::string_view text, std::size_t length_min, std::size_t length_max,
                   PathOf&& path) {
    if (text.size() >= length_min && text.size() <= length_max) return;
    CheckText(text, {.length_min = length_min, .length_max = length_max}, path(), violations);
  }

  // Calls `read(object, position)` for each element of a list of structures.
  template <typename Read>
  Error ReadList(ondemand::value value, bool* present, Read&& read) {
    *present = false;
    ondemand::array array;
    if (const Error error = value.get_array().get(array)) {
      return NoteWrongType(value, "a List", error);
    }
    *present = true;
    std::size_t position = 0;
    for (auto item : array) {
      ondemand::value element;
      TL_JSON(item.get(element));
      ondemand::object object;
      if (const Error error = element.get_object().get(object)) {
        TL_JSON(NoteWrongType(element, "an Object", error));
      } else {
        TL_JSON(read(object, position));
      }
      ++position;
    }
    return simdjson::SUCCESS;
  }

  Error ReadVersion(ondemand::value value, RecordInput* record) {
    std::int64_t version = 0;
    const Error error = value.get_int64().get(version);
    if (!error) {
      record->version = version;
      return error;
    }
    double number = 0;
    if (!value.get_double().get(number) && number >= -9.2e18 && number <= 9.2e18 && number == std::trunc(number)) {
      record->version = static_cast<std::int64_t>(number);
      return simdjson::SUCCESS;
    }
    return NoteWrongType(value, "Long", error);
  }

  Error ReadRecord(ondemand::object object, RecordInput* record, Parts* place) {
    for (auto field : object) {
      std::string_view key;
      TL_JSON(field.unescaped_key().get(key));
      ondemand::value value = field.value();
      TL_JSON(ReadMember(key, value, record, place));
    }
    return simdjson::SUCCESS;
  }

  Error ReadOptionalText(ondemand::value value, std::optional<std::string_view>* out) {
    std::string_view text;
    bool present = false;
    TL_JSON(ReadText(value, &text, &present));
    if (present) *out = text;
    return simdjson::SUCCESS;
  }

  Error ReadMember(std::string_view key, ondemand::value value, RecordInput* record, Parts* place) {
    bool present = false;
    if (key == "Dimensions") {
      place->dimension_first = dimensions.size();
      TL_JSON(ReadList(value, &present, [this](ondemand::object object, std::size_t position) {
        return ReadDimension(object, position);
      }));
      place->dimension_count = dimensions.size() - place->dimension_first;
      if (place->dimension_count > kRecordDimensionsMax) {
        violations->Add("[...]", Path("dimensions"),
                        "Member must have length less than or equal to 128");
      }
    } else if (key == "MeasureValues") {
      place->measure_first = measures.size();
      TL_JSON(ReadList(value, &record->has_measure_values,
                       [this](ondemand::object object, std::size_t position) {
                         return ReadMeasureValue(object, position);
                       }));
      place->measure_count = measures.size() - place->measure_first;
    } else if (key == "MeasureName") {
      TL_JSON(ReadOptionalText(value, &record->measure_name));
      if (record->measure_name) {
        CheckLength(*record->measure_name, 1, SIZE_MAX, [&] { return Path("measureName"); });
      }
    } else if (key == "MeasureValue") {
      TL_JSON(ReadOptionalText(value, &record->measure_value));
      if (record->measure_value) {
        CheckLength(*record->measure_value, 1, api::kMeasureValueBytesMax,
                    [&] { return Path("measureValue"); });
      }
    } else if (key == "Time") {
      TL_JSON(ReadOptionalText(value, &record->time));
      if (record->time) {
        CheckLength(*record->time, 1, kTimeLengthMax, [&] { return Path("time"); });
      }
    } else if (key == "MeasureValueType") {
      std::string_view text;
      TL_JSON(ReadText(value, &text, &present));
      if (!present) return simdjson::SUCCESS;
      record->measure_value_type = EnumOf<MeasureType>(text, kTypeNames);
      if (!record->measure_value_type) {
        CheckText(text, {.values = kTypeNames}, Path("measureValueType"), violations);
      }
    } else if (key == "TimeUnit") {
      std::string_view text;
      TL_JSON(ReadText(value, &text, &present));
      if (!present) return simdjson::SUCCESS;
      record->time_unit = EnumOf<TimeUnit>(text, kUnitNames);
      if (!record->time_unit) {
        CheckText(text, {.values = kUnitNames}, Path("timeUnit"), violations);
      }
    } else if (key == "Version") {
      TL_JSON(ReadVersion(value, record));
    }
    return simdjson::SUCCESS;
  }

  Error ReadRecords(ondemand::value value, bool* present) {
    records.clear();  // of a repeated member the last counts
    parts.clear();
    record_count = 0;
    return ReadList(value, present, [this](ondemand::object object, std::size_t position) {
      record_position = static_cast<std::ptrdiff_t>(position);
      record_count = position + 1;
      // Past the limit the request is refused anyway; its records need no room.
      if (position >= api::kRecordsPerRequestMax) return simdjson::SUCCESS;
      records.emplace_back();
      parts.emplace_back();
      return ReadRecord(object, &records.back(), &parts.back());
    });
  }

  Error ReadRequest(std::string_view body, api::WriteRecordsRequest* request) {
    ondemand::document document;
    TL_JSON(parser.iterate(body, body.size() + kJsonPaddingBytes).get(document));
    ondemand::object object;
    TL_JSON(document.get_object().get(object));
    bool has_database = false;
    bool has_table = false;
    bool has_records = false;
    for (auto field : object) {
      std::string_view key;
      TL_JSON(field.unescaped_key().get(key));
      if (key == "DatabaseName") {
        TL_JSON(ReadText(field.value(), &request->database, &has_database));
      } else if (key == "TableName") {
        TL_JSON(ReadText(field.value(), &request->table, &has_table));
      } else if (key == "CommonAttributes") {
        record_position = -1;
        common = {};
        common_parts = {};
        ondemand::value value;
        TL_JSON(field.value().get(value));
        ondemand::object attributes;
        if (const Error error = value.get_object().get(attributes)) {
          TL_JSON(NoteWrongType(value, "an Object", error));
        } else {
          TL_JSON(ReadRecord(attributes, &common, &common_parts));
        }
      } else if (key == "Records") {
        TL_JSON(ReadRecords(field.value(), &has_records));
      }
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      return simdjson::TAPE_ERROR;  // something follows the object
    }
    CheckNames(has_database, has_table);
    CheckRecordCount(has_records);
    return simdjson::SUCCESS;
  }

  // Unlike where they are made, names are not held against a pattern: they exist or do not.
  void CheckNames(bool has_database, bool has_table) {
    if (!has_database) Missing("databaseName");
    if (!has_table) Missing("tableName");
  }

  void CheckRecordCount(bool has_records) {
    if (!has_records) {
      Missing("records");
    } else if (records.empty()) {
      violations->Add("[]", "records", "Member must have length greater than or equal to 1");
    } else if (record_count > api::kRecordsPerRequestMax) {
      violations->Add("[...]", "records", "Member must have length less than or equal to 100");
    } else if (records.size() != record_count) {
      Missing("records");  // a null among them
    }
  }

  bool MatchTemplate(std::string_view body, api::WriteRecordsRequest* request) {
    for (auto at = templates.begin(); at != templates.end(); ++at) {
      if (!(*at)->Match(body, &matched, request)) continue;
      std::rotate(templates.begin(), at, at + 1);
      learn_pause = 0;
      learn_wait = 0;
      return true;
    }
    return false;
  }

  // Lessons that no later body matches become rare.
  void Learn(std::string_view body, const api::WriteRecordsRequest& request) {
    if (learn_wait > 0) {
      --learn_wait;
      return;
    }
    learn_wait = learn_pause;
    learn_pause = std::min(2 * learn_pause + 1, kLearnPauseMax);
    std::unique_ptr<BodyTemplate> made = BodyTemplate::Learn(body, request);
    if (made == nullptr) return;
    if (templates.size() == kTemplatesMax) templates.pop_back();
    templates.insert(templates.begin(), std::move(made));
  }

  void Attach(const Parts& place, RecordInput* record) const {
    record->dimensions = {dimensions.data() + place.dimension_first, place.dimension_count};
    record->measure_values = {measures.data() + place.measure_first, place.measure_count};
  }
};

WriteRecordsParser::WriteRecordsParser() : state_(std::make_unique<State>()) {}
WriteRecordsParser::~WriteRecordsParser() = default;

Result<api::WriteRecordsRequest> WriteRecordsParser::Parse(std::string_view body,
                                                           Violations* violations) {
  State& state = *state_;
  if (api::WriteRecordsRequest request; state.MatchTemplate(body, &request)) return request;
  state.dimensions.clear();
  state.measures.clear();
  state.records.clear();
  state.parts.clear();
  state.common = {};
  state.common_parts = {};
  state.violations = violations;
  state.record_position = -1;
  state.record_count = 0;
  api::WriteRecordsRequest request;
  if (const auto error = state.ReadRequest(body, &request)) {
    return InvalidArgument("the request body is not valid JSON: {}",
                           simdjson::error_message(error));
  }
  for (std::size_t i = 0; i < state.records.size(); ++i) {
    state.Attach(state.parts[i], &state.records[i]);
  }
  state.Attach(state.common_parts, &state.common);
  request.common = state.common;
  request.records = state.records;
  if (violations->empty()) state.Learn(body, request);
  return request;
}

#undef TL_JSON

}  // namespace tideline::aws_json
