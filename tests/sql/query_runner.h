// tests/sql/query_runner.h: what a golden file needs of a database, so that the same files run
// in this process and over a wire.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "columnar/type.h"

namespace tideline::slt {

struct Dimension {
  std::string name;
  std::string value;
};
struct Measure {
  std::string name;  ///< empty for a single measure
  std::string type;  ///< double, bigint, varchar, boolean, timestamp
  std::string text;
};
struct Record {
  std::vector<Dimension> dimensions;
  std::string measure_name;
  bool multi = false;
  std::vector<Measure> measures;
  std::int64_t time_ns = 0;
  std::int64_t version = 1;
};

struct Answer {
  std::vector<std::string> names;
  std::vector<Type> types;
  std::vector<std::vector<std::optional<std::string>>> rows;  ///< text as the service prints it
};

/// One database server, fresh for each file. Not thread-safe.
class QueryRunner {
 public:
  virtual ~QueryRunner() = default;
  virtual Status SetClock(std::int64_t now_ns) = 0;
  virtual Status CreateDatabase(const std::string& database) = 0;
  /// No error when the table is there.
  virtual Status CreateTable(const std::string& database, const std::string& table) = 0;
  /// An error when any record is refused.
  virtual Status Write(const std::string& database, const std::string& table,
                       const std::vector<Record>& records) = 0;
  virtual Result<Answer> Query(const std::string& sql, bool compat_profile) = 0;
  /// Whether rows come in the order that the files were written with where SQL leaves it open.
  virtual bool keeps_order() const { return true; }
};

struct InProcessOptions {
  std::size_t threads = 1;   ///< above 1: a pool, and no pipeline is too small for it
  bool optimizer = true;
  bool memory_store = false;  ///< tables as plain vectors instead of the storage engine
  bool files = false;         ///< of the storage engine: what is written goes into segment files at once
  bool spill = false;         ///< whatever can go to disk does, however small
};
/// Parser, binder, optimizer, executor and storage in this process.
Result<std::unique_ptr<QueryRunner>> NewInProcessRunner(const InProcessOptions& options);

}  // namespace tideline::slt
