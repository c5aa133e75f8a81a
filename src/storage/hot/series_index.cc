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
  if (series_measures_[series] != measure || part_counts_[series] != parts.size()) return false;
  for (const KeyPart& part : parts) {
    const Slot& slot = *slots_[part.slot].load(std::memory_order_relaxed);
    const std::uint32_t code = slot.codes.GetOr(series, kNullCode);
    if (code == kNullCode || slot.values.Value(code) != part.value) return false;
  }
  return true;
}

std::optional<SeriesId> SeriesIndex::Find(std::uint64_t key_hash, std::uint32_t measure,
                                          std::span<const KeyPart> parts) const {
  const std::uint32_t found = keys_.Find(key_hash, [&](std::uint32_t series) {
    return key_hashes_[series] == key_hash && Matches(series, measure, parts);
  });
  if (found == HashIndex::kNone) return std::nullopt;
  return SeriesId{found};
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
  key_hashes_.At(series) = key_hash;
  series_measures_.At(series) = measure;
  part_counts_.At(series) = static_cast<std::uint8_t>(codes.size());
  high_water_.At(series) = INT64_MIN;
  for (const auto& [slot_number, code] : codes) {
    Slot& slot = WritableSlot(slot_number);
    slot.codes.At(series) = code;
    slot.postings[code].Add(series);
    ++slot.with_value;
  }
  measure_postings_[measure].Add(series);
  keys_.Insert(key_hash, series, [this](std::uint32_t number) { return key_hashes_[number]; });
  series_count_.store(series + 1, std::memory_order_release);
  return SeriesId{series};
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
  std::size_t bytes = measures_.memory_bytes() + keys_.memory_bytes() + key_hashes_.memory_bytes() +
                      series_measures_.memory_bytes() + part_counts_.memory_bytes() +
                      high_water_.memory_bytes();
  for (const auto& slot : owned_slots_) {
    bytes += sizeof(Slot) + slot->values.memory_bytes() + slot->codes.memory_bytes() +
             slot->postings.capacity() * sizeof(Posting);
    for (const Posting& posting : slot->postings) bytes += posting.memory_bytes();
  }
  return bytes;
}

}  // namespace tideline::hot
