#include "storage/codec/int64_codec.h"

#include <array>
#include <vector>

#include "base/check.h"

namespace tideline::codec {
namespace {

constexpr std::array<const Int64Codec*, 7> kInt64Codecs = {
    &kConstantInt64Codec,     &kRunLengthInt64Codec,  &kFrameInt64Codec, &kDeltaInt64Codec,
    &kDeltaOfDeltaInt64Codec, &kDictionaryInt64Codec, &kRawInt64Codec,
};

// The codecs that are compared on a sample, with the percentage of its size that each is taken for:
// a frame decodes faster than sums do, so the others must be smaller by a little more than a tie.
struct Candidate {
  const Int64Codec* codec;
  std::size_t handicap_percent;
};
constexpr std::array<Candidate, 3> kSampled = {{
    {&kFrameInt64Codec, 100},
    {&kDeltaInt64Codec, 103},
    {&kDeltaOfDeltaInt64Codec, 104},
}};
// Those that a sample says little about. Runs are filled, not computed, and may be somewhat larger.
constexpr std::array<Candidate, 2> kUnsampled = {{
    {&kRunLengthInt64Codec, 75},
    {&kDictionaryInt64Codec, 103},
}};

const Int64Codec& PickBySample(std::span<const std::int64_t> values) {
  std::vector<std::int64_t> storage;
  const std::span<const std::int64_t> sample = SampleOf(values, &storage);
  const Int64Codec* best = &kFrameInt64Codec;
  std::size_t best_bytes = SIZE_MAX;
  Bytes scratch;
  for (const Candidate& candidate : kSampled) {
    scratch.clear();
    if (!candidate.codec->encode(sample, &scratch)) continue;
    const std::size_t bytes = scratch.size() * candidate.handicap_percent / 100;
    if (bytes < best_bytes) {
      best_bytes = bytes;
      best = candidate.codec;
    }
  }
  return *best;
}

}  // namespace

std::span<const Int64Codec* const> Int64Codecs() { return kInt64Codecs; }

const Int64Codec* FindInt64Codec(std::uint8_t wire_id) {
  for (const Int64Codec* codec : kInt64Codecs) {
    if (codec->wire_id == wire_id) return codec;
  }
  return nullptr;
}

void EncodeInt64Sequence(std::span<const std::int64_t> values, Bytes* out) {
  TL_CHECK(values.size() <= kBlockRowsMax);
  const auto append = [out](const Int64Codec& codec, BytesView payload) {
    out->push_back(static_cast<std::byte>(codec.wire_id));
    out->insert(out->end(), payload.begin(), payload.end());
  };
  if (values.empty()) return append(kRawInt64Codec, {});
  Bytes best;
  if (kConstantInt64Codec.encode(values, &best)) return append(kConstantInt64Codec, best);
  const Int64Codec* codec = &PickBySample(values);
  TL_CHECK(codec->encode(values, &best));
  // These look at all values and refuse at once when they do not suit.
  Bytes other;
  for (const Candidate& candidate : kUnsampled) {
    other.clear();
    if (!candidate.codec->encode(values, &other)) continue;
    if (other.size() * candidate.handicap_percent / 100 < best.size()) {
      best.swap(other);
      codec = candidate.codec;
    }
  }
  if (best.size() >= values.size_bytes()) {
    best.clear();
    codec = &kRawInt64Codec;
    TL_CHECK(codec->encode(values, &best));
  }
  append(*codec, best);
}

void EncodeInt64SequenceQuickly(std::span<const std::int64_t> values, Bytes* out) {
  TL_CHECK(values.size() <= kBlockRowsMax);
  const std::size_t start = out->size();
  out->push_back(static_cast<std::byte>(kConstantInt64Codec.wire_id));
  if (!values.empty() && kConstantInt64Codec.encode(values, out)) return;
  (*out)[start] = static_cast<std::byte>(kRawInt64Codec.wire_id);
  if (!values.empty()) TL_CHECK(kRawInt64Codec.encode(values, out));
}

Status DecodeInt64Sequence(BytesView sequence, std::size_t value_count, std::size_t first,
                           std::span<std::int64_t> out) {
  TL_CHECK(first <= value_count && out.size() <= value_count - first);
  if (sequence.empty()) return DataLoss("integer sequence: empty");
  const auto wire_id = static_cast<std::uint8_t>(sequence[0]);
  const Int64Codec* codec = FindInt64Codec(wire_id);
  if (codec == nullptr) return DataLoss("integer sequence: unknown codec {}", wire_id);
  if (out.empty()) return OkStatus();
  return codec->decode(sequence.subspan(1), value_count, first, out);
}

}  // namespace tideline::codec
