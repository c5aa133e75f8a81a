#include "tests/sim/model.h"

#include <algorithm>
#include <set>

namespace tideline::sim {

using engine::Verdict;

RowKey KeyOf(const SimRecord& record) {
  auto sorted = record.dimensions;
  std::sort(sorted.begin(), sorted.end());
  std::string series;
  for (const auto& [name, value] : sorted) series += name + "=" + value + ",";
  return {series + "|" + record.measure_name, record.time_ns};
}

std::string ValuesOf(const SimRecord& record) {
  std::map<std::string, std::string> values;
  if (!record.multi) values["measure_value::double"] = fmt::format("{:.17g}", record.value);
  for (const auto& [name, text] : record.texts) values[name] = text;
  for (const auto& [name, number] : record.numbers) values[name] = fmt::format("{}", number);
  std::string text;
  for (const auto& [name, value] : values) text += name + "=" + value + ";";
  return text;
}

namespace {

std::string TextOf(const Value& value) {
  switch (value.type().physical()) {
    case PhysicalType::kDouble: return fmt::format("{:.17g}", value.floating());
    case PhysicalType::kString: return value.text();
    default: return fmt::format("{}", value.integer());
  }
}

Status AddRows(const std::vector<catalog::Column>& columns, const engine::ScanBatch& batch,
               RowMap* rows) {
  std::uint32_t next = 0;
  for (const engine::SeriesRun& run : batch.runs) {
    if (run.first_row != next) return Internal("runs of a batch leave a hole at row {}", next);
    next += run.row_count;
  }
  if (next != batch.row_count()) return Internal("runs cover {} of {} rows", next, batch.row_count());
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    std::map<std::string, std::string> dimensions;
    std::map<std::string, std::string> values;
    RowKey key;
    std::string measure;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Value value = batch.batch.columns[c].GetValue(row);
      if (value.is_null()) continue;
      switch (columns[c].kind) {
        case catalog::ColumnKind::kDimension: dimensions[columns[c].name] = value.text(); break;
        case catalog::ColumnKind::kMeasureName: measure = value.text(); break;
        case catalog::ColumnKind::kTime: key.time_ns = value.integer(); break;
        default: values[columns[c].name] = TextOf(value);
      }
    }
    for (const auto& [name, value] : dimensions) key.series += name + "=" + value + ",";
    key.series += "|" + measure;
    std::string text;
    for (const auto& [name, value] : values) text += name + "=" + value + ";";
    if (!rows->emplace(key, text).second) {
      return Internal("the row of {} at {} comes twice", key.series, key.time_ns);
    }
  }
  return OkStatus();
}

}  // namespace

Result<RowMap> ReadAll(const engine::Snapshot& snapshot) {
  const std::vector<catalog::Column> columns = snapshot.schema().Columns();
  engine::ScanRequest request;
  for (const auto& column : columns) request.columns.push_back(column.id);
  const auto scan = TL_TRY(snapshot.Scan(request));
  RowMap rows;
  for (std::size_t m = 0; m < scan->morsel_count(); ++m) {
    const auto morsel = TL_TRY(scan->OpenMorsel(m));
    engine::ScanBatch batch;
    for (;;) {
      const bool more = TL_TRY(morsel->Next(&batch));
      if (!more) break;
      TL_TRY(AddRows(columns, batch, &rows));
    }
  }
  return rows;
}

std::optional<Verdict> TableModel::Stage(const SimRecord& record) {
  Known& known = rows_[KeyOf(record)];
  const RowState state{record.version, ValuesOf(record)};
  std::optional<Verdict> expected;
  ++known.pending;
  if (!known.maybe.empty() || known.maybe_gone) known.version_known = false;
  if (known.version_known) {
    if (!known.staged.has_value()) {
      expected = Verdict::kNew;
    } else if (record.version > known.staged->version) {
      expected = Verdict::kReplaced;
    } else if (record.version < known.staged->version) {
      expected = Verdict::kLowerVersion;
    } else {
      expected = state.values == known.staged->values ? Verdict::kEqual : Verdict::kDuplicate;
    }
    if (*expected == Verdict::kNew || *expected == Verdict::kReplaced) known.staged = state;
  }
  return expected;
}

void TableModel::Acknowledge(const SimRecord& record, Verdict verdict) {
  Known& known = rows_[KeyOf(record)];
  if (known.pending > 0) --known.pending;
  if (!engine::IsAccepted(verdict)) return;
  known.acked = RowState{record.version, ValuesOf(record)};
  // An accepted record says what is stored: whatever was in doubt before is settled, once nothing
  // that was sent in doubt is under way any more.
  known.maybe.clear();
  known.maybe_gone = false;
  if (!known.version_known && known.pending == 0) {
    known.staged = known.acked;
    known.version_known = true;
  }
}

void TableModel::Forget(const std::vector<SimRecord>& unanswered) {
  for (const SimRecord& record : unanswered) {
    rows_[KeyOf(record)].maybe.push_back({record.version, ValuesOf(record)});
  }
}

void TableModel::Restarted() {
  for (auto& [key, known] : rows_) {
    known.pending = 0;
    known.staged = known.acked;
  }
}

void TableModel::Delete(const std::function<bool(const RowKey&)>& matches) {
  std::erase_if(rows_, [&](const auto& row) { return matches(row.first); });
}

void TableModel::MaybeDelete(const std::function<bool(const RowKey&)>& matches) {
  for (auto& [key, known] : rows_) {
    if (matches(key)) known.maybe_gone = true;
  }
}

void TableModel::MayExpire(std::int64_t edge_ns) {
  expired_before_ns_ = std::max(expired_before_ns_, edge_ns);
}

std::optional<std::string> TableModel::Check(const RowMap& rows, std::int64_t edge_ns) const {
  for (const auto& [key, values] : rows) {
    if (!rows_.contains(key)) {
      return fmt::format("a row that no one sent: {} at {}: {}", key.series, key.time_ns, values);
    }
    if (key.time_ns < edge_ns) {
      return fmt::format("a row past retention is visible: {} at {}", key.series, key.time_ns);
    }
  }
  for (const auto& [key, known] : rows_) {
    const auto found = rows.find(key);
    if (found == rows.end()) {
      const bool may_be_gone =
          known.maybe_gone || key.time_ns < edge_ns || key.time_ns < expired_before_ns_;
      if (known.acked.has_value() && !may_be_gone) {
        return fmt::format("an acknowledged row is missing: {} at {}: version {}, {}", key.series,
                           key.time_ns, known.acked->version, known.acked->values);
      }
      continue;
    }
    bool explained = known.acked.has_value() && known.acked->values == found->second;
    for (const RowState& state : known.maybe) {
      const bool below = known.acked.has_value() && state.version < known.acked->version;
      explained = explained || (!below && state.values == found->second);
    }
    if (!explained) {
      return fmt::format("a row holds what no one wrote last: {} at {}: {}, acknowledged {}",
                         key.series, key.time_ns, found->second,
                         known.acked.has_value() ? known.acked->values : "nothing");
    }
  }
  return std::nullopt;
}

void TableModel::Settle(const RowMap& rows, std::int64_t edge_ns) {
  for (auto at = rows_.begin(); at != rows_.end();) {
    Known& known = at->second;
    const auto found = rows.find(at->first);
    if (found == rows.end()) {
      // Of a row past retention nothing is seen; what was acknowledged stays as it was.
      if (known.acked.has_value() && at->first.time_ns < edge_ns && !known.maybe_gone) {
        known.staged = known.acked;
        known.version_known = known.version_known && known.maybe.empty();
        ++at;
        continue;
      }
      at = rows_.erase(at);
      continue;
    }
    // Which of several writes of the same values it was cannot be seen. A lower version than the acknowledged one
    // replaced nothing.
    std::set<std::int64_t> versions;
    const bool is_acked = known.acked.has_value() && known.acked->values == found->second;
    if (is_acked) versions.insert(known.acked->version);
    for (const RowState& state : known.maybe) {
      if (known.acked.has_value() && state.version < known.acked->version) continue;
      if (state.values == found->second) versions.insert(state.version);
    }
    // A version that was in doubt stays so until a record is accepted.
    known.version_known = versions.size() == 1 && (!is_acked || known.version_known);
    known.acked = known.staged = RowState{versions.empty() ? 0 : *versions.rbegin(), found->second};
    known.maybe.clear();
    known.maybe_gone = false;
    // Of two equal texts the lower version is what is certain to be reached.
    if (!known.version_known && !versions.empty()) known.acked->version = *versions.begin();
    ++at;
  }
}

}  // namespace tideline::sim
