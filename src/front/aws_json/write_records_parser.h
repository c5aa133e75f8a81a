// front/aws_json/write_records_parser.h: the body of WriteRecords as views, in one pass.
//
// The hottest parser of the server. A body that looks like one seen before is read by its template
// (body_template.h), any other with simdjson's on-demand front end (Keiser and Lemire, "On-demand
// JSON: A better way to parse documents?", Software: Practice and Experience, 2024), which walks the
// body once, in whatever order members come. Either leaves views: into the body, the parser's own
// buffer of unescaped text, or the template.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "front/aws_json/shape_reader.h"
#include "service/api/write_request.h"

namespace tideline::aws_json {

/// Keeps its buffers between requests. Not thread-safe: one per thread.
class WriteRecordsParser {
 public:
  WriteRecordsParser();
  ~WriteRecordsParser();
  WriteRecordsParser(const WriteRecordsParser&) = delete;
  WriteRecordsParser& operator=(const WriteRecordsParser&) = delete;

  /// Parses `body`, behind which at least 64 bytes must be readable. The request's views live until
  /// the next call and as long as `body`. kInvalidArgument when it is no JSON; violations of the
  /// model's constraints are added to `violations`, and the request is then incomplete.
  Result<api::WriteRecordsRequest> Parse(std::string_view body, Violations* violations);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tideline::aws_json
