#include "exec/scan/deferred_scan.h"

#include <atomic>

#include "sql/plan/aggregate_node.h"
#include "sql/plan/project_node.h"

namespace tideline::exec {
namespace {

class DeferredScan final : public ScanSource {
 public:
  DeferredScan(ScanProvider* scans, const sql::ScanNode& node, const EvalContext& context,
               std::vector<std::shared_ptr<RuntimeFilter>> filters)
      : scans_(scans), node_(node), context_(context), filters_(std::move(filters)) {}

  Status Prepare() override {
    sql::ScanNode::Spec spec = node_.spec();
    for (const auto& filter : filters_) filter->Narrow(node_, &spec);
    narrowed_ = std::make_shared<sql::ScanNode>(node_.outputs(), std::move(spec));
    opened_ = TL_TRY(scans_->OpenScan(*narrowed_, context_));
    if (offer_ != nullptr) opened_->Offer(std::move(offer_));
    TL_TRY(opened_->Prepare());
    ready_.store(opened_.get(), std::memory_order_release);
    return OkStatus();
  }
  Result<std::unique_ptr<SourceReader>> NewReader() override { return opened_->NewReader(); }
  std::size_t workers_max() const override {
    const ScanSource* scan = Opened();
    return scan == nullptr ? 1 : scan->workers_max();
  }
  double EstimatedRows() const override {
    const ScanSource* scan = Opened();
    return scan == nullptr ? node_.EstimatedRows() : scan->EstimatedRows();
  }
  double progress() const override {
    const ScanSource* scan = Opened();
    return scan == nullptr ? 0 : scan->progress();
  }
  bool is_open() const override { return Opened() != nullptr; }
  void Offer(std::shared_ptr<const SummaryOffer> offer) override { offer_ = std::move(offer); }
  ScanFigures figures() const override {
    const ScanSource* scan = Opened();
    if (scan == nullptr) return {};
    ScanFigures figures = scan->figures();
    figures.note += ", narrowed by a join";
    return figures;
  }

 private:
  const ScanSource* Opened() const { return ready_.load(std::memory_order_acquire); }

  ScanProvider* const scans_;
  const sql::ScanNode& node_;
  const EvalContext& context_;
  const std::vector<std::shared_ptr<RuntimeFilter>> filters_;
  std::shared_ptr<const sql::ScanNode> narrowed_;
  std::shared_ptr<ScanSource> opened_;
  std::shared_ptr<const SummaryOffer> offer_;
  std::atomic<const ScanSource*> ready_{nullptr};
};

bool CanNarrow(const sql::ScanNode& scan, catalog::ColumnId id) {
  if (id == catalog::kTimeColumn || id == catalog::kMeasureNameColumn) return true;
  const catalog::Column* column = scan.table().FindColumn(id);
  return column != nullptr && column->kind == catalog::ColumnKind::kDimension;
}

}  // namespace

std::shared_ptr<ScanSource> NewDeferredScan(ScanProvider* scans, const sql::ScanNode& node,
                                            const EvalContext& context,
                                            std::vector<std::shared_ptr<RuntimeFilter>> filters) {
  return std::make_shared<DeferredScan>(scans, node, context, std::move(filters));
}

std::optional<ScanColumn> TraceToScan(const sql::PlanNode& node, sql::ColumnRef column) {
  for (const sql::PlanNode* at = &node;; at = at->child().get()) {
    const sql::Expr* expr = nullptr;
    switch (at->kind()) {
      case sql::PlanKind::kScan: {
        const auto& scan = sql::As<sql::ScanNode>(*at);
        const std::optional<catalog::ColumnId> id = scan.StorageColumn(column);
        // Any so many rows would do: dropping some beforehand leaves too few.
        if (!id.has_value() || !CanNarrow(scan, *id) || scan.spec().limit_hint.has_value()) {
          return std::nullopt;
        }
        return ScanColumn{&scan, column};
      }
      case sql::PlanKind::kFilter:
        continue;
      case sql::PlanKind::kProject:
        for (const auto& item : sql::As<sql::ProjectNode>(*at).items()) {
          if (item.output.column == column) expr = item.expr.get();
        }
        break;
      case sql::PlanKind::kAggregate:
        for (const auto& key : sql::As<sql::AggregateNode>(*at).keys()) {
          if (key.output.column == column) expr = key.expr.get();
        }
        break;
      default:
        return std::nullopt;
    }
    if (expr == nullptr || expr->kind != sql::ExprKind::kColumn) return std::nullopt;
    column = expr->column;
  }
}

}  // namespace tideline::exec
