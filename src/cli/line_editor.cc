#include "cli/line_editor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <histedit.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <utility>

#include "base/check.h"
#include "functions/utf8.h"

namespace tideline::cli {
namespace {

constexpr std::string_view kHistoryFileHead = "_HiStOrY_V2_\n";
constexpr std::size_t kCandidatesShownMax = 200;
constexpr std::size_t kTerminalColumns = 80;  // when the terminal does not say
constexpr wchar_t kInterruptCharacter = 3;    // ^C

volatile std::sig_atomic_t prompt_interrupted = 0;

void OnPromptInterrupt(int) { prompt_interrupted = 1; }

std::string HistoryPath() {
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? std::string() : std::string(home) + "/.tideline_history";
}

std::size_t TerminalColumns(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kTerminalColumns;
  return size.ws_col;
}

// What all candidates begin with, in the spelling of the first.
std::string CommonPrefix(const std::vector<std::string>& candidates) {
  std::string common = candidates.front();
  for (const std::string& candidate : candidates) {
    std::size_t same = 0;
    while (same < std::min(common.size(), candidate.size()) &&
           std::tolower(static_cast<unsigned char>(common[same])) ==
               std::tolower(static_cast<unsigned char>(candidate[same]))) {
      ++same;
    }
    common.resize(same);
  }
  // Not into the middle of a character.
  while (!common.empty() && common.size() < candidates.front().size() &&
         (candidates.front()[common.size()] & 0xc0) == 0x80) {
    common.pop_back();
  }
  return common;
}

// In columns, down first, below the line that is typed.
void PrintCandidates(std::FILE* out, const std::vector<std::string>& candidates) {
  const std::size_t count = std::min(candidates.size(), kCandidatesShownMax);
  std::size_t width = 0;
  for (std::size_t i = 0; i < count; ++i) width = std::max(width, functions::Utf8Count(candidates[i]) + 2);
  const std::size_t columns = std::max<std::size_t>(1, TerminalColumns(fileno(out)) / width);
  const std::size_t rows = (count + columns - 1) / columns;
  std::string text = "\n";
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = row; i < count; i += rows) {
      text += candidates[i];
      if (i + rows < count) text.append(width - functions::Utf8Count(candidates[i]), ' ');
    }
    text += '\n';
  }
  if (count < candidates.size()) text += fmt::format("and {} more\n", candidates.size() - count);
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
}

}  // namespace

// libedit's callbacks, which are plain functions.
struct LineEditorHooks {
  static LineEditor* Of(EditLine* editor) {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    return static_cast<LineEditor*>(data);
  }

  static char* Prompt(EditLine* editor) { return Of(editor)->prompt_.data(); }

  // As libedit's own, but that SIGINT becomes the character ^C.
  static int ReadCharacter(EditLine* editor, wchar_t* out) {
    std::mbstate_t state{};
    while (true) {
      if (prompt_interrupted != 0) {
        prompt_interrupted = 0;
        *out = kInterruptCharacter;
        return 1;
      }
      char byte = 0;
      const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
      if (count == 0) return 0;
      if (count < 0 && errno == EINTR) {
        if (prompt_interrupted == 0) el_set(editor, EL_REFRESH);  // stopped and gone on, or another size
        continue;
      }
      if (count < 0) return -1;
      const std::size_t used = std::mbrtowc(out, &byte, 1, &state);
      if (used == static_cast<std::size_t>(-2)) continue;  // more bytes to come
      if (used == static_cast<std::size_t>(-1)) *out = L'?';
      return 1;
    }
  }

  static unsigned char Interrupt(EditLine* editor, wint_t) {
    LineEditor* const self = Of(editor);
    std::fputs("^C\n", self->out_);
    std::fflush(self->out_);
    self->interrupted_ = true;
    return CC_EOF;
  }

  static unsigned char Tab(EditLine* editor, wint_t) {
    LineEditor* const self = Of(editor);
    const LineInfo* info = el_line(editor);
    const std::string before(info->buffer, info->cursor);
    const std::string after(info->cursor, info->lastchar);
    const Completion completion = self->complete_(before, after);
    if (completion.candidates.empty()) return CC_ERROR;
    std::string text = CommonPrefix(completion.candidates);
    const bool only = completion.candidates.size() == 1;
    if (only && text.back() != '(' && text.back() != '.') text += ' ';
    if (only || text.size() > completion.replaced_bytes) {
      const std::string_view typed = std::string_view(before).substr(before.size() - completion.replaced_bytes);
      el_deletestr(editor, static_cast<int>(functions::Utf8Count(typed)));
      el_insertstr(editor, text.c_str());
      return CC_REFRESH;
    }
    PrintCandidates(self->out_, completion.candidates);
    return CC_REDISPLAY;
  }
};

LineEditor::LineEditor(CompleteLine complete)
    : complete_(std::move(complete)),
      out_(isatty(STDOUT_FILENO) != 0 ? stdout : stderr),
      history_path_(HistoryPath()) {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
  editor_ = el_init("tideline", stdin, out_, stderr);
  history_ = history_init();
  TL_CHECK(editor_ != nullptr && history_ != nullptr);
  HistEvent event;
  ::history(history_, &event, H_SETSIZE, kHistoryEntriesMax);
  ::history(history_, &event, H_SETUNIQUE, 1);
  el_set(editor_, EL_CLIENTDATA, this);
  el_set(editor_, EL_PROMPT, &LineEditorHooks::Prompt);
  el_set(editor_, EL_HIST, ::history, history_);
  el_set(editor_, EL_SIGNAL, 1);
  el_set(editor_, EL_GETCFN, &LineEditorHooks::ReadCharacter);
  el_set(editor_, EL_EDITOR, "emacs");
  // Wide, because el_set would convert these texts and never free them.
  el_wset(editor_, EL_ADDFN, L"tideline-complete", L"complete a name", &LineEditorHooks::Tab);
  el_wset(editor_, EL_ADDFN, L"tideline-interrupt", L"drop the statement", &LineEditorHooks::Interrupt);
  constexpr std::pair<const char*, const char*> kKeys[] = {
      {"^I", "tideline-complete"},     {"^C", "tideline-interrupt"},    {"^R", "em-inc-search-prev"},
      {"\\e[1~", "ed-move-to-beg"},    {"\\e[H", "ed-move-to-beg"},     {"\\e[4~", "ed-move-to-end"},
      {"\\e[F", "ed-move-to-end"},     {"\\e[3~", "ed-delete-next-char"}, {"\\e[1;5C", "em-next-word"},
      {"\\e[1;5D", "ed-prev-word"}};
  for (const auto& [keys, function] : kKeys) el_set(editor_, EL_BIND, keys, function, nullptr);
  el_source(editor_, nullptr);  // the user's own ~/.editrc
  LoadHistory();
}

LineEditor::~LineEditor() {
  el_end(editor_);
  history_end(history_);
}

void LineEditor::LoadHistory() {
  if (history_path_.empty()) return;
  HistEvent event;
  const int count = ::history(history_, &event, H_LOAD, history_path_.c_str());
  // Shells only append; whoever starts cuts the file to what is kept.
  if (count > kHistoryEntriesMax) ::history(history_, &event, H_SAVE, history_path_.c_str());
  if (::history(history_, &event, H_FIRST) != -1) last_entry_ = event.str;
}

LineEditor::Input LineEditor::ReadLine(const char* prompt, std::string* line) {
  prompt_ = prompt;
  interrupted_ = false;
  prompt_interrupted = 0;
  struct sigaction action = {};
  struct sigaction previous = {};
  action.sa_handler = OnPromptInterrupt;  // no SA_RESTART: the read must end
  ::sigaction(SIGINT, &action, &previous);
  // el_gets shows the prompt first; a ^D that came before it had changed the terminal's mode would be lost.
  el_set(editor_, EL_PREP_TERM, 1);
  int count = 0;
  const char* text = el_gets(editor_, &count);
  ::sigaction(SIGINT, &previous, nullptr);
  if (interrupted_) return Input::kInterrupted;
  if (text == nullptr || count <= 0) return Input::kEnd;
  line->assign(text, static_cast<std::size_t>(count));
  if (line->back() == '\n') line->pop_back();
  return Input::kLine;
}

void LineEditor::AddHistory(std::string_view entry) {
  while (!entry.empty() && std::isspace(static_cast<unsigned char>(entry.back())) != 0) entry.remove_suffix(1);
  while (!entry.empty() && entry.front() == '\n') entry.remove_prefix(1);
  if (entry.empty() || entry == last_entry_) return;
  last_entry_ = entry;
  HistEvent event;
  ::history(history_, &event, H_ENTER, last_entry_.c_str());
  if (history_path_.empty()) return;
  const int file = ::open(history_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;  // a history that cannot be kept is no reason to stop
  std::string text = HistoryFileLine(last_entry_);
  if (::lseek(file, 0, SEEK_END) == 0) text.insert(0, kHistoryFileHead);
  [[maybe_unused]] const ssize_t written = ::write(file, text.data(), text.size());
  ::close(file);
}

std::string HistoryFileLine(std::string_view entry) {
  std::string line;
  for (const char c : entry) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      line += "\\\\";
    } else if (byte < 0x20 || byte == 0x7f) {
      line += fmt::format("\\{:03o}", byte);
    } else {
      line += c;
    }
  }
  return line + "\n";
}

}  // namespace tideline::cli
