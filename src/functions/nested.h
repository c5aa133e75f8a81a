// functions/nested.h: moving rows of any type about, nested ones included.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "columnar/vector.h"

namespace tideline::functions {

/// Copies `rows` of `input` into the same rows of the flat `result`, whose type has the same
/// physical shape. Nulls are copied; children and text are shared, not copied.
void CopyRows(const Vector& input, const Selection& rows, Vector* result);

/// Copies row `from_row` of `from` to row `to_row` of the flat `result`, deeply: list elements are
/// appended to the result's children.
void PutRow(const Vector& from, std::size_t from_row, std::size_t to_row, Vector* result);

/// Flat `parts[0]` then `parts[1]` …, all of physical type `type`.
Vector Concatenate(const Type& type, std::span<const Vector* const> parts);

/// Values `indices` of `source`, flat, in that order.
Vector Gather(const Vector& source, std::span<const std::uint32_t> indices);

/// Writes list rows whose elements all come from the same child vectors. Call Begin(row), then Add
/// for each element, for rows in any order; Finish sets the children. Null rows stay null.
class ListResult {
 public:
  /// `result` is the kernel's flat result.
  explicit ListResult(Vector* result) : result_(result) {}
  void Begin(std::size_t row) {
    current_ = result_->mutable_values<ListEntry>() + row;
    *current_ = {static_cast<std::uint32_t>(elements_.size()), 0};
  }
  void Add(std::uint32_t element) {
    elements_.push_back(element);
    ++current_->length;
  }
  std::size_t element_count() const { return elements_.size(); }
  /// The result's children become `elements` of each of `children`.
  void Finish(std::span<const Vector* const> children);
  void Finish(const Vector& child) {
    const Vector* const children[] = {&child};
    Finish(children);
  }

 private:
  Vector* result_;
  ListEntry* current_ = nullptr;
  std::vector<std::uint32_t> elements_;
};

}  // namespace tideline::functions
