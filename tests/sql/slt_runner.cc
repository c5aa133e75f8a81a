#include "slt_runner.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "columnar/text_format.h"

namespace tideline::slt {
namespace {

constexpr double kTolerance = 1e-9;

std::string CellText(const std::optional<std::string>& cell) {
  if (!cell.has_value()) return "NULL";
  if (cell->empty()) return "(empty)";
  std::string text = *cell;
  // A line break would end the row.
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) text.replace(at, 1, "\\n");
  return text;
}

std::string JoinedCells(const std::vector<std::string>& cells) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) text += (i > 0 ? " | " : "") + cells[i];
  return text;
}

std::vector<std::string> RowTexts(const Answer& answer) {
  std::vector<std::string> rows;
  for (const auto& row : answer.rows) {
    std::vector<std::string> cells;
    for (const std::optional<std::string>& cell : row) cells.push_back(CellText(cell));
    rows.push_back(cells.empty() ? "(no columns)" : JoinedCells(cells));
  }
  return rows;
}

char LetterOf(const Type& type) {
  switch (type.id()) {
    case TypeId::kInteger:
    case TypeId::kBigint:
      return 'I';
    case TypeId::kDouble:
      return 'R';
    default:
      return 'T';
  }
}

std::string LettersOf(const Answer& answer) {
  std::string letters;
  for (const Type& type : answer.types) letters += LetterOf(type);
  return letters;
}

bool SameDouble(const std::string& a, const std::string& b) {
  char* end_a = nullptr;
  char* end_b = nullptr;
  const double x = std::strtod(a.c_str(), &end_a);
  const double y = std::strtod(b.c_str(), &end_b);
  if (a.empty() || b.empty() || *end_a != 0 || *end_b != 0) return false;
  return std::abs(x - y) <= kTolerance * std::max(std::abs(x), std::abs(y));
}

bool SameRow(const std::string& types, const std::string& expected, const std::string& seen) {
  if (expected == seen) return true;
  if (types.find('R') == std::string::npos) return false;
  const std::vector<std::string> a = SplitCells(expected);
  const std::vector<std::string> b = SplitCells(seen);
  if (a.size() != b.size() || a.size() != types.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && !(types[i] == 'R' && SameDouble(a[i], b[i]))) return false;
  }
  return true;
}

// Whether `text` is `pattern`, in which * stands for any text.
bool IsLike(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t after = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// The same for rows; a pattern "..." stands for any number of them.
bool AreLike(std::span<const std::string> patterns, std::span<const std::string> rows) {
  if (patterns.empty()) return rows.empty();
  if (patterns[0] == "...") {
    for (std::size_t skipped = 0; skipped <= rows.size(); ++skipped) {
      if (AreLike(patterns.subspan(1), rows.subspan(skipped))) return true;
    }
    return false;
  }
  return !rows.empty() && IsLike(patterns[0], rows[0]) && AreLike(patterns.subspan(1), rows.subspan(1));
}

std::string Joined(const std::vector<std::string>& rows) {
  std::string text;
  for (const std::string& row : rows) text += "    " + row + "\n";
  return text;
}

Result<Measure> ParseMeasure(const std::string& column, const std::string& cell) {
  const std::size_t colon = column.find(':');
  Measure measure;
  measure.name = column.substr(0, colon);
  measure.type = column.substr(column.find_last_of(':') + 1);
  measure.text = cell == "''" ? "" : cell;
  return measure;
}

}  // namespace

Result<std::vector<Record>> ParseRecords(const std::vector<std::string>& rows) {
  std::vector<Record> records;
  if (rows.empty()) return records;
  const std::vector<std::string> columns = SplitCells(rows[0]);
  for (std::size_t r = 1; r < rows.size(); ++r) {
    const std::vector<std::string> cells = SplitCells(rows[r]);
    if (cells.size() != columns.size()) {
      return InvalidArgument("row '{}' has {} cells, not {}", rows[r], cells.size(), columns.size());
    }
    Record record;
    record.multi = true;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty()) continue;
      if (columns[i] == "time") {
        record.time_ns = TL_TRY(ParseTimestamp(cells[i]));
      } else if (columns[i] == "measure_name") {
        record.measure_name = cells[i];
      } else if (columns[i] == "version") {
        record.version = TL_TRY(ParseBigint(cells[i]));
      } else if (columns[i].find(':') != std::string::npos) {
        Measure measure = TL_TRY(ParseMeasure(columns[i], cells[i]));
        if (measure.name == "measure_value") {
          record.multi = false;
          measure.name.clear();
        }
        record.measures.push_back(std::move(measure));
      } else {
        record.dimensions.push_back({columns[i], cells[i] == "''" ? "" : cells[i]});
      }
    }
    records.push_back(std::move(record));
  }
  return records;
}

namespace {

class BlockRunner {
 public:
  BlockRunner(QueryRunner& runner, std::string directory, bool complete, Outcome* outcome)
      : runner_(runner), directory_(std::move(directory)), complete_(complete), outcome_(outcome) {}

  Status Run(Block* block) {
    switch (block->kind) {
      case BlockKind::kComment:
        return OkStatus();
      case BlockKind::kClock: {
        const std::int64_t now = TL_TRY(ParseTimestamp(block->argument));
        return runner_.SetClock(now);
      }
      case BlockKind::kProfile:
        return SetProfile(block->argument);
      case BlockKind::kInclude:
        return Include(block->argument);
      case BlockKind::kDatabase:
        return runner_.CreateDatabase(block->argument);
      case BlockKind::kTable:
        return MakeTable(*block);
      case BlockKind::kQuery:
        for (const bool compat : profiles_) RunQuery(block, compat);
        return OkStatus();
      case BlockKind::kStatement:
        for (const bool compat : profiles_) RunStatement(block, compat);
        return OkStatus();
    }
    return OkStatus();
  }

 private:
  Status SetProfile(const std::string& name) {
    if (name == "compat") {
      profiles_ = {true};
    } else if (name == "extended") {
      profiles_ = {false};
    } else if (name == "both") {
      profiles_ = {true, false};
    } else {
      return InvalidArgument("unknown profile '{}'", name);
    }
    return OkStatus();
  }

  Status Include(const std::string& name) {
    if (std::exchange(including_, true)) return InvalidArgument("an included file includes another");
    std::ifstream in(directory_ + "/" + name);
    if (!in) return NotFound("no file {} in {}", name, directory_);
    std::stringstream text;
    text << in.rdbuf();
    std::vector<Block> blocks = TL_TRY(ParseSlt(text.str()));
    for (Block& block : blocks) TL_TRY(Run(&block));
    including_ = false;
    return OkStatus();
  }

  Status MakeTable(const Block& block) {
    const std::size_t dot = block.argument.find('.');
    if (dot == std::string::npos) return InvalidArgument("a table is named db.table");
    const std::string database = block.argument.substr(0, dot);
    const std::string table = block.argument.substr(dot + 1);
    TL_TRY(runner_.CreateTable(database, table));
    const std::vector<Record> records = TL_TRY(ParseRecords(block.rows));
    return records.empty() ? OkStatus() : runner_.Write(database, table, records);
  }

  void Fail(const Block& block, const std::string& what) {
    outcome_->failures.push_back(
        fmt::format("line {}: {}\n  {}\n", block.line, what, block.sql));
  }

  void RunQuery(Block* block, bool compat) {
    ++outcome_->cases;
    const Result<Answer> answer = runner_.Query(block->sql, compat);
    if (!answer.ok()) {
      const std::string code(ErrorCodeName(CodeOf(answer.status())));
      if (complete_) {
        block->kind = BlockKind::kStatement;
        block->expects_error = true;
        block->error_code = code;
        block->error_text = std::string(MessageOf(answer.status()));
        return;
      }
      return Fail(*block, fmt::format("failed: {} {}", code, MessageOf(answer.status())));
    }
    std::vector<std::string> seen = RowTexts(*answer);
    if (!Ordered(*block)) std::sort(seen.begin(), seen.end());
    if (block->names) seen.insert(seen.begin(), JoinedCells(answer->names));
    if (complete_) {
      block->types = LettersOf(*answer);
      if (Same(*block, seen)) return;
      block->rows = std::move(seen);
      return;
    }
    if (LettersOf(*answer) != block->types) {
      return Fail(*block, fmt::format("column types are {}, expected {}", LettersOf(*answer), block->types));
    }
    if (!Same(*block, seen)) {
      Fail(*block, fmt::format("expected\n{}  got\n{}", Joined(block->rows), Joined(seen)));
    }
  }

  // A runner without an order of its own is held to the order that the statement asks for.
  bool Ordered(const Block& block) const {
    if (block.like) return true;
    if (block.rowsort) return false;
    return runner_.keeps_order() || absl::StrContains(absl::AsciiStrToUpper(block.sql), "ORDER BY");
  }

  bool Same(const Block& block, const std::vector<std::string>& seen) const {
    if (block.like) return AreLike(block.rows, seen);
    if (seen.size() != block.rows.size()) return false;
    std::vector<std::string> expected = block.rows;
    const auto first = expected.begin() + (block.names && !expected.empty() ? 1 : 0);
    if (!Ordered(block)) std::sort(first, expected.end());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (!SameRow(block.types, expected[i], seen[i])) return false;
    }
    return true;
  }

  void RunStatement(Block* block, bool compat) {
    ++outcome_->cases;
    const Result<Answer> answer = runner_.Query(block->sql, compat);
    if (answer.ok()) {
      if (!block->expects_error) return;
      return Fail(*block, "succeeded, expected " + block->error_code);
    }
    const std::string code(ErrorCodeName(CodeOf(answer.status())));
    const std::string message(MessageOf(answer.status()));
    if (block->expects_error && code == block->error_code &&
        message.find(block->error_text) != std::string::npos) {
      return;
    }
    if (complete_) {
      block->expects_error = true;
      block->error_code = code;
      block->error_text = message;
      return;
    }
    Fail(*block, fmt::format("failed with {} {}", code, message));
  }

  QueryRunner& runner_;
  const std::string directory_;
  const bool complete_;
  Outcome* const outcome_;
  std::vector<bool> profiles_ = {false};  // whether compat, for each run of a case
  bool including_ = false;
};

}  // namespace

Result<Outcome> RunBlocks(QueryRunner& runner, const std::string& directory, bool complete,
                          std::vector<Block>* blocks) {
  Outcome outcome;
  BlockRunner block_runner(runner, directory, complete, &outcome);
  for (Block& block : *blocks) {
    const Status status = block_runner.Run(&block);
    if (!status.ok()) return Annotate(status, fmt::format("line {}", block.line));
  }
  return outcome;
}

}  // namespace tideline::slt
