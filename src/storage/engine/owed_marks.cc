#include "storage/engine/owed_marks.h"

#include <algorithm>
#include <tuple>

#include "storage/engine/delete_rows.h"
#include "storage/engine/segment_source.h"

namespace tideline::engine {
namespace {

/// Series and time of one key take no less.
constexpr std::size_t kKeyBytesMin = 1 + sizeof(std::int64_t);

bool IsBefore(const OwedKey& a, const OwedKey& b) {
  return std::tie(a.series, a.time_ns) < std::tie(b.series, b.time_ns);
}

}  // namespace

Status PayOwedMarks(const OwedMarks& owed, const std::shared_ptr<segment::SegmentReader>& reader,
                    hot::DeletionVector* deletions) {
  // In the order of keys the probe decodes each stripe once.
  std::vector<OwedKey> keys = owed.keys;
  std::sort(keys.begin(), keys.end(), IsBefore);
  KeyProbe probe;
  for (const OwedKey& key : keys) {
    const auto row = TL_TRY(probe.Find(reader, key.series, key.time_ns));
    if (!row.has_value() || deletions->IsMarked(static_cast<std::uint32_t>(*row))) continue;
    deletions->Mark(static_cast<std::uint32_t>(*row), key.number);
  }
  for (const OwedDelete& each : owed.deletes) {
    Bitmap rows = TL_TRY(FindRowsOfDelete(*reader, *each.outcome));
    const auto dead = deletions->At(UINT64_MAX);
    if (dead != nullptr) rows.Subtract(*dead);
    if (!rows.empty()) deletions->MarkAll(std::move(rows), each.number);
  }
  return OkStatus();
}

void EncodeOwingVector(const Bitmap& dead, const OwedMarks& owed, Bytes* bytes) {
  ByteWriter out(bytes);
  std::vector<OwedKey> keys = owed.keys;
  std::sort(keys.begin(), keys.end(), IsBefore);
  out.Varint(keys.size());
  for (const OwedKey& key : keys) {
    out.Varint(key.series);
    out.I64(key.time_ns);
  }
  out.Varint(owed.deletes.size());
  for (const OwedDelete& each : owed.deletes) {
    Bytes outcome;
    EncodeDelete(*each.outcome, &outcome);
    out.LengthPrefixed(AsText(outcome));
  }
  dead.EncodeTo(bytes);
}

Result<DeadRows> DecodeDeadRows(BytesView plain, std::uint16_t format) {
  DeadRows rows;
  if (format < kOwingVectorFormat) {
    rows.dead = TL_TRY(Bitmap::Decode(plain));
    return rows;
  }
  ByteReader in(plain);
  const std::uint64_t key_count = TL_TRY(in.Varint());
  if (key_count > in.remaining() / kKeyBytesMin) {
    return DataLoss("deletion vector: {} keys in {} bytes", key_count, in.remaining());
  }
  rows.owed.keys.resize(key_count);
  for (OwedKey& key : rows.owed.keys) {
    const std::uint64_t series = TL_TRY(in.Varint());
    if (series > UINT32_MAX) return DataLoss("deletion vector: {} is no series", series);
    key.series = static_cast<std::uint32_t>(series);
    key.time_ns = TL_TRY(in.I64());
  }
  const std::uint64_t delete_count = TL_TRY(in.Varint());
  if (delete_count > in.remaining()) {
    return DataLoss("deletion vector: {} deletes in {} bytes", delete_count, in.remaining());
  }
  for (std::uint64_t i = 0; i < delete_count; ++i) {
    const std::string_view outcome = TL_TRY(in.LengthPrefixed(in.remaining()));
    DeleteOutcome decoded = TL_TRY(DecodeDelete(AsBytes(outcome)));
    rows.owed.deletes.push_back({std::make_shared<const DeleteOutcome>(std::move(decoded)), 0});
  }
  const BytesView dead = TL_TRY(in.Take(in.remaining()));
  rows.dead = TL_TRY(Bitmap::Decode(dead));
  return rows;
}

}  // namespace tideline::engine
