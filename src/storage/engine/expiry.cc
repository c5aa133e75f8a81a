// Retention: what is past it, what is dropped and can be brought back for a day, and which clock decides.
#include <algorithm>

#include "base/log.h"
#include "storage/catalog/sealed_object.h"
#include "storage/engine/engine_impl.h"

namespace tideline::engine {
namespace {

/// A wall clock this far ahead of the steady clock's reckoning must not delete.
constexpr std::int64_t kClockJumpNsMax = kNsPerHour;
/// Likewise at a start: this far ahead of the newest manifest the clock is not believed for kStartDoubtNs.
constexpr std::int64_t kDownNsMax = 7 * kNsPerDay;
constexpr std::int64_t kStartDoubtNs = kNsPerDay;
/// Between two alarms.
constexpr std::int64_t kAlarmPeriodNs = kNsPerMinute;
/// Shares of the disk that are free.
constexpr std::uint64_t kLowSpacePercent = 10;
constexpr std::uint64_t kFullSpacePercent = 5;
/// A large disk is not short while this much is free.
constexpr std::uint64_t kLowSpaceBytes = std::uint64_t{16} << 30;
constexpr std::uint64_t kFullSpaceBytes = std::uint64_t{8} << 30;
/// Batches let through between two looks at a disk with little space.
constexpr std::int64_t kLowSpaceBatches = 200;

/// How long the newest manifest waits for another before it is made its own fallback, and between two tries.
constexpr std::int64_t kFallbackHeldNs = 10 * kNsPerSecond;

std::int64_t Saturated(std::int64_t time_ns, std::int64_t minus_ns) {
  std::int64_t edge = 0;
  return __builtin_sub_overflow(time_ns, minus_ns, &edge) ? INT64_MIN : edge;
}

}  // namespace

std::int64_t EngineImpl::RetentionEdge(const catalog::TableSchema& schema) const {
  return Saturated(options_.clock->WallNow().value, schema.properties.retention.total_ns());
}

std::int64_t EngineImpl::MemoryEdge(const catalog::TableSchema& schema) const {
  return Saturated(options_.clock->WallNow().value,
                   schema.properties.retention.memory_hours * kNsPerHour);
}

// The wall time by the steady clock since the start, from a wall time that was believed then.
std::int64_t EngineImpl::ReckonedNow() const {
  return believed_at_open_ns_ + (options_.clock->SteadyNow().value - steady_at_open_ns_);
}

bool EngineImpl::ClockInDoubt() const {
  const std::int64_t wall = options_.clock->WallNow().value;
  const std::int64_t steady = options_.clock->SteadyNow().value - steady_at_open_ns_;
  if (wall - (wall_at_open_ns_ + steady) > kClockJumpNsMax) return true;
  return wall - ReckonedNow() > kDownNsMax && steady < kStartDoubtNs;
}

std::int64_t EngineImpl::TrustedNow() const {
  return ClockInDoubt() ? ReckonedNow() : options_.clock->WallNow().value;
}

std::int64_t EngineImpl::ExpiryEdge(const catalog::TableSchema& schema) const {
  if (!ClockInDoubt()) return RetentionEdge(schema);
  const std::int64_t steady = options_.clock->SteadyNow().value;
  std::int64_t last = last_alarm_steady_ns_.load(std::memory_order_relaxed);
  if (steady - last >= kAlarmPeriodNs && last_alarm_steady_ns_.compare_exchange_strong(last, steady)) {
    TL_LOG_ERROR("the wall clock is {} s ahead of what was reckoned with: nothing expires and nothing moves. "
                 "Set the clock right; if it is right, restart and wait a day (docs/operations.md)",
                 (options_.clock->WallNow().value - ReckonedNow()) / kNsPerSecond);
  }
  return INT64_MIN;
}

// Rows before this are left out when files are written: those that nobody can bring back any more, or past retention at all
// when the disk is short.
std::int64_t EngineImpl::RewriteEdge(const catalog::TableSchema& schema) const {
  return Saturated(ExpiryEdge(schema), space_ == SpaceState::kEnough ? options_.undelete_ns : 0);
}

Status EngineImpl::Expire(const std::shared_ptr<Table>& table) {
  TL_TRY(broken_);
  const catalog::TableSchemaPtr schema = catalog_.FindTable(table->id());
  if (schema == nullptr || !manifest_.tables.contains(table->id())) return OkStatus();
  std::vector<std::shared_ptr<SegmentSource>> expired;
  const auto sources = table->sources();
  if (sources->segments.empty()) return OkStatus();
  const std::int64_t edge = ExpiryEdge(*schema);
  for (const auto& segment : sources->segments) {
    if (segment->time_ns_max() < edge && !merging_.contains(segment->entry().key)) {
      expired.push_back(segment);
    }
  }
  if (expired.empty()) return OkStatus();
  const std::vector<catalog::SegmentEntry> before = table->files().segments;
  NewFiles none;
  return ReplaceSegments(table, expired, {}, {}, UINT64_MAX, &none, [&](catalog::Manifest* next) {
    if (options_.undelete_ns == 0) return;
    for (const auto& segment : expired) {
      // The entry of the manifest knows the deletion vector.
      const auto entry = std::find_if(before.begin(), before.end(), [&](const auto& candidate) {
        return candidate.key == segment->entry().key;
      });
      if (entry == before.end()) continue;
      next->dropped.push_back({.table = table->id(),
                               .dropped_ns = TrustedNow(),
                               .reason = catalog::DropReason::kExpired,
                               .segment = *entry});
    }
  });
}

// Lets go what has been dropped for long enough; all of it when the disk is short.
Status EngineImpl::PurgeDropped() {
  TL_TRY(broken_);
  if (manifest_.dropped.empty() || ClockInDoubt()) return OkStatus();
  const std::int64_t now = TrustedNow();
  const bool short_of_space = space_ != SpaceState::kEnough;
  const auto is_over = [&](const catalog::DroppedSegment& dropped) {
    return short_of_space || now - dropped.dropped_ns >= options_.undelete_ns;
  };
  if (std::none_of(manifest_.dropped.begin(), manifest_.dropped.end(), is_over)) return OkStatus();
  return DropForGood(is_over);
}

Status EngineImpl::DropForGood(const std::function<bool(const catalog::DroppedSegment&)>& which) {
  catalog::Manifest next = manifest_;
  std::vector<Garbage> garbage;
  std::erase_if(next.dropped, [&](const catalog::DroppedSegment& dropped) {
    if (!which(dropped)) return false;
    garbage.push_back({dropped.segment.key, {}, NextManifest()});
    if (!dropped.segment.deletion_vector_key.empty()) {
      garbage.push_back({dropped.segment.deletion_vector_key, {}, NextManifest()});
    }
    return true;
  });
  NewFiles none;
  TL_TRY(StoreManifest(std::move(next), &none));
  garbage_.insert(garbage_.end(), garbage.begin(), garbage.end());
  return OkStatus();
}

// What the newest manifest lets go of stays for the one before, its fallback. Where nothing else makes a manifest for a
// while, one that says the same does: a store at rest holds what it names and no more.
Status EngineImpl::RenewFallback() {
  TL_TRY(broken_);
  const bool is_held = std::any_of(garbage_.begin(), garbage_.end(), [this](const Garbage& file) {
    return file.dropped_in >= manifest_.number;
  });
  if (!is_held || options_.clock->SteadyNow().value - manifest_tried_steady_ns_ < kFallbackHeldNs) return OkStatus();
  NewFiles none;
  return StoreManifest(manifest_, &none);
}

void EngineImpl::CollectGarbage() {
  std::erase_if(garbage_, [this](const Garbage& file) {
    if (file.dropped_in >= manifest_.number || !file.user.expired()) return false;
    // The keys of a table go with its last file: no copy of the data is readable from then on.
    const Status removed = file.key_of.has_value()
                               ? options_.sealer->DestroyKeys(KeyScopeOf(*file.key_of))
                               : StoreOfKey(file.key).Remove(file.key);
    if (!removed.ok()) {
      TL_LOG_WARNING("{} stays for now: {}", file.key.empty() ? "the key of a table" : file.key,
                     MessageOf(removed));
    }
    return removed.ok();
  });
}

void EngineImpl::WatchSpace() {
  const auto space = options_.file_system->Space(options_.data_dir);
  SpaceState state = SpaceState::kEnough;
  if (space.ok() && space->total_bytes != 0) {
    const std::uint64_t percent = space->total_bytes / 100;
    if (space->free_bytes < std::min(percent * kLowSpacePercent, kLowSpaceBytes)) {
      state = SpaceState::kLow;
    }
    if (space->free_bytes < std::min(percent * kFullSpacePercent, kFullSpaceBytes)) {
      state = SpaceState::kFull;
    }
  }
  low_space_batches_.store(kLowSpaceBatches, std::memory_order_relaxed);
  const SpaceState before = space_.exchange(state);
  if (state == before && (reserve_known_ || state != SpaceState::kEnough)) return;
  reserve_known_ = true;
  if (state == before) {
    // The first look.
  } else if (state == SpaceState::kEnough) {
    TL_LOG_INFO("there is space on the disk again");
  } else {
    TL_LOG_ERROR("{} bytes are free in {}: {}", space->free_bytes, options_.data_dir,
                 state == SpaceState::kFull ? "writes are refused" : "writes are slowed down");
  }
  const Status reserve = KeepReserve(state);
  if (!reserve.ok()) TL_LOG_WARNING("reserve: {}", MessageOf(reserve));
}

// The reserve is taken while there is plenty and given back when the disk is nearly full.
Status EngineImpl::KeepReserve(SpaceState state) {
  if (options_.reserve_bytes == 0) return OkStatus();
  fs::FileSystem& fs = *options_.file_system;
  const std::string path = options_.data_dir + std::string(kReserveName);
  const bool there = fs.Stat(path).ok();
  if (state == SpaceState::kFull) return there ? fs.Remove(path) : OkStatus();
  if (there || state != SpaceState::kEnough) return OkStatus();
  auto file = TL_TRY(fs.Open(path, fs::OpenMode::kCreateNew));
  const Status allocated = file->Allocate(options_.reserve_bytes);
  if (allocated.ok()) return file->Close();
  // Better none than a part: it is tried again when the disk has space again.
  TL_TRY(fs.Remove(path));
  return allocated;
}

}  // namespace tideline::engine
