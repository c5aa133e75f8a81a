// functions/aggregate/cell.h: one owned value of any type, for states that remember a row.
#pragma once

#include <memory>
#include <string>

#include "columnar/vector.h"

namespace tideline::functions {

/// Empty until Store. Fixed-width values and short text lie inside; longer text and nested values
/// on the heap.
class Cell {
 public:
  bool is_set() const { return is_set_; }
  bool is_null() const { return is_null_; }
  void Clear() { is_set_ = false; }
  /// Remembers row `row` of `vector`, which may be null.
  void Store(const Vector& vector, std::size_t row);
  /// Writes the value, or null when there is none, to row `row` of the flat `result`.
  void Load(std::size_t row, Vector* result) const;
  /// Order of this value against row `row` of `vector`, neither null; see OrderRows.
  int Order(const Vector& vector, std::size_t row) const;
  int Order(const Cell& other, const Type& type) const;
  /// A double that is NaN, which loses every contest of extremes.
  bool IsNan(const Type& type) const;

 private:
  template <typename T>
  T As() const {
    T value;
    std::memcpy(&value, fixed_, sizeof(T));
    return value;
  }
  std::string_view text() const { return text_; }

  bool is_set_ = false;
  bool is_null_ = false;
  std::byte fixed_[16] = {};
  std::string text_;
  std::unique_ptr<Vector> nested_;
};

}  // namespace tideline::functions
