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

bool DeletionVector::IsMarked(std::uint32_t row) const {
  MutexLock lock(mutex_);
  return marks_.contains(row) || (frozen_ != nullptr && frozen_->Contains(row));
}

std::shared_ptr<const Bitmap> DeletionVector::At(std::uint64_t number) const {
  MutexLock lock(mutex_);
  if (marks_.empty()) return frozen_;
  const bool sees_all = number >= newest_mark_;
  if (sees_all && all_ != nullptr) return all_;
  auto dead = frozen_ == nullptr ? std::make_shared<Bitmap>() : std::make_shared<Bitmap>(*frozen_);
  for (const auto& [row, from] : marks_) {
    if (from <= number) dead->Add(row);
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
  return marks;
}

void DeletionVector::Freeze(std::uint64_t oldest_snapshot) {
  MutexLock lock(mutex_);
  if (marks_.size() <= kMarksBeforeFreeze) return;
  auto frozen = frozen_ == nullptr ? std::make_shared<Bitmap>() : std::make_shared<Bitmap>(*frozen_);
  absl::erase_if(marks_, [&](const auto& mark) {
    if (mark.second > oldest_snapshot) return false;
    frozen->Add(mark.first);
    return true;
  });
  frozen_ = std::move(frozen);
}

bool DeletionVector::empty() const {
  MutexLock lock(mutex_);
  return marks_.empty() && frozen_ == nullptr;
}

}  // namespace tideline::hot
