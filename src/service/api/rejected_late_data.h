// service/api/rejected_late_data.h: records for the magnetic store that were answered as ingested and then refused.
//
// The original checks versions of late data in the background: such a record counts as ingested, and what comes of it
// is told in a report (MagneticStoreRejectedDataLocation). Tideline knows at once, and still answers and reports so.
#pragma once

#include <functional>
#include <string>

#include "storage/catalog/schema.h"
#include "storage/engine/write_batch.h"

namespace tideline::api {

struct RejectedLateRecord {
  catalog::TableSchemaPtr table;  ///< as it was when the record came: where to report
  std::string reason{};
  std::string json{};             ///< the record, an object
};

/// Takes rejected late records. Thread-safe; implementations are called on the commit thread and must not block.
class RejectedLateDataSink {
 public:
  virtual ~RejectedLateDataSink() = default;
  virtual void Add(RejectedLateRecord record) = 0;
  /// Runs `then` once what this thread added before is as durable as the sink makes it: here, or on a thread of its own.
  virtual void WhenKept(std::function<void()> then) = 0;
};

/// The record as the report has it: lower camel case, absent values null, times in nanoseconds.
std::string LateRecordJson(const engine::RecordView& record);

}  // namespace tideline::api
