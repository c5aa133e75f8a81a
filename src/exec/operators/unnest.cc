#include "exec/operators/unnest.h"

#include <algorithm>

#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

class UnnestConsumer final : public Consumer {
 public:
  UnnestConsumer(const sql::UnnestNode& node, std::vector<Evaluator> exprs, Consumer* next)
      : node_(node), exprs_(std::move(exprs)), next_(next) {}

  Status Push(const Batch& batch, const Selection& rows) override {
    batch_ = batch;
    rows_.clear();
    rows.ForEach([&](std::uint32_t row) { rows_.push_back(row); });
    values_.resize(exprs_.size());
    for (std::size_t i = 0; i < exprs_.size(); ++i) {
      TL_TRY(exprs_[i].Evaluate(batch_, Selection::Of(rows_), &values_[i]));
    }
    at_ = 0;
    element_ = 0;
    pending_ = true;
    return Continue();
  }

  bool pending() const override { return pending_; }

  Status Continue() override {
    CollectRows();
    pending_ = at_ < rows_.size();
    if (outer_rows_.empty()) return OkStatus();
    Batch out;
    out.row_count = outer_rows_.size();
    for (const Vector& column : batch_.columns) {
      // A list is pointed to, not copied: it may be the very one that becomes these rows.
      const bool copies = column.kind() == VectorKind::kFlat && !column.type().is_nested();
      out.columns.push_back(copies ? GatherRows(column, outer_rows_) : column.Slice(outer_rows_));
    }
    for (std::size_t i = 0; i < values_.size(); ++i) AddElements(i, &out);
    if (node_.ordinality().has_value()) out.columns.push_back(Ordinality());
    return next_->Push(out, Selection::All(out.row_count));
  }

  Status Finish() override { return next_->Finish(); }

 private:
  static constexpr std::uint32_t kNoElement = UINT32_MAX;

  ListEntry EntryOf(std::size_t value, std::uint32_t row) const {
    const Vector& vector = values_[value];
    if (vector.IsNull(row)) return {0, 0};
    return vector.base().values<ListEntry>()[vector.Index(row)];
  }

  // The next rows of the result, a batch at most: the row each comes from and which element it is.
  void CollectRows() {
    outer_rows_.clear();
    elements_.clear();
    while (at_ < rows_.size() && outer_rows_.size() < kBatchRowsMax) {
      const std::uint32_t row = rows_[at_];
      std::uint32_t length = 0;
      for (std::size_t i = 0; i < values_.size(); ++i) length = std::max(length, EntryOf(i, row).length);
      if (length == 0) {
        if (node_.keeps_empty()) {
          outer_rows_.push_back(row);
          elements_.push_back(kNoElement);
        }
        ++at_;
        continue;
      }
      const auto room = static_cast<std::uint32_t>(kBatchRowsMax - outer_rows_.size());
      const std::uint32_t end = std::min(length, element_ + room);
      for (; element_ < end; ++element_) {
        outer_rows_.push_back(row);
        elements_.push_back(element_);
      }
      if (element_ == length) {
        ++at_;
        element_ = 0;
      }
    }
  }

  void AddElements(std::size_t value, Batch* out) const {
    const Vector& base = values_[value].base();
    const sql::UnnestNode::Item& item = node_.items()[value];
    std::vector<RowPlace> places(outer_rows_.size());
    for (std::size_t k = 0; k < places.size(); ++k) {
      if (elements_[k] == kNoElement) continue;
      const ListEntry entry = EntryOf(value, outer_rows_[k]);
      if (elements_[k] < entry.length) places[k] = {0, entry.offset + elements_[k]};
    }
    const bool of_rows = item.expr->type.is(TypeId::kArray) && item.expr->type.child(0).is(TypeId::kRow);
    const Vector* elements = &base.child(0);
    if (of_rows) {
      // Fields of a null row are null.
      for (RowPlace& place : places) {
        if (place.source == RowPlace::kNull) continue;
        if (elements->IsNull(place.row)) {
          place.source = RowPlace::kNull;
        } else {
          place.row = static_cast<std::uint32_t>(elements->Index(place.row));
        }
      }
      elements = &elements->base();
    }
    const bool all_null = std::all_of(places.begin(), places.end(),
                                      [](const RowPlace& place) { return place.source == RowPlace::kNull; });
    for (std::size_t c = 0; c < item.outputs.size(); ++c) {
      const Type& type = item.outputs[c].type;
      if (all_null) {
        out->columns.push_back(Vector::ConstantNull(type, places.size()));
        continue;
      }
      const Vector* source = of_rows ? &elements->child(c) : &base.child(c);
      out->columns.push_back(Gather(type, {&source, 1}, places));
    }
  }

  Vector Ordinality() const {
    Vector out = Vector::Flat(Type::Bigint(), elements_.size());
    for (std::size_t k = 0; k < elements_.size(); ++k) {
      out.mutable_values<std::int64_t>()[k] = static_cast<std::int64_t>(elements_[k]) + 1;
      if (elements_[k] == kNoElement) out.SetNull(k);
    }
    return out;
  }

  const sql::UnnestNode& node_;
  std::vector<Evaluator> exprs_;
  Consumer* const next_;
  Batch batch_;
  std::vector<std::uint32_t> rows_;
  std::vector<Vector> values_;
  std::size_t at_ = 0;          // of rows_
  std::uint32_t element_ = 0;   // of that row
  bool pending_ = false;
  std::vector<std::uint32_t> outer_rows_;
  std::vector<std::uint32_t> elements_;
};

}  // namespace

Result<std::unique_ptr<Consumer>> NewUnnest(const sql::UnnestNode& node, const ColumnPositions& columns,
                                            const EvalContext& context, Consumer* next) {
  std::vector<Evaluator> exprs;
  for (const sql::UnnestNode::Item& item : node.items()) {
    Evaluator evaluator = TL_TRY(Evaluator::Make(*item.expr, columns, context));
    exprs.push_back(std::move(evaluator));
  }
  return std::unique_ptr<Consumer>(std::make_unique<UnnestConsumer>(node, std::move(exprs), next));
}

}  // namespace tideline::exec
