// cli/statement_text.h: where statements of a script or of typed lines begin and end.
#pragma once

#include <cstddef>
#include <string_view>

namespace tideline::cli {

/// What stands open at the end of a text.
enum class OpenText { kNothing, kStatement, kText, kName, kComment };

struct StatementScan {
  std::size_t end = std::string_view::npos;  ///< just behind the first ';' outside quotes and comments, or npos
  OpenText open = OpenText::kNothing;        ///< when there is no such ';'
};
StatementScan ScanStatement(std::string_view text);

/// Whether there is nothing but blanks, comments that end, and ';'.
bool IsBlankStatement(std::string_view text);

/// Cuts the next statement from `*text`, without its ';' and the blanks around that; may be blank.
std::string_view TakeStatement(std::string_view* text);

}  // namespace tideline::cli
