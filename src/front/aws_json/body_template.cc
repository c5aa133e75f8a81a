#include "front/aws_json/body_template.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

#include "service/api/write_service.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tideline::aws_json {
namespace {

using api::DimensionView;
using api::MeasureValueView;
using api::RecordInput;

constexpr std::size_t kTimeBytesMax = 256;
// More digits could overflow, which is the full parser's business.
constexpr std::size_t kVersionDigitsMax = 18;

bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The first position from `at` on that holds a quote, a backslash, a control character or a byte
// outside ASCII, eight bytes at a time; at or past text.size() if there is none. In each term a
// borrow can only spoil bytes above a true hit, so that the lowest hit is exact.
std::size_t EndOfPlainText(std::string_view text, std::size_t at) {
#if defined(__SSE2__)
  // The same, sixteen bytes at a time: what is below a blank as a signed byte is a control character or not ASCII.
  for (; at < text.size(); at += sizeof(__m128i)) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i ends = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
                                      _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
    const auto hits = static_cast<unsigned>(_mm_movemask_epi8(ends));
    if (hits != 0) return at + static_cast<std::size_t>(std::countr_zero(hits));
  }
#else
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t kEachByte = 0x0101010101010101U;
  for (; at < text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof(word));
    const std::uint64_t quote = word ^ (kEachByte * '"');
    const std::uint64_t backslash = word ^ (kEachByte * '\\');
    const std::uint64_t hits = (((quote - kEachByte) & ~quote) |
                                ((backslash - kEachByte) & ~backslash) |
                                ((word - kEachByte * 0x20) & ~word) | word) &
                               (kEachByte * 0x80);
    if (hits != 0) return at + static_cast<std::size_t>(std::countr_zero(hits)) / 8;
  }
#endif
  return at;
}

// Compares literals. Behind both texts BodyTemplate::kReadableBytes more may be read.
bool SameBytes(const char* a, const char* b, std::size_t count) {
#if defined(__SSE2__)
  static_assert(BodyTemplate::kReadableBytes >= sizeof(__m128i));
  const auto equal = [&](std::size_t at) {
    return static_cast<unsigned>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + at)),
                                         _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + at)))));
  };
  constexpr unsigned kAll = 0xffff;
  std::size_t at = 0;
  for (; at + sizeof(__m128i) <= count; at += sizeof(__m128i)) {
    if (equal(at) != kAll) return false;
  }
  const unsigned wanted = (1U << (count - at)) - 1;
  return (equal(at) & wanted) == wanted;
#else
  return std::memcmp(a, b, count) == 0;
#endif
}

// Digits of a JSON integer without sign; 0 when there is none that is surely fine.
std::size_t VersionDigits(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && IsDigit(text[end])) ++end;
  const std::size_t count = end - at;
  const bool leading_zero = count > 1 && text[at] == '0';
  return count > kVersionDigitsMax || leading_zero ? 0 : count;
}

bool Same(const RecordInput& a, const RecordInput& b) {
  return a.measure_name == b.measure_name && a.measure_value == b.measure_value &&
         a.time == b.time && a.version == b.version &&
         a.measure_value_type == b.measure_value_type && a.time_unit == b.time_unit &&
         a.has_measure_values == b.has_measure_values &&
         std::equal(a.dimensions.begin(), a.dimensions.end(), b.dimensions.begin(),
                    b.dimensions.end(),
                    [](const DimensionView& x, const DimensionView& y) {
                      return x.name == y.name && x.value == y.value;
                    }) &&
         std::equal(a.measure_values.begin(), a.measure_values.end(), b.measure_values.begin(),
                    b.measure_values.end(), [](const MeasureValueView& x, const MeasureValueView& y) {
                      return x.name == y.name && x.value == y.value && x.type == y.type;
                    });
}

bool Same(const api::WriteRecordsRequest& a, const api::WriteRecordsRequest& b) {
  return a.database == b.database && a.table == b.table && Same(a.common, b.common) &&
         std::equal(a.records.begin(), a.records.end(), b.records.begin(), b.records.end(),
                    [](const RecordInput& x, const RecordInput& y) { return Same(x, y); });
}

}  // namespace

// Walks the text of a body that is known to be valid JSON and cuts it into steps. Every method is
// false when the body is none that can be learned.
class BodyTemplate::Learner {
 public:
  Learner(std::string_view body, BodyTemplate* out) : body_(body), out_(out), steps_(&out->prefix_) {}

  bool Run() {
    SkipBlanks();
    const bool walked = WalkObject([this](std::string_view key) {
      if (key == "Records") return !std::exchange(has_records_, true) && WalkRecords();
      if (key == "CommonAttributes") {
        common_ = true;
        const bool fine = !std::exchange(has_common_, true) &&
                          (Peek() == '{' ? WalkRecord() : SkipValue());
        common_ = false;
        return fine;
      }
      return SkipValue();
    });
    if (!walked || !has_records_) return false;
    at_ = body_.size();  // blanks behind the object belong to the suffix
    return Cut(Slot::kEnd, 0);
  }

 private:
  char Peek() const { return at_ < body_.size() ? body_[at_] : '\0'; }
  void SkipBlanks() {
    while (IsBlank(Peek())) ++at_;
  }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    SkipBlanks();
    return true;
  }
  // A string without escapes; `*text` is what it holds.
  bool TakeText(std::string_view* text) {
    if (Peek() != '"') return false;
    const std::size_t begin = ++at_;
    while (at_ < body_.size() && body_[at_] != '"' && body_[at_] != '\\') ++at_;
    if (Peek() != '"') return false;
    *text = body_.substr(begin, at_ - begin);
    ++at_;
    SkipBlanks();
    return true;
  }
  bool SkipValue() {
    std::size_t depth = 0;
    do {
      const char c = Peek();
      std::string_view ignored;
      if (c == '"') {
        if (!TakeText(&ignored)) return false;
        continue;
      }
      if (c == '\0' || (depth == 0 && (c == ',' || c == '}' || c == ']'))) return false;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
      if (depth == 0 && c != '}' && c != ']') {  // a number, true, false or null
        while (at_ < body_.size() && !IsBlank(Peek()) && Peek() != ',' && Peek() != '}' &&
               Peek() != ']') {
          ++at_;
        }
      }
      SkipBlanks();
    } while (depth > 0);
    return true;
  }
  template <typename Member>
  bool WalkObject(Member&& member) {
    if (!Take('{')) return false;
    if (Take('}')) return true;
    do {
      std::string_view key;
      if (!TakeText(&key) || !Take(':') || !member(key)) return false;
    } while (Take(','));
    return Take('}');
  }
  template <typename Element>
  bool WalkList(Element&& element) {
    if (!Take('[')) return false;
    if (Take(']')) return true;
    std::size_t position = 0;
    do {
      if (Peek() != '{' || !element(position++)) return false;
    } while (Take(','));
    return Take(']');
  }
  // Ends a literal at `at_` with a slot.
  bool Cut(Slot slot, std::size_t position) {
    const std::size_t bytes = at_ - literal_begin_;
    if (out_->text_.size() + bytes > kTextBytesMax) return false;
    steps_->push_back({.literal_offset = static_cast<std::uint32_t>(out_->text_.size()),
                       .literal_bytes = static_cast<std::uint32_t>(bytes),
                       .position = static_cast<std::uint32_t>(position),
                       .slot = slot,
                       .common = common_});
    out_->text_.append(body_.substr(literal_begin_, bytes));
    literal_begin_ = at_;
    return true;
  }
  bool CutText(Slot slot, std::size_t position) {
    if (Peek() != '"') return SkipValue();  // null
    ++at_;
    if (!Cut(slot, position)) return false;
    --at_;
    std::string_view text;
    const bool taken = TakeText(&text);
    literal_begin_ = static_cast<std::size_t>(text.data() - body_.data()) + text.size();
    return taken;
  }
  bool WalkRecord() {
    bool has_dimensions = false;
    bool has_measures = false;
    return WalkObject([&](std::string_view key) {
      const bool dimensions = key == "Dimensions";
      if (dimensions || key == "MeasureValues") {
        if (std::exchange(dimensions ? has_dimensions : has_measures, true)) return false;
        if (Peek() != '[') return SkipValue();
        const Slot slot = dimensions ? Slot::kDimension : Slot::kMeasure;
        return WalkList([&](std::size_t position) {
          return WalkObject([&](std::string_view part) {
            return part == "Value" ? CutText(slot, position) : SkipValue();
          });
        });
      }
      if (key == "Time") return CutText(Slot::kTime, 0);
      if (key == "MeasureValue") return CutText(Slot::kMeasureValue, 0);
      if (key == "Version") return CutVersion();
      return SkipValue();
    });
  }
  bool CutVersion() {
    const std::size_t digits = VersionDigits(body_, at_);
    const char behind = at_ + digits < body_.size() ? body_[at_ + digits] : '\0';
    if (digits == 0 || (behind != ',' && behind != '}' && !IsBlank(behind))) return SkipValue();
    if (!Cut(Slot::kVersion, 0)) return false;
    at_ += digits;
    literal_begin_ = at_;
    SkipBlanks();
    return true;
  }
  bool WalkRecords() {
    if (!Take('[') || Peek() != '{') return false;
    if (!Cut(Slot::kEnd, 0)) return false;
    steps_ = &out_->record_;
    if (!WalkRecord()) return false;
    // Up to the closing brace: the blanks behind it may differ from record to record.
    const std::size_t next = at_;
    while (body_[at_ - 1] != '}') --at_;
    if (!Cut(Slot::kEnd, 0)) return false;
    at_ = next;
    // The other records must have the same shape, which the caller checks.
    while (Take(',')) {
      if (!SkipValue()) return false;
    }
    if (Peek() != ']') return false;
    literal_begin_ = at_;
    steps_ = &out_->suffix_;
    return Take(']');
  }

  const std::string_view body_;
  BodyTemplate* const out_;
  std::vector<Step>* steps_;
  std::size_t at_ = 0;
  std::size_t literal_begin_ = 0;
  bool common_ = false;
  bool has_records_ = false;
  bool has_common_ = false;
};

std::string_view BodyTemplate::KeepName(std::string_view name) {
  return *names_.emplace_back(std::make_unique<std::string>(name));
}

void BodyTemplate::Keep(const RecordInput& from, RecordSkeleton* to) {
  to->record = from;
  to->record.dimensions = {};
  to->record.measure_values = {};
  if (from.measure_name) to->record.measure_name = KeepName(*from.measure_name);
  // These are slots wherever they occur; Match sets them.
  if (from.measure_value) to->record.measure_value = "";
  if (from.time) to->record.time = "";
  for (const DimensionView& dimension : from.dimensions) {
    to->dimensions.push_back({KeepName(dimension.name), ""});
  }
  for (const MeasureValueView& measure : from.measure_values) {
    to->measures.push_back({KeepName(measure.name), "", measure.type});
  }
}

std::unique_ptr<BodyTemplate> BodyTemplate::Learn(std::string_view body,
                                                  const api::WriteRecordsRequest& request) {
  std::unique_ptr<BodyTemplate> made(new BodyTemplate);
  if (request.records.empty() || !Learner(body, made.get()).Run()) return nullptr;
  made->text_.append(kReadableBytes, '\0');
  made->database_ = made->KeepName(request.database);
  made->table_ = made->KeepName(request.table);
  made->Keep(request.common, &made->common_);
  made->Keep(request.records[0], &made->each_);
  for (const std::vector<Step>* steps : {&made->prefix_, &made->record_, &made->suffix_}) {
    for (const Step& step : *steps) {
      const RecordSkeleton& owner = step.common ? made->common_ : made->each_;
      if (step.slot == Slot::kDimension && step.position >= owner.dimensions.size()) return nullptr;
      if (step.slot == Slot::kMeasure && step.position >= owner.measures.size()) return nullptr;
    }
  }
  // What was learned must give back what it was learned from.
  RequestParts parts;
  api::WriteRecordsRequest again;
  if (!made->Match(body, &parts, &again) || !Same(request, again)) return nullptr;
  return made;
}

bool BodyTemplate::Match(std::string_view body, RequestParts* parts,
                         api::WriteRecordsRequest* request) const {
  parts->dimensions.assign(common_.dimensions.begin(), common_.dimensions.end());
  parts->measures.assign(common_.measures.begin(), common_.measures.end());
  parts->records.clear();
  request->database = database_;
  request->table = table_;
  request->common = common_.record;
  std::size_t at = 0;
  // Walks `steps`; the record's own dimensions and measures begin at the given positions.
  const auto walk = [&](const std::vector<Step>& steps, RecordInput* record,
                        std::size_t dimension_first, std::size_t measure_first) {
    for (const Step& step : steps) {
      if (body.size() - at < step.literal_bytes ||
          !SameBytes(body.data() + at, text_.data() + step.literal_offset, step.literal_bytes)) {
        return false;
      }
      at += step.literal_bytes;
      if (step.slot == Slot::kEnd) break;
      RecordInput* const target = step.common ? &request->common : record;
      if (step.slot == Slot::kVersion) {
        const std::size_t digits = VersionDigits(body, at);
        if (digits == 0) return false;
        std::int64_t version = 0;
        std::from_chars(body.data() + at, body.data() + at + digits, version);
        target->version = version;
        at += digits;
        continue;
      }
      const std::size_t end = EndOfPlainText(body, at);
      if (end >= body.size() || body[end] != '"') return false;
      const std::string_view text = body.substr(at, end - at);
      at = end;
      switch (step.slot) {
        case Slot::kDimension:
          parts->dimensions[(step.common ? 0 : dimension_first) + step.position].value = text;
          break;
        case Slot::kMeasure:
          if (text.empty() || text.size() > api::kMeasureValueBytesMax) return false;
          parts->measures[(step.common ? 0 : measure_first) + step.position].value = text;
          break;
        case Slot::kMeasureValue:
          if (text.empty() || text.size() > api::kMeasureValueBytesMax) return false;
          target->measure_value = text;
          break;
        case Slot::kTime:
          if (text.empty() || text.size() > kTimeBytesMax) return false;
          target->time = text;
          break;
        case Slot::kVersion:
        case Slot::kEnd:
          break;
      }
    }
    return true;
  };
  const auto skip_blanks = [&] {
    while (at < body.size() && IsBlank(body[at])) ++at;
  };

  if (!walk(prefix_, nullptr, 0, 0)) return false;
  for (;;) {
    if (parts->records.size() == api::kRecordsPerRequestMax) return false;
    const std::size_t dimension_first = parts->dimensions.size();
    const std::size_t measure_first = parts->measures.size();
    parts->records.push_back(each_.record);
    parts->dimensions.insert(parts->dimensions.end(), each_.dimensions.begin(), each_.dimensions.end());
    parts->measures.insert(parts->measures.end(), each_.measures.begin(), each_.measures.end());
    if (!walk(record_, &parts->records.back(), dimension_first, measure_first)) return false;
    skip_blanks();
    if (at >= body.size() || body[at] != ',') break;
    ++at;
    skip_blanks();
  }
  if (!walk(suffix_, nullptr, 0, 0) || at != body.size()) return false;

  // The vectors no longer grow: attach.
  const DimensionView* dimension = parts->dimensions.data();
  const MeasureValueView* measure = parts->measures.data();
  request->common.dimensions = {dimension, common_.dimensions.size()};
  request->common.measure_values = {measure, common_.measures.size()};
  dimension += common_.dimensions.size();
  measure += common_.measures.size();
  for (RecordInput& record : parts->records) {
    record.dimensions = {dimension, each_.dimensions.size()};
    record.measure_values = {measure, each_.measures.size()};
    dimension += each_.dimensions.size();
    measure += each_.measures.size();
  }
  request->records = parts->records;
  return true;
}

}  // namespace tideline::aws_json
