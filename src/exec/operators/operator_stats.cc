#include "exec/operators/operator_stats.h"

#include <fmt/format.h>

#include <algorithm>

namespace tideline::exec {

void OperatorStats::Adapt(std::string what, std::string why) {
  const MutexLock lock(mutex_);
  const bool known = std::any_of(adaptations_.begin(), adaptations_.end(),
                                 [&](const Adaptation& a) { return a.what == what; });
  if (!known) adaptations_.push_back({std::move(what), std::move(why)});
}

void OperatorStats::SetNote(std::string note) {
  const MutexLock lock(mutex_);
  note_ = std::move(note);
}

std::string OperatorStats::note() const {
  const MutexLock lock(mutex_);
  return note_;
}

std::vector<Adaptation> OperatorStats::adaptations() const {
  const MutexLock lock(mutex_);
  return adaptations_;
}

namespace {

void PrintOne(const OperatorReport& report, std::size_t depth, std::string* text) {
  const std::string indent(2 * depth, ' ');
  *text += fmt::format("{}{}\n", indent, report.name);
  *text += fmt::format("{}    rows: {}, time: {:.3f} ms", indent, report.rows_out,
                       static_cast<double>(report.time_ns) / 1e6);
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

}  // namespace

std::string PrintReport(const OperatorReport& root) {
  std::string text;
  PrintOne(root, 0, &text);
  return text;
}

}  // namespace tideline::exec
