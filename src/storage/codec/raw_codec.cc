// Eight bytes a value, for what nothing else makes smaller.
#include <cstring>

#include "storage/codec/int64_codec.h"

namespace tideline::codec {
namespace {

bool EncodeRaw(std::span<const std::int64_t> values, Bytes* out) {
  ByteWriter(out).Append(std::as_bytes(values));
  return true;
}

Status DecodeRaw(BytesView payload, std::size_t value_count, std::size_t first,
                 std::span<std::int64_t> out) {
  if (payload.size() != value_count * sizeof(std::int64_t)) {
    return DataLoss("raw integers: {} bytes for {} values", payload.size(), value_count);
  }
  std::memcpy(out.data(), payload.data() + first * sizeof(std::int64_t), out.size_bytes());
  return OkStatus();
}

}  // namespace

constinit const Int64Codec kRawInt64Codec{
    .wire_id = 7, .name = "raw", .encode = EncodeRaw, .decode = DecodeRaw};

}  // namespace tideline::codec
