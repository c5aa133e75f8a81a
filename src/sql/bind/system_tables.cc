// Tables that the server makes up: tideline.segments. A table of that name that was created hides it.
#include "sql/bind/query_binder.h"
#include "sql/plan/values_node.h"

namespace tideline::sql {

namespace {

constexpr std::string_view kSystemDatabase = "tideline";
constexpr std::string_view kSegmentsTable = "segments";

struct SystemColumn {
  std::string_view name;
  Type type;
};

std::vector<SystemColumn> SegmentColumns() {
  return {{"database_name", Type::Varchar()}, {"table_name", Type::Varchar()},   {"store", Type::Varchar()},
          {"segment", Type::Varchar()},       {"bytes", Type::Bigint()},         {"row_count", Type::Bigint()},
          {"dead_rows", Type::Bigint()},      {"series_count", Type::Bigint()},  {"time_min", Type::Timestamp()},
          {"time_max", Type::Timestamp()},    {"window_start", Type::Timestamp()}, {"window_hours", Type::Bigint()},
          {"write_count", Type::Bigint()}};
}

std::vector<Value> RowOf(const catalog::LiveSegment& segment) {
  const catalog::SegmentEntry& entry = segment.entry;
  const auto count = [](std::uint64_t value) { return Value::Bigint(static_cast<std::int64_t>(value)); };
  return {Value::Varchar(segment.database),
          Value::Varchar(segment.table),
          Value::Varchar(entry.tier == catalog::StoreTier::kMemory ? "memory" : "magnetic"),
          Value::Varchar(entry.key),
          count(entry.bytes),
          count(entry.row_count),
          count(segment.dead_rows),
          count(entry.series_count),
          Value::Timestamp(entry.time_ns_min),
          Value::Timestamp(entry.time_ns_max),
          Value::Timestamp(entry.window_start_ns),
          Value::Bigint(entry.window_length_ns / kNsPerHour),
          count(entry.write_count)};
}

}  // namespace

std::optional<BoundRelation> QueryBinder::BindSystemTable(const ast::QualifiedName& name) {
  if (name.parts.size() != 2 || name.parts[0].text != kSystemDatabase || name.parts[1].text != kSegmentsTable) {
    return std::nullopt;
  }
  if (context_.catalog.FindTable(kSystemDatabase, kSegmentsTable) != nullptr) return std::nullopt;
  context_.reusable = false;
  BoundRelation bound;
  std::vector<OutputColumn> outputs;
  for (const SystemColumn& column : SegmentColumns()) {
    const ColumnRef ref = context_.NewColumn();
    outputs.push_back({ref, std::string(column.name), column.type});
    bound.columns.push_back({.name = std::string(column.name),
                             .relation = std::string(kSegmentsTable),
                             .expr = MakeColumn(ref, column.type, std::string(column.name)),
                             .in_star = true,
                             .database = std::string(kSystemDatabase),
                             .table = std::string(kSegmentsTable),
                             .aliased = false});
  }
  std::vector<std::vector<ExprPtr>> rows;
  for (const catalog::LiveSegment& segment : context_.catalog.Segments()) {
    std::vector<ExprPtr>& row = rows.emplace_back();
    for (const Value& value : RowOf(segment)) row.push_back(MakeConstant(value));
  }
  bound.plan = std::make_shared<ValuesNode>(std::move(outputs), std::move(rows));
  return bound;
}

}  // namespace tideline::sql
