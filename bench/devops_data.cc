#include "bench/devops_data.h"

#include <fmt/format.h>

#include <iterator>

#include "base/check.h"

namespace tideline::bench {
namespace {

constexpr std::size_t kTimeDigits = 13;
constexpr std::string_view kTimeBlank = "0000000000000";
static_assert(kTimeBlank.size() == kTimeDigits);

constexpr std::string_view kRegions[] = {"us-east-1",      "us-west-1",      "us-west-2",
                                         "eu-west-1",      "eu-central-1",   "ap-southeast-1",
                                         "ap-southeast-2", "ap-northeast-1", "sa-east-1"};
constexpr std::string_view kSystems[] = {"Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"};
constexpr std::string_view kArchitectures[] = {"x64", "x86"};
constexpr std::string_view kTeams[] = {"SF", "NYC", "LON", "CHI"};
constexpr std::string_view kEnvironments[] = {"production", "staging", "test"};

template <std::size_t count>
std::string Pick(const std::string_view (&choices)[count], Random& random) {
  return std::string(choices[random.Below(count)]);
}

// JSON as botocore writes it: a blank behind each comma and colon.
void AppendDimensions(const HostTags& tags, std::string* out) {
  *out += "\"Dimensions\": [";
  for (std::size_t i = 0; i < kTagCount; ++i) {
    fmt::format_to(std::back_inserter(*out), R"({}{{"Name": "{}", "Value": "{}"}})",
                   i == 0 ? "" : ", ", kTagNames[i], tags[i]);
  }
  *out += "]";
}

}  // namespace

const std::array<std::string_view, kTagCount> kTagNames = {
    "hostname", "region", "datacenter", "rack",           "os",
    "arch",     "team",   "service",    "service_version", "service_environment"};
const std::array<std::string_view, kMeasureCount> kMeasureNames = {
    "usage_user", "usage_system",  "usage_idle",  "usage_nice",  "usage_iowait",
    "usage_irq",  "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"};

HostTags TagsOf(std::size_t host) {
  Random random(host);
  HostTags tags;
  tags[0] = fmt::format("host_{}", host);
  tags[1] = Pick(kRegions, random);
  tags[2] = tags[1] + static_cast<char>('a' + random.Below(3));
  tags[3] = fmt::format("{}", random.Below(100));
  tags[4] = Pick(kSystems, random);
  tags[5] = Pick(kArchitectures, random);
  tags[6] = Pick(kTeams, random);
  tags[7] = fmt::format("{}", random.Below(20));
  tags[8] = fmt::format("{}", random.Below(2));
  tags[9] = Pick(kEnvironments, random);
  return tags;
}

HostWalk::HostWalk(std::size_t host) : random_(host + 0x5eed) {
  for (std::uint8_t& value : values_) {
    value = static_cast<std::uint8_t>(random_.Below(kValueMax + 1));
  }
}

const HostWalk::Values& HostWalk::Next() {
  for (std::uint8_t& value : values_) {
    const std::uint64_t step = random_.Below(3);  // down, stay, up
    if (step == 0 && value > 0) --value;
    if (step == 2 && value < kValueMax) ++value;
  }
  return values_;
}

void RequestBody::Begin(std::string_view database, std::string_view table) {
  times_.clear();
  text_.clear();
  fmt::format_to(std::back_inserter(text_), R"({{"DatabaseName": "{}", "TableName": "{}", )",
                 database, table);
}

void RequestBody::CommonHost(const HostTags& tags) {
  TL_CHECK(times_.empty());
  text_ += "\"CommonAttributes\": {";
  AppendDimensions(tags, &text_);
  text_ += R"(, "MeasureName": "cpu", "MeasureValueType": "MULTI", "TimeUnit": "MILLISECONDS"}, )";
}

void RequestBody::AddRecord(const HostTags* tags, std::int64_t tick,
                            const HostWalk::Values& values) {
  text_ += times_.empty() ? "\"Records\": [{" : ", {";
  if (tags != nullptr) {
    AppendDimensions(*tags, &text_);
    text_ += R"(, "MeasureName": "cpu", "MeasureValueType": "MULTI", )";
  }
  text_ += "\"MeasureValues\": [";
  for (std::size_t i = 0; i < kMeasureCount; ++i) {
    fmt::format_to(std::back_inserter(text_), R"({}{{"Name": "{}", "Value": "{}", "Type": "DOUBLE"}})",
                   i == 0 ? "" : ", ", kMeasureNames[i], values[i]);
  }
  text_ += "], \"Time\": \"";
  times_.push_back({text_.size(), tick});
  text_ += kTimeBlank;
  text_ += tags != nullptr ? R"(", "TimeUnit": "MILLISECONDS"})" : "\"}";
}

void RequestBody::End() { text_ += "]}"; }

void RequestBody::SetTimes(std::int64_t first_ms) {
  for (const TimePlace& place : times_) {
    std::int64_t left = first_ms + place.tick * kTickMs;
    for (std::size_t i = kTimeDigits; i-- > 0; left /= 10) {
      text_[place.offset + i] = static_cast<char>('0' + left % 10);
    }
  }
}

}  // namespace tideline::bench
