#include "exec/operators/operator_stats.h"

#include <algorithm>

namespace tideline::exec {

void OperatorStats::Adapt(std::string what, std::string why) {
  const MutexLock lock(mutex_);
  const bool known = std::any_of(adaptations_.begin(), adaptations_.end(),
                                 [&](const Adaptation& a) { return a.what == what; });
  if (!known) adaptations_.push_back({std::move(what), std::move(why)});
}

void OperatorStats::SetNote(std::string note) {
  const MutexLock lock(mutex_);
  note_ = std::move(note);
}

std::string OperatorStats::note() const {
  const MutexLock lock(mutex_);
  return note_;
}

std::vector<Adaptation> OperatorStats::adaptations() const {
  const MutexLock lock(mutex_);
  return adaptations_;
}

}  // namespace tideline::exec
