#include "storage/hot/deletion_vector.h"

#include <algorithm>

namespace tideline::hot {

DeletionVector::DeletionVector(Bitmap frozen)
    : frozen_(frozen.empty() ? nullptr : std::make_shared<const Bitmap>(std::move(frozen))) {}

void DeletionVector::Mark(std::uint32_t row, std::uint64_t number) {
  MutexLock lock(mutex_);
  marks_.try_emplace(row, number);
  newest_mark_ = std::max(newest_mark_, number);
  all_ = nullptr;
}

void DeletionVector::MarkAll(Bitmap rows, std::uint64_t number) {
  MutexLock lock(mutex_);
  batches_.emplace_back(number, std::move(rows));
  newest_mark_ = std::max(newest_mark_, number);
  all_ = nullptr;
}

bool DeletionVector::IsMarked(std::uint32_t row) const {
  MutexLock lock(mutex_);
  return marks_.contains(row) || (frozen_ != nullptr && frozen_->Contains(row)) ||
         std::any_of(batches_.begin(), batches_.end(),
                     [row](const auto& batch) { return batch.second.Contains(row); });
}

std::shared_ptr<const Bitmap> DeletionVector::At(std::uint64_t number) const {
  MutexLock lock(mutex_);
  if (marks_.empty() && batches_.empty()) return frozen_;
  const bool sees_all = number >= newest_mark_;
  if (sees_all && all_ != nullptr) return all_;
  auto dead = frozen_ == nullptr ? std::make_shared<Bitmap>() : std::make_shared<Bitmap>(*frozen_);
  for (const auto& [row, from] : marks_) {
    if (from <= number) dead->Add(row);
  }
  for (const auto& [from, rows] : batches_) {
    if (from <= number) dead->UnionWith(rows);
  }
  if (sees_all) all_ = dead;
  if (dead->empty()) return nullptr;
  return dead;
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> DeletionVector::MarksAfter(
    std::uint64_t number) const {
  MutexLock lock(mutex_);
  std::vector<std::pair<std::uint32_t, std::uint64_t>> marks;
  for (const auto& mark : marks_) {
    if (mark.second > number) marks.emplace_back(mark.first, mark.second);
  }
  for (const auto& [from, rows] : batches_) {
    if (from <= number) continue;
    for (const std::uint32_t row : rows.Values()) {
      if (!marks_.contains(row) && (frozen_ == nullptr || !frozen_->Contains(row))) {
        marks.emplace_back(row, from);
      }
    }
  }
  return marks;
}

void DeletionVector::Freeze(std::uint64_t oldest_snapshot) {
  MutexLock lock(mutex_);
  const bool batch_is_old = !batches_.empty() && batches_.front().first <= oldest_snapshot;
  if (marks_.size() <= kMarksBeforeFreeze && !batch_is_old) return;
  auto frozen = frozen_ == nullptr ? std::make_shared<Bitmap>() : std::make_shared<Bitmap>(*frozen_);
  absl::erase_if(marks_, [&](const auto& mark) {
    if (mark.second > oldest_snapshot) return false;
    frozen->Add(mark.first);
    return true;
  });
  std::erase_if(batches_, [&](const auto& batch) {
    if (batch.first > oldest_snapshot) return false;
    frozen->UnionWith(batch.second);
    return true;
  });
  frozen_ = std::move(frozen);
}

std::size_t DeletionVector::memory_bytes() const {
  MutexLock lock(mutex_);
  std::size_t bytes = marks_.capacity() * sizeof(std::pair<std::uint32_t, std::uint64_t>);
  for (const auto& [from, rows] : batches_) bytes += rows.memory_bytes();
  for (const auto& bitmap : {frozen_, all_}) {
    if (bitmap != nullptr) bytes += bitmap->memory_bytes();
  }
  return bytes;
}

std::uint64_t DeletionVector::newest_mark() const {
  MutexLock lock(mutex_);
  return newest_mark_;
}

bool DeletionVector::empty() const {
  MutexLock lock(mutex_);
  return marks_.empty() && batches_.empty() && frozen_ == nullptr;
}

}  // namespace tideline::hot
