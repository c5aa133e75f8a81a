// All values are one: a zigzag varint, whatever the number of values.
#include <algorithm>

#include "storage/codec/int64_codec.h"

namespace tideline::codec {
namespace {

bool EncodeConstant(std::span<const std::int64_t> values, Bytes* out) {
  const auto differs = [&values](std::int64_t value) { return value != values[0]; };
  if (std::any_of(values.begin(), values.end(), differs)) return false;
  ByteWriter(out).SignedVarint(values[0]);
  return true;
}

Status DecodeConstant(BytesView payload, std::size_t, std::size_t, std::span<std::int64_t> out) {
  ByteReader reader(payload);
  const std::int64_t value = TL_TRY(reader.SignedVarint());
  std::fill(out.begin(), out.end(), value);
  return OkStatus();
}

}  // namespace

constinit const Int64Codec kConstantInt64Codec{
    .wire_id = 1, .name = "constant", .encode = EncodeConstant, .decode = DecodeConstant};

}  // namespace tideline::codec
