// tests/sql/slt_runner.h: runs the blocks of one golden file and compares.
#pragma once

#include <string>
#include <vector>

#include "query_runner.h"
#include "slt_file.h"

namespace tideline::slt {

struct Outcome {
  std::size_t cases = 0;               ///< queries and statements
  std::vector<std::string> failures;   ///< each with the line it begins at
};

/// Runs `blocks` in order; `directory` is where included files are looked for. With `complete` expectations become what was seen instead of failing.
/// An error ends the file: a block that sets up could not.
Result<Outcome> RunBlocks(QueryRunner& runner, const std::string& directory, bool complete,
                          std::vector<Block>* blocks);

/// The records of a table block.
Result<std::vector<Record>> ParseRecords(const std::vector<std::string>& rows);

}  // namespace tideline::slt
