#include "storage/hot/buffer.h"

namespace tideline::hot {

Buffer::~Buffer() {
  for (std::uint32_t i = 0; i < sheet_count(); ++i) delete sheets_[i];
}

Sheet* Buffer::SheetFor(std::uint32_t measure) {
  if (measure >= by_measure_.size()) by_measure_.resize(measure + 1, nullptr);
  Sheet*& sheet = by_measure_[measure];
  if (sheet == nullptr) {
    sheet = new Sheet(measure);
    const std::uint32_t count = sheet_count_.load(std::memory_order_relaxed);
    sheets_.At(count) = sheet;
    sheet_count_.store(count + 1, std::memory_order_release);
  }
  return sheet;
}

void Buffer::BuildKeys() {
  has_keys_ = true;
  keys_.reserve(staged_rows_ * 2);
  for (std::uint32_t i = 0; i < sheet_count(); ++i) {
    Sheet* sheet = sheets_[i];
    // A row that replaces another comes later, so the last one stands.
    for (std::uint32_t row = 0; row < sheet->staged_rows(); ++row) {
      keys_[Key{sheet->Series(row), sheet->Time(row)}] = BufferRow{sheet, row};
    }
  }
}

std::optional<BufferRow> Buffer::Find(std::uint32_t series, std::int64_t time_ns) {
  if (!has_keys_) BuildKeys();
  const auto at = keys_.find(Key{series, time_ns});
  if (at == keys_.end() || at->second.sheet->IsDead(at->second.row)) return std::nullopt;
  return at->second;
}

std::uint64_t Buffer::PublishedRows() const {
  std::uint64_t rows = 0;
  for (std::uint32_t i = 0; i < sheet_count(); ++i) rows += sheets_[i]->row_count();
  return rows;
}

std::size_t Buffer::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + sheets_.memory_bytes();
  for (std::uint32_t i = 0; i < sheet_count(); ++i) bytes += sheets_[i]->memory_bytes();
  return bytes;
}

}  // namespace tideline::hot
