// functions/aggregate/row_lists.h: the rows that array_agg and create_time_series keep, those of all groups of one call
// together.
//
// Rows lie in chunks in the order in which they came; a group is a chain of row numbers through them. A group costs 24
// bytes and a row 4 beside its values, and all of it is freed at once. A vector per group would take some 400 bytes for
// its first value, which is most of what groups of few rows hold; DuckDB's list aggregate chains segments of growing
// size for the same reason.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/memory_budget.h"
#include "functions/function.h"

namespace tideline::functions {

/// Written by one thread; once that is over, read by any number. Charged to the budget of the call's context, which
/// must outlive it.
class RowLists {
 public:
  /// One group's rows, in the order in which they were added. Part of a state: open until it is destroyed; when none
  /// is open any more, the rows are freed.
  class List {
   public:
    List() = default;
    List(const List&) = delete;
    List& operator=(const List&) = delete;
    ~List() {
      if (owner_ != nullptr) owner_->Close();
    }
    std::size_t size() const { return size_; }

   private:
    friend class RowLists;
    RowLists* owner_ = nullptr;
    std::uint32_t first_ = 0;
    std::uint32_t last_ = 0;
    std::uint32_t size_ = 0;
  };

  RowLists(std::span<const Vector> like, MemoryBudget* memory);
  RowLists(const RowLists&) = delete;
  RowLists& operator=(const RowLists&) = delete;
  ~RowLists();

  /// Adds row `rows[i]` of `arguments` to `list`, all to one.
  static Status Add(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows, List* list);
  /// Adds row `rows[i]` of `arguments` to `list_of(i)`.
  template <typename F>
  static Status AddEach(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
                        F&& list_of) {
    RowLists& lists = Of(context, arguments);
    std::uint32_t number = 0;
    TL_TRY(lists.Keep(arguments, rows, &number));
    for (std::size_t i = 0; i < rows.size(); ++i) lists.Link(number++, list_of(i));
    return OkStatus();
  }
  /// Adds the rows of `from`, a list of any call with the same columns, behind those of `into`; `from` may be empty
  /// afterwards.
  static Status Merge(const KernelContext& context, List* from, List* into);

  /// The numbers of a list's rows, for AppendRows.
  static std::vector<std::uint32_t> Numbers(const List& list);
  /// Appends column `column` of a list's rows to `result`: of all in order, or of `numbers`.
  static void Append(const List& list, std::size_t column, Vector* result);
  static void AppendRows(const List& list, std::span<const std::uint32_t> numbers, std::size_t column, Vector* result);

 private:
  static constexpr std::uint32_t kChunkRows = kBatchRowsMax;
  struct Chunk {
    std::vector<Vector> columns;
    std::vector<std::uint32_t> next;  // by row, the number of the next row of its list
  };

  static RowLists& Of(const KernelContext& context, std::span<const Vector> like);
  /// Keeps `rows`, under numbers from `*first` on, linked to nothing yet.
  Status Keep(std::span<const Vector> arguments, const Selection& rows, std::uint32_t* first);
  Status Charge();
  void Link(std::uint32_t number, List* list);
  void Splice(List* from, List* into);
  void Close();
  /// Calls f(chunk, numbers within it) for pieces of a list in order.
  template <typename F>
  static Status ForPieces(const List& list, F&& f);

  const std::vector<Type> types_;
  std::vector<Chunk> chunks_;
  std::size_t row_count_ = 0;
  std::size_t open_lists_ = 0;
  std::size_t full_chunk_bytes_ = 0;
  MemoryBudget* const budget_;  // null: not counted
  std::size_t charged_bytes_ = 0;
};

}  // namespace tideline::functions
