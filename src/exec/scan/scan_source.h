// exec/scan/scan_source.h: where the rows of a table come from.
//
// Pipelines know this interface only, so that tests feed them batches by hand and the server feeds
// them the storage engine (engine_scan.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "exec/operators/operator.h"
#include "sql/plan/scan_node.h"

namespace tideline::exec {

/// Figures of one scan so far.
struct ScanFigures {
  std::uint64_t bytes_scanned = 0;
  std::uint64_t rows = 0;
  std::string note;  ///< for EXPLAIN ANALYZE: what was pruned
};

/// What an aggregation right above a scan lets it do: deliver runs of rows instead of rows, each with what is known
/// of the columns `summarized` (Batch::summaries), where that is less work. Only while `open`.
struct SummaryOffer {
  std::vector<std::size_t> summarized;  ///< positions in the scan's outputs, ascending
  std::atomic<bool> open{true};
};

/// Delivers the rows that `node` describes by its time ranges and series predicates. If its provider
/// does not apply residuals: columns of node.outputs(), then of spec().residual_columns, the residual
/// not yet applied; else only rows for which the residual is true, with the columns of outputs().
class ScanSource : public Source {
 public:
  virtual ScanFigures figures() const = 0;
  /// False while it waits for what narrows it.
  virtual bool is_open() const { return true; }
  /// Before the first reader is made. A source need not take it.
  virtual void Offer(std::shared_ptr<const SummaryOffer> /*offer*/) {}
};

/// What may be known of a scan's rows before any is read: bounds, not exact.
struct TimeBounds {
  double rows = 0;
  std::int64_t time_ns_min = 0;
  std::int64_t time_ns_max = 0;
};

/// What became of a DELETE.
struct RowDeletion {
  std::uint64_t rows = 0;
  std::string delete_id{};          ///< empty: nothing was deleted
  std::int64_t undo_until_ns = 0;   ///< 0: cannot be undone
};

/// Opens the scans of one query, all on one consistent view per table. Used by one thread.
class ScanProvider {
 public:
  virtual ~ScanProvider() = default;
  /// `context` outlives the scan.
  virtual Result<std::shared_ptr<ScanSource>> OpenScan(const sql::ScanNode& node,
                                                       const EvalContext& context) = 0;
  virtual bool applies_residuals() const { return false; }
  /// Every row of the scan lies within; nothing when that is not known, or there is no row.
  virtual Result<std::optional<TimeBounds>> BoundsOf(const sql::ScanNode&) {
    return std::optional<TimeBounds>();
  }
  /// Takes away the rows of `node`, which has no residual; with `dry_run` counts them.
  virtual Result<RowDeletion> DeleteRows(const sql::ScanNode& /*node*/, const EvalContext& /*context*/,
                                         bool /*dry_run*/) {
    return Unimplemented("these tables cannot be deleted from");
  }
};

}  // namespace tideline::exec
