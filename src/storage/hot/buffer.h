// storage/hot/buffer.h: the newest rows of a table: one sheet per measure name.
//
// One writer (the table's lock). Readers iterate sheets and read published rows without a lock. A
// buffer that is full or closed takes no more rows, but rows in it may still die.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "storage/hot/sheet.h"

namespace tideline::hot {

/// One row of a buffer.
struct BufferRow {
  Sheet* sheet = nullptr;
  std::uint32_t row = 0;
};

class Buffer {
 public:
  /// Most sheets: one per measure name.
  static constexpr std::uint32_t kSheetsMax = 8'192;

  Buffer() = default;
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // ---- writer ---------------------------------------------------------------------------------
  /// The sheet of a measure, made at its first use.
  Sheet* SheetFor(std::uint32_t measure);
  /// Counts a staged row; remembers its key when keys are kept.
  void NoteRow(Sheet* sheet, std::uint32_t row, std::uint32_t series, std::int64_t time_ns) {
    ++staged_rows_;
    if (has_keys_) keys_[Key{series, time_ns}] = BufferRow{sheet, row};
  }
  /// The live row with this key. The first call builds the key table, which costs a walk of all rows:
  /// in-order ingest never comes here.
  std::optional<BufferRow> Find(std::uint32_t series, std::int64_t time_ns);
  /// For marking rows dead.
  Sheet& writable_sheet(std::uint32_t position) { return *sheets_.At(position); }
  std::uint32_t staged_rows() const { return staged_rows_; }
  /// What the owner counts for this buffer against its budget.
  void AddChargedBytes(std::size_t bytes) {
    charged_bytes_.store(charged_bytes() + bytes, std::memory_order_relaxed);
  }
  std::size_t charged_bytes() const { return charged_bytes_.load(std::memory_order_relaxed); }
  /// Notes the number of a batch with rows or marks in this buffer.
  void NoteNumber(std::uint64_t number) { last_number_.store(number, std::memory_order_release); }

  // ---- readers --------------------------------------------------------------------------------
  std::uint32_t sheet_count() const { return sheet_count_.load(std::memory_order_acquire); }
  const Sheet& sheet(std::uint32_t position) const { return *sheets_[position]; }
  /// Number of the last batch with rows here.
  std::uint64_t last_number() const { return last_number_.load(std::memory_order_acquire); }
  std::uint64_t PublishedRows() const;
  std::size_t memory_bytes() const;

 private:
  struct Key {
    std::uint32_t series;
    std::int64_t time_ns;
    bool operator==(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.series, key.time_ns);
    }
  };
  void BuildKeys();

  StableArray<Sheet*, 3, 12> sheets_;
  std::atomic<std::uint32_t> sheet_count_{0};
  std::atomic<std::uint64_t> last_number_{0};
  std::atomic<std::size_t> charged_bytes_{0};
  std::uint32_t staged_rows_ = 0;
  bool has_keys_ = false;
  std::vector<Sheet*> by_measure_;
  absl::flat_hash_map<Key, BufferRow> keys_;
};

}  // namespace tideline::hot
