// front/aws_json/page_json_encoder.h: result rows as the query API's JSON.
//
//   [{"Data":[{"ScalarValue":"1"},{"NullValue":true},{"ArrayValue":[...]}]},...]
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "service/api/query_request.h"

namespace tideline::aws_json {

/// Text that repeats (a column of dictionary codes) is encoded once per page and entry. Not
/// thread-safe; reusable.
class PageJsonEncoder final : public api::PageEncoder {
 public:
  void Begin(const std::vector<api::ResultColumn>& columns) override;
  std::size_t Append(const Batch& batch, std::size_t first_row, std::size_t rows_max,
                     std::size_t bytes_max) override;
  std::string Finish() override;

 private:
  // The cells of a column's dictionary, made when first seen.
  struct CellTexts {
    std::shared_ptr<const Vector> base;
    std::vector<std::string> cells;
    std::string constant;  // the cell of a batch's constant
  };
  void AppendCell(const Vector& column, std::size_t index, std::size_t row);

  std::string out_;
  std::vector<CellTexts> texts_;
};

/// Appends one Datum.
void AppendDatum(const Vector& vector, std::size_t row, std::string* out);
/// Writes the value of a Type member: {"ScalarType":"BIGINT"}.
void WriteType(JsonWriter* json, const Type& type);
/// Writes a list of ColumnInfo.
void WriteColumnInfo(JsonWriter* json, const std::vector<api::ResultColumn>& columns);

}  // namespace tideline::aws_json
