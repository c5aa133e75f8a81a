#include "storage/codec/bool_codec.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"
#include "storage/codec/run_ends.h"

namespace tideline::codec {
namespace {

constexpr std::array<const BoolCodec*, 3> kBoolCodecs = {&kConstantBoolCodec, &kBitmapBoolCodec,
                                                         &kRunLengthBoolCodec};

bool EncodeConstantBool(std::span<const std::uint8_t> values, Bytes* out) {
  const auto differs = [&values](std::uint8_t value) { return value != values[0]; };
  if (std::any_of(values.begin(), values.end(), differs)) return false;
  ByteWriter(out).U8(values[0]);
  return true;
}

Status DecodeConstantBool(BytesView payload, std::size_t, std::size_t,
                          std::span<std::uint8_t> out) {
  if (payload.size() != 1 || payload[0] > std::byte{1})
    return DataLoss("constant boolean: bad value");
  std::fill(out.begin(), out.end(), static_cast<std::uint8_t>(payload[0]));
  return OkStatus();
}

bool EncodeBitmapBool(std::span<const std::uint8_t> values, Bytes* out) {
  const std::size_t at = out->size();
  out->resize(at + (values.size() + 7) / 8);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::byte& target = (*out)[at + i / 8];
    target |= static_cast<std::byte>(values[i] << (i % 8));
  }
  return true;
}

Status DecodeBitmapBool(BytesView payload, std::size_t value_count, std::size_t first,
                        std::span<std::uint8_t> out) {
  if (payload.size() != (value_count + 7) / 8) {
    return DataLoss("boolean bitmap: {} bytes for {} values", payload.size(), value_count);
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t at = first + i;
    out[i] = static_cast<std::uint8_t>(static_cast<unsigned>(payload[at / 8]) >> (at % 8) & 1U);
  }
  return OkStatus();
}

bool EncodeRunLengthBool(std::span<const std::uint8_t> values, Bytes* out) {
  std::vector<std::uint16_t> ends;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i + 1 == values.size() || values[i] != values[i + 1]) {
      ends.push_back(static_cast<std::uint16_t>(i));
      // Sixteen bits a run against one a value.
      if (ends.size() * 16 > values.size()) return false;
    }
  }
  ByteWriter(out).U8(values[0]);
  WriteRunEnds(ends, out);
  return true;
}

Status DecodeRunLengthBool(BytesView payload, std::size_t value_count, std::size_t first,
                           std::span<std::uint8_t> out) {
  ByteReader reader(payload);
  const std::uint8_t first_value = TL_TRY(reader.U8());
  if (first_value > 1) return DataLoss("boolean runs: bad value {}", first_value);
  const RunEndsView runs = TL_TRY(RunEndsView::Read(&reader, value_count));
  std::size_t done = 0;
  for (std::size_t run = runs.FindRun(first); done < out.size(); ++run) {
    if (run == runs.count()) return DataLoss("boolean runs: runs end early");
    const std::size_t end = std::min(runs.end(run), first + out.size());
    if (end <= first + done) return DataLoss("boolean runs: runs do not ascend");
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(done),
              out.begin() + static_cast<std::ptrdiff_t>(end - first),
              static_cast<std::uint8_t>((first_value ^ run) & 1U));
    done = end - first;
  }
  return OkStatus();
}

}  // namespace

constinit const BoolCodec kConstantBoolCodec{
    .wire_id = 1, .name = "constant", .encode = EncodeConstantBool, .decode = DecodeConstantBool};
constinit const BoolCodec kBitmapBoolCodec{
    .wire_id = 2, .name = "bitmap", .encode = EncodeBitmapBool, .decode = DecodeBitmapBool};
constinit const BoolCodec kRunLengthBoolCodec{.wire_id = 3,
                                              .name = "run_length",
                                              .encode = EncodeRunLengthBool,
                                              .decode = DecodeRunLengthBool};

std::span<const BoolCodec* const> BoolCodecs() { return kBoolCodecs; }

const BoolCodec* FindBoolCodec(std::uint8_t wire_id) {
  for (const BoolCodec* codec : kBoolCodecs) {
    if (codec->wire_id == wire_id) return codec;
  }
  return nullptr;
}

const BoolCodec& EncodeBools(std::span<const std::uint8_t> values, Bytes* out) {
  TL_CHECK(!values.empty());
  // In this order each is smaller than the next whenever it applies.
  for (const BoolCodec* codec : {&kConstantBoolCodec, &kRunLengthBoolCodec}) {
    if (codec->encode(values, out)) return *codec;
  }
  TL_CHECK(kBitmapBoolCodec.encode(values, out));
  return kBitmapBoolCodec;
}

}  // namespace tideline::codec
