// Text that shares fragments, coded by a table of them (symbol_table.h).
//
//   bytes of lengths (varint) | lengths (int64 sequence) | symbol table | slices.h over codes
//
// Lengths are those of the text. The strings of a slice are coded as one text, so that a symbol may
// cross from one into the next; a slice is decoded whole, once, into the block's TextCache.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/check.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/slices.h"
#include "storage/codec/string_codec.h"
#include "storage/codec/symbol_table.h"
#include "storage/codec/text_cache.h"

namespace tideline::codec {
namespace {

// A table is learned from this much text, taken from all over the block.
constexpr std::size_t kSampleBytes = 16'384;
constexpr std::size_t kSamplePieceBytes = 512;
// Shorter text does not pay for a table.
constexpr std::size_t kTextBytesMin = 1024;

std::string SampleText(std::span<const std::string_view> values, std::size_t text_bytes) {
  std::string sample;
  const std::size_t skip_bytes = text_bytes / kSampleBytes * kSamplePieceBytes;
  std::size_t due = 0;
  std::size_t seen = 0;
  for (const std::string_view value : values) {
    if (seen >= due && sample.size() < kSampleBytes) {
      sample += value.substr(0, kSamplePieceBytes);
      // Whole pieces of neighbours, so that what stands between strings is learned too.
      if (sample.size() % kSamplePieceBytes + value.size() >= kSamplePieceBytes) due = seen + skip_bytes;
    }
    seen += value.size();
  }
  return sample;
}

bool EncodeFsst(std::span<const std::string_view> values, Bytes* out) {
  std::size_t text_bytes = 0;
  std::vector<std::int64_t> lengths;
  lengths.reserve(values.size());
  for (const std::string_view value : values) {
    text_bytes += value.size();
    lengths.push_back(static_cast<std::int64_t>(value.size()));
  }
  if (text_bytes < kTextBytesMin) return false;
  const SymbolTable table = SymbolTable::Build(SampleText(values, text_bytes));
  Bytes encoded_lengths;
  EncodeInt64Sequence(lengths, &encoded_lengths);
  ByteWriter writer(out);
  writer.Varint(encoded_lengths.size());
  writer.Append(encoded_lengths);
  table.Write(out);
  std::string text;
  WriteSlices(values.size(), out, [&](std::size_t index, Bytes* slice) {
    const std::size_t first = index * kSliceValues;
    text.clear();
    for (const std::string_view value :
         values.subspan(first, std::min(kSliceValues, values.size() - first))) {
      text += value;
    }
    table.Encode(text, slice);
  });
  return true;
}

// The text of a slice cut into its strings: those from `skip` on.
Status CutText(std::string_view text, std::span<const std::int64_t> lengths, std::size_t skip,
               std::span<std::string_view> out) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < skip + out.size(); ++i) {
    const auto length = static_cast<std::uint64_t>(lengths[i]);
    if (length > text.size() - at) return DataLoss("coded text: {} bytes at {}", length, at);
    const auto bytes = static_cast<std::size_t>(length);
    if (i >= skip) out[i - skip] = text.substr(at, bytes);
    at += bytes;
  }
  return OkStatus();
}

Result<std::size_t> TotalOf(std::span<const std::int64_t> lengths) {
  std::uint64_t total = 0;
  for (const std::int64_t length : lengths) {
    if (length < 0 || static_cast<std::uint64_t>(length) > kStringBytesMax) {
      return DataLoss("coded text: a string of {} bytes", length);
    }
    total += static_cast<std::uint64_t>(length);
  }
  return static_cast<std::size_t>(total);
}

// `rest` is the payload from the symbol table on; `lengths` are those of slice `index`.
Status DecodeText(BytesView rest, std::size_t value_count, std::size_t index,
                  std::span<const std::int64_t> lengths, std::string* text) {
  const std::size_t text_bytes = TL_TRY(TotalOf(lengths));
  ByteReader reader(rest);
  const SymbolTable table = TL_TRY(SymbolTable::Read(&reader));
  const BytesView slices = rest.subspan(reader.position());
  const BytesView codes = TL_TRY(SliceBytes(slices, value_count, index));
  return table.Decode(codes, text_bytes, text);
}

Status DecodeFsst(BytesView payload, std::size_t value_count, std::size_t first,
                  std::span<std::string_view> out, TextCache* cache) {
  TL_CHECK(cache != nullptr);
  ByteReader reader(payload);
  const std::uint64_t lengths_bytes = TL_TRY(reader.Varint());
  if (lengths_bytes > reader.remaining()) {
    return DataLoss("coded text: lengths take {} bytes", lengths_bytes);
  }
  const BytesView encoded = TL_TRY(reader.Take(static_cast<std::size_t>(lengths_bytes)));
  const BytesView rest = payload.subspan(reader.position());
  std::array<std::int64_t, kSliceValues> buffer;
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t index = (first + done) / kSliceValues;
    const std::size_t skip = (first + done) % kSliceValues;
    const std::size_t slice_first = index * kSliceValues;
    const std::size_t slice_values = std::min(kSliceValues, value_count - slice_first);
    const std::size_t count = std::min(slice_values - skip, out.size() - done);
    const std::span<std::int64_t> lengths(buffer.data(), slice_values);
    TL_TRY(DecodeInt64Sequence(encoded, value_count, slice_first, lengths));
    const auto decode = [&](std::string* text) {
      return DecodeText(rest, value_count, index, lengths, text);
    };
    const std::string_view text = TL_TRY(cache->Slice(index, decode));
    TL_TRY(CutText(text, lengths, skip, out.subspan(done, count)));
    done += count;
  }
  return OkStatus();
}

}  // namespace

constinit const StringCodec kFsstStringCodec{
    .wire_id = 3, .name = "fsst", .encode = EncodeFsst, .decode = DecodeFsst,
    .decodes_text = true};

}  // namespace tideline::codec
