// Strings one after another, entered by slice.
//
//   lengths_bytes (varint) | lengths (int64 sequence) | start of each slice's text but the first
//   (u32) | text
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/slices.h"
#include "storage/codec/string_codec.h"

namespace tideline::codec {
namespace {

bool EncodePlain(std::span<const std::string_view> values, Bytes* out) {
  std::vector<std::int64_t> lengths;
  lengths.reserve(values.size());
  for (const std::string_view value : values) {
    lengths.push_back(static_cast<std::int64_t>(value.size()));
  }
  Bytes encoded;
  EncodeInt64Sequence(lengths, &encoded);
  ByteWriter writer(out);
  writer.Varint(encoded.size());
  writer.Append(encoded);
  // The text of a slice ends where the next begins: the directory of slices.h.
  WriteSlices(values.size(), out, [&values](std::size_t index, Bytes* text) {
    const std::size_t first = index * kSliceValues;
    for (const std::string_view value :
         values.subspan(first, std::min(kSliceValues, values.size() - first))) {
      ByteWriter(text).Append(value);
    }
  });
  return true;
}

Status DecodePlainSlice(BytesView text, std::span<const std::int64_t> lengths, std::size_t skip,
                        std::span<std::string_view> out) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < skip + out.size(); ++i) {
    const auto length = static_cast<std::uint64_t>(lengths[i]);
    if (length > text.size() - at) {
      return DataLoss("plain strings: {} bytes at {} of {}", length, at, text.size());
    }
    const auto bytes = static_cast<std::size_t>(length);
    if (i >= skip) out[i - skip] = AsText(text.subspan(at, bytes));
    at += bytes;
  }
  return OkStatus();
}

Status DecodePlain(BytesView payload, std::size_t value_count, std::size_t first,
                   std::span<std::string_view> out, TextCache*) {
  ByteReader reader(payload);
  const std::uint64_t lengths_bytes = TL_TRY(reader.Varint());
  if (lengths_bytes > reader.remaining()) {
    return DataLoss("plain strings: lengths take {} bytes", lengths_bytes);
  }
  const BytesView encoded = TL_TRY(reader.Take(static_cast<std::size_t>(lengths_bytes)));
  const BytesView slices = payload.subspan(reader.position());
  std::array<std::int64_t, kSliceValues> lengths;
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t index = (first + done) / kSliceValues;
    const std::size_t skip = (first + done) % kSliceValues;
    const std::size_t slice_first = index * kSliceValues;
    const std::size_t count =
        std::min(std::min(kSliceValues, value_count - slice_first) - skip, out.size() - done);
    const std::span<std::int64_t> wanted(lengths.data(), skip + count);
    TL_TRY(DecodeInt64Sequence(encoded, value_count, slice_first, wanted));
    const BytesView text = TL_TRY(SliceBytes(slices, value_count, index));
    TL_TRY(DecodePlainSlice(text, wanted, skip, out.subspan(done, count)));
    done += count;
  }
  return OkStatus();
}

}  // namespace

constinit const StringCodec kPlainStringCodec{
    .wire_id = 1, .name = "plain", .encode = EncodePlain, .decode = DecodePlain};

}  // namespace tideline::codec
