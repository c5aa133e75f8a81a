// cli/completer.h: how the word before the cursor may go on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tideline::cli {

/// The names a server knows. Answers are empty when it knows none or cannot say.
class NameSource {
 public:
  virtual ~NameSource() = default;
  virtual std::vector<std::string> Databases() = 0;
  virtual std::vector<std::string> Tables(std::string_view database) = 0;
  virtual std::vector<std::string> Columns(std::string_view database, std::string_view table) = 0;
};

struct Completion {
  std::size_t replaced_bytes = 0;       ///< before the cursor, which a candidate replaces
  std::vector<std::string> candidates;  ///< sorted, each once; ready to insert, quoted where SQL needs it
};

/// `before` and `after` are the statement's text on both sides of the cursor, earlier lines included. Offers
/// databases (with the dot that follows) after FROM, JOIN and DESCRIBE; tables after `database.`; columns after
/// `database.table.`, `table.` and `alias.`; else keywords, functions, and columns of the tables that the
/// statement names. Nothing within texts and comments. Letter case does not count.
Completion Complete(std::string_view before, std::string_view after, NameSource& names);

}  // namespace tideline::cli
