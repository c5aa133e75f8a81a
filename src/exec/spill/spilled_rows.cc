#include "exec/spill/spilled_rows.h"

#include <algorithm>

#include "exec/spill/batch_codec.h"
#include "exec/values/gather.h"

namespace tideline::exec {

// ---- SpilledRows ----------------------------------------------------------------------------------

void SpilledRows::Adopt(SpilledRows other) {
  frames.insert(frames.end(), std::make_move_iterator(other.frames.begin()),
                std::make_move_iterator(other.frames.end()));
  rows += other.rows;
  bytes += other.bytes;
}

// ---- RowWriter ------------------------------------------------------------------------------------

Status RowWriter::Write(const Batch& batch, SpilledRows* to) {
  TL_TRY(CheckFrame(batch));
  if (file_ == nullptr) file_ = TL_TRY(own_->spill->NewFile());
  scratch_.clear();
  EncodeBatch(batch, types_, &scratch_);
  const std::uint32_t index = TL_TRY(file_->Append(scratch_));
  own_->stats.spilled_bytes.fetch_add(scratch_.size(), std::memory_order_relaxed);
  own_->stats.spilled_rows.fetch_add(batch.row_count, std::memory_order_relaxed);
  to->frames.push_back({file_, index});
  to->rows += batch.row_count;
  for (const Vector& column : batch.columns) to->bytes += KeptBytes(column);
  return OkStatus();
}

// ---- RowBuffer ------------------------------------------------------------------------------------

std::size_t RowBuffer::Append(const Batch& batch, std::span<const std::uint32_t> list) {
  std::size_t count = std::min(list.size(), kBatchRowsMax - batch_.row_count);
  count = RowsWithin(batch, list.first(count), bytes_max_ - std::min(bytes_, bytes_max_));
  if (batch_.columns.empty()) {
    for (const Type& type : *types_) batch_.columns.push_back(Vector::Flat(type, 0));
  }
  const Selection rows = Selection::Of(list.first(count));
  bytes_ = 0;
  for (std::size_t c = 0; c < types_->size(); ++c) {
    Vector& into = batch_.columns[c];
    const Vector& column = batch.columns[c];
    if (column.type().physical() == (*types_)[c].physical()) {
      into.Append(column, rows);
    } else {  // of unknown type, so null in every row
      into.Append(Vector::ConstantNull((*types_)[c], batch.row_count), rows);
    }
    bytes_ += into.memory_bytes();
  }
  batch_.row_count += count;
  return count;
}

void RowBuffer::Clear() {
  batch_ = Batch();
  bytes_ = 0;
}

// ---- PartitionWriter ------------------------------------------------------------------------------

PartitionWriter::PartitionWriter(std::vector<Type> types, OperatorContext* own, std::size_t level)
    : types_(std::move(types)),
      level_(level),
      writer_(types_, own),
      buffers_(kPartitions, RowBuffer(&types_, own->SpillFrameBytes())),
      parts_(kPartitions),
      memory_(&own->memory) {}

Status PartitionWriter::Add(const Batch& batch, const Selection& rows,
                            std::span<const std::uint64_t> hashes) {
  for (auto& list : lists_) list.clear();
  std::size_t i = 0;
  rows.ForEach([&](std::uint32_t row) { lists_[PartitionOf(hashes[i++], level_)].push_back(row); });
  row_count_ += rows.size();
  for (std::size_t p = 0; p < kPartitions; ++p) {
    std::span<const std::uint32_t> left(lists_[p]);
    while (!left.empty()) {
      left = left.subspan(buffers_[p].Append(batch, left));
      if (buffers_[p].full()) TL_TRY(Flush(p));
    }
  }
  return Charge();
}

Status PartitionWriter::Charge() {
  std::size_t bytes = 0;
  for (const RowBuffer& buffer : buffers_) bytes += buffer.bytes();
  if (memory_.Resize(bytes).ok()) return OkStatus();
  for (std::size_t p = 0; p < kPartitions; ++p) TL_TRY(Flush(p));
  return memory_.Resize(0);
}

Status PartitionWriter::Flush(std::size_t partition) {
  RowBuffer& buffer = buffers_[partition];
  if (buffer.row_count() == 0) return OkStatus();
  TL_TRY(writer_.Write(buffer.batch(), &parts_[partition]));
  buffer.Clear();
  return OkStatus();
}

Result<std::vector<SpilledRows>> PartitionWriter::Finish() {
  for (std::size_t p = 0; p < kPartitions; ++p) TL_TRY(Flush(p));
  memory_.Clear();
  return std::move(parts_);
}

// ---- SpilledRowsReader ----------------------------------------------------------------------------

Result<bool> SpilledRowsReader::Next(Batch* batch) {
  if (next_ == rows_->frames.size()) return false;
  const SpilledRows::Frame& frame = rows_->frames[next_++];
  std::shared_ptr<const Bytes> bytes = TL_TRY(frame.file->Read(frame.index));
  *batch = TL_TRY(DecodeBatch(std::move(bytes), *types_));
  return true;
}

}  // namespace tideline::exec
