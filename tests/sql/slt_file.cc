#include "slt_file.h"

#include <array>

namespace tideline::slt {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

// Cuts the first word off `*rest`.
std::string_view TakeWord(std::string_view* rest) {
  *rest = Trim(*rest);
  const std::size_t end = std::min(rest->find(' '), rest->size());
  const std::string_view word = rest->substr(0, end);
  *rest = Trim(rest->substr(end));
  return word;
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return lines;
}

class SltParser {
 public:
  explicit SltParser(std::string_view text) : lines_(Lines(text)) {}

  Result<std::vector<Block>> Parse() {
    std::vector<Block> blocks;
    for (;;) {
      Block block;
      while (at_ < lines_.size() && (Trim(lines_[at_]).empty() || lines_[at_][0] == '#')) {
        block.comments.push_back(lines_[at_++]);
      }
      if (at_ == lines_.size()) {
        if (!block.comments.empty()) blocks.push_back(std::move(block));
        return blocks;
      }
      TL_TRY(ParseBlock(&block));
      blocks.push_back(std::move(block));
    }
  }

 private:
  Status ParseBlock(Block* block) {
    block->line = at_ + 1;
    std::string_view rest = lines_[at_++];
    const std::string_view word = TakeWord(&rest);
    if (word == "query") return ParseQuery(rest, block);
    if (word == "statement") return ParseStatementBlock(rest, block);
    block->argument = std::string(rest);
    if (word == "clock") {
      block->kind = BlockKind::kClock;
    } else if (word == "profile") {
      block->kind = BlockKind::kProfile;
    } else if (word == "include") {
      block->kind = BlockKind::kInclude;
    } else if (word == "database") {
      block->kind = BlockKind::kDatabase;
    } else if (word == "table") {
      block->kind = BlockKind::kTable;
      block->rows = UntilEmptyLine();
    } else {
      return InvalidArgument("line {}: unknown directive '{}'", block->line, word);
    }
    return OkStatus();
  }

  Status ParseQuery(std::string_view rest, Block* block) {
    block->kind = BlockKind::kQuery;
    block->types = std::string(TakeWord(&rest));
    if (block->types.find_first_not_of("TIR") != std::string::npos) {
      return InvalidArgument("line {}: column types are T, I and R", block->line);
    }
    while (!rest.empty()) {
      const std::string_view mode = TakeWord(&rest);
      if (mode == "rowsort") {
        block->rowsort = true;
      } else if (mode == "names") {
        block->names = true;
      } else if (mode == "like") {
        block->like = true;
      } else {
        return InvalidArgument("line {}: unknown mode '{}'", block->line, mode);
      }
    }
    for (; at_ < lines_.size() && lines_[at_] != "----" && !Trim(lines_[at_]).empty(); ++at_) {
      AppendSql(block);
    }
    if (at_ < lines_.size() && lines_[at_] == "----") {
      ++at_;
      block->rows = UntilEmptyLine();
    }
    return OkStatus();
  }

  Status ParseStatementBlock(std::string_view rest, Block* block) {
    block->kind = BlockKind::kStatement;
    const std::string_view outcome = TakeWord(&rest);
    if (outcome == "error") {
      block->expects_error = true;
      block->error_code = std::string(TakeWord(&rest));
      block->error_text = std::string(rest);
    } else if (outcome != "ok") {
      return InvalidArgument("line {}: a statement ends in ok or error", block->line);
    }
    for (; at_ < lines_.size() && !Trim(lines_[at_]).empty(); ++at_) AppendSql(block);
    return OkStatus();
  }

  void AppendSql(Block* block) {
    if (!block->sql.empty()) block->sql += '\n';
    block->sql += lines_[at_];
  }

  std::vector<std::string> UntilEmptyLine() {
    std::vector<std::string> rows;
    for (; at_ < lines_.size() && !Trim(lines_[at_]).empty(); ++at_) rows.push_back(lines_[at_]);
    return rows;
  }

  const std::vector<std::string> lines_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<Block>> ParseSlt(std::string_view text) { return SltParser(text).Parse(); }

std::string PrintSlt(const std::vector<Block>& blocks) {
  std::string out;
  const auto line = [&](std::string_view text) {
    out += text;
    out += '\n';
  };
  for (const Block& block : blocks) {
    for (const std::string& comment : block.comments) line(comment);
    switch (block.kind) {
      case BlockKind::kComment:
        break;
      case BlockKind::kClock:
        line("clock " + block.argument);
        break;
      case BlockKind::kProfile:
        line("profile " + block.argument);
        break;
      case BlockKind::kInclude:
        line("include " + block.argument);
        break;
      case BlockKind::kDatabase:
        line("database " + block.argument);
        break;
      case BlockKind::kTable:
        line("table " + block.argument);
        for (const std::string& row : block.rows) line(row);
        break;
      case BlockKind::kQuery:
        line("query " + block.types + (block.rowsort ? " rowsort" : "") + (block.like ? " like" : "") +
             (block.names ? " names" : ""));
        line(block.sql);
        line("----");
        for (const std::string& row : block.rows) line(row);
        break;
      case BlockKind::kStatement:
        line(block.expects_error
                 ? "statement error " + block.error_code +
                       (block.error_text.empty() ? "" : " " + block.error_text)
                 : std::string("statement ok"));
        line(block.sql);
        break;
    }
  }
  return out;
}

std::vector<std::string> SplitCells(std::string_view line) {
  std::vector<std::string> cells;
  for (;;) {
    const std::size_t end = line.find('|');
    cells.emplace_back(Trim(line.substr(0, end)));
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(end + 1);
  }
}

}  // namespace tideline::slt
