// cli/line_editor.h: a line of input with editing, history and completion, over libedit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tideline::cli {

/// One at a time per process. History is kept in ~/.tideline_history.
class LineEditor {
 public:
  LineEditor();
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// Nothing at the end of input.
  std::optional<std::string> ReadLine(const char* prompt);
  void AddHistory(std::string_view entry);
};

}  // namespace tideline::cli
