// tests/sim/model.h: what a client knows of a table, and the laws that hold for what it reads.
//
//   acknowledged rows survive, at or above their version;
//   rows without an answer are there whole or not at all;
//   no row appears that no one sent, and none twice.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/engine/engine.h"

namespace tideline::sim {

/// A record that owns its text.
struct SimRecord {
  std::vector<std::pair<std::string, std::string>> dimensions{};
  std::string measure_name{};
  bool multi = false;
  std::vector<std::pair<std::string, std::string>> texts{};      ///< VARCHAR attributes
  std::vector<std::pair<std::string, std::int64_t>> numbers{};   ///< BIGINT attributes
  double value = 0;                                              ///< of a single-measure record
  std::int64_t time_ns = 0;
  std::int64_t version = 1;
};

/// Dimensions sorted, measure name, time.
struct RowKey {
  std::string series{};
  std::int64_t time_ns = 0;
  auto operator<=>(const RowKey&) const = default;
};
using RowMap = std::map<RowKey, std::string>;  ///< key, values as text

RowKey KeyOf(const SimRecord& record);
std::string ValuesOf(const SimRecord& record);

/// Every visible row. An error of the scan, or kInternal when a row comes twice or runs are broken.
Result<RowMap> ReadAll(const engine::Snapshot& snapshot);

struct RowState {
  std::int64_t version = 0;
  std::string values{};
  bool operator==(const RowState&) const = default;
};

/// One table. Not thread-safe.
class TableModel {
 public:
  /// What the engine must say of `record`, given all that was written before it, pending writes
  /// included; nothing when that cannot be known (after a lost answer). Notes it as pending.
  std::optional<engine::Verdict> Stage(const SimRecord& record);
  /// The oldest pending record was answered.
  void Acknowledge(const SimRecord& record, engine::Verdict verdict);
  /// Pending records will never be answered: the process ended.
  void Forget(const std::vector<SimRecord>& unanswered);
  /// A new process begins: nothing is pending.
  void Restarted();

  /// A DELETE of the rows that `matches` was answered: they are gone.
  void Delete(const std::function<bool(const RowKey&)>& matches);
  /// It was not: they are gone or not.
  void MaybeDelete(const std::function<bool(const RowKey&)>& matches);

  /// Rows before `edge_ns` may be removed for good from now on.
  void MayExpire(std::int64_t edge_ns);

  /// A failure text when `rows`, read by a snapshot whose rows begin at `edge_ns`, breaks a law.
  std::optional<std::string> Check(const RowMap& rows, std::int64_t edge_ns) const;
  /// After a restart: takes for known what of the unanswered records was found.
  void Settle(const RowMap& rows, std::int64_t edge_ns);

  std::int64_t expired_before_ns() const { return expired_before_ns_; }
  std::size_t row_count() const { return rows_.size(); }

 private:
  struct Known {
    std::optional<RowState> acked{};
    std::optional<RowState> staged{};  ///< with the pending ones
    std::vector<RowState> maybe{};     ///< unanswered
    bool version_known = true;  ///< false: what the engine must say of the next record is open
    std::size_t pending = 0;
    bool maybe_gone = false;  ///< a DELETE without an answer matches it
  };
  std::map<RowKey, Known> rows_;
  std::int64_t expired_before_ns_ = INT64_MIN;
};

}  // namespace tideline::sim
