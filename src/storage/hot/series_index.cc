#include "storage/hot/series_index.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"

namespace tideline::hot {
namespace {

// A part's share of the hash of a dimension set. Shares are added, so their order does not matter.
std::uint64_t PartHash(std::uint32_t slot, std::uint64_t value_hash) {
  return MixHash(value_hash + (std::uint64_t{slot} + 1) * 0x9e37'79b9'7f4a'7c15U);
}

}  // namespace

SeriesIndex::SeriesIndex() = default;

void SeriesIndex::AddSlot(std::uint32_t slot) {
  if (slot < slot_count()) return;
  TL_CHECK(slot == slot_count() && slot < catalog::kDimensionsMax);
  WriterLock lock(mutex_);
  owned_slots_.push_back(std::make_unique<Slot>());
  owned_slots_.back()->postings.resize(1);
  slots_[slot].store(owned_slots_.back().get(), std::memory_order_release);
  slot_count_.store(slot + 1, std::memory_order_release);
}

void SeriesIndex::AddMeasure(std::uint32_t ordinal, std::string_view name) {
  if (ordinal + 1 < measures_.size()) return;
  WriterLock lock(mutex_);
  const std::uint32_t code = measures_.Add(name, Dictionary::HashOf(name));
  TL_CHECK(code == ordinal + 1);
  measure_postings_.resize(ordinal + 1);
}

std::uint64_t SeriesIndex::DimensionsHash(std::span<const KeyPart> parts) {
  std::uint64_t sum = 0;
  for (const KeyPart& part : parts) sum += PartHash(part.slot, part.hash);
  return sum;
}

std::uint64_t SeriesIndex::KeyHash(std::uint32_t measure, std::uint64_t dimensions_hash) {
  return MixHash(dimensions_hash + (std::uint64_t{measure} << 32) + 1);
}

bool SeriesIndex::Matches(std::uint32_t series, std::uint32_t measure,
                          std::span<const KeyPart> parts) const {
  const Entry& entry = entries_[series];
  if (entry.measure != measure) return false;
  const Shape& shape = *shapes_[entry.shape];
  if (shape.slots.size() != parts.size()) return false;
  for (const KeyPart& part : parts) {
    const Slot& slot = *slots_[part.slot].load(std::memory_order_relaxed);
    const std::uint32_t code = CodeAt(entry, shape, part.slot);
    if (code == kNullCode || slot.values.Value(code) != part.value) return false;
  }
  return true;
}

std::optional<SeriesId> SeriesIndex::Find(std::uint64_t key_hash, std::uint32_t measure,
                                          std::span<const KeyPart> parts) const {
  const std::uint32_t found = keys_.Find(key_hash, [&](std::uint32_t series) {
    return entries_[series].key_hash == key_hash && Matches(series, measure, parts);
  });
  if (found == HashIndex::kNone) return std::nullopt;
  return SeriesId{found};
}

std::optional<SeriesId> SeriesIndex::FindFollower(SeriesId before, std::uint32_t measure,
                                                  std::span<const KeyPart> parts) const {
  const std::uint32_t follower = followers_.GetOr(before.value, 0);
  if (follower == 0 || !Matches(follower - 1, measure, parts)) return std::nullopt;
  return SeriesId{follower - 1};
}

SeriesId SeriesIndex::Add(std::uint64_t key_hash, std::uint32_t measure,
                          std::span<const KeyPart> parts) {
  scratch_.clear();
  WriterLock lock(mutex_);
  for (const KeyPart& part : parts) {
    Slot& slot = WritableSlot(part.slot);
    std::uint32_t code = slot.values.Find(part.value, part.hash);
    if (code == kNullCode) {
      code = slot.values.Add(part.value, part.hash);
      slot.postings.resize(code + 1);
    }
    scratch_.emplace_back(part.slot, code);
  }
  std::sort(scratch_.begin(), scratch_.end());
  return Publish(key_hash, measure, scratch_);
}

SeriesId SeriesIndex::BulkLoad::AddCoded(
    std::uint32_t measure, std::span<const std::pair<std::uint32_t, std::uint32_t>> codes) {
  std::uint64_t sum = 0;
  for (const auto& [slot, code] : codes) {
    sum += PartHash(slot, index_.WritableSlot(slot).values.Hash(code));
  }
  return index_.Publish(KeyHash(measure, sum), measure, codes);
}

std::uint32_t SeriesIndex::BulkLoad::AddValue(std::uint32_t slot_number, std::string_view value) {
  Slot& slot = index_.WritableSlot(slot_number);
  const std::uint32_t code = slot.values.Add(value, Dictionary::HashOf(value));
  slot.postings.resize(code + 1);
  return code;
}

SeriesId SeriesIndex::Publish(std::uint64_t key_hash, std::uint32_t measure,
                              std::span<const std::pair<std::uint32_t, std::uint32_t>> codes) {
  const std::uint32_t series = series_count_.load(std::memory_order_relaxed);
  entries_.At(series) = {.key_hash = key_hash,
                         .high_water = INT64_MIN,
                         .codes_at = code_count_,
                         .measure = measure,
                         .shape = ShapeOf(codes)};
  for (const auto& [slot_number, code] : codes) {
    codes_.At(code_count_++) = code;
    WritableSlot(slot_number).postings[code].Add(series);
  }
  measure_postings_[measure].Add(series);
  keys_.Insert(key_hash, series);
  series_count_.store(series + 1, std::memory_order_release);
  return SeriesId{series};
}

std::uint32_t SeriesIndex::ShapeOf(std::span<const std::pair<std::uint32_t, std::uint32_t>> codes) {
  const auto is_same = [&](const Shape& shape) {
    return std::equal(shape.slots.begin(), shape.slots.end(), codes.begin(), codes.end(),
                      [](std::uint32_t slot, const auto& code) { return slot == code.first; });
  };
  // Nearly always that of the series before.
  if (last_shape_ < owned_shapes_.size() && is_same(*owned_shapes_[last_shape_])) return last_shape_;
  std::vector<std::uint32_t> slots;
  slots.reserve(codes.size());
  for (const auto& [slot, code] : codes) slots.push_back(slot);
  const auto number = static_cast<std::uint32_t>(owned_shapes_.size());
  const auto [at, is_new] = shapes_by_slots_.try_emplace(std::move(slots), number);
  last_shape_ = at->second;
  if (!is_new) return last_shape_;
  auto shape = std::make_unique<Shape>();
  shape->slots = at->first;
  shape->position.fill(Shape::kAbsent);
  for (std::size_t i = 0; i < shape->slots.size(); ++i) {
    shape->position[shape->slots[i]] = static_cast<std::uint8_t>(i);
  }
  shapes_.At(number) = shape.get();
  owned_shapes_.push_back(std::move(shape));
  return number;
}

std::vector<std::uint32_t> SeriesIndex::CodesOf(std::uint32_t slot,
                                                std::span<const std::string> wanted) const {
  ReaderLock lock(mutex_);
  const Dictionary& dictionary = slot == SlotFilter::kMeasureSlot ? measures_ : values(slot);
  std::vector<std::uint32_t> codes;
  codes.reserve(wanted.size());
  for (const std::string& value : wanted) {
    const std::uint32_t code = dictionary.Find(value, Dictionary::HashOf(value));
    if (code != kNullCode) codes.push_back(code);
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

Bitmap SeriesIndex::Select(std::span<const SlotFilter> filters, std::uint32_t series_count) const {
  ReaderLock lock(mutex_);
  Bitmap selected;
  selected.AddRange(0, series_count);
  for (const SlotFilter& filter : filters) {
    Bitmap matching;
    const bool is_measure = filter.slot == SlotFilter::kMeasureSlot;
    const std::vector<Posting>& postings =
        is_measure ? measure_postings_ : slots_[filter.slot].load()->postings;
    bool matches_null = false;
    for (const std::uint32_t code : filter.codes) {
      if (code == kNullCode) {
        matches_null = true;
        continue;
      }
      const std::size_t at = is_measure ? code - 1 : code;
      if (at < postings.size()) postings[at].UnionInto(&matching);
    }
    if (matches_null && !is_measure) {
      Bitmap with_value;
      for (const Posting& posting : postings) posting.UnionInto(&with_value);
      Bitmap without;
      without.AddRange(0, series_count);
      without.Subtract(with_value);
      matching.UnionWith(without);
    }
    selected.IntersectWith(matching);
  }
  return selected;
}

std::size_t SeriesIndex::memory_bytes() const {
  ReaderLock lock(mutex_);
  constexpr std::size_t kShapeBytes = sizeof(Shape) + 128;  // its slots and its place in the map
  std::size_t bytes = measures_.memory_bytes() + keys_.memory_bytes() + entries_.memory_bytes() +
                      codes_.memory_bytes() + followers_.memory_bytes() + shapes_.memory_bytes() +
                      owned_shapes_.size() * kShapeBytes;
  for (const auto& slot : owned_slots_) {
    bytes += sizeof(Slot) + slot->values.memory_bytes() + slot->postings.capacity() * sizeof(Posting);
    for (const Posting& posting : slot->postings) bytes += posting.memory_bytes();
  }
  return bytes;
}

}  // namespace tideline::hot
