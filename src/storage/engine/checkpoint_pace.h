// storage/engine/checkpoint_pace.h: tells checkpoints of a load, which follow each other closely, from those of every day.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace tideline::engine {

/// Checkpoints closer than this are those of a load.
inline constexpr std::int64_t kCheckpointNearNs = 2 * kNsPerSecond;

/// Times are those of one steady clock. One thread at a time.
class CheckpointPace {
 public:
  /// The start counts as a checkpoint after a pause.
  explicit CheckpointPace(std::int64_t start_ns) : last_ns_(start_ns) {}

  void Note(std::int64_t now_ns);
  /// Whether the last two checkpoints were near to each other and the last one is near to now: then another one will
  /// soon follow. The first checkpoints after a pause are no load yet.
  bool NextIsNear(std::int64_t now_ns) const {
    return now_ns - last_ns_ < kCheckpointNearNs && interval_ns_ < kCheckpointNearNs;
  }
  std::int64_t last_ns() const { return last_ns_; }

 private:
  std::int64_t last_ns_;
  std::int64_t interval_ns_ = INT64_MAX;  // between the last two
};

inline void CheckpointPace::Note(std::int64_t now_ns) {
  interval_ns_ = now_ns - last_ns_;
  last_ns_ = now_ns;
}

}  // namespace tideline::engine
