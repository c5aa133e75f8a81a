// columnar/vector.h: one column of at most kBatchRowsMax rows (longer only inside nested values).
//
// Three encodings, after DuckDB and Velox (Pedreira et al., "Velox: Meta's Unified Execution
// Engine", PVLDB 15(12), 2022):
//   flat        one value and one validity bit per row;
//   constant    one value for all rows;
//   dictionary  a code per row into a flat base vector; slicing by a selection makes one for free.
// Readers go through `Reader<T>`, which hides the difference; only builders care.
//
// Copying a Vector shares its buffers. A vector is written by its one creator and immutable once it
// has been handed on; the mutable_ accessors check that the buffer is not shared. Null is a bit in
// the validity of the flat base, never a sentinel.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "columnar/string_ref.h"
#include "columnar/type.h"

namespace tideline {

class Value;

/// Rows of a batch; two codec slices.
inline constexpr std::size_t kBatchRowsMax = 2048;

enum class VectorKind : std::uint8_t { kFlat, kConstant, kDictionary };

/// Uninitialised memory, 64-byte aligned, of fixed size.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* data_;
  std::size_t size_;
};

/// Bump-allocated text that StringRefs point into; freed whole. Not thread-safe.
class StringHeap {
 public:
  /// Copies `text` unless it fits inline.
  StringRef Add(std::string_view text);
  /// Uninitialised room for `bytes`; valid as long as the heap.
  char* Allocate(std::size_t bytes);
  std::size_t bytes() const { return total_; }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t left_ = 0;
  char* at_ = nullptr;
  std::size_t total_ = 0;
};

/// Which rows of a batch to work on: all of [0, count), or an ascending list of row numbers.
class Selection {
 public:
  static Selection All(std::size_t count) { return Selection(nullptr, count); }
  /// `rows` must outlive the selection and be ascending.
  static Selection Of(std::span<const std::uint32_t> rows) { return {rows.data(), rows.size()}; }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  bool is_all() const { return rows_ == nullptr; }
  /// Whether the rows have no gaps, such as one group's run; they then begin at (*this)[0].
  bool is_contiguous() const {
    return rows_ == nullptr || (count_ > 0 && rows_[count_ - 1] - rows_[0] + 1 == count_);
  }
  std::uint32_t operator[](std::size_t i) const {
    return rows_ == nullptr ? static_cast<std::uint32_t>(i) : rows_[i];
  }
  /// Calls f(row) for each row, without a branch per row. A list without gaps (a run of one group)
  /// is walked by counting, so that the caller's loop stays dense.
  template <typename F>
  void ForEach(F&& f) const {
    if (rows_ == nullptr) {
      for (std::size_t i = 0; i < count_; ++i) f(static_cast<std::uint32_t>(i));
    } else if (is_contiguous()) {
      const std::uint32_t end = rows_[count_ - 1] + 1;
      for (std::uint32_t row = rows_[0]; row < end; ++row) f(row);
    } else {
      for (std::size_t i = 0; i < count_; ++i) f(rows_[i]);
    }
  }

 private:
  Selection(const std::uint32_t* rows, std::size_t count) : rows_(rows), count_(count) {}
  const std::uint32_t* rows_;
  std::size_t count_;
};

class Vector {
 public:
  /// A vector of no rows of type unknown.
  Vector() = default;

  /// Flat, all valid, values uninitialised (varchar: empty; lists: empty). Children of list types
  /// start empty and are set by SetChild; a row's children are made with the same size.
  static Vector Flat(const Type& type, std::size_t size);
  /// `value` for every row; its type may be unknown when it is null.
  static Vector Constant(const Type& type, const Value& value, std::size_t size);
  static Vector ConstantNull(const Type& type, std::size_t size);
  /// Row `row` of `vector` for all of `size` rows.
  static Vector ConstantOf(const Vector& vector, std::size_t row, std::size_t size);
  /// `codes` (size = row count) index into `base`, which must be flat (checked). The base is shared:
  /// operators recognise a repeated dictionary by dictionary_base().
  static Vector Dictionary(std::shared_ptr<const Vector> base, std::shared_ptr<Buffer> codes,
                           std::size_t size);
  /// Builds flat from row-wise values, for literals, VALUES and tests.
  static Vector FromValues(const Type& type, std::span<const Value> values);

  const Type& type() const { return type_; }
  VectorKind kind() const { return kind_; }
  std::size_t size() const { return size_; }
  bool is_constant() const { return kind_ == VectorKind::kConstant; }

  /// Rows `rows` of this vector, in that order, as a dictionary (constant stays constant). O(rows).
  Vector Slice(std::span<const std::uint32_t> rows) const;
  /// Rows [first, first + count). Flat data is shared through codes.
  Vector Range(std::size_t first, std::size_t count) const;
  /// The same rows, flat. Returns itself when flat already.
  Vector Flatten() const;
  /// Reinterprets the values as `type`, which must have the same physical type (checked).
  Vector WithType(const Type& type) const;

  // ---- flat and constant storage -----------------------------------------------------------
  /// Values of a flat vector, or the one value of a constant. T must fit the physical type.
  template <typename T>
  const T* values() const {
    return reinterpret_cast<const T*>(data_ == nullptr ? nullptr : data_->data());
  }
  template <typename T>
  T* mutable_values() {
    TL_DCHECK(kind_ != VectorKind::kDictionary && data_.use_count() == 1);
    return reinterpret_cast<T*>(data_->data());
  }
  /// Validity words of the flat base (bit set = not null); null pointer when all are valid.
  const std::uint64_t* validity() const;
  bool may_have_nulls() const { return validity() != nullptr; }
  /// Marks flat row `row` null (row 0 of a constant).
  void SetNull(std::size_t row);
  /// Marks flat row `row` valid again.
  void SetValid(std::size_t row);
  void SetAllNull();

  // ---- dictionary --------------------------------------------------------------------------
  const std::uint32_t* codes() const {
    return reinterpret_cast<const std::uint32_t*>(codes_->data());
  }
  const std::shared_ptr<const Vector>& dictionary_base() const { return base_; }

  // ---- nested ------------------------------------------------------------------------------
  /// Children of the flat base (for a dictionary, its base's children).
  const Vector& child(std::size_t index) const;
  std::size_t child_count() const { return type_.child_count(); }
  void SetChild(std::size_t index, Vector child);
  /// Appends `rows` of `other` (any encoding, same type) to this flat vector, growing it amortised;
  /// text is copied to this vector's heap. For builders of nested values and aggregate states.
  void Append(const Vector& other, const Selection& rows);
  /// A row vector's child for writing.
  Vector& mutable_child(std::size_t index) { return children_[index]; }

  // ---- text --------------------------------------------------------------------------------
  /// The heap of this flat vector for new text; made on first use.
  StringHeap& heap();
  void SetString(std::size_t row, std::string_view text) {
    mutable_values<StringRef>()[row] = heap().Add(text);
  }
  /// Keeps alive whatever `other`'s StringRefs point into, so that they may be copied here.
  void ShareText(const Vector& other);
  /// Of many at once. What several hold is held once, however often text was shared before.
  void ShareText(std::span<const Vector* const> others);
  /// Copies the text of a flat vector, and of its children, into heaps of its own and lets go of all others. Its
  /// values must not be shared.
  void OwnText();
  void KeepAlive(std::shared_ptr<const void> owner);

  // ---- row-wise, slow: results, tests, constants -------------------------------------------
  bool IsNull(std::size_t row) const;
  Value GetValue(std::size_t row) const;
  void SetValue(std::size_t row, const Value& value);

  /// Physical row in the flat base for row `row`.
  std::size_t Index(std::size_t row) const {
    switch (kind_) {
      case VectorKind::kFlat:
        return row;
      case VectorKind::kConstant:
        return 0;
      case VectorKind::kDictionary:
        return codes()[row];
    }
    return row;
  }
  /// This vector when flat or constant, else the base.
  const Vector& base() const { return kind_ == VectorKind::kDictionary ? *base_ : *this; }
  /// Approximate bytes held, shared buffers counted once per vector.
  std::size_t memory_bytes() const;
  /// Things beside its own heap that this vector keeps alive.
  std::size_t owner_count() const { return owners_ == nullptr ? 0 : owners_->size(); }

 private:
  using Owners = std::vector<std::shared_ptr<const void>>;
  void EnsureValidity();
  void Grow(std::size_t size);
  Type type_;
  VectorKind kind_ = VectorKind::kFlat;
  std::size_t size_ = 0;
  std::shared_ptr<Buffer> data_;
  std::shared_ptr<Buffer> validity_;
  std::shared_ptr<Buffer> codes_;
  std::shared_ptr<const Vector> base_;
  std::vector<Vector> children_;
  std::shared_ptr<StringHeap> heap_;
  std::shared_ptr<const Owners> owners_;  // no null pointer, none twice; shared by all that share the same text
};

/// Reads any encoding. Cheap to make, refers to the vector, which must outlive it.
template <typename T>
class Reader {
 public:
  explicit Reader(const Vector& vector) {
    const Vector& base = vector.base();
    values_ = base.template values<T>();
    validity_ = base.validity();
    codes_ = vector.kind() == VectorKind::kDictionary ? vector.codes() : nullptr;
    mask_ = vector.is_constant() ? 0 : ~std::size_t{0};
  }
  std::size_t Index(std::size_t row) const { return codes_ != nullptr ? codes_[row] : row & mask_; }
  const T& operator[](std::size_t row) const { return values_[Index(row)]; }
  bool IsNull(std::size_t row) const {
    if (validity_ == nullptr) return false;
    const std::size_t index = Index(row);
    return ((validity_[index >> 6] >> (index & 63)) & 1) == 0;
  }
  bool may_have_nulls() const { return validity_ != nullptr; }

 private:
  const T* values_;
  const std::uint64_t* validity_;
  const std::uint32_t* codes_;
  std::size_t mask_;
};

struct BatchSummaries;  // columnar/run_summary.h

/// Equal-length columns.
struct Batch {
  std::vector<Vector> columns;
  std::size_t row_count = 0;
  /// Set where a row stands for many rows of a table, which only who asked for it gets. Not owned; good until
  /// the next batch is read.
  const BatchSummaries* summaries = nullptr;
};

}  // namespace tideline
