// service/api/write_service.h: WriteRecords, free of any wire.
//
// Checks what the model cannot (merging, units, names, windows, values), turns records into the
// engine's views and the engine's verdicts into the service's reasons. One pass, no allocation per
// record once a thread's scratch space has grown. Order of checks, as the service has it: table
// exists, then what refuses the whole request (nothing is stored), then what rejects one record.
#pragma once

#include <functional>

#include "base/metrics.h"
#include "base/status.h"
#include "base/time.h"
#include "service/api/rejected_late_data.h"
#include "service/api/requests.h"
#include "service/api/write_request.h"
#include "storage/engine/engine.h"

namespace tideline::api {

inline constexpr std::size_t kRecordsPerRequestMax = 100;
inline constexpr std::size_t kDimensionNameBytesMax = 60;
inline constexpr std::size_t kMeasureNameBytesMax = 256;
inline constexpr std::size_t kDimensionPairBytesMax = 2'048;
inline constexpr std::size_t kMeasureValueBytesMax = 2'048;
inline constexpr std::size_t kMeasuresPerRecordMax = 256;
/// Of a single-measure record: names, values and 8 bytes of time.
inline constexpr std::size_t kRecordBytesMax = 2'048;

/// Thread-safe.
class WriteService {
 public:
  /// All must outlive the service and every write in flight. `rejected` may be null.
  WriteService(engine::Engine& engine, const Clock& clock,
               RejectedLateDataSink* rejected = nullptr);

  using Done = std::function<void(Result<WriteRecordsAnswer>)>;
  /// Calls `done` once, on the commit thread, or on this one when refused or nothing has to wait:
  /// kInvalidArgument (the whole request is refused, nothing stored), kNotFound, kResourceExhausted.
  void WriteRecords(const WriteRecordsRequest& request, Done done);

 private:
  engine::Engine& engine_;
  const Clock& clock_;
  RejectedLateDataSink* const rejected_;
  Counter& records_stored_;
  Counter& records_rejected_;
};

}  // namespace tideline::api
