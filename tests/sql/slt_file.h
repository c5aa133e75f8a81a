// tests/sql/slt_file.h: golden SQL files, read and written back.
//
// A file is a sequence of blocks, separated by empty lines; lines that begin with # are comments.
//
//   clock 2024-01-02 00:00:00          now() from here on; a file begins at this very instant
//   profile compat                     or extended, the default; both: each case below runs in either,
//                                      and has the same outcome
//   include ../fixtures.slt            runs the blocks of that file; the name is relative to this one
//
//   database db                        creates a database
//
//   table db.cpu                       creates a table unless it is there, and writes the rows below
//   host | measure_name | time | user:double | cores:bigint | version
//   a    | load         | 2024-01-01 00:00:00 | 0.5 | 4 | 1
//
//     Columns: time, measure_name, version; NAME:TYPE is a multi-measure attribute,
//     measure_value:TYPE a single measure; any other name is a dimension. An empty cell is absent.
//     A cell '' is empty text.
//
//   query TIR rowsort names            one letter per column: I integer, R double (compared with a
//   SELECT a, b, c FROM db.cpu         relative tolerance of 1e-9), T any other. rowsort compares the
//   ----                               rows sorted as text; without it their order counts. names: the
//   a | b | c                          first line after the mark holds the names of the columns.
//   x | 1 | 0.5                        NULL is null, (empty) is empty text
//
//   query T like                       rows are patterns: * stands for any text, a row ... for any
//   EXPLAIN ANALYZE SELECT 1           number of rows; always in order
//   ----
//   Values*
//   ...
//
//   statement ok
//   SELECT 1
//
//   statement error INVALID_ARGUMENT does not exist      code, then text the message must contain
//   SELECT nope FROM db.cpu
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace tideline::slt {

enum class BlockKind { kComment, kClock, kProfile, kInclude, kDatabase, kTable, kQuery, kStatement };

struct Block {
  BlockKind kind = BlockKind::kComment;
  std::size_t line = 0;               ///< of the block's first line, 1-based
  std::vector<std::string> comments;  ///< lines before it, as they stand
  std::string argument;               ///< clock, profile, include, database, table: the rest of the line
  std::vector<std::string> rows;      ///< table: header and rows; query: expected rows
  std::string types;                  ///< query
  bool rowsort = false;               ///< query
  bool like = false;                  ///< query: rows are patterns
  bool names = false;                 ///< query: rows[0] holds the names of the columns
  std::string sql;                    ///< query, statement
  bool expects_error = false;         ///< statement
  std::string error_code;             ///< statement error
  std::string error_text;             ///< statement error; may be empty
};

/// kInvalidArgument with "line N: ..." for what cannot be read.
Result<std::vector<Block>> ParseSlt(std::string_view text);
/// The file with the blocks' expectations.
std::string PrintSlt(const std::vector<Block>& blocks);
/// Pieces of `line` between '|', blanks around them removed.
std::vector<std::string> SplitCells(std::string_view line);

}  // namespace tideline::slt
