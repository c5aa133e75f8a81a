// sql/fake_catalog.h: a catalog in memory for the tests of this room.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sql/bind/catalog_view.h"

namespace tideline::sql {

class FakeCatalog : public CatalogView {
 public:
  /// One database `db` with the table `cpu` (dimensions host, Region; measures of all kinds) and an
  /// empty one, `empty`; a database `spare` with no table.
  FakeCatalog() {
    auto cpu = std::make_shared<catalog::TableSchema>();
    cpu->id = {1};
    cpu->database = "db";
    cpu->table = "cpu";
    cpu->dimensions = {{{2}, "host", catalog::ColumnKind::kDimension, Type::Varchar()},
                       {{3}, "Region", catalog::ColumnKind::kDimension, Type::Varchar()}};
    cpu->values = {{{4}, "measure_value::double", catalog::ColumnKind::kMeasureValue, Type::Double()},
                   {{5}, "load", catalog::ColumnKind::kMultiAttribute, Type::Double()},
                   {{6}, "ticks", catalog::ColumnKind::kMultiAttribute, Type::Bigint()},
                   {{7}, "ok", catalog::ColumnKind::kMultiAttribute, Type::Boolean()},
                   {{8}, "note", catalog::ColumnKind::kMultiAttribute, Type::Varchar()}};
    cpu->measures = {std::make_shared<catalog::Measure>(
                         catalog::Measure{"usage", catalog::MeasureType::kDouble, {{2}}}),
                     std::make_shared<catalog::Measure>(
                         catalog::Measure{"metrics", catalog::MeasureType::kMulti, {{2}, {3}}})};
    cpu->next_column = {9};
    auto empty = std::make_shared<catalog::TableSchema>();
    empty->id = {2};
    empty->database = "db";
    empty->table = "empty";
    tables_[{"db", "cpu"}] = cpu;
    tables_[{"db", "empty"}] = empty;
  }

  std::vector<std::string> Databases() const override { return {"db", "spare"}; }
  bool HasDatabase(std::string_view database) const override { return database == "db" || database == "spare"; }
  std::vector<std::string> Tables(std::string_view database) const override {
    std::vector<std::string> names;
    for (const auto& [key, schema] : tables_) {
      if (key.first == database) names.push_back(key.second);
    }
    return names;
  }
  catalog::TableSchemaPtr FindTable(std::string_view database, std::string_view table) const override {
    const auto found = tables_.find({std::string(database), std::string(table)});
    return found == tables_.end() ? nullptr : found->second;
  }

 private:
  std::map<std::pair<std::string, std::string>, catalog::TableSchemaPtr> tables_;
};

}  // namespace tideline::sql
