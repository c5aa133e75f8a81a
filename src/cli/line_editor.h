// cli/line_editor.h: a line of input with editing, history and completion, over libedit.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

#include "cli/completer.h"

struct editline;
struct history;

namespace tideline::cli {

/// Entries of the history that are kept in memory and, from one start to the next, in its file.
inline constexpr int kHistoryEntriesMax = 1'000;

/// One at a time per process, on its standard input. History is kept in ~/.tideline_history, which several
/// shells may append to; an entry may have several lines and comes back with them.
class LineEditor {
 public:
  /// Is given the line's text before and behind the cursor.
  using CompleteLine = std::function<Completion(std::string_view, std::string_view)>;
  explicit LineEditor(CompleteLine complete);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class Input { kLine, kInterrupted, kEnd };  // kInterrupted: ^C; the line typed so far is dropped
  /// Fills `*line`, without the line break at its end; a recalled entry may have some within.
  Input ReadLine(const char* prompt, std::string* line);
  /// Appends to the history and at once to its file. Blanks at the end are dropped, and so is an entry that
  /// repeats the last one.
  void AddHistory(std::string_view entry);

 private:
  friend struct LineEditorHooks;
  void LoadHistory();

  CompleteLine complete_;
  std::FILE* out_;
  struct editline* editor_;
  struct history* history_;
  std::string prompt_;
  std::string history_path_;  // empty: none
  std::string last_entry_;
  bool interrupted_ = false;
};

/// `entry` as one line of libedit's history file (format 2): backslashes and control characters, line breaks
/// among them, as strunvis(3) reads them.
std::string HistoryFileLine(std::string_view entry);

}  // namespace tideline::cli
