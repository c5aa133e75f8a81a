#include "functions/aggregate/row_lists.h"

#include <algorithm>
#include <array>
#include <memory>

namespace tideline::functions {
namespace {

// What is charged ahead of need, so that small growth costs nothing.
constexpr std::size_t kChargeAheadMax = std::size_t{256} << 10;
// Rows of a list that are copied at a time.
constexpr std::size_t kPieceRows = 512;

std::size_t BytesOf(std::span<const Vector> columns) {
  std::size_t bytes = 0;
  for (const Vector& column : columns) bytes += column.memory_bytes();
  return bytes;
}

}  // namespace

RowLists::RowLists(std::span<const Vector> like, MemoryBudget* memory)
    : types_([&] {
        std::vector<Type> types;
        for (const Vector& column : like) types.push_back(column.type());
        return types;
      }()),
      budget_(memory) {}

RowLists::~RowLists() {
  if (budget_ != nullptr) budget_->Release(charged_bytes_);
}

RowLists& RowLists::Of(const KernelContext& context, std::span<const Vector> like) {
  if (!context.state->has_value()) *context.state = std::make_shared<RowLists>(like, context.memory);
  return **std::any_cast<std::shared_ptr<RowLists>>(context.state);
}

Status RowLists::Add(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
                     List* list) {
  return AddEach(context, arguments, rows, [list](std::size_t) { return list; });
}

Status RowLists::Merge(const KernelContext& context, List* from, List* into) {
  if (from->size_ == 0) return OkStatus();
  RowLists& lists = Of(context, from->owner_->chunks_.front().columns);
  if (from->owner_ == &lists) {
    lists.Splice(from, into);
    return OkStatus();
  }
  return ForPieces(*from, [&](const Chunk& chunk, std::span<const std::uint32_t> rows) {
    return Add(context, chunk.columns, Selection::Of(rows), into);
  });
}

Status RowLists::Keep(std::span<const Vector> arguments, const Selection& rows, std::uint32_t* first) {
  if (row_count_ + rows.size() > UINT32_MAX) {
    return ResourceExhausted("an aggregate that collects values keeps more than {} of them", UINT32_MAX);
  }
  *first = static_cast<std::uint32_t>(row_count_);
  std::vector<std::uint32_t> piece;
  for (std::size_t done = 0; done < rows.size();) {
    if (row_count_ % kChunkRows == 0) {
      if (!chunks_.empty()) full_chunk_bytes_ += BytesOf(chunks_.back().columns) + kChunkRows * sizeof(std::uint32_t);
      chunks_.emplace_back();
      for (const Type& type : types_) chunks_.back().columns.push_back(Vector::Flat(type, 0));
    }
    Chunk& chunk = chunks_.back();
    const std::size_t count = std::min(rows.size() - done, kChunkRows - chunk.next.size());
    Selection part = rows;
    if (count < rows.size()) {
      piece.clear();
      for (std::size_t i = 0; i < count; ++i) piece.push_back(rows[done + i]);
      part = Selection::Of(piece);
    }
    for (std::size_t c = 0; c < types_.size(); ++c) chunk.columns[c].Append(arguments[c], part);
    chunk.next.resize(chunk.next.size() + count);
    row_count_ += count;
    done += count;
  }
  return Charge();
}

Status RowLists::Charge() {
  if (budget_ == nullptr) return OkStatus();
  const Chunk& last = chunks_.back();
  const std::size_t bytes =
      full_chunk_bytes_ + BytesOf(last.columns) + last.next.capacity() * sizeof(std::uint32_t);
  if (bytes <= charged_bytes_) return OkStatus();
  const std::size_t wanted = bytes + std::min(bytes / 4, kChargeAheadMax);
  TL_TRY(budget_->Reserve(wanted - charged_bytes_));
  charged_bytes_ = wanted;
  return OkStatus();
}

void RowLists::Link(std::uint32_t number, List* list) {
  if (list->size_ == 0) {
    list->owner_ = this;
    list->first_ = number;
    ++open_lists_;
  } else {
    chunks_[list->last_ / kChunkRows].next[list->last_ % kChunkRows] = number;
  }
  list->last_ = number;
  ++list->size_;
}

void RowLists::Splice(List* from, List* into) {
  if (into->size_ == 0) {
    into->owner_ = this;
    into->first_ = from->first_;
    ++open_lists_;
  } else {
    chunks_[into->last_ / kChunkRows].next[into->last_ % kChunkRows] = from->first_;
  }
  into->last_ = from->last_;
  into->size_ += from->size_;
  from->size_ = 0;
  from->owner_ = nullptr;
  Close();
}

void RowLists::Close() {
  if (--open_lists_ > 0) return;
  chunks_.clear();
  row_count_ = full_chunk_bytes_ = 0;
  if (budget_ != nullptr) budget_->Release(charged_bytes_);
  charged_bytes_ = 0;
}

template <typename F>
Status RowLists::ForPieces(const List& list, F&& f) {
  std::array<std::uint32_t, kPieceRows> piece;
  std::uint32_t number = list.first_;
  for (std::size_t left = list.size_; left > 0;) {
    const Chunk& chunk = list.owner_->chunks_[number / kChunkRows];
    const std::uint32_t chunk_number = number / kChunkRows;
    std::size_t count = 0;
    while (left > 0 && count < piece.size() && number / kChunkRows == chunk_number) {
      piece[count++] = number % kChunkRows;
      number = chunk.next[number % kChunkRows];
      --left;
    }
    TL_TRY(f(chunk, std::span<const std::uint32_t>(piece.data(), count)));
  }
  return OkStatus();
}

std::vector<std::uint32_t> RowLists::Numbers(const List& list) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(list.size_);
  std::uint32_t number = list.first_;
  for (std::size_t i = 0; i < list.size_; ++i) {
    numbers.push_back(number);
    number = list.owner_->chunks_[number / kChunkRows].next[number % kChunkRows];
  }
  return numbers;
}

void RowLists::Append(const List& list, std::size_t column, Vector* result) {
  const Status done = ForPieces(list, [&](const Chunk& chunk, std::span<const std::uint32_t> rows) {
    result->Append(chunk.columns[column], Selection::Of(rows));
    return OkStatus();
  });
  TL_CHECK(done.ok());
}

void RowLists::AppendRows(const List& list, std::span<const std::uint32_t> numbers, std::size_t column,
                          Vector* result) {
  std::array<std::uint32_t, kPieceRows> piece;
  for (std::size_t i = 0; i < numbers.size();) {
    const std::uint32_t chunk = numbers[i] / kChunkRows;
    std::size_t count = 0;
    for (; i < numbers.size() && count < piece.size() && numbers[i] / kChunkRows == chunk; ++i) {
      piece[count++] = numbers[i] % kChunkRows;
    }
    result->Append(list.owner_->chunks_[chunk].columns[column], Selection::Of(std::span(piece.data(), count)));
  }
}

}  // namespace tideline::functions
