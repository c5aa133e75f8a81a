#include "exec/operators/print_report.h"

#include <fmt/format.h>

#include <cmath>

#include "base/json.h"
#include "sql/plan/plan_node.h"
#include "sql/plan/print_json.h"

namespace tideline::exec {
namespace {

double Milliseconds(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

void PrintOne(const OperatorReport& report, std::size_t depth, std::string* text) {
  const std::string indent(2 * depth, ' ');
  *text += fmt::format("{}{}\n", indent, report.name);
  *text += fmt::format("{}    rows: {}", indent, report.rows_out);
  if (report.node != nullptr) *text += fmt::format(", estimated: {:.0f}", std::round(report.node->EstimatedRows()));
  *text += fmt::format(", time: {:.3f} ms", Milliseconds(report.time_ns));
  if (report.rows_in > 0) *text += fmt::format(", rows in: {}", report.rows_in);
  if (report.batches_out > 0) *text += fmt::format(", batches: {}", report.batches_out);
  if (report.bytes_out > 0) *text += fmt::format(", bytes out: {}", report.bytes_out);
  if (report.memory_bytes_peak > 0) *text += fmt::format(", memory peak: {}", report.memory_bytes_peak);
  if (report.spilled_bytes > 0) {
    *text += fmt::format(", spilled: {} bytes of {} rows", report.spilled_bytes, report.spilled_rows);
  }
  if (!report.note.empty()) *text += ", " + report.note;
  *text += '\n';
  for (const Adaptation& adaptation : report.adaptations) {
    *text += fmt::format("{}    adapted: {} ({})\n", indent, adaptation.what, adaptation.why);
  }
  for (const OperatorReport& child : report.children) PrintOne(child, depth + 1, text);
}

class JsonReportPrinter {
 public:
  explicit JsonReportPrinter(std::string* out) : json_(out) {}

  void Print(const OperatorReport& report) {
    json_.BeginObject();
    json_.Member("id", std::to_string(next_id_++));
    if (report.node != nullptr) {
      sql::WriteNodeMembers(*report.node, &json_);
    } else {
      json_.Member("name", report.name);
    }
    json_.Key("actual");
    PrintFigures(report);
    json_.Key("children");
    json_.BeginArray();
    for (const OperatorReport& child : report.children) Print(child);
    json_.EndArray();
    json_.EndObject();
  }

 private:
  void PrintFigures(const OperatorReport& report) {
    json_.BeginObject();
    Count("rows", report.rows_out);
    Count("rowsIn", report.rows_in);
    Count("batches", report.batches_out);
    Count("batchesIn", report.batches_in);
    Count("bytes", report.bytes_out);
    json_.MemberDouble("timeMs", Milliseconds(report.time_ns));
    Count("memoryBytesPeak", report.memory_bytes_peak);
    Count("spilledBytes", report.spilled_bytes);
    Count("spilledRows", report.spilled_rows);
    json_.Member("note", report.note);
    json_.Key("adaptations");
    json_.BeginArray();
    for (const Adaptation& adaptation : report.adaptations) {
      json_.BeginObject();
      json_.Member("what", adaptation.what);
      json_.Member("why", adaptation.why);
      json_.EndObject();
    }
    json_.EndArray();
    json_.EndObject();
  }
  void Count(std::string_view name, std::uint64_t value) { json_.Member(name, static_cast<std::int64_t>(value)); }

  JsonWriter json_;
  std::size_t next_id_ = 0;
};

}  // namespace

std::string PrintReport(const OperatorReport& root) {
  std::string text;
  PrintOne(root, 0, &text);
  return text;
}

std::string PrintReportJson(const OperatorReport& root) {
  std::string text;
  JsonReportPrinter(&text).Print(root);
  return text;
}

}  // namespace tideline::exec
