#include "storage/codec/entropy_stage.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "compress/compress.h"
#include "storage/codec/binned_sequence.h"
#include "storage/codec/block.h"
#include "storage/codec/block_head.h"
#include "storage/codec/bool_codec.h"
#include "storage/codec/double_codec.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/slices.h"
#include "storage/codec/string_codec.h"
#include "storage/codec/text_cache.h"

namespace tideline::codec {
namespace {

// A stage must save an eightieth, or decoding it is not worth it.
constexpr std::size_t kGainShare = 80;
// zstd's last level before its compression time rises steeply; blocks are read more often than
// written.
constexpr compress::Setting kTextSetting{compress::Method::kZstd, 9};
// A reader makes room for text before it is decoded: for a mebibyte, or this much a stored byte.
constexpr std::size_t kTextRatioMax = 4096;
constexpr std::size_t kTextBytesFree = std::size_t{1} << 20;
constexpr std::uint8_t kHeadsVerbatim = 0;
constexpr std::uint8_t kHeadsUniform = 1;

std::size_t TextBytesMax(std::size_t stored_bytes) {
  return std::min(kBlockStringBytesMax + kBlockRowsMax,
                  kTextBytesFree + stored_bytes * kTextRatioMax);
}

bool Pays(std::size_t stored_bytes, std::size_t light_bytes) {
  return stored_bytes + light_bytes / kGainShare < light_bytes;
}

Result<BytesView> TakeBytes(ByteReader* reader) {
  const std::uint64_t bytes = TL_TRY(reader->Varint());
  if (bytes > reader->remaining()) {
    return DataLoss("entropy stage: {} bytes of {}", bytes, reader->remaining());
  }
  return reader->Take(static_cast<std::size_t>(bytes));
}

Result<BytesView> TakeRest(ByteReader* reader) { return reader->Take(reader->remaining()); }

void AppendSized(BytesView bytes, Bytes* out) {
  ByteWriter writer(out);
  writer.Varint(bytes.size());
  writer.Append(bytes);
}

// Each piece below has a Harden and a Lighten, one the other's reverse.

Status HardenSequence(BytesView light, std::size_t value_count, Bytes* out) {
  const std::size_t start = out->size();
  if (value_count > 0) {
    std::vector<std::int64_t> values(value_count);
    TL_TRY(DecodeInt64Sequence(light, value_count, 0, values));
    out->push_back(static_cast<std::byte>(kBinnedWireId));
    EncodeBinned(values, out);
    if (Pays(out->size() - start, light.size())) return OkStatus();
    out->resize(start);
  }
  ByteWriter(out).Append(light);
  return OkStatus();
}

Status LightenSequence(BytesView stored, std::size_t value_count, Bytes* out) {
  if (stored.empty()) return DataLoss("entropy stage: empty sequence");
  if (static_cast<std::uint8_t>(stored[0]) == kBinnedWireId && value_count > 0) {
    return LightenBinned(stored.subspan(1), value_count, out);
  }
  ByteWriter(out).Append(stored);
  return OkStatus();
}

// A sequence behind its length in bytes.
Status HardenSizedSequence(ByteReader* light, std::size_t value_count, Bytes* out) {
  const BytesView sequence = TL_TRY(TakeBytes(light));
  Bytes hard;
  TL_TRY(HardenSequence(sequence, value_count, &hard));
  AppendSized(hard, out);
  return OkStatus();
}

Status LightenSizedSequence(ByteReader* stored, std::size_t value_count, Bytes* out) {
  const BytesView sequence = TL_TRY(TakeBytes(stored));
  Bytes light;
  TL_TRY(LightenSequence(sequence, value_count, &light));
  AppendSized(light, out);
  return OkStatus();
}

// Bytes of light text (varint) | method (u8) | text, after its length (varint)
void HardenText(BytesView light, Bytes* out) {
  ByteWriter writer(out);
  writer.Varint(light.size());
  Bytes packed(light.size());
  const std::size_t bytes = compress::CompressInto(kTextSetting, light, packed);
  const bool pays =
      bytes > 0 && Pays(bytes, light.size()) && light.size() <= TextBytesMax(bytes);
  writer.U8(static_cast<std::uint8_t>(pays ? kTextSetting.method : compress::Method::kNone));
  AppendSized(pays ? BytesView(packed).first(bytes) : light, out);
}

Result<Bytes> LightenText(ByteReader* stored) {
  const std::uint64_t light_bytes = TL_TRY(stored->Varint());
  const std::uint8_t wire_id = TL_TRY(stored->U8());
  const compress::Method method = TL_TRY(compress::MethodFromWire(wire_id));
  const BytesView packed = TL_TRY(TakeBytes(stored));
  const std::size_t bytes_max = TextBytesMax(packed.size());
  if (light_bytes > bytes_max) {
    return DataLoss("entropy stage: {} bytes of text from {}", light_bytes, packed.size());
  }
  return compress::Decompress(method, packed, static_cast<std::size_t>(light_bytes), bytes_max);
}

// Slice heads: form (u8) | all of them, or the one that every slice has, after its length (varint)
Status HardenHeads(ByteReader* light, std::size_t value_count, Bytes* out) {
  const BytesView heads = TL_TRY(TakeBytes(light));
  const BytesView first = TL_TRY(SliceBytes(heads, value_count, 0));
  Bytes uniform;
  WriteSlices(value_count, &uniform,
              [first](std::size_t, Bytes* slice) { ByteWriter(slice).Append(first); });
  const bool is_uniform = std::equal(uniform.begin(), uniform.end(), heads.begin(), heads.end());
  ByteWriter(out).U8(is_uniform ? kHeadsUniform : kHeadsVerbatim);
  AppendSized(is_uniform ? first : heads, out);
  return OkStatus();
}

Status LightenHeads(ByteReader* stored, std::size_t value_count, Bytes* out) {
  const std::uint8_t form = TL_TRY(stored->U8());
  const BytesView heads = TL_TRY(TakeBytes(stored));
  if (form == kHeadsVerbatim) {
    AppendSized(heads, out);
    return OkStatus();
  }
  // A head holds at most a slice of exceptions.
  if (form != kHeadsUniform || heads.size() > kSliceValues * 16) {
    return DataLoss("entropy stage: slice heads of form {} and {} bytes", form, heads.size());
  }
  Bytes light;
  WriteSlices(value_count, &light,
              [heads](std::size_t, Bytes* slice) { ByteWriter(slice).Append(heads); });
  AppendSized(light, out);
  return OkStatus();
}

Status HardenDouble(std::uint8_t codec_id, ByteReader* light, std::size_t value_count, Bytes* out) {
  if (codec_id == kAlpDoubleCodec.wire_id) TL_TRY(HardenHeads(light, value_count, out));
  if (codec_id == kAlpRdDoubleCodec.wire_id) {
    TL_TRY(HardenSizedSequence(light, value_count, out));
    const BytesView rights = TL_TRY(TakeRest(light));
    ByteWriter(out).Append(rights);
    return OkStatus();
  }
  const BytesView sequence = TL_TRY(TakeRest(light));
  return HardenSequence(sequence, value_count, out);
}

Status LightenDouble(std::uint8_t codec_id, ByteReader* stored, std::size_t value_count,
                     Bytes* out) {
  if (codec_id == kAlpDoubleCodec.wire_id) TL_TRY(LightenHeads(stored, value_count, out));
  if (codec_id == kAlpRdDoubleCodec.wire_id) {
    TL_TRY(LightenSizedSequence(stored, value_count, out));
    const BytesView rights = TL_TRY(TakeRest(stored));
    ByteWriter(out).Append(rights);
    return OkStatus();
  }
  const BytesView sequence = TL_TRY(TakeRest(stored));
  return LightenSequence(sequence, value_count, out);
}

Status HardenBool(BytesView light, std::size_t value_count, Bytes* out) {
  if (light.size() != (value_count + 7) / 8) return DataLoss("entropy stage: no bitmap");
  std::vector<std::int64_t> bytes;
  for (const std::byte each : light) bytes.push_back(static_cast<std::int64_t>(each));
  EncodeBinned(bytes, out);
  return OkStatus();
}

Status LightenBool(BytesView stored, std::size_t value_count, Bytes* out) {
  std::vector<std::int64_t> bytes((value_count + 7) / 8);
  TL_TRY(DecodeBinned(stored, bytes));
  for (const std::int64_t each : bytes) out->push_back(static_cast<std::byte>(each));
  return OkStatus();
}

Result<std::size_t> TakeEntryCount(ByteReader* reader, std::size_t value_count, Bytes* out) {
  const std::uint64_t entry_count = TL_TRY(reader->Varint());
  if (entry_count == 0 || entry_count > value_count) {
    return DataLoss("entropy stage: {} entries for {} values", entry_count, value_count);
  }
  ByteWriter(out).Varint(entry_count);
  return static_cast<std::size_t>(entry_count);
}

// `plain` strings are lengths and text; those of a `dictionary` are that of its entries, and codes.
Status HardenString(std::uint8_t codec_id, ByteReader* light, std::size_t value_count, Bytes* out) {
  if (codec_id != kDictionaryStringCodec.wire_id) {
    TL_TRY(HardenSizedSequence(light, value_count, out));
    const BytesView text = TL_TRY(TakeRest(light));
    HardenText(text, out);
    return OkStatus();
  }
  const std::size_t entry_count = TL_TRY(TakeEntryCount(light, value_count, out));
  TL_TRY(HardenSizedSequence(light, entry_count, out));
  const BytesView text = TL_TRY(TakeBytes(light));
  HardenText(text, out);
  const BytesView codes = TL_TRY(TakeRest(light));
  return HardenSequence(codes, value_count, out);
}

Status LightenString(std::uint8_t codec_id, ByteReader* stored, std::size_t value_count,
                     Bytes* out) {
  if (codec_id != kPlainStringCodec.wire_id && codec_id != kDictionaryStringCodec.wire_id) {
    return DataLoss("entropy stage: none for string codec {}", codec_id);
  }
  if (codec_id != kDictionaryStringCodec.wire_id) {
    TL_TRY(LightenSizedSequence(stored, value_count, out));
    const Bytes text = TL_TRY(LightenText(stored));
    ByteWriter(out).Append(text);
    return OkStatus();
  }
  const std::size_t entry_count = TL_TRY(TakeEntryCount(stored, value_count, out));
  TL_TRY(LightenSizedSequence(stored, entry_count, out));
  const Bytes text = TL_TRY(LightenText(stored));
  AppendSized(text, out);
  const BytesView codes = TL_TRY(TakeRest(stored));
  return LightenSequence(codes, value_count, out);
}

// Coded text is no text to zstd: such a block becomes a plain one.
Result<Bytes> PlainPayload(BytesView fsst, std::size_t value_count) {
  std::vector<std::string_view> values(value_count);
  TextCache cache;
  TL_TRY(kFsstStringCodec.decode(fsst, value_count, 0, values, &cache));
  Bytes plain;
  TL_CHECK(kPlainStringCodec.encode(values, &plain));
  return plain;
}

// Everything before the payload, with another kind byte.
void AppendHead(BytesView block, const BlockHead& head, std::uint8_t kind, Bytes* out) {
  ByteWriter writer(out);
  writer.U8(kind);
  writer.Append(block.subspan(1, block.size() - head.payload.size() - 1));
}

// An int64 block is a sequence whose wire id stands in the head.
template <typename Rewrite>
Status RewriteInt64(const BlockHead& head, Rewrite rewrite, std::size_t codec_at, Bytes* out) {
  Bytes from = {static_cast<std::byte>(head.codec_id)};
  ByteWriter(&from).Append(head.payload);
  Bytes to;
  TL_TRY(rewrite(from, head.value_count, &to));
  (*out)[codec_at] = to[0];
  ByteWriter(out).Append(BytesView(to).subspan(1));
  return OkStatus();
}

Status Harden(BytesView light, Bytes* out) {
  const BlockHead head = TL_TRY(ReadBlockHead(light));
  if (head.value_count == 0) return DataLoss("entropy stage: no values");
  const std::size_t codec_at = out->size() + kCodecIdOffset;
  AppendHead(light, head, head.kind | kEntropyStageFlag, out);
  ByteReader reader(head.payload);
  switch (static_cast<PhysicalKind>(head.kind)) {
    case PhysicalKind::kInt64:
      return RewriteInt64(head, HardenSequence, codec_at, out);
    case PhysicalKind::kDouble:
      return HardenDouble(head.codec_id, &reader, head.value_count, out);
    case PhysicalKind::kBool:
      if (head.codec_id != kBitmapBoolCodec.wire_id) break;
      return HardenBool(head.payload, head.value_count, out);
    case PhysicalKind::kString: {
      if (head.codec_id != kFsstStringCodec.wire_id) {
        return HardenString(head.codec_id, &reader, head.value_count, out);
      }
      const Bytes plain = TL_TRY(PlainPayload(head.payload, head.value_count));
      (*out)[codec_at] = static_cast<std::byte>(kPlainStringCodec.wire_id);
      ByteReader plain_reader(plain);
      return HardenString(kPlainStringCodec.wire_id, &plain_reader, head.value_count, out);
    }
  }
  return DataLoss("entropy stage: none for codec {} of kind {}", head.codec_id, head.kind);
}

Status Lighten(BytesView stored, Bytes* out) {
  const BlockHead head = TL_TRY(ReadBlockHead(stored));
  const auto kind = static_cast<std::uint8_t>(head.kind & ~kEntropyStageFlag);
  if (head.value_count == 0) return DataLoss("entropy stage: no values");
  AppendHead(stored, head, kind, out);
  ByteReader reader(head.payload);
  switch (static_cast<PhysicalKind>(kind)) {
    case PhysicalKind::kInt64:
      return RewriteInt64(head, LightenSequence, kCodecIdOffset, out);
    case PhysicalKind::kDouble:
      return LightenDouble(head.codec_id, &reader, head.value_count, out);
    case PhysicalKind::kBool:
      return LightenBool(head.payload, head.value_count, out);
    case PhysicalKind::kString:
      return LightenString(head.codec_id, &reader, head.value_count, out);
  }
  return DataLoss("entropy stage: unknown kind {}", kind);
}

}  // namespace

bool EncodeEntropyStage(BytesView light, Bytes* out) {
  const std::size_t start = out->size();
  if (Harden(light, out).ok() && Pays(out->size() - start, light.size())) return true;
  out->resize(start);
  return false;
}

Result<Bytes> DecodeEntropyStage(BytesView stored) {
  TL_CHECK(HasEntropyStage(stored));
  Bytes light;
  TL_TRY(Lighten(stored, &light));
  return light;
}

}  // namespace tideline::codec
