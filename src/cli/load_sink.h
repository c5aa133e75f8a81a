// cli/load_sink.h: where rows that are loaded go: to a server, or straight into a data directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/status.h"
#include "service/api/write_request.h"

namespace tideline::cli {

/// The table that is loaded, and what all records have in common.
struct LoadTarget {
  std::string database{}, table{};
  std::string measure_name{};
  std::string time_unit = "NANOSECONDS";
  bool create = false;  ///< database and table where they are missing, with magnetic-store writes on
  std::int64_t memory_hours = 6;
  std::int64_t magnetic_days = 73'000;
};

/// Used by one thread at a time. Records are MULTI records that lack what LoadTarget has.
class LoadSink {
 public:
  virtual ~LoadSink() = default;
  /// Most records of one Send.
  virtual std::size_t records_max() const = 0;
  /// Most calls of Send whose answer has not been taken.
  virtual std::size_t sent_max() const = 0;

  /// Called once, before any record: opens what is written to and makes what is to be made.
  virtual Status Prepare() = 0;
  /// Sends records, which live until their answer was taken. Waits while the other side has no room.
  /// kInvalidArgument: one of them is wrong and none is stored; with any other error none can be.
  virtual Status Send(std::span<const api::RecordInput> records) = 0;
  /// The answer to the earliest Send that succeeded and was not answered yet; blocks. What it counts is durable.
  virtual Result<api::WriteRecordsAnswer> Receive() = 0;
  /// Closes what was opened, when no answer is due any more.
  virtual Status Finish() = 0;
};

}  // namespace tideline::cli
